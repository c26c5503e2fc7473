"""The demo's files: the corpus as PubMed XML, and the questions to ask of its graph."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what a good answer holds; the fields are told in `questions.toml`."""

    text: str
    kind: str
    concepts: tuple[str, ...]
    predicate: str = ""
    expected: tuple[str, ...] = ()
    supporting: tuple[int, ...] = ()
    refuting: tuple[int, ...] = ()
    retracted: tuple[int, ...] = ()
    as_of: str = ""
    demo: bool = False


def corpus_files() -> list[Path]:
    """The demo's PubMed XML, the update file last."""
    return sorted(HERE.glob("*.xml"))


def demo_questions() -> list[Question]:
    """All questions of `questions.toml`, in its order."""
    table = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))
    return [_question(entry) for entry in table["question"]]


def _question(entry: Mapping[str, Any]) -> Question:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Question(**values)
