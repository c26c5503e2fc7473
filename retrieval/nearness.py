"""How near each article of a snapshot is to a question, by an embedding model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.embedding import Embedder
from retrieval.vectors import Vectors, open_vectors, quantized
from retrieval.view import View

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

QUESTIONS_KEPT = 1024


class Nearness:
    """The vectors of the snapshots that are asked, opened once each."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._opened: dict[Path, tuple[Vectors, Array]] = {}
        self._asked = lru_cache(QUESTIONS_KEPT)(lambda text: quantized(embedder.query(text)))

    def of(self, view: View, text: str) -> Floats:
        """By document, 0 to 1: how much its similarity is above the snapshot's mean, in shares of
        what that of the nearest is. Documents below the mean, and those without text, have 0.
        """
        vectors, documents = self._of_snapshot(view)
        found = vectors.similarities(self._asked(text))
        near = np.zeros(len(view.index.article_rows))
        if len(found):
            above = np.maximum(found - found.mean(), 0.0)
            near[documents] = above / (above.max() or 1.0)
        return near

    def _of_snapshot(self, view: View) -> tuple[Vectors, Array]:
        """The vectors, and the document of each article that has some."""
        path = view.reader.tables.directory
        if path not in self._opened:
            vectors = open_vectors(path, self._embedder.digest, self._embedder.name)
            documents = np.searchsorted(view.index.article_rows, vectors.articles)
            self._opened[path] = vectors, documents
        return self._opened[path]
