"""Numbers of words by a hash of their letters, so that a word met before need not be cut out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.hashing import I32, U64
from ontologies.kernels import WORTH, compiled, known_words, learn_words, word_keys

U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]

_FEWEST: Final = 1 << 12


class KnownWords:
    """An open table of words, by 64 bits of hash: two of a million words are one in 10^7 tables.

    It is filled and asked by compiled loops alone; without numba no table is worth having.
    """

    def __init__(self) -> None:
        self._keys: U64 = np.zeros(_FEWEST, dtype=np.uint64)
        self._numbers: I32 = np.zeros(_FEWEST, dtype=np.int32)
        self._count = 0

    def look_up(self, codes: U32, starts: I64, ends: I64) -> tuple[U64, I32] | None:
        """Keys of the words at some places of a text, and their numbers, -1 where there is none.

        `None` where loops are not compiled.
        """
        hashed, known = compiled(word_keys, len(starts)), compiled(known_words, len(starts))
        if hashed is None or known is None:
            return None
        keys, found = np.empty(len(starts), dtype=np.uint64), np.empty(len(starts), dtype=np.int32)
        hashed(codes, starts, ends, keys)
        known(self._keys, self._numbers, keys, found)
        return keys, found

    def learn(self, keys: U64, numbers: I32) -> None:
        """Keep the numbers of words, of which some may come twice."""
        if 2 * (self._count + len(keys)) > len(self._keys):
            self._grow(self._count + len(keys))
        self._count += _learn(self._keys, self._numbers, keys, numbers)

    def _grow(self, count: int) -> None:
        held = self._keys > 0
        keys, numbers = self._keys[held], self._numbers[held]
        size = 1 << (4 * count).bit_length()
        self._keys, self._numbers = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        _learn(self._keys, self._numbers, keys, numbers)


def _learn(table: U64, values: I32, keys: U64, numbers: I32) -> int:
    return (compiled(learn_words, max(len(keys), WORTH)) or learn_words)(
        table, values, keys, numbers
    )
