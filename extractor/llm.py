"""The seam to language models: `LLM`, with a local transformers model or a script behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt, and the grammar (in llguidance's Lark dialect) that its answer must follow.

    Without a grammar the answer is free.
    """

    prompt: str
    grammar: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer; `truncated` where the token limit cut it, so that it need not be whole."""

    text: str
    truncated: bool = False


class LLM(Protocol):
    """A causal language model. An answer depends on its own prompt alone, not on its neighbours."""

    @property
    def version(self) -> str:
        """Names the weights: an answer is the same for the same version, prompt and grammar."""
        ...

    @property
    def form(self) -> str:
        """The form of prompt that the model understands; see `extractor.prompt`."""
        ...

    def complete(self, asks: Sequence[Ask], limit: int) -> list[Completion]:
        """The likeliest answer to each prompt, of at most `limit` tokens, in order."""
        ...

    def choose(self, prompts: Sequence[str], answers: Sequence[str]) -> list[list[float]]:
        """For each prompt the probability of each answer, as its first token tells; they sum to 1.

        Raises `ValueError` where two answers begin with the same token.
        """
        ...


class ScriptedLLM:
    """Answers from a table: for tests of what uses a model, not of models."""

    def __init__(
        self,
        answers: dict[str, str],
        *,
        form: str = "compact-1",
        chances: dict[str, list[float]] | None = None,
        otherwise: str = "[]",
    ) -> None:
        """`answers` maps a part of a prompt to its answer; `chances` to its probabilities."""
        self._answers = answers
        self._chances = chances or {}
        self._otherwise = otherwise
        self.form = form
        self.version = "scripted"

    def complete(self, asks: Sequence[Ask], limit: int) -> list[Completion]:
        """The answer of the first part that the prompt holds, cut at `limit` words."""
        return [self._complete(ask.prompt, limit) for ask in asks]

    def _complete(self, prompt: str, limit: int) -> Completion:
        text = next((a for part, a in self._answers.items() if part in prompt), self._otherwise)
        words = text.split(" ")
        return Completion(" ".join(words[:limit]), len(words) > limit)

    def choose(self, prompts: Sequence[str], answers: Sequence[str]) -> list[list[float]]:
        """The probabilities of the first part that the prompt holds, else all the same."""
        if len(set(answers)) < len(answers):
            raise ValueError("two answers begin with the same token")
        even = [1 / len(answers)] * len(answers)
        return [
            next((c for part, c in self._chances.items() if part in prompt), even)
            for prompt in prompts
        ]


class ModelError(ValueError):
    """A folder that holds no causal language model; names it and what was expected."""


def open_llm(path: Path, *, batch: int = 32) -> LLM:
    """The local model in a folder: safetensors, or one GGUF file; on a GPU where there is one.

    A folder made by `medweave extractor` tells its form of prompt, and its adapter's base, in
    `medweave.json`; any other is asked by instruction. Raises `ModelError`.
    """
    from extractor.local_llm import LocalLLM

    return LocalLLM.open(path, batch=batch)
