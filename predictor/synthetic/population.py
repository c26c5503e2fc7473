"""Who comes to the hospital: age, sex, calendar, use of care, diseases, traits, concepts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.concept import Concept
from predictor.synthetic.causes import TOLD, TRAITS
from predictor.synthetic.knowledge import named_together
from predictor.synthetic.pairing import Dealt, deal
from predictor.synthetic.phrases import concept_by_name, concepts_by_table

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GROUPS: Final = ((2014, "2014 - 2016"), (2017, "2017 - 2019"), (2020, "2020 - 2022"))
"""First year and name of MIMIC-IV's anchor_year_group."""
PRESENT: Final = 1
STATUSES: Final = ("", "present", *TOLD)
"""Names of the codes of `Patients.traits`; 0 is a trait that no note speaks of."""

COMORBIDITIES: Final = (
    ("peripheral arterial disease", 0.10), ("dementia", 0.07), ("rheumatoid arthritis", 0.06),
    ("peptic ulcer", 0.05), ("metastasis", 0.06), ("hemiplegia", 0.03),
    ("acquired immunodeficiency syndrome", 0.01), ("lymphoma", 0.02), ("leukemia", 0.02),
)  # fmt: skip
"""Diseases of Charlson's index with their shares at age 64; told by codes of earlier stays."""
BACKGROUND: Final = (
    ("hypertension", 0.45), ("hyperlipidemia", 0.35), ("gastroesophageal reflux disease", 0.2),
    ("osteoarthritis", 0.18), ("osteoporosis", 0.1), ("obesity", 0.15),
    ("obstructive sleep apnea", 0.1), ("gout", 0.07), ("benign prostatic hyperplasia", 0.06),
    ("glaucoma", 0.05), ("migraine", 0.05), ("psoriasis", 0.03), ("hearing loss", 0.06),
    ("carpal tunnel syndrome", 0.03), ("diverticulosis", 0.05), ("cataract", 0.06),
)  # fmt: skip
"""Diseases that change no risk."""
PLAIN_DRUGS: Final = (
    "docusate", "senna", "famotidine", "atorvastatin", "melatonin", "cholecalciferol",
    "gabapentin", "tamsulosin", "cetirizine", "polyethylene glycol", "folic acid", "latanoprost",
    "ceftriaxone", "cefazolin", "pantoprazole", "thiamine", "hydralazine", "bisacodyl",
)  # fmt: skip
"""Drugs that change no risk; those that the vocabulary lacks or the pairs name are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """Arrays with a row for each patient.

    `first` is the second of the first admission; `use` the emergency visits expected in 180 days;
    `traits` (patients, TRAITS) hold codes of `STATUSES`; `pairs` counts documented pairs,
    `drug_pairs` those of two drugs. `dealt[group]` gives concepts to the patients `place` of it.
    """

    subject: I64
    male: Bools
    age: F64
    group: I64
    anchor_year: I64
    first: I64
    use: F64
    traits: npt.NDArray[np.int8]
    comorbid: Bools
    background: Bools
    drugs: Bools
    dealt: tuple[Dealt, ...]
    place: I64
    pairs: I64
    drug_pairs: I64

    def __len__(self) -> int:
        return len(self.subject)

    def concepts(self, patient: int) -> list[str]:
        """The concepts that were dealt to a patient."""
        dealt: Dealt = self.dealt[int(self.group[patient])]
        return dealt.of(int(self.place[patient]))


def draw_patients(count: int, rng: np.random.Generator) -> Patients:
    """`count` patients whose numbers and order tell nothing of them."""
    age = np.clip(rng.normal(64, 16, count), 18, 91).round()
    group = rng.integers(len(GROUPS), size=count)
    year = rng.integers(2110, 2190, size=count)
    day = rng.integers(0, 365, size=count)
    first = _start_of(year) + day * 86400 + rng.integers(0, 86400 // 60, size=count) * 60
    dealt = tuple(
        deal(int((group == number).sum()), first_year, trait_concepts(), rng)
        for number, (first_year, _) in enumerate(GROUPS)
    )
    place = _place_in_group(group)
    pairs, drug_pairs = _pair_counts(dealt, group, place)
    return Patients(
        subject=10_000_000 + rng.choice(9_000_000, size=count, replace=False),
        male=rng.random(count) < 0.53,
        age=age,
        group=group,
        anchor_year=year,
        first=first,
        use=rng.gamma(0.8, 0.55, count),
        traits=_traits(count, rng),
        comorbid=_diseases(COMORBIDITIES, age, rng),
        background=_diseases(BACKGROUND, age, rng),
        drugs=rng.random((count, len(plain_drugs()))) < 0.13,
        dealt=dealt,
        place=place,
        pairs=pairs,
        drug_pairs=drug_pairs,
    )


@cache
def trait_concepts() -> frozenset[str]:
    return frozenset(concept_by_name()[trait.name] for trait in TRAITS)


@cache
def plain_drugs() -> tuple[str, ...]:
    """Concept ids of the drugs that stand in no pair."""
    known = [concept_by_name().get(name) for name in PLAIN_DRUGS]
    return tuple(concept for concept in known if concept and concept not in named_together())


@cache
def is_drug() -> frozenset[str]:
    return frozenset(concept.id for concept in concepts_by_table()["drugs"])


@cache
def loud_concepts() -> frozenset[str]:
    """Concepts that notes claim of a patient only where they are so: causes, ends of pairs, kin."""
    loud = set(trait_concepts()) | set(named_together())
    grown = True
    concepts: list[Concept] = [c for table in concepts_by_table().values() for c in table]
    while grown:
        kin = {c.id for c in concepts if c.id not in loud and loud & set(c.parents)}
        loud |= kin
        grown = bool(kin)
    known = [*COMORBIDITIES, *BACKGROUND]
    return frozenset(loud | {concept_by_name()[name] for name, _ in known})


def _start_of(year: I64) -> I64:
    years: I64 = (year - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    return years


def _place_in_group(group: I64) -> I64:
    place = np.zeros(len(group), dtype=np.int64)
    for number in range(len(GROUPS)):
        members = np.flatnonzero(group == number)
        place[members] = np.arange(len(members))
    return place


def _pair_counts(dealt: tuple[Dealt, ...], group: I64, place: I64) -> tuple[I64, I64]:
    pairs, drug_pairs = np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
    for number, given in enumerate(dealt):
        members = group == number
        drug = np.array([concept in is_drug() for concept in given.concepts])
        both = drug[given.first] & drug[given.second] & given.documented
        pairs[members] = given.documented.sum(1)[place[members]]
        drug_pairs[members] = both.sum(1)[place[members]]
    return pairs, drug_pairs


def _traits(count: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    made = np.zeros((count, len(TRAITS)), dtype=np.int8)
    for column, trait in enumerate(TRAITS):
        shares = np.array([trait.share, *(np.array(list(TOLD.values())) * (1 - trait.share))])
        made[:, column] = rng.choice(
            len(STATUSES), size=count, p=[1 - shares.sum(), *shares]
        )  # fmt: skip
    return made


def _diseases(listed: tuple[tuple[str, float], ...], age: F64, rng: np.random.Generator) -> Bools:
    older = np.exp((age - 64) / 40)
    shares = np.array([share for _, share in listed])
    drawn: Bools = rng.random((len(age), len(listed))) < np.minimum(older[:, None] * shares, 0.8)
    return drawn
