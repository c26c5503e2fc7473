"""What the tables of the hospital share: identifiers, the order of rows, drawn choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.synthetic.population import Patients
from predictor.synthetic.random_values import Draws
from predictor.synthetic.stays import Course

I64 = npt.NDArray[np.int64]
Table = tuple[str, Mapping[str, Any], int]
"""Path below the hospital without `.csv.gz`, columns, number of rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Ids:
    """Identifiers, which tell nothing: `hadm` a stay, `icu` its stay in intensive care."""

    hadm: I64
    icu: I64

    @classmethod
    def draw(cls, count: int, rng: np.random.Generator) -> Ids:
        return cls(
            20_000_000 + rng.choice(9_999_999, size=count, replace=False),
            30_000_000 + rng.choice(9_999_999, size=count, replace=False),
        )


def stay_order(patients: Patients, course: Course) -> I64:
    """Stays by patient's number and time: the order of rows in all tables."""
    order: I64 = np.lexsort((course.stays.admit, patients.subject[course.stays.patient]))
    return order


def subjects(patients: Patients, course: Course) -> I64:
    """The patient's number of each stay."""
    numbers: I64 = patients.subject[course.stays.patient]
    return numbers


def choose(
    options: Sequence[tuple[str, float]], count: int, rng: np.random.Generator
) -> npt.NDArray[np.str_]:  # fmt: skip
    shares = np.array([share for _, share in options])
    return rng.choice([name for name, _ in options], size=count, p=shares / shares.sum())


def melted(draws: Draws) -> tuple[I64, I64]:
    """Rows and columns of all values that were measured, row by row."""
    row, column = np.nonzero(~np.isnan(draws.values))
    return row, column
