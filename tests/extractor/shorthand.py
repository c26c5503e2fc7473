"""Notes in a shorthand that no base model has met: `[x]` denies, `[v]` affirms."""

from __future__ import annotations

from random import Random

from extractor.examples import MarkedNote
from extractor.schema import Finding, Kind, Note, Status

NAMES = ("gout", "asthma", "nausea", "fever", "chest pain", "ankle edema", "anemia", "cough")


def shorthand(number: int) -> MarkedNote:
    """A note of three lines, each with a finding; what it says follows from its number."""
    rng = Random(number)
    text, marks = "ROS\n", []
    for name in rng.sample(NAMES, 3):
        denied = rng.random() < 0.5
        text += "[x] " if denied else "[v] "
        status = Status.ABSENT if denied else Status.PRESENT
        marks.append(Finding(len(text), len(text) + len(name), name, Kind.PROBLEM, status))
        text += name + "\n"
    return MarkedNote(Note(number, text, subject_id=number), tuple(marks))
