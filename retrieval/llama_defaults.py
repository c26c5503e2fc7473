"""No model where none was given: LlamaIndex would ask a hosted service instead.

LlamaIndex resolves what is not set in its `Settings` to OpenAI's models, and sends them what they
are asked as soon as a key is in the environment. Questions here can be clinical notes.
"""

from __future__ import annotations

from typing import Any, NoReturn

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.settings import Settings


class NoModelError(RuntimeError):
    """A language or embedding model is needed, and none was given."""


def _refuse(kind: str) -> NoReturn:
    raise NoModelError(
        f"no {kind} model was given, and none is chosen for you: the default of LlamaIndex is a "
        "hosted one, to which your texts would go; pass one, or set it in "
        "`llama_index.core.Settings`"
    )


class NoLanguageModel(CustomLLM):
    """Stands where a language model is missing; every use raises `NoModelError`."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="none")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        _refuse("language")

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        _refuse("language")


class NoEmbeddingModel(BaseEmbedding):
    """Stands where an embedding model is missing; every use raises `NoModelError`."""

    model_name: str = "none"

    def _get_query_embedding(self, query: str) -> list[float]:
        _refuse("embedding")

    async def _aget_query_embedding(self, query: str) -> list[float]:
        _refuse("embedding")

    def _get_text_embedding(self, text: str) -> list[float]:
        _refuse("embedding")


def refuse_hosted_defaults() -> None:
    """Put models that refuse in the place of LlamaIndex's defaults that nobody set."""
    if Settings._llm is None:  # to read the property would resolve the hosted one
        Settings.llm = NoLanguageModel()
    if Settings._embed_model is None:
        Settings.embed_model = NoEmbeddingModel()
