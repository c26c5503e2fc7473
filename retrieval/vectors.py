"""Vectors of a snapshot's articles, kept beside it, and how near a question is to each article.

An article is embedded in windows of whole sentences. Its similarity to a question is the mean of
two cosines: that of its nearest window, and that of the sum of its windows.

The search is exact and reads every vector: 2 bytes a component, so that a million articles of
MiniLM's 384 components in three windows each take 2.3 GB of mapped file and, on one core, about
a second a question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.bm25 import mapped

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

VECTORS_VERSION = 1
SCALE = 4000
"""A component of a unit vector is kept as a whole number of 1/4000. The products of two such
vectors, and all their partial sums, are whole numbers below 2 ** 24, which 32-bit floats hold
exactly: a similarity is the same in whatever order a library adds, and in how many threads."""

HASH_BYTES = 16
_AT_ONCE = 2048
_ARRAYS = ("vectors", "rows", "hashes", "articles", "norms")


class MissingVectorsError(LookupError):
    """A snapshot has no vectors of the embedding model that is asked for."""


def quantized(vectors: npt.ArrayLike) -> Array:
    """Rows, or one vector, as whole numbers of 1/4000 of their length; a row of zeros stays so.

    Raises `ValueError` where a component is no finite number.

    >>> quantized([3.0, 4.0]).tolist()
    [2400, 3200]
    """
    found = np.asarray(vectors, np.float64)
    if not np.isfinite(found).all():
        raise ValueError("the embedding model gave a vector with a component that is no number")
    length = np.sqrt((found * found).sum(axis=-1, keepdims=True))
    unit = np.divide(found, length, out=np.zeros_like(found), where=length > 0)
    whole: Array = np.rint(SCALE * unit).astype(np.int16)
    return whole


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Windows of articles, by article row of the snapshot: `vectors[i]` is a window of the article
    `rows[i]`, sorted; `hashes[i]` names its text. `articles` are the distinct rows, and `norms`
    the lengths of the sums of their windows.
    """

    vectors: Array
    rows: Array
    hashes: Array
    articles: Array
    norms: Floats

    @classmethod
    def of(cls, vectors: Array, rows: Array, hashes: Array) -> Vectors:
        """From quantized windows in the order of their articles."""
        articles, starts = np.unique(rows, return_index=True)
        norms = np.zeros(len(articles))
        ends = np.append(starts, len(rows))[1:]
        for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            total = vectors[start:end].sum(axis=0, dtype=np.int64)
            norms[place] = np.sqrt(float((total * total).sum()))
        return cls(vectors, rows, hashes, articles, norms)

    def similarities(self, query: Array) -> Floats:
        """By article of `articles`, the similarity to a quantized query, -1 to 1."""
        if not len(self.articles):
            return np.zeros(0)
        if self.vectors.shape[1:] != query.shape:
            raise ValueError(
                f"the question's vector has {query.shape[0]} components, those of the graph "
                f"{self.vectors.shape[1]}: embed the graph again with this model"
            )
        products = self._products(query).astype(np.int64)
        starts = np.searchsorted(self.rows, self.articles)
        nearest = np.maximum.reduceat(products, starts) / float(SCALE * SCALE)
        length = np.where(self.norms > 0, self.norms, 1.0) * SCALE
        found: Floats = 0.5 * (nearest + np.add.reduceat(products, starts) / length)
        return found

    def _products(self, query: Array) -> Array:
        asked = query.astype(np.float32)
        found = np.empty(len(self.rows), np.float32)
        for start in range(0, len(found), _AT_ONCE):
            some = self.vectors[start : start + _AT_ONCE].astype(np.float32)
            found[start : start + _AT_ONCE] = some @ asked
        return found

    def save(self, folder: Path, model: Mapping[str, Any]) -> None:
        """Write into an empty folder, with what is to be told of the model."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        text = json.dumps({**model, "version": VECTORS_VERSION}, indent=1, sort_keys=True)
        (folder / "model.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Vectors:
        """What `save` wrote, memory-mapped."""
        return cls(**{name: mapped(folder / f"{name}.npy") for name in _ARRAYS})


def vectors_folder(snapshot: Path, model_digest: str) -> Path:
    """Where the vectors of a snapshot by a model are kept."""
    return snapshot / "vectors" / f"{model_digest[:32]}-{VECTORS_VERSION}"


def open_vectors(snapshot: Path, model_digest: str, model_name: str) -> Vectors:
    """The vectors of a snapshot; `MissingVectorsError` names the command that makes them."""
    folder = vectors_folder(snapshot, model_digest)
    if not folder.is_dir():
        graph = snapshot.parent.parent
        raise MissingVectorsError(
            f"{snapshot} has no vectors of the model {model_name}: make them with `medweave embed "
            f"--graph {graph} --embedding FOLDER`, which also goes on where it was interrupted and "
            "embeds only what is new since"
        )
    return Vectors.load(folder)
