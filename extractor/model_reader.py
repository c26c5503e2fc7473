"""The reader with a language model: windows asked, answers aligned, overlaps merged, linked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from extractor.align import align
from extractor.answers import AnswerError, grammar, read_answer, read_cut_answer, without_repeats
from extractor.llm import LLM, Ask, Completion
from extractor.prompt import Window, prompt, windows
from extractor.schema import Finding, Note, NoteFindings, State, Stated
from extractor.stated import with_details

if TYPE_CHECKING:
    from extractor.linking import FindingLinker

LIMIT: Final = 256
"""The most tokens of one window's answer."""


class ModelReader:
    """Finds the findings of notes by a model; see `Reader` for what it promises."""

    def __init__(self, llm: LLM, linker: FindingLinker, *, limit: int = LIMIT) -> None:
        self._llm = llm
        self._linker = linker
        self._limit = limit

    @property
    def version(self) -> str:
        """Names the model, its form of prompt and the linker, with their versions."""
        return f"{self._llm.version}/{self._llm.form}/{self._limit}/{self._linker.version}"

    def read(self, notes: Sequence[Note]) -> list[NoteFindings]:
        """The findings of each note, in order of the notes."""
        parts = [windows(note.text) for note in notes]
        asks = [
            Ask(prompt(window, self._llm.form), grammar(window, self._llm.form))
            for windows_of_note in parts
            for window in windows_of_note
        ]
        answers = iter(self._llm.complete(asks, self._limit))
        read = [
            self._collect(note, [(w, next(answers)) for w in of_note])
            for note, of_note in zip(notes, parts, strict=True)
        ]
        return self._linker.linked(notes, read)

    def _collect(self, note: Note, answered: Sequence[tuple[Window, Completion]]) -> NoteFindings:
        parts = [_read_window(note.text, window, said) for window, said in answered]
        truncated = sum(said.truncated for _, said in answered)
        state = State.TRUNCATED if truncated else State.OK
        return NoteFindings(
            note.note_id,
            state if note.text.strip() else State.NO_NOTE,
            self.version,
            merged(finding for part in parts for finding in part.findings),
            tuple(item for part in parts for item in part.ungrounded),
            windows=len(parts),
            truncated=truncated,
            invalid=sum(part.invalid for part in parts),
            subject_id=note.subject_id,
            hadm_id=note.hadm_id,
            charttime=note.charttime,
            storetime=note.storetime,
            note_type=note.note_type,
        )


@dataclass(frozen=True, slots=True)
class _Part:
    findings: tuple[Finding, ...]
    ungrounded: tuple[Stated, ...]
    invalid: bool


def _read_window(text: str, window: Window, said: Completion) -> _Part:
    """What an answer says of its window; the quotes become the note's own characters."""
    try:
        stated = read_cut_answer(said.text) if said.truncated else read_answer(said.text)
    except AnswerError:
        return _Part((), (), True)
    found, ungrounded = align(window.text, without_repeats(stated, window.text))
    placed = tuple(
        with_details(text, window.end, _placed(text, finding, window.start)) for finding in found
    )
    return _Part(placed, ungrounded, False)


def _placed(text: str, finding: Finding, start: int) -> Finding:
    moved = finding.moved(start)
    return replace(moved, quote=text[moved.start : moved.end])


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of the text, of those that overlap the longest, of equals the first.

    Windows of a long sentence overlap, so that the same mention may have been found twice.
    """
    given = list(findings)
    order = sorted(range(len(given)), key=lambda n: (given[n].start - given[n].end, n))
    kept: list[Finding] = []
    for number in order:
        finding = given[number]
        if all(finding.end <= other.start or other.end <= finding.start for other in kept):
            kept.append(finding)
    return tuple(sorted(kept, key=lambda f: f.start))
