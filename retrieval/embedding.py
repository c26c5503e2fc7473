"""Models that turn texts into vectors: what retrieval asks of one, and folders of such models.

A model comes from a folder of sentence-transformers (Reimers and Gurevych, 'Sentence-BERT', 2019)
or is any LlamaIndex `BaseEmbedding` of the caller's. None is chosen or downloaded by default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

ON_GPU_AT_ONCE = 64


class NoEmbeddingModelError(ValueError):
    """What was given is no model of sentence-transformers that can be opened from this disk."""


class Embedder(Protocol):
    """Turns texts into vectors; any length other than 0 will do, only directions are used.

    `digest` names the model: the same digest, the same vectors. `window` is the number of tokens
    that it reads of a text at most.
    """

    name: str
    digest: str
    window: int

    def tokens(self, text: str) -> int:
        """How many tokens a text has for this model."""
        ...

    def texts(self, texts: Sequence[str]) -> Floats:
        """One row for each text of the literature."""
        ...

    def query(self, text: str) -> Floats:
        """The vector of a question."""
        ...


@runtime_checkable
class LlamaIndexEmbedding(Protocol):
    """What is used of a LlamaIndex `BaseEmbedding`."""

    model_name: str

    def class_name(self) -> str: ...

    def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]: ...

    def get_query_embedding(self, query: str) -> list[float]: ...


EmbeddingSource: TypeAlias = str | Path | Embedder | LlamaIndexEmbedding
"""A folder of sentence-transformers, or a model that the caller has made."""


def open_embedder(source: EmbeddingSource) -> Embedder:
    """The model in a folder, or one that the caller has made.

    Raises `NoEmbeddingModelError` for a path that is no folder of sentence-transformers: a name
    is never looked up elsewhere.
    """
    if isinstance(source, (str, Path)):
        return SentenceTransformerEmbedder(Path(source))
    if isinstance(source, LlamaIndexEmbedding):
        return LlamaEmbedder(source)
    return source


LETTERS_A_TOKEN = 4
"""English has about four letters a token; a `BaseEmbedding` does not tell its tokenizer."""


class LlamaEmbedder:
    """A `BaseEmbedding` that the caller made; whether it sends texts elsewhere is theirs to know.

    Two models of one class and `model_name` are taken for the same.
    """

    def __init__(self, model: LlamaIndexEmbedding, window: int = 512) -> None:
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


class SentenceTransformerEmbedder:
    """A folder of sentence-transformers whose weights are safetensors.

    On a processor each text is embedded by itself, which costs a fifth more than batches and makes
    its vector the same whatever else is embedded beside it; on a GPU texts go in batches.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "modules.json").is_file():
            raise NoEmbeddingModelError(
                f"{folder} holds no modules.json: expected the folder of a model of "
                "sentence-transformers; models are not looked up by name, download one first"
            )
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError) as error:
            raise NoEmbeddingModelError(f"{folder} cannot be opened: {error}") from error
        self.name = folder.resolve().name
        self.digest = folder_digest(folder)
        self.window = int(self._model.max_seq_length or 512)
        self._at_once = 1 if self._model.device.type == "cpu" else ON_GPU_AT_ONCE

    def tokens(self, text: str) -> int:
        return len(self._model.tokenizer(text, verbose=False)["input_ids"])

    def texts(self, texts: Sequence[str]) -> Floats:
        found: Floats = self._model.encode_document(
            list(texts), batch_size=self._at_once, show_progress_bar=False
        )
        return found

    def query(self, text: str) -> Floats:
        with one_thread():
            found: Floats = self._model.encode_query(text, show_progress_bar=False)
        return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread, so that sums are added in one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def folder_digest(folder: Path) -> str:
    """SHA-256 over the files that make a model: configurations, tokenizer and weights."""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in {".json", ".txt", ".model", ".safetensors"} and not name.startswith("."):
            content = sha256(path.read_bytes()).digest()
            digest.update(len(name).to_bytes(4) + name.encode() + content)
    return digest.hexdigest()
