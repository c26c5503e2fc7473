"""Findings to concepts: by their own name, by the linker's mentions in them, by their end.

The linker reads whole notes and judges what it finds. A finding's own name comes first where it is
exactly that of a concept; else the longest of what the linker found in it and of its ends that
are names counts (`left hand weakness` ends in `weakness`).
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
_REMEMBERED: Final = 200_000
_Named = tuple[str | None, int]
"""A concept and the length of the name that gave it."""


class FindingLinker:
    """Gives findings their concepts."""

    def __init__(self, vocabulary: Vocabulary, linker: Linker) -> None:
        """`linker` must have been opened over `vocabulary`, best with `notes=True`."""
        self._vocabulary = vocabulary
        self._linker = linker
        self._by_name: dict[tuple[str, Kind], _Named] = {}

    @property
    def version(self) -> str:
        """The linker's version; the vocabulary's digest is not part of it."""
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
        """The finding with its concept, `None` where no name fits."""
        if finding.concept is not None:
            return finding
        named, length = self._by_end(finding.quote, finding.kind)
        if length == len(finding.quote):
            return replace(finding, concept=named)
        mentioned, reach = self._mentioned(finding, mentions)
        return replace(finding, concept=named if length >= reach else mentioned)

    def by_name(self, name: str, kind: Kind) -> str | None:
        """The concept of this kind that has exactly this name."""
        concept, length = self._by_end(name, kind)
        return concept if length == len(name) else None

    def _mentioned(self, finding: Finding, mentions: Sequence[Mention]) -> _Named:
        """The concept of the longest mention in the finding, or around it; of its kind first.

        A test may be named by what it measures: potassium is a substance.
        """
        at = max(0, bisect_left([m.start for m in mentions], finding.start) - 1)
        best: tuple[bool, bool, int] | None = None
        chosen: _Named = None, 0
        for mention in mentions[at:]:
            if mention.start >= finding.end:
                break
            inside = finding.start <= mention.start and mention.end <= finding.end
            around = mention.start <= finding.start and finding.end <= mention.end
            if (inside or around) and mention.concept_id is not None:
                fits = self._kind(mention.concept_id) is finding.kind
                length = mention.end - mention.start
                if best is None or (fits, inside, length) > best:
                    best, chosen = (fits, inside, length), (mention.concept_id, length)
        return chosen

    def _by_end(self, quote: str, kind: Kind) -> _Named:
        """The concept that the whole quote names, else the longest end of it."""
        key = quote.casefold() if len(quote) > 3 else quote, kind
        if key not in self._by_name:
            if len(self._by_name) > _REMEMBERED:
                self._by_name.clear()
            self._by_name[key] = self._longest_end(quote, kind)
        return self._by_name[key]

    def _longest_end(self, quote: str, kind: Kind) -> _Named:
        for start in [token.start() for token in TOKEN.finditer(quote)][:_LONGEST]:
            end = quote[start:]
            if start == 0 or len(end) > 3 or (len(end) > 1 and end[:2].isupper()):
                concept = self._find(end, kind, anything=start == 0)
                if concept is not None:
                    return concept, len(end)
        return None, 0

    def _find(self, name: str, kind: Kind, *, anything: bool) -> str | None:
        """The concept of the kind that has this name; of several that whose main name it is.

        A test may be named by a substance. With `anything` a concept of no kind may serve too.
        """
        for form in dict.fromkeys((name, name.removesuffix("s"))):
            named = self._vocabulary.find(form)
            kinds = [self._kind(c) for c in named]
            others = (Kind.TREATMENT, None) if kind is Kind.TEST else (None,)
            for wanted in (kind, *(others if anything or kind is Kind.TEST else ())):
                fitting = [c for c, has in zip(named, kinds, strict=True) if has is wanted]
                if fitting:
                    return self._main(form, fitting)
        return None

    def _main(self, name: str, concepts: Sequence[str]) -> str:
        folded = name.casefold()
        main = [c for c in concepts if self._vocabulary[c].name.casefold() == folded]
        return (main or list(concepts))[0]

    def _kind(self, concept: str) -> Kind | None:
        return kind_of_types(self._vocabulary.semantic_types_of(concept))
