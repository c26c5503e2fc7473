"""Loops over arrays, compiled where numba is installed.

What numpy does in a dozen passes over memory, one loop does in one. Every loop here has its equal
in numpy beside its caller, which serves where numba is missing and where there is too little to do
to be worth starting it; tests hold the two equal. A loop compiled once is kept on disk.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

WORTH: Final = 4096
"""Items below which a call is left to numpy."""

START: Final = 10_000_000
"""Items that a process does by numpy before it starts numba, which takes a second or two: about
what they would have been faster by."""

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def compiled(loop: _Loop, items: int) -> _Loop | None:
    """A loop compiled; `None` where numba is missing or there was too little to do to start it.

    What is found is the same either way; when to start depends on what the process did before.
    """
    if items < WORTH:
        return None
    if _done["items"] < START:
        _done["items"] += items
        return None
    return _compiled(loop)


_done = {"items": 0}


@functools.cache
def _compiled(loop: _Loop) -> _Loop | None:
    try:
        import numba
    except ImportError:
        return None
    try:
        fast: _Loop = numba.njit(cache=True)(loop)
    except RuntimeError:  # no folder to keep it in that can be written
        fast = numba.njit(loop)
    return fast


def probe(table: U64, values: I32, slots: np.uint64, keys: U64, out: I32) -> None:
    """Look keys up in a `hashing.HashTable`; empty slots hold key 0 and the value for none."""
    half = np.uint64(32)
    for at in range(len(keys)):
        key = keys[at]
        slot = np.int64(((key >> half) * slots) >> half)
        while table[slot] != key and table[slot] != 0:
            slot += 1
        out[at] = values[slot]


def tree_rows(columns: F64, thresholds: F64, starts: I64, rows: I32) -> None:
    """The row of masks of every candidate and feature: its bin, counted through all features.

    A value's bin is the number of the feature's thresholds below it; `columns` has a row for each
    feature, `rows` a row for each candidate.
    """
    offset = 0
    for feature in range(len(columns)):
        low, high = starts[feature], starts[feature + 1]
        for candidate in range(columns.shape[1]):
            value, first, last = columns[feature, candidate], low, high
            while first < last:
                middle = (first + last) >> 1
                if thresholds[middle] < value:
                    first = middle + 1
                else:
                    last = middle
            rows[candidate, feature] = offset + first - low
        offset += high - low + 1


def tree_sums(masks: U16, rows: I32, leaves: F32, lowest: U8, out: F64) -> None:
    """The sum over trees of the first leaf that is left in each, for every candidate.

    `rows[candidate, feature]` is the row of `masks` that holds the leaves which the feature's
    value leaves in every tree, as bits; `lowest` is the place of the lowest bit of any of them.
    """
    size, features = rows.shape
    trees = masks.shape[1]
    left = np.empty(trees, np.uint16)
    for candidate in range(size):
        left[:] = masks[rows[candidate, 0]]
        for feature in range(1, features):
            mask = masks[rows[candidate, feature]]
            for tree in range(trees):
                left[tree] &= mask[tree]
        total = 0.0
        for tree in range(trees):
            total += leaves[tree, lowest[left[tree]]]
        out[candidate] = total


def first_come(firsts: I32, counts: I32, taken: U8, kept: U8) -> None:
    """Of stretches of tokens in order of precedence, those of which no token is taken before."""
    for at in range(len(firsts)):
        low = firsts[at]
        high = low + counts[at]
        free = True
        for token in range(low, high):
            if taken[token]:
                free = False
                break
        if free:
            taken[low:high] = 1
            kept[at] = 1


def word_keys(codes: npt.NDArray[np.uint32], starts: I64, ends: I64, out: U64) -> None:
    """A hash of 64 bits, never 0, of the code points of each token."""
    multiplier, half = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
    for at in range(len(starts)):
        key = np.uint64(ends[at] - starts[at])
        for place in range(starts[at], ends[at]):
            key = (key ^ np.uint64(codes[place])) * multiplier
            key ^= key >> half
        out[at] = key if key else multiplier


def known_words(slots: U64, numbers: I32, keys: U64, out: I32) -> None:
    """The number of each word in an open table of a power of two of slots; -1 where it has none."""
    last = np.uint64(len(slots) - 1)
    for at in range(len(keys)):
        slot = keys[at] & last
        while slots[slot] != keys[at] and slots[slot] != 0:
            slot = (slot + np.uint64(1)) & last
        out[at] = numbers[slot] if slots[slot] else -1


def learn_words(slots: U64, numbers: I32, keys: U64, given: I32) -> int:
    """Give words their numbers in such a table; returns how many were new to it."""
    last, new = np.uint64(len(slots) - 1), 0
    for at in range(len(keys)):
        slot = keys[at] & last
        while slots[slot] != keys[at] and slots[slot] != 0:
            slot = (slot + np.uint64(1)) & last
        if slots[slot] == 0:
            slots[slot], numbers[slot] = keys[at], given[at]
            new += 1
    return new
