"""BM25 scores of documents, computed once and memory-mapped.

The scores are those of bm25s (Lù, 'BM25S: orders of magnitude faster lexical search via eager
sparse scoring', 2024) with Lucene's idf; what is kept is its matrix of terms and documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

K1 = 1.5
B = 0.75
_PARTS = ("data", "indices", "indptr")


@dataclass(frozen=True, slots=True, eq=False)
class Bm25:
    """Scores by term (column) of the documents (rows) that hold it; `size` documents."""

    data: Array
    indices: Array
    indptr: Array
    size: int

    @classmethod
    def build(cls, documents: Sequence[Sequence[int]], terms: int) -> Bm25:
        """Index documents given as numbers of terms, each below `terms`; repeated ones count."""
        if not any(documents):
            none, nowhere = np.zeros(0, np.float32), np.zeros(0, np.int32)
            return cls(none, nowhere, np.zeros(terms + 1, np.int64), len(documents))
        import bm25s

        made = bm25s.BM25(k1=K1, b=B, method="lucene").build_index_from_ids(
            list(range(terms)), documents, show_progress=False
        )
        return cls(made["data"], made["indices"], made["indptr"], len(documents))

    def scores(self, terms: Sequence[int], weights: Sequence[float]) -> Floats:
        """The weighted sum over terms for every document, added in the order of the terms.

        Each term is to be given once.
        """
        total = np.zeros(self.size)  # of 64 bits, so that sums of floats in 32 are exact enough
        for term, weight in sorted(zip(terms, weights, strict=True)):
            at = slice(int(self.indptr[term]), int(self.indptr[term + 1]))
            total[self.indices[at]] += weight * self.data[at].astype(np.float64)
        return total

    def scores_of(self, terms: Sequence[int], weights: Sequence[float], documents: Array) -> Floats:
        """`scores` of some documents alone, equal to the last digit; any order, repeats allowed."""
        total = np.zeros(len(documents))
        sought = documents.astype(self.indices.dtype)
        for term, weight in sorted(zip(terms, weights, strict=True)):
            low, high = int(self.indptr[term]), int(self.indptr[term + 1])
            if low == high:
                continue
            held = self.indices[low:high]  # in order, as bm25s leaves them
            at = np.minimum(np.searchsorted(held, sought), high - low - 1)
            there = held[at] == sought
            total[there] += weight * self.data[low:high][at[there]].astype(np.float64)
        return total

    def documents(self, term: int) -> Array:
        """The documents that hold a term."""
        held: Array = self.indices[int(self.indptr[term]) : int(self.indptr[term + 1])]
        return held

    def save(self, directory: Path, name: str) -> None:
        """Write the parts as `NAME.*.npy`."""
        for part in _PARTS:
            np.save(directory / f"{name}.{part}.npy", getattr(self, part))
        np.save(directory / f"{name}.size.npy", np.array(self.size))

    @classmethod
    def load(cls, directory: Path, name: str) -> Bm25:
        """What `save` wrote, memory-mapped."""
        data, indices, indptr = (mapped(directory / f"{name}.{part}.npy") for part in _PARTS)
        return cls(data, indices, indptr, int(np.load(directory / f"{name}.size.npy")))


def mapped(path: Path) -> Array:
    """An array file mapped into memory, as a plain array: quicker to slice than a `memmap`."""
    return np.asarray(np.load(path, mmap_mode="r"))
