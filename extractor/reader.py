"""The seam between notes and findings: a `Reader`, with rules or with a model behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from extractor.schema import Note, NoteFindings

if TYPE_CHECKING:
    from ontologies import Vocabulary


SMALL: Final = Path(__file__).parent / "weights" / "small"
"""The model that ships with medweave; its card lies beside it."""
SMOLLM: Final = Path(__file__).parent / "weights" / "smollm"
"""The adapter that ships for SmolLM2-135M-Instruct, which `make smollm` installs."""


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

    `rules` needs no model; `small` is the model that ships with medweave; `both` is that model
    with what the rules know and it missed; `smollm` is SmolLM2 with the adapter that ships.
    Findings are linked to concepts of the vocabulary. Raises `ValueError` where the folder holds
    no model, naming what was expected.
    """
    from ontologies import open_linker

    linker = open_linker("lexicon", vocabulary, notes=True)
    if model == "rules":
        from extractor.rules import RuleReader

        return RuleReader(vocabulary, linker)
    from extractor.linking import FindingLinker
    from extractor.llm import open_llm
    from extractor.model_reader import ModelReader

    path = {"small": SMALL, "both": SMALL, "smollm": SMOLLM}.get(model, Path(model))
    if not path.exists():
        raise ValueError(
            f"no reader {model!r}: give rules, small, both, smollm, or the folder of a model"
        )
    asked = ModelReader(open_llm(path), FindingLinker(vocabulary, linker))
    if model == "both":
        from extractor.combined import CombinedReader
        from extractor.rules import RuleReader

        return CombinedReader(asked, RuleReader(vocabulary, linker))
    return asked
