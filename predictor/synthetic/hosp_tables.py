"""The tables of MIMIC-IV's `hosp` and `ed` modules, from what was simulated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from predictor.synthetic.code_tables import diagnoses_tables, procedures_tables
from predictor.synthetic.order_tables import laboratory_tables, prescriptions_table
from predictor.synthetic.population import Patients
from predictor.synthetic.stay_rows import I64, Ids, Table
from predictor.synthetic.stay_tables import (
    admissions_table,
    edstays_table,
    patients_table,
    services_table,
    transfers_table,
)
from predictor.synthetic.stays import Course


def hosp_tables(
    patients: Patients, course: Course, ids: Ids, coded: I64, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
    """All tables of `hosp` and `ed`; `coded` is when each stay's codes were known."""
    yield patients_table(patients, course, rng)
    yield admissions_table(patients, course, ids, rng)
    yield transfers_table(patients, course, ids, rng)
    yield services_table(patients, course, ids, rng)
    yield from diagnoses_tables(patients, course, ids, coded, rng)
    yield from procedures_tables(patients, course, ids, rng)
    yield from laboratory_tables(patients, course, ids)
    yield prescriptions_table(patients, course, ids, rng)
    yield edstays_table(patients, course, ids, rng)
