"""Where the tokens of a text stand, for many texts at once.

The same tokens as `normalize.TOKEN` finds, by looking at all characters together: a token begins
where the class of the character changes. Tests hold the two equal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.normalize import LETTERS, TOKEN

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

_OTHER, _LETTER, _DIGIT, _SIGN = range(4)
"""No part of a token; a letter that runs on; a digit; a letter that is a token by itself."""

COMMON: Final = 0x3000
"""Code points below have a table of their classes; texts with others are split by `TOKEN`."""

_POSSESSIVE: Final = ("'s", "’s")


def _possessives(text: str) -> list[int]:
    """Where `'s` stands that no Latin letter follows, in order."""
    found = []
    for sign in _POSSESSIVE:
        at = text.find(sign)
        while at >= 0:
            after = text[at + 2 : at + 3]
            if not (after.isascii() and after.isalpha()):
                found.append(at)
            at = text.find(sign, at + 1)
    return sorted(found)


@lru_cache(maxsize=1)
def _classes() -> U8:
    letter, digit, sign = (re.compile(p) for p in (f"[{LETTERS}]", r"\d", r"[^\W\d_]"))
    patterns = ((letter, _LETTER), (digit, _DIGIT), (sign, _SIGN))
    signs = map(chr, range(COMMON))
    found = [next((c for p, c in patterns if p.match(sign)), _OTHER) for sign in signs]
    return np.array(found, dtype=np.uint8)


def code_points(text: str) -> U32:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def token_bounds(text: str, codes: U32) -> tuple[I64, I64]:
    """Starts and ends (exclusive) of all tokens, in order, of a text with these code points."""
    if not len(codes) or int(codes.max()) >= COMMON:
        spans = [match.span() for match in TOKEN.finditer(text)]
        starts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        return starts, ends
    classes = np.zeros(len(codes) + 1, dtype=np.uint8)
    np.take(_classes(), codes, out=classes[:-1])
    boundary = np.zeros(len(classes), dtype=bool)
    for low in _possessives(text):
        high = low + 2
        # Not after another possessive's `s`, which no longer is a letter to run on from.
        if low and classes[low - 1] == _LETTER and not boundary[low]:
            classes[low:high] = _LETTER
            boundary[high] = True
    before = np.empty_like(classes)
    before[0], before[1:] = _OTHER, classes[:-1]
    boundary |= (classes != before) | (classes == _SIGN)
    starts = np.flatnonzero(boundary & (classes != _OTHER))
    ends = np.flatnonzero(boundary & (before != _OTHER))
    return starts, ends
