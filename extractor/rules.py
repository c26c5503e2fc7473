"""The reader without a model: our linker, light chunking, and ConText-like rules.

It is the comparator that a model must beat, and needs no weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from extractor.kinds import kind_of
from extractor.layout import Unit, units
from extractor.phrases import Named, Phrase, Token, find_phrases, tokenize
from extractor.schema import Finding, Note, NoteFindings, State, Status
from extractor.stated import with_details
from extractor.status import statuses

if TYPE_CHECKING:
    from ontologies import Linker, Mention, Vocabulary

VERSION: Final = "rules-1"


class RuleReader:
    """Finds the findings of notes by rules; see `Reader` for what it promises."""

    def __init__(self, vocabulary: Vocabulary, linker: Linker) -> None:
        """`linker` must have been opened over `vocabulary`, best with `notes=True`."""
        self._vocabulary = vocabulary
        self._linker = linker

    @property
    def version(self) -> str:
        """Names the rules and the linker, with their versions."""
        return f"{VERSION}/{self._linker.version}"

    def read(self, notes: Sequence[Note]) -> list[NoteFindings]:
        """The findings of each note, in order of the notes."""
        linked = self._linker.link_many(note.text for note in notes)
        return [self._read(note, mentions) for note, mentions in zip(notes, linked, strict=True)]

    def _read(self, note: Note, mentions: Sequence[Mention]) -> NoteFindings:
        named = list(self._named(mentions, note.text))
        parts = units(note.text)
        found = [finding for unit in parts for finding in unit_findings(note.text, unit, named)]
        return NoteFindings(
            note.note_id,
            State.OK if note.text.strip() else State.NO_NOTE,
            self.version,
            tuple(found),
            windows=len(parts),
            subject_id=note.subject_id,
            hadm_id=note.hadm_id,
            charttime=note.charttime,
            storetime=note.storetime,
        )

    def _named(self, mentions: Iterable[Mention], text: str) -> Iterable[Named]:
        for mention in mentions:
            if mention.concept_id is not None:
                types = self._vocabulary.semantic_types_of(mention.concept_id)
                kind = kind_of(types, text, mention)
                if kind is not None:
                    yield Named(mention.start, mention.end, mention.concept_id, kind)


def unit_findings(text: str, unit: Unit, named: Sequence[Named]) -> list[Finding]:
    """The findings of one sentence or list line."""
    tokens = tokenize(text, unit.start, unit.end)
    within = [n for n in named if unit.start <= n.start and n.end <= unit.end]
    phrases = find_phrases(tokens, within)
    said = statuses(tokens, phrases, unit)
    return [
        with_details(text, unit.end, _finding(text, tokens, phrase, status))
        for phrase, status in zip(phrases, said, strict=True)
    ]


def _finding(text: str, tokens: Sequence[Token], phrase: Phrase, status: Status) -> Finding:
    start, end = tokens[phrase.first].start, tokens[phrase.last - 1].end
    return Finding(start, end, text[start:end], phrase.kind, status, phrase.concept)
