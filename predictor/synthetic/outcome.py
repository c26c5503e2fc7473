"""The outcomes' logits, part by part, and the best AUROC that can be reached knowing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.synthetic.causes import (
    MORTALITY,
    MORTALITY_WEIGHTS,
    PAIR_WEIGHTS,
    PREVALENCE,
    READMISSION,
    READMISSION_WEIGHTS,
    TRAITS,
)
from predictor.synthetic.items import LAB_INDEX, VITALS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SOURCES: Final = ("structured", "notes", "graph")
_VITAL_INDEX: Final = {vital.key: number for number, vital in enumerate(VITALS)}
_FIRST_ROUND: Final[Mapping[str, float]] = {READMISSION: 0.72, MORTALITY: 0.98}
"""Prevalence among first stays for one among all, as returning patients are at higher risk."""


def sigmoid(logit: F64) -> F64:
    """The probability of a logit."""
    made: F64 = 1 / (1 + np.exp(-logit))
    return made


@dataclass(frozen=True, slots=True)
class Bases:
    """The bases of both logits, set so that first stays have the wished prevalence."""

    readmission: float
    mortality: float


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """What each source adds to a task's logit, a row for each stay."""

    task: str
    structured: F64
    notes: F64
    graph: F64

    @property
    def total(self) -> F64:
        """The logit less its base."""
        return self.structured + self.notes + self.graph

    def without(self, source: str) -> F64:
        """The logit less its base and one source, so rounded that equal sums tie."""
        others = [getattr(self, name) for name in SOURCES if name != source]
        left: F64 = np.round(others[0] + others[1], 9)
        return left

    def base_for(self, at_risk: Bools) -> float:
        """The base at which those at risk have the wished prevalence, by bisection."""
        wished = PREVALENCE[self.task] * _FIRST_ROUND[self.task]
        total = self.total[at_risk]
        low, high = -20.0, 10.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if sigmoid(middle + total).mean() < wished else (low, middle)
        return low

    @classmethod
    def joined(cls, parts: Sequence[Logits]) -> Logits:
        return cls(
            parts[0].task,
            np.concatenate([part.structured for part in parts]),
            np.concatenate([part.notes for part in parts]),
            np.concatenate([part.graph for part in parts]),
        )


def _measured(value: F64) -> F64:
    """Zero for what was not measured: it then says nothing."""
    return np.where(np.isnan(value), 0.0, value)


def readmission_logits(
    age: F64, labs: F64, earlier: I64, visits: I64, days: F64, unplanned: Bools, comorbidity: I64,
    traits: npt.NDArray[np.int8], pairs: I64, weights: tuple[float, float],
) -> Logits:  # fmt: skip
    """Logits of readmission; `labs` are the last known at discharge, in the order of `LABS`."""
    lab = {key: labs[:, number] for key, number in LAB_INDEX.items()}
    scaled = {
        "age": (age - 64) / 16,
        "earlier_stays": np.minimum(earlier, 3).astype(float),
        "emergency_visits": np.minimum(visits, 4).astype(float),
        "hemoglobin": _measured((lab["hemoglobin"] - 11.2) / 2),
        "sodium": _measured((lab["sodium"] - 138) / 4),
        "creatinine": _measured(np.log(lab["creatinine"] / 1.1) / 0.55),
        "days": np.log(np.maximum(days, 0.25) / 4) / 0.75,
        "unplanned": unplanned.astype(float),
        "comorbidity": np.minimum(comorbidity, 3).astype(float),
    }
    return _logits(READMISSION, READMISSION_WEIGHTS, scaled, traits, pairs, weights)


def mortality_logits(
    age: F64, labs: F64, vitals: F64, coma: F64, intensive: Bools, ventilated: Bools,
    unplanned: Bools, traits: npt.NDArray[np.int8], pairs: I64, weights: tuple[float, float],
) -> Logits:  # fmt: skip
    """Logits of death in hospital.

    `labs` are the last, `vitals` the means of what was known after 48 hours, in the order of
    `LABS` and `VITALS`; NaN where nothing was measured.
    """
    lab = {key: labs[:, number] for key, number in LAB_INDEX.items()}
    vital = {key: vitals[:, number] for key, number in _VITAL_INDEX.items()}
    scaled = {
        "age": (age - 64) / 16,
        "bun": _measured(np.log(lab["bun"] / 20) / 0.55),
        "bicarbonate": _measured((lab["bicarbonate"] - 24) / 4),
        "lactate": _measured(np.log(lab["lactate"] / 1.7) / 0.5),
        "platelets": _measured((lab["platelets"] - 220) / 80),
        "intensive": intensive.astype(float),
        "coma": _measured((15 - coma) / 3),
        "pressure": _measured((vital["pressure"] - 118) / 15),
        "pulse": _measured((vital["pulse"] - 88) / 15),
        "breaths": _measured((vital["breaths"] - 19) / 4),
        "ventilated": ventilated.astype(float),
        "unplanned": unplanned.astype(float),
    }
    return _logits(MORTALITY, MORTALITY_WEIGHTS, scaled, traits, pairs, weights)


def _logits(
    task: str, table: Mapping[str, float], scaled: Mapping[str, F64],
    traits: npt.NDArray[np.int8], pairs: I64, weights: tuple[float, float],
) -> Logits:  # fmt: skip
    structured = np.zeros(len(pairs))
    for cause, weight in table.items():
        structured += weight * scaled[cause]
    name = "readmission" if task == READMISSION else "mortality"
    by_trait = np.array([getattr(trait, name) for trait in TRAITS])
    notes = (traits == 1) @ by_trait * weights[0]
    return Logits(task, structured, notes, PAIR_WEIGHTS[task] * weights[1] * pairs)


def reachable_auroc(risk: F64, score: F64) -> float:
    """The AUROC that a score is expected to have, outcomes being drawn by the risks.

    The mean over all pairs of rows of [score of one above the other], weighted by the
    probability that the one has the outcome and the other has not; ties count half. With
    `score=risk` no ranking reaches more. Exact for these rows; a single draw of outcomes scatters
    around it.

    >>> risk = np.array([0.1, 0.5])
    >>> round(reachable_auroc(risk, risk), 3)  # 0.5*0.9 of 0.5*0.9 + 0.1*0.5
    0.9
    """
    _, inverse = np.unique(score, return_inverse=True)
    positive = np.bincount(inverse, weights=risk)
    negative = np.bincount(inverse, weights=1 - risk)
    below = np.cumsum(negative) - negative
    own = float((risk * (1 - risk)).sum())  # a row is no pair with itself
    ranked = float((positive * (below + negative / 2)).sum()) - own / 2
    return ranked / (float(positive.sum()) * float(negative.sum()) - own)
