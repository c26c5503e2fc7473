"""The reader that asks a model and adds what the rules know and it missed.

A model trained on few notes overlooks names that the vocabulary holds; the rules overlook names
that it does not hold. The model's findings stand. One without a concept takes that of the rules'
finding in its place, and the rules' findings that have a concept and overlap none are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extractor.model_reader import ModelReader
from extractor.rules import RuleReader
from extractor.schema import Finding, Note, NoteFindings


class CombinedReader:
    """Finds the findings of notes by a model and by rules; see `Reader` for what it promises."""

    def __init__(self, model: ModelReader, rules: RuleReader) -> None:
        self._model = model
        self._rules = rules

    @property
    def version(self) -> str:
        """Names both readers."""
        return f"{self._model.version}+{self._rules.version}"

    def read(self, notes: Sequence[Note]) -> list[NoteFindings]:
        """The findings of each note, in order of the notes; states are those of the model."""
        both = zip(self._model.read(notes), self._rules.read(notes), strict=True)
        return [
            replace(said, findings=_joined(said.findings, ruled.findings), reader=self.version)
            for said, ruled in both
        ]


def _joined(said: Sequence[Finding], ruled: Sequence[Finding]) -> tuple[Finding, ...]:
    linked = [replace(f, concept=f.concept or _concept(f, ruled)) for f in said]
    missed = [
        f for f in ruled if f.concept is not None and not any(_overlap(f, one) for one in linked)
    ]
    return tuple(sorted([*linked, *missed], key=lambda f: (f.start, f.end)))


def _concept(finding: Finding, ruled: Sequence[Finding]) -> str | None:
    return next((f.concept for f in ruled if f.concept and _overlap(f, finding)), None)


def _overlap(one: Finding, other: Finding) -> bool:
    return one.start < other.end and other.start < one.end
