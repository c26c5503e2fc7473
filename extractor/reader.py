"""The seam between notes and findings: a `Reader`, with rules or with a model behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from extractor.schema import Note, NoteFindings

if TYPE_CHECKING:
    from ontologies import Vocabulary


class Reader(Protocol):
    """Finds what notes say. For every finding `note.text[start:end] == quote`."""

    @property
    def version(self) -> str:
        """Method, model, prompt and linker, with their versions."""
        ...

    def read(self, notes: Sequence[Note]) -> list[NoteFindings]:
        """What each note says, in the order of the notes; a note's result depends on it alone."""
        ...


def open_reader(model: str, vocabulary: Vocabulary) -> Reader:
    """A reader by name or by the folder of a model.

    `rules` needs no model; `small` is the model that ships with medweave. Raises `ValueError`
    where the folder holds no model, naming what was expected.
    """
    from ontologies import open_linker

    linker = open_linker("lexicon", vocabulary, notes=True)
    if model == "rules":
        from extractor.rules import RuleReader

        return RuleReader(vocabulary, linker)
    raise ValueError(f"no reader {model!r}; known: rules")
