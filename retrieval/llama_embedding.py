"""Any LlamaIndex `BaseEmbedding` as an embedding model of retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import numpy.typing as npt
from llama_index.core.base.embeddings.base import BaseEmbedding

Floats = npt.NDArray[np.float32]

LETTERS_A_TOKEN = 4
"""English has about four letters a token; a `BaseEmbedding` does not tell its tokenizer."""


class LlamaEmbedder:
    """A `BaseEmbedding` that the caller made; whether it sends texts elsewhere is theirs to know.

    Two models of one class and `model_name` are taken for the same.
    """

    def __init__(self, model: BaseEmbedding, window: int = 512) -> None:
        self._model = model
        self.name = f"{model.class_name()} {model.model_name}"
        self.digest = sha256(self.name.encode()).hexdigest()
        self.window = window

    def tokens(self, text: str) -> int:
        return len(text) // LETTERS_A_TOKEN + 1

    def texts(self, texts: Sequence[str]) -> Floats:
        return np.asarray(self._model.get_text_embedding_batch(list(texts)), np.float32)

    def query(self, text: str) -> Floats:
        return np.asarray(self._model.get_query_embedding(text), np.float32)
