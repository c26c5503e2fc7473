"""Notes of nobody: as many as wanted, for an extractor to learn from, with their gold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from predictor.synthetic.author import Person, Repertoire, fillers, repertoire
from predictor.synthetic.notes import ADMISSION, DISCHARGE, PROGRESS, Facts, NoteText, write_note
from predictor.synthetic.phrases import names_by_concept
from predictor.synthetic.styles import HELD_OUT, STYLES, Style
from predictor.synthetic.values import practice_readings, practice_vitals

_KINDS: Final = (ADMISSION, ADMISSION, PROGRESS, DISCHARGE)
_STATUSES: Final = ("present", "absent", "possible", "hypothetical", "family", "historical")


@dataclass(frozen=True, slots=True)
class PracticeNote:
    """A note with its id, kind (`HP`, `PN`, `DS`) and author's style."""

    note_id: str
    note_type: str
    style: str
    note: NoteText


def practice_notes(
    count: int, seed: int, styles: Sequence[Style] | None = None
) -> Iterator[PracticeNote]:
    """`count` notes, by styles in turn; those of `HELD_OUT` stay out unless they are named.

    Note number i of a seed and list of styles is the same whatever the count.
    """
    chosen = styles or [style for style in STYLES if style.name not in HELD_OUT]
    for number in range(count):
        rng = Random(f"{seed}/{number}")
        style = chosen[number % len(chosen)]
        kind = rng.choice(_KINDS)
        note = write_note(kind, practice_facts(rng), style, _words(), rng)
        yield PracticeNote(f"practice-{seed}-{number:06d}", kind, style.name, note)


def practice_facts(rng: Random) -> Facts:
    """Facts drawn from the whole vocabulary."""
    first, last = rng.choice(fillers()["first"]), rng.choice(fillers()["last"])
    person = Person(first, last, 19 + int(rng.random() * 75), rng.random() < 0.5)
    problems, treatments = _concepts("problem"), _concepts("treatment")
    traits = tuple(
        (concept, rng.choice(_STATUSES)) for concept in rng.sample(problems, rng.randint(1, 5))
    )
    return Facts(
        person=person,
        chronic=tuple(rng.sample(problems, rng.randint(0, 3))),
        acute=tuple(rng.sample(problems, rng.randint(0, 1))),
        drugs=tuple(rng.sample(treatments, rng.randint(0, 3))),
        past=tuple(rng.sample(problems, rng.randint(0, 2))),
        traits=traits,
        readings=practice_readings(rng),
        vitals=practice_vitals(rng),
        died=rng.random() < 0.05,
    )


@cache
def _concepts(kind: str) -> tuple[str, ...]:
    return tuple(concept for concept, names in names_by_concept().items() if names.kind == kind)


@cache
def _words() -> Repertoire:
    return repertoire(frozenset())
