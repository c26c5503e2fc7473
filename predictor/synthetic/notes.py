"""Admission, progress and discharge notes of one stay, with every finding's place in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from predictor.synthetic.author import Author, Person, Reading, Repertoire
from predictor.synthetic.draft import Draft, Gold
from predictor.synthetic.sections import SECTIONS
from predictor.synthetic.styles import Style, heading

ADMISSION: Final = "HP"
PROGRESS: Final = "PN"
DISCHARGE: Final = "DS"

_ORDER: Final = {
    (ADMISSION, "full"): "cc hpi pmh psh meds allergies fh sh ros vitals exam labs imaging plan",
    (ADMISSION, "thin"): "cc hpi pmh meds sh vitals exam labs plan",
    (ADMISSION, "visit"): "cc hpi pmh meds allergies fh sh ros vitals exam labs imaging plan",
    (PROGRESS, "full"): "interval vitals exam labs plan",
    (PROGRESS, "thin"): "interval vitals labs plan",
    (PROGRESS, "visit"): "interval meds vitals exam labs imaging plan",
    (DISCHARGE, "full"): "allergies cc procedures hpi pmh sh exam labs imaging course dmeds dx "
    "instructions",
    (DISCHARGE, "thin"): "dx procedures hpi course labs dmeds instructions",
    (DISCHARGE, "visit"): "cc hpi pmh course labs dmeds dx instructions",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the notes of a stay must tell, and of whom; concepts by id.

    `chronic` and `acute` are present problems, `drugs` are taken at home, `past` problems are
    over. `traits` are findings that only notes tell, each with its status. `readings` and
    `vitals` are the values that were measured last.
    """

    person: Person
    chronic: tuple[str, ...]
    acute: tuple[str, ...]
    drugs: tuple[str, ...]
    past: tuple[str, ...]
    traits: tuple[tuple[str, str], ...]
    readings: tuple[Reading, ...]
    vitals: tuple[Reading, ...]
    died: bool = False


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note and its gold, ordered by place. `story` is the history that later notes copy."""

    text: str
    golds: tuple[Gold, ...]
    story: Draft


def write_note(
    kind: str, facts: Facts, style: Style, words: Repertoire, rng: Random,
    copied: Draft | None = None,
) -> NoteText:  # fmt: skip
    """One note of a stay.

    `copied` is the history of an earlier note of the stay, carried forward word by word where the
    author does so. The same arguments give the same note.
    """
    author = Author(style, facts.person, facts.readings, words, rng)
    order = _ORDER[kind, style.sections].split()
    if style.order == "function" and kind != PROGRESS:
        order.insert(1, "function")
    if style.heading == "run" and rng.random() < 0.5 and "ros" in order:
        order.remove("ros")
    told = _tell(order, facts, rng)
    whole, story = Draft(), Draft()
    for section in order:
        author.draft = Draft(section)
        if section == "hpi" and copied is not None:
            author.draft.append(copied)
            _finish(author, told, section)
        else:
            SECTIONS[section](author, facts)
            _finish(author, told, section)
        if section == "hpi":
            story = author.draft
        _join(whole, author, section)
    return NoteText(whole.text, tuple(sorted(whole.golds, key=lambda g: g.start)), story)


def _join(whole: Draft, author: Author, section: str) -> None:
    if not author.draft.text.strip():
        return
    if whole.text and not whole.ends_line:
        whole.add("\n")
    if author.style.heading not in ("short",) and whole.text:
        whole.add("\n")
    whole.add(heading(author.style, section, author.random()))
    whole.append(author.draft)


_HOMES: Final = ("hpi", "function", "sh", "interval", "plan", "course", "exam")
_SAY: Final = {
    "present": "say+", "absent": "say-", "possible": "say?", "hypothetical": "say~",
    "family": "sayf", "historical": "sayh",
}  # fmt: skip


def _tell(
    order: Sequence[str], facts: Facts, rng: Random
) -> dict[str, list[tuple[str, str]]]:  # fmt: skip
    """Where each trait is told: one or two of the note's sections of prose."""
    homes = [section for section in _HOMES if section in order]
    told: dict[str, list[tuple[str, str]]] = {}
    for concept, status in facts.traits:
        chosen = ["fh"] if status == "family" and "fh" in order else [rng.choice(homes)]
        if status in ("present", "absent") and rng.random() < 0.4:
            chosen.append(rng.choice(homes))
        for section in dict.fromkeys(chosen):
            told.setdefault(section, []).append((concept, status))
    return told


def _finish(author: Author, told: dict[str, list[tuple[str, str]]], section: str) -> None:
    """Add what this section was chosen to tell."""
    for concept, status in told.get(section, ()):
        _space(author)
        author.frame(_SAY[status], author.name(concept))


def _space(author: Author) -> None:
    if author.draft.text:
        author.draft.add(" " if author.style.prose else "\n")
