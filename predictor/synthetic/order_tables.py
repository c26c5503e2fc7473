"""What was measured and given in the stays: laboratory events and prescriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predictor.synthetic.items import ARTERIAL, LABS, SPECIMEN
from predictor.synthetic.phrases import concept_by_name, names_by_concept
from predictor.synthetic.population import (
    Patients,
    is_drug,
    plain_drugs,
)
from predictor.synthetic.stay_rows import I64, Ids, Table, melted, stay_order, subjects
from predictor.synthetic.stays import HOUR, Course
from predictor.synthetic.writing import seconds

OFF_CHART: Final = ("St. John's wort", "contrast media")
"""Treatments that only notes name: no prescription."""


def laboratory_tables(patients: Patients, course: Course, ids: Ids) -> Iterator[Table]:
    """Values by stay and time, a row for the specimen of each blood gas, and what items mean."""
    row, column = melted(course.labs)
    gas_row, gas_column = melted(course.gases)
    labs, gases = course.labs, course.gases
    specs = (*LABS, *ARTERIAL)
    stay = np.concatenate([labs.stay[row], gases.stay[gas_row], gases.stay])
    time = np.concatenate([labs.time[row], gases.time[gas_row], gases.time])
    known = np.concatenate([labs.known[row], gases.known[gas_row], gases.known])
    kind = np.concatenate([column, gas_column + len(LABS), np.full(len(gases.stay), len(specs))])
    value = np.concatenate([labs.values[row, column], gases.values[gas_row, gas_column],
                            np.full(len(gases.stay), np.nan)])  # fmt: skip
    rank = np.empty(len(ids.hadm), np.int64)
    rank[stay_order(patients, course)] = np.arange(len(rank))
    order = np.lexsort((kind, time, rank[stay]))
    stay, time, known, kind, value = (x[order] for x in (stay, time, known, kind, value))
    item = np.array([*(spec.item for spec in specs), SPECIMEN[0]])
    unit = np.array([*(spec.unit for spec in specs), ""], dtype=object)
    low = np.array([*(float(spec.low) for spec in specs), np.nan])
    high = np.array([*(float(spec.high) for spec in specs), np.nan])
    text = np.where(np.isnan(value), "ART.", _decimal(value, kind, specs))
    _, specimen = np.unique(np.stack([rank[stay], time]), axis=1, return_inverse=True)
    yield (
        "hosp/labevents",
        {
            "labevent_id": np.arange(1, len(stay) + 1),
            "subject_id": subjects(patients, course)[stay],
            "hadm_id": ids.hadm[stay],
            "specimen_id": 10_000_000 + specimen.ravel(),
            "itemid": item[kind],
            "order_provider_id": None,
            "charttime": seconds(time),
            "storetime": seconds(known),
            "value": text,
            "valuenum": value,
            "valueuom": pa.array(unit[kind], mask=unit[kind] == ""),
            "ref_range_lower": low[kind],
            "ref_range_upper": high[kind],
            "flag": pa.array(np.where((value < low[kind]) | (value > high[kind]), "abnormal", ""),
                             mask=~((value < low[kind]) | (value > high[kind]))),
            "priority": "ROUTINE",
            "comments": None,
        },
        len(stay),
    )  # fmt: skip
    yield (
        "hosp/d_labitems",
        {
            "itemid": item,
            "label": [*(spec.label for spec in specs), SPECIMEN[1]],
            "fluid": "Blood",
            "category": [*(spec.category for spec in specs), SPECIMEN[2]],
        },
        len(item),
    )


def _decimal(value: npt.NDArray[np.float64], kind: I64, specs: tuple[Any, ...]) -> Any:
    made = np.empty(len(value), dtype=object)
    decimals = np.array([*(spec.decimals for spec in specs), 0])[kind]
    for number in np.unique(decimals):
        rows = decimals == number
        made[rows] = np.char.mod(f"%.{number}f", value[rows])
    return made


def prescriptions_table(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:
    """Drugs taken at home are ordered within hours of admission."""
    stays = course.stays
    off = {
        concept_by_name()[name.lower()] for name in OFF_CHART if name.lower() in concept_by_name()
    }
    stay, drug = [], []
    own: dict[int, list[str]] = {}
    for number in stay_order(patients, course).tolist():
        patient = int(stays.patient[number])
        if patient not in own:
            concepts = [c for c in patients.concepts(patient) if c in is_drug() and c not in off]
            concepts += [plain_drugs()[i] for i in np.flatnonzero(patients.drugs[patient])]
            own[patient] = [_drug_name(concept) for concept in concepts]
        stay += [number] * len(own[patient])
        drug += own[patient]
    at = np.array(stay)
    count = len(at)
    start = stays.admit[at] + (HOUR * rng.uniform(0.5, 8, count)).astype(np.int64) // 3600 * 3600
    start = np.maximum(start, stays.admit[at] + 600)
    dose = rng.choice([1, 5, 10, 25, 40, 100, 500], size=count)
    return (
        "hosp/prescriptions",
        {
            "subject_id": subjects(patients, course)[at],
            "hadm_id": ids.hadm[at],
            "pharmacy_id": 10_000_000 + np.arange(count),
            "poe_id": None,
            "poe_seq": None,
            "order_provider_id": None,
            "starttime": seconds(start),
            "stoptime": seconds(np.maximum(stays.discharge[at], start + HOUR)),
            "drug_type": "MAIN",
            "drug": drug,
            "formulary_drug_cd": None,
            "gsn": None,
            "ndc": None,
            "prod_strength": None,
            "form_rx": None,
            "dose_val_rx": dose,
            "dose_unit_rx": "mg",
            "form_val_disp": 1,
            "form_unit_disp": "TAB",
            "doses_per_24_hrs": rng.integers(1, 4, count),
            "route": "PO",
        },
        count,
    )


def _drug_name(concept: str) -> str:
    name = names_by_concept()[concept].plain[0]
    return name[0].upper() + name[1:]
