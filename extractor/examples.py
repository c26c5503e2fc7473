"""Training examples: windows of notes with the answers that their marked findings give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from extractor.prompt import Window, windows
from extractor.records import good_notes, read_findings
from extractor.schema import Finding, Identifier, Kind, Note, Stated


@dataclass(frozen=True, slots=True)
class Example:
    """A window and what is to be found in it; offsets of the findings are in the window's text."""

    window: Window
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class MarkedNote:
    """A note with the findings that were marked in it."""

    note: Note
    findings: tuple[Finding, ...]


class GoldError(ValueError):
    """Marked findings that do not fit their notes; names the note, never its text."""


def read_marked(notes: Path, gold: Path) -> list[MarkedNote]:
    """Notes with the findings of a file as `medweave extract` writes it.

    Raises `GoldError` where a finding's note is unknown or its quote is not at its place,
    `FindingInputError` for a line that is no finding, `NoteInputError` for one that is no note.
    """
    marked = read_findings(gold)
    known = good_notes(notes)
    _check(known, marked, gold)
    return [MarkedNote(n, tuple(sorted(marked.get(n.note_id, ()), key=_place))) for n in known]


def _check(notes: Sequence[Note], marked: Mapping[Identifier, list[Finding]], gold: Path) -> None:
    texts = {note.note_id: note.text for note in notes}
    for note_id, findings in marked.items():
        if note_id not in texts:
            raise GoldError(f"{gold}: findings of note {note_id}, which is not among the notes")
        for finding in findings:
            if texts[note_id][finding.start : finding.end] != finding.quote:
                raise GoldError(
                    f"{gold}: note {note_id}: what stands at {finding.start} is not the quote; "
                    "were the notes changed after they were marked?"
                )


def _place(finding: Finding) -> tuple[int, int]:
    return finding.start, finding.end


def examples(marked: MarkedNote) -> Iterator[Example]:
    """The windows of a marked note, each with the findings that lie in it whole."""
    for window in windows(marked.note.text):
        inside = (f for f in marked.findings if window.start <= f.start and f.end <= window.end)
        yield Example(window, tuple(f.moved(-window.start) for f in inside))


_LETTERS: Final = "aeioubcdfghjklmnprstvwxyz"
_WORD = re.compile(r"[A-Za-z]{3,}")


def varied(example: Example, pool: Mapping[Kind, Sequence[str]], rng: Random) -> Example:
    """The example with other names in its place, another case or slips of the pen, or as it is.

    A model that has seen names it cannot know learns to read the sentence and to copy, instead of
    knowing names. `pool` holds phrases of each kind to draw from.
    """
    changed = example
    if example.findings and rng.random() < 0.35:
        changed = _with_names(changed, [_name(f, pool, rng) for f in changed.findings])
    chance = rng.random()
    if chance < 0.10:
        return _recased(changed, str.lower)
    if chance < 0.13:
        return _recased(changed, str.upper)
    return changed


def _name(finding: Finding, pool: Mapping[Kind, Sequence[str]], rng: Random) -> str:
    chance = rng.random()
    if chance < 0.35:
        return finding.quote
    if chance < 0.65:
        return pool[finding.kind][int(rng.random() * len(pool[finding.kind]))]
    if chance < 0.85:
        words = finding.quote.split(" ")
        at = int(rng.random() * len(words))
        words[at] = _made_up(rng) if len(words[at]) > 3 else words[at]
        return " ".join(words)
    return " ".join(_made_up(rng) for _ in range(1 + int(rng.random() * 2.4)))


def _made_up(rng: Random) -> str:
    size = 3 + int(rng.random() * 8)
    return "".join(_LETTERS[int(rng.random() ** 1.4 * len(_LETTERS))] for _ in range(size))


def _with_names(example: Example, names: Sequence[str]) -> Example:
    text, findings, at = [], [], 0
    length = 0
    for finding, name in zip(example.findings, names, strict=True):
        if finding.start < at:
            return example
        before = example.window.text[at : finding.start]
        length += len(before)
        text += [before, name]
        findings.append(
            replace(finding, start=length, end=length + len(name), quote=name, concept=None)
        )
        length += len(name)
        at = finding.end
    text.append(example.window.text[at:])
    return Example(replace(example.window, text="".join(text)), tuple(findings))


def _recased(example: Example, change: Callable[[str], str]) -> Example:
    text = change(example.window.text)
    if len(text) != len(example.window.text):
        return example
    findings = tuple(replace(f, quote=text[f.start : f.end]) for f in example.findings)
    window = replace(example.window, text=text, label=change(example.window.label))
    return Example(window, findings)


def names_by_kind(marked: Iterable[MarkedNote]) -> dict[Kind, list[str]]:
    """All quotes of each kind, once each, sorted."""
    names: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for item in marked:
        for finding in item.findings:
            names[finding.kind].add(finding.quote)
    return {kind: sorted(found) or [kind.value] for kind, found in names.items()}


def stated(example: Example) -> tuple[Stated, ...]:
    """The findings of an example as an answer states them."""
    return tuple(Stated(f.quote, f.kind, f.status) for f in example.findings)
