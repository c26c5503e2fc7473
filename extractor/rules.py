"""The reader without a model: our linker, light chunking, and ConText-like rules.

It is the comparator that a model must beat, and needs no weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from extractor.kinds import kind_of
from extractor.layout import Unit, units
from extractor.linking import FindingLinker
from extractor.phrases import Named, Phrase, Token, find_phrases, tokenize
from extractor.schema import Finding, Kind, Note, NoteFindings, State, Status
from extractor.sections import Section
from extractor.stated import with_details
from extractor.status import statuses
from extractor.words import listed

if TYPE_CHECKING:
    from ontologies import Linker, Mention, Vocabulary

VERSION: Final = "rules-2"


class RuleReader:
    """Finds the findings of notes by rules; see `Reader` for what it promises."""

    def __init__(self, vocabulary: Vocabulary, linker: Linker) -> None:
        """`linker` must have been opened over `vocabulary`, best with `notes=True`."""
        self._vocabulary = vocabulary
        self._linker = linker
        self._names = FindingLinker(vocabulary, linker)

    @property
    def version(self) -> str:
        """Names the rules and the linker, with their versions."""
        return f"{VERSION}/{self._linker.version}"

    def read(self, notes: Sequence[Note]) -> list[NoteFindings]:
        """The findings of each note, in order of the notes."""
        linked = self._linker.link_many(note.text for note in notes)
        return [self._read(note, mentions) for note, mentions in zip(notes, linked, strict=True)]

    def _read(self, note: Note, mentions: Sequence[Mention]) -> NoteFindings:
        named = sorted(
            [
                *self._named(mentions, note.text),
                *self._left(note.text, mentions, _SHORT),
                *self._left(note.text, mentions, _SAINT),
            ]
        )
        parts = units(note.text)
        found = [
            self._names.link(finding, mentions)
            for unit in parts
            for finding in unit_findings(note.text, unit, named)
        ]
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
            note_type=note.note_type,
        )

    def _named(self, mentions: Iterable[Mention], text: str) -> Iterable[Named]:
        for mention in mentions:
            if mention.concept_id is not None:
                types = self._vocabulary.semantic_types_of(mention.concept_id)
                kind = kind_of(types, text, mention)
                if kind is not None:
                    yield Named(mention.start, mention.end, mention.concept_id, kind)

    def _left(
        self, text: str, mentions: Sequence[Mention], form: re.Pattern[str]
    ) -> Iterator[Named]:
        """What has a form and the linker left, where it names one concept of a kind."""
        taken = [(m.start, m.end) for m in mentions if m.concept_id is not None]
        for match in form.finditer(text):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            for kind in Kind:
                concept = self._names.by_name(match[0], kind)
                if concept is not None:
                    yield Named(match.start(), match.end(), concept, kind)
                    break


_SHORT = re.compile(r"\b(?=[A-Za-z0-9]*[A-Z][A-Za-z0-9]*[A-Z0-9])[A-Za-z][A-Za-z0-9]{1,6}\b")
"""A word of two to seven signs with at least two capitals or digits: `AKI`, `HFpEF`, `CKD3`."""

_SAINT = re.compile(r"\bSt\. [A-Z][a-z]+(?:['’]s)? [a-z]+\b")
"""A name whose stop ends no sentence: `St. John's wort`, `St. Louis encephalitis`."""


def unit_findings(text: str, unit: Unit, named: Sequence[Named]) -> list[Finding]:
    """The findings of one sentence or list line."""
    tokens = tokenize(text, unit.start, unit.end)
    within = [n for n in named if unit.start <= n.start and n.end <= unit.end]
    phrases = find_phrases(tokens, within) or _whole_item(tokens, unit)
    said = statuses(tokens, phrases, unit)
    return [
        with_details(text, unit.end, _finding(text, tokens, phrase, status))
        for phrase, status in zip(phrases, said, strict=True)
    ]


_ITEM_KINDS = {
    Section.HISTORY: Kind.PROBLEM,
    Section.COMPLAINT: Kind.PROBLEM,
    Section.MEDICATIONS: Kind.TREATMENT,
    Section.SURGERY: Kind.TREATMENT,
}
_NO_ITEMS = listed(
    """
    none no not unknown noncontributory non-contributory unremarkable negative nkda n/a na reviewed
    unchanged see per as reconciled patient he she follow-up followup annual new establish denies
    """
)
_LONGEST_ITEM = 5


def _whole_item(tokens: Sequence[Token], unit: Unit) -> list[Phrase]:
    """An item of a list names a problem, drug or operation, though no word of it is known."""
    kind = _ITEM_KINDS.get(unit.section)
    if kind is None or not unit.first:
        return []
    last = 0
    while last < len(tokens) and tokens[last].word[0].isalpha():
        last += 1
    rest = tokens[last:]
    whole = not rest or rest[0].word[0].isdigit() or rest[0].word in "(,.:-"
    if not 0 < last <= _LONGEST_ITEM or not whole or tokens[0].word in _NO_ITEMS:
        return []
    return [Phrase(0, last, 0, last, kind)]


def _finding(text: str, tokens: Sequence[Token], phrase: Phrase, status: Status) -> Finding:
    start, end = tokens[phrase.first].start, tokens[phrase.last - 1].end
    return Finding(start, end, text[start:end], phrase.kind, status, phrase.concept)
