"""What a model is asked about a window of a note, and the form of its answer.

A window is a sentence or a line of a list, with the section and label that it stands under. The
answer is a JSON array of objects with `quote`, `kind` and `status`, in the order of the text. A
quote comes first, so that kind and status are judged once it is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from extractor.layout import Unit, units
from extractor.schema import Finding, Kind, Stated, Status

COMPACT: Final = "compact-1"
"""For models that were trained on nothing but these prompts."""

INSTRUCT: Final = "instruct-1"
"""For models that follow instructions in English."""

BRIEF: Final = "brief-1"
"""For pretrained models that are tuned on these prompts: no instruction, and a short answer."""

PROMPTS: Final = (COMPACT, INSTRUCT, BRIEF)

_ALL: Final = tuple((kind.value, status.value) for kind in Kind for status in Status)


def opening(form: str) -> str:
    """How a finding of an answer begins, up to the first word of its quote.

    In the forms that models are tuned on, a quote begins with a space, so that a word has the same
    tokens in the quote as in the window.
    """
    return {COMPACT: '{"quote": " ', INSTRUCT: '{"quote": "', BRIEF: '[" '}[form]


def closings(form: str) -> tuple[str, ...]:
    """All ways to end a finding of an answer after its quote."""
    if form == BRIEF:
        return tuple(f'","{kind}","{status}"]' for kind, status in _ALL)
    return tuple(f'", "kind": "{kind}", "status": "{status}"}}' for kind, status in _ALL)


_INSTRUCTION = """\
List every medical problem, treatment and test that the sentence mentions, as a JSON array of \
objects with "quote" (the exact words, the shortest complete noun phrase), "kind" (problem, \
treatment or test) and "status" (present, absent, possible, hypothetical, family or historical).

Section: History
Sentence: He denies chest pain and takes aspirin for a possible stroke.
Answer: [{"quote": "chest pain", "kind": "problem", "status": "absent"}, {"quote": "aspirin", \
"kind": "treatment", "status": "present"}, {"quote": "stroke", "kind": "problem", "status": \
"possible"}]

Section: Family history
Sentence: Father with gout.
Answer: [{"quote": "gout", "kind": "problem", "status": "family"}]
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch `[start, end)` of a note that a model is asked about, as one line of text.

    `text` has the length of the stretch, so that offsets in it are offsets in the note less
    `start`. What JSON would escape is written otherwise: a quotation mark as an apostrophe, a
    backslash as a slash, a control character or line end as a space.
    """

    start: int
    end: int
    text: str
    section: str
    label: str


LONGEST: Final = 400
"""Windows have at most so many characters; longer sentences are read in overlapping parts."""

OVERLAP: Final = 80


_MASKED: Final = {'"': "'", "\\": "/", "\xa0": " "}


def windows(text: str) -> list[Window]:
    r"""The windows of a note, in order; those of a long sentence overlap.

    >>> [(w.text, w.section) for w in windows("PMH: asthma.\nALLERGIES\npenicillin")]
    [('asthma.', 'history'), ('penicillin', 'allergies')]
    """
    return [window for unit in units(text) for window in _windows(text, unit)]


def _windows(text: str, unit: Unit) -> Iterable[Window]:
    start = unit.start
    while True:
        end = min(unit.end, start + LONGEST)
        if end < unit.end:
            end = _word_start(text, end, start + OVERLAP + 1)
        yield _window(text, start, end, unit)
        if end >= unit.end:
            return
        start = _word_start(text, end - OVERLAP, start + 1)


def _window(text: str, start: int, end: int, unit: Unit) -> Window:
    line = "".join(
        _MASKED.get(sign, sign if sign.isprintable() else " ") for sign in text[start:end]
    )
    return Window(start, end, line, unit.section.value, unit.label)


def _word_start(text: str, at: int, least: int) -> int:
    """The last place up to `at` where a word begins, or `at` where none is after `least`."""
    for place in range(at, least, -1):
        if text[place - 1].isspace() and not text[place].isspace():
            return place
    return at


def prompt(window: Window, form: str) -> str:
    """The prompt of a form; `ValueError` for an unknown one."""
    if form == COMPACT:
        head = f" {window.section}:" + (f" {window.label}:" if window.label else "")
        return f"{head}\n {window.text}\n"
    if form == INSTRUCT:
        named = f"{window.section.capitalize()}" + (f", {window.label}" if window.label else "")
        return f"{_INSTRUCTION}\nSection: {named}\nSentence: {window.text}\nAnswer: "
    if form == BRIEF:
        named = f"{window.section.capitalize()}" + (f", {window.label}" if window.label else "")
        return f"{named}:\n {window.text}\n"
    raise ValueError(f"unknown prompt {form!r}; known: {', '.join(PROMPTS)}")


def between(form: str) -> str:
    """What stands between two findings of an answer."""
    return "," if form == BRIEF else ", "


def answer(findings: Sequence[Stated | Finding], form: str = COMPACT) -> str:
    """The answer that states the findings, as JSON: an array of objects, in brief of arrays.

    >>> answer([Stated("gout", Kind.PROBLEM, Status.FAMILY)], BRIEF)
    '[[" gout","problem","family"]]'
    """
    space = "" if form == INSTRUCT else " "
    said = [(space + f.quote, f.kind.value, f.status.value) for f in findings]
    if form == BRIEF:
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    objects = [{"quote": quote, "kind": kind, "status": status} for quote, kind, status in said]
    return json.dumps(objects, ensure_ascii=False)
