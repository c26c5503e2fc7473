"""Findings to concepts: by the linker's mentions in them, else by their own name.

The linker reads whole notes and judges what it finds. A finding that it left without a concept is
looked up by its exact name, then by what is left of it without words before the head.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from extractor.kinds import kind_of_types
from extractor.schema import Finding, Kind, Note, NoteFindings
from extractor.words import TOKEN

if TYPE_CHECKING:
    from ontologies import Linker, Mention, Vocabulary

_LONGEST: Final = 6


class FindingLinker:
    """Gives findings their concepts."""

    def __init__(self, vocabulary: Vocabulary, linker: Linker) -> None:
        """`linker` must have been opened over `vocabulary`, best with `notes=True`."""
        self._vocabulary = vocabulary
        self._linker = linker
        self._by_name: dict[tuple[str, Kind], str | None] = {}

    @property
    def version(self) -> str:
        """The linker's version, and the vocabulary's digest is not part of it."""
        return self._linker.version

    @property
    def linker(self) -> Linker:
        """The linker that reads whole notes."""
        return self._linker

    def linked(self, notes: Sequence[Note], read: Sequence[NoteFindings]) -> list[NoteFindings]:
        """The findings with their concepts; those that have one keep it."""
        mentions = self._linker.link_many(note.text for note in notes)
        return [
            replace(one, findings=tuple(self.link(f, found) for f in one.findings))
            for one, found in zip(read, mentions, strict=True)
        ]

    def link(self, finding: Finding, mentions: Sequence[Mention]) -> Finding:
        """The finding with the concept of the last mention in it, or of its own name."""
        if finding.concept is not None:
            return finding
        concept = (
            self._find(finding.quote, finding.kind)
            or self._mentioned(finding, mentions)
            or self.by_name(finding.quote, finding.kind)
        )
        return replace(finding, concept=concept)

    def _mentioned(self, finding: Finding, mentions: Sequence[Mention]) -> str | None:
        """The concept of the longest mention within the finding that is of its kind."""
        at = bisect_left([m.start for m in mentions], finding.start)
        inside = [
            m
            for m in mentions[at:]
            if m.end <= finding.end
            and m.concept_id is not None
            and self._kind(m.concept_id) in (finding.kind, None)
        ]
        best = max(inside, key=lambda m: (m.end - m.start, m.end), default=None)
        return best.concept_id if best else None

    def by_name(self, quote: str, kind: Kind) -> str | None:
        """The concept of this kind that the quote, or its end, names exactly; `None` if not one."""
        key = quote.casefold(), kind
        if key not in self._by_name:
            if len(self._by_name) > 200_000:
                self._by_name.clear()
            self._by_name[key] = self._by_end(quote, kind)
        return self._by_name[key]

    def _by_end(self, quote: str, kind: Kind) -> str | None:
        """The concept that the whole quote names, else the longest end of it."""
        starts = [token.start() for token in TOKEN.finditer(quote)][:_LONGEST]
        found = (
            self._find(quote[start:], kind)
            for start in starts
            if not start or len(quote) > start + 3
        )
        return next(filter(None, found), None)

    def _find(self, name: str, kind: Kind) -> str | None:
        """The concept of the kind that has this name; of several that whose main name it is."""
        for form in dict.fromkeys((name, name.removesuffix("s"))):
            fitting = [c for c in self._vocabulary.find(form) if self._kind(c) is kind]
            if len(fitting) > 1:
                folded = form.casefold()
                main = [c for c in fitting if self._vocabulary[c].name.casefold() == folded]
                fitting = main or fitting
            if fitting:
                return fitting[0]
        return None

    def _kind(self, concept: str) -> Kind | None:
        return kind_of_types(self._vocabulary.semantic_types_of(concept))
