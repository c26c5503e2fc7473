"""64-bit hashes of token sequences, and an open-addressed table over them that maps into memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.kernels import compiled, probe

U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

ABSENT = -4
"""What `HashTable.lookup` gives for a key that the table does not hold."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)


def text_hash(text: str) -> int:
    """64 bits of a string: the same on every machine and in every run."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def extend_hash(prefix: U64, token: U64) -> U64:
    """Hashes of sequences, each one item longer than `prefix` (zeros to begin with)."""
    mixed = (prefix * _MULTIPLIER) ^ token
    mixed ^= mixed >> _HALF
    mixed *= _MIX
    mixed ^= mixed >> _HALF
    return mixed


def path_hash(tokens: list[int]) -> int:
    """The hash of one sequence, as `extend_hash` builds it."""
    key = np.zeros(1, dtype=np.uint64)
    for token in tokens:
        key = extend_hash(key, np.array([token], dtype=np.uint64))
    return int(key[0])


def mapped(path: Path) -> npt.NDArray[Any]:
    """An array mapped into memory; a plain view of it, which is faster to index than a memmap."""
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r").view(np.ndarray)
    return array


def _home(keys: U64, slots: int) -> npt.NDArray[np.int64]:
    return (((keys >> _HALF) * np.uint64(slots)) >> _HALF).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class HashTable:
    """Integers by 64-bit key, by linear probing; 0 marks an empty slot and is no key.

    A key's first slot is `key * slots >> 64`; since that grows with the key, sorted keys are laid
    down in the order of their slots and the table needs no insertion loop.
    """

    keys: U64
    values: I32
    slots: int

    @classmethod
    def build(cls, keys: U64, values: I32) -> HashTable:
        """A table of distinct keys, sorted."""
        slots = max(8, len(keys) * 5 // 3)
        steps = np.arange(len(keys))
        slot = np.maximum.accumulate(_home(keys, slots) - steps) + steps
        size = max(slots, int(slot.max(initial=0)) + 1) + 1
        table = cls(np.zeros(size, dtype=np.uint64), np.full(size, ABSENT, dtype=np.int32), slots)
        table.keys[slot], table.values[slot] = keys, values
        return table

    def lookup(self, keys: U64) -> I32:
        """The value of each key, `ABSENT` where the table does not hold it."""
        if (loop := compiled(probe, len(keys))) is not None:
            out = np.empty(len(keys), dtype=np.int32)
            loop(self.keys, self.values, np.uint64(self.slots), keys, out)
            return out
        slot = _home(keys, self.slots)
        found = np.take(self.keys, slot)
        hit = found == keys
        value = np.full(len(keys), ABSENT, dtype=np.int32)
        at = np.flatnonzero(hit)
        value[at] = np.take(self.values, slot[at])
        pending = np.flatnonzero(~hit & (found != 0))
        slot = slot[pending]
        while len(pending):
            slot = slot + 1
            found = self.keys[slot]
            hit = found == keys[pending]
            value[pending[hit]] = self.values[slot[hit]]
            on = ~hit & (found != 0)
            pending, slot = pending[on], slot[on]
        return value

    def save(self, directory: Path, name: str) -> None:
        np.save(directory / f"{name}.keys.npy", self.keys)
        np.save(directory / f"{name}.values.npy", self.values)
        np.save(directory / f"{name}.slots.npy", np.array(self.slots))

    @classmethod
    def load(cls, directory: Path, name: str) -> HashTable:
        """The table that `save` wrote, memory-mapped."""
        keys, values = (mapped(directory / f"{name}.{part}.npy") for part in ("keys", "values"))
        return cls(keys, values, int(np.load(directory / f"{name}.slots.npy")))
