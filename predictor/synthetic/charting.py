"""Which notes a stay has, when they were charted and stored, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.synthetic.author import Person, Reading, Repertoire, fillers, repertoire
from predictor.synthetic.causes import TRAITS
from predictor.synthetic.draft import Draft, Gold
from predictor.synthetic.items import LABS, VITALS
from predictor.synthetic.notes import ADMISSION, DISCHARGE, PROGRESS, Facts, write_note
from predictor.synthetic.phrases import class_of, concept_by_name, concepts_by_table
from predictor.synthetic.population import (
    BACKGROUND,
    COMORBIDITIES,
    STATUSES,
    Patients,
    is_drug,
    loud_concepts,
    plain_drugs,
)
from predictor.synthetic.stays import HOUR, Course
from predictor.synthetic.styles import STYLES
from predictor.synthetic.values import LABS as NOTED_LABS
from predictor.synthetic.values import lab_reading, practice_vitals, vital_reading

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
_CONTRADICTED: Final = 0.02
"""The share of values in notes that differ from those of the tables."""
_RETOLD: Final = 0.55
"""The share of an admission note's traits that a later note tells again."""


@dataclass(frozen=True, slots=True)
class ChartedNote:
    """A note of a stay; `stay` is its index, times are in seconds."""

    stay: int
    note_type: str
    style: str
    charted: int
    stored: int
    text: str
    golds: tuple[Gold, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """When each stay's notes were charted and stored; -1 where a note is not written."""

    charted: dict[str, I64]
    stored: dict[str, I64]


def schedule(course: Course, rng: np.random.Generator) -> Schedule:
    """Admission note within hours, a progress note on the next day, a summary after discharge."""
    stays = course.stays
    count = len(stays)
    admission = stays.admit + (HOUR * rng.uniform(1.5, 9, count)).astype(np.int64)
    admission = np.minimum(admission, stays.discharge - 3 * HOUR)
    progress = stays.admit + (HOUR * rng.uniform(22, 34, count)).astype(np.int64)
    written = (progress < stays.discharge - 4 * HOUR) & (rng.random(count) < 0.7)
    summary = stays.discharge.copy()
    charted = {
        ADMISSION: np.where(stays.no_note, -1, admission),
        PROGRESS: np.where(written & ~stays.no_note, progress, -1),
        DISCHARGE: np.where(rng.random(count) < 0.97, summary, -1),
    }
    delays = {
        ADMISSION: HOUR * rng.uniform(0.3, 2.5, count),
        PROGRESS: HOUR * rng.uniform(0.2, 3, count),
        DISCHARGE: HOUR * np.exp(rng.normal(2.2, 1.0, count)) + 600,
    }
    return Schedule(
        charted, {kind: charted[kind] + delays[kind].astype(np.int64) for kind in charted}
    )


def chart(
    patients: Patients, course: Course, times: Schedule, order: I64, seed: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Iterator[ChartedNote]:  # fmt: skip
    """All notes, stay by stay in the order given; `tick` is called with 1 after each stay."""
    facts = _FactsMaker(patients, course, times)
    for stay in order.tolist():
        rng = Random(seed * 1_000_003 + stay)
        story: Draft | None = None
        for kind in (ADMISSION, PROGRESS, DISCHARGE):
            if times.charted[kind][stay] < 0:
                continue
            style = STYLES[int(rng.random() * len(STYLES))]
            copied = story if kind == DISCHARGE and rng.random() < 0.5 else None
            note = write_note(kind, facts.of(stay, kind, rng), style, _words(), rng, copied)
            if kind == ADMISSION:
                story = note.story
            yield ChartedNote(stay, kind, style.name, int(times.charted[kind][stay]),
                              int(times.stored[kind][stay]), note.text, note.golds)  # fmt: skip
        tick(1)


class _FactsMaker:
    """Turns arrays into what a note must tell."""

    def __init__(self, patients: Patients, course: Course, times: Schedule) -> None:
        self.patients, self.course = patients, course
        self._people: dict[int, Person] = {}
        count = len(course.stays)
        cut = {kind: np.where(at < 0, 0, at) for kind, at in times.charted.items()}
        self.labs = {kind: course.labs.last(count, at) for kind, at in cut.items()}
        self.vitals = {kind: course.vitals.last(count, at) for kind, at in cut.items()}

    def of(self, stay: int, kind: str, rng: Random) -> Facts:
        stays = self.course.stays
        patient = int(stays.patient[stay])
        chronic, acute, drugs = self._concepts(patient)
        rng.shuffle(chronic)
        traits = self._traits(patient)
        if kind != ADMISSION:
            traits = tuple(trait for trait in traits if rng.random() < _RETOLD)
        return Facts(
            person=self._person(patient),
            chronic=tuple(chronic),
            acute=tuple(acute),
            drugs=tuple(drugs),
            past=(),
            traits=traits,
            readings=self._readings(stay, kind, rng),
            vitals=self._vitals(stay, kind, rng),
            died=kind == DISCHARGE and bool(stays.died[stay]),
        )

    def _person(self, patient: int) -> Person:
        if patient in self._people:
            return self._people[patient]
        names = fillers()
        mixed = Random(int(self.patients.subject[patient]))
        self._people[patient] = Person(
            mixed.choice(names["first"]), mixed.choice(names["last"]),
            int(self.patients.age[patient]), bool(self.patients.male[patient]),
        )  # fmt: skip
        return self._people[patient]

    def _concepts(self, patient: int) -> tuple[list[str], list[str], list[str]]:
        """Chronic problems, acute problems, drugs."""
        dealt = self.patients.concepts(patient)
        drugs = [concept for concept in dealt if concept in is_drug()]
        problems = [concept for concept in dealt if concept not in is_drug()]
        acute = [concept for concept in problems if concept in acute_concepts()]
        chronic = [concept for concept in problems if concept not in acute_concepts()]
        for listed, has in ((BACKGROUND, self.patients.background),
                            (COMORBIDITIES, self.patients.comorbid)):  # fmt: skip
            chronic += [concept_by_name()[name] for (name, _), there in
                        zip(listed, has[patient], strict=True) if there]  # fmt: skip
        plain = plain_drugs()
        drugs += [plain[number] for number in np.flatnonzero(self.patients.drugs[patient])]
        return chronic, acute, drugs

    def _traits(self, patient: int) -> tuple[tuple[str, str], ...]:
        return tuple(
            (concept_by_name()[trait.name], STATUSES[code])
            for trait, code in zip(TRAITS, self.patients.traits[patient], strict=True)
            if code
        )

    def _readings(self, stay: int, kind: str, rng: Random) -> tuple[Reading, ...]:
        found = []
        for lab, value in zip(LABS, self.labs[kind][stay], strict=True):
            if not np.isnan(value) and lab.key in NOTED_LABS:
                wrong = rng.random() < _CONTRADICTED
                factor = rng.choice((0.5, 0.8, 1.3, 2.0)) if wrong else 1.0
                found.append(lab_reading(lab.key, float(value) * factor))
        return tuple(found) or (lab_reading("glucose", 90 + 60 * rng.random()),)

    def _vitals(self, stay: int, kind: str, rng: Random) -> tuple[Reading, ...]:
        made = list(practice_vitals(rng))
        seen = dict(zip((v.key for v in VITALS), self.vitals[kind][stay].tolist(), strict=True))
        shown = {"temperature": 0, "pulse": 1, "pressure": 2, "breaths": 3, "saturation": 4}
        names = ("temperature", "heart_rate", "pressure", "respiratory_rate", "saturation")
        for key, place in shown.items():
            if not np.isnan(seen[key]):
                second = seen["diastolic"] if key == "pressure" else None
                if second is not None and np.isnan(second):
                    second = seen[key] * 0.6
                made[place] = vital_reading(names[place], seen[key], second)
        return tuple(made)


@cache
def acute_concepts() -> frozenset[str]:
    return frozenset(
        concept.id for concept in concepts_by_table()["diseases"]
        if class_of("diseases", concept.name) == "A"
    )  # fmt: skip


@cache
def _words() -> Repertoire:
    return repertoire(loud_concepts())
