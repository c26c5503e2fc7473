"""Diagnoses and procedures of the stays, coded after discharge as MIMIC-IV holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import numpy as np
import pyarrow as pa

from ontologies.concept import Concept
from predictor.synthetic.phrases import concept_by_name, concepts_by_table
from predictor.synthetic.population import (
    BACKGROUND,
    COMORBIDITIES,
    Patients,
    is_drug,
)
from predictor.synthetic.stay_rows import I64, Ids, Table, stay_order, subjects
from predictor.synthetic.stays import DAY, Course
from predictor.synthetic.writing import seconds

COURSE_CODES: Final = (
    ("I469", "Cardiac arrest, cause unspecified"),
    ("Z66", "Do not resuscitate"),
    ("Z515", "Encounter for palliative care"),
    ("J9601", "Acute respiratory failure with hypoxia"),
    ("R4020", "Unspecified coma"),
    ("E872", "Acidosis"),
    ("R570", "Cardiogenic shock"),
    ("G931", "Anoxic brain damage, not elsewhere classified"),
)
_COURSE_SHARES: Final = np.array(
    [[0.01, 0.05, 0.01, 0.06, 0.01, 0.05, 0.01, 0.002],
     [0.45, 0.65, 0.40, 0.55, 0.15, 0.30, 0.15, 0.12]]
)  # fmt: skip
"""How often a stay that ends alive, and one that ends in death, is given each code."""
PROCEDURES: Final = (
    ("5A1945Z", "Respiratory Ventilation, 24-96 Consecutive Hours"),
    ("02HV33Z", "Insertion of Infusion Device into Superior Vena Cava, Percutaneous Approach"),
    ("0BJ08ZZ", "Inspection of Tracheobronchial Tree, Via Opening Endoscopic"),
    ("0DJ08ZZ", "Inspection of Upper Intestinal Tract, Via Opening Endoscopic"),
    ("30233N1", "Transfusion of Nonautologous Red Blood Cells into Peripheral Vein"),
    ("0SR9019", "Replacement of Right Hip Joint with Synthetic Substitute"),
    ("4A023N7", "Measurement of Cardiac Sampling and Pressure, Left Heart"),
)


@cache
def _icd(concept: str) -> str | None:
    """The most special ICD-10-CM code of a concept, without its dot."""
    codes = [xref.partition(":")[2].replace(".", "") for xref in _by_id()[concept].xrefs
             if xref.startswith("ICD10CM:")]  # fmt: skip
    return max(sorted(codes), key=len) if codes else None


@cache
def _by_id() -> Mapping[str, Concept]:
    return {c.id: c for table in concepts_by_table().values() for c in table}


def diagnoses_tables(
    patients: Patients, course: Course, ids: Ids, coded: I64, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
    """Codes of every stay; all but the last column are MIMIC-IV's.

    `storetime` tells when the code was known: days after discharge.
    """
    stays = course.stays
    subject = subjects(patients, course)
    drawn = rng.random((len(stays), len(COURSE_CODES)))
    given = drawn < _COURSE_SHARES[stays.died.astype(int)]
    given[:, 3] |= stays.ventilated & (drawn[:, 3] < 0.7)
    titles: dict[str, str] = dict(COURSE_CODES)
    rows: list[tuple[int, int, int, str, int]] = []
    own: dict[int, list[str]] = {}
    for stay in stay_order(patients, course).tolist():
        patient = int(stays.patient[stay])
        if patient not in own:
            own[patient] = _own_codes(patients, patient, titles)
        codes = own[patient] + [COURSE_CODES[i][0] for i in np.flatnonzero(given[stay])]
        rows += [(int(subject[stay]), int(ids.hadm[stay]), place, code, int(coded[stay]))
                 for place, code in enumerate(codes, 1)]  # fmt: skip
    columns = list(zip(*rows, strict=True))
    yield (
        "hosp/diagnoses_icd",
        {
            "subject_id": list(columns[0]),
            "hadm_id": list(columns[1]),
            "seq_num": list(columns[2]),
            "icd_code": list(columns[3]),
            "icd_version": 10,
            "storetime": seconds(np.array(columns[4])),
        },
        len(rows),
    )
    ordered = sorted(titles)
    yield (
        "hosp/d_icd_diagnoses",
        {"icd_code": ordered, "icd_version": 10, "long_title": [titles[code] for code in ordered]},
        len(ordered),
    )


def _own_codes(patients: Patients, patient: int, titles: dict[str, str]) -> list[str]:
    """Codes of a patient's lasting diseases; their titles are added to `titles`."""
    concepts = [c for c in patients.concepts(patient) if c not in is_drug()]
    for listed, has in ((COMORBIDITIES, patients.comorbid), (BACKGROUND, patients.background)):
        concepts += [concept_by_name()[listed[i][0]] for i in np.flatnonzero(has[patient])]
    codes = []
    for concept in concepts:
        code = _icd(concept)
        if code is not None:
            titles[code] = _by_id()[concept].name.capitalize()
            codes.append(code)
    return list(dict.fromkeys(codes)) or ["R69"]


def procedures_tables(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
    """Procedures by stay, numbered in the order of their codes, and what the codes mean."""
    stays = course.stays
    done = rng.random((len(stays), len(PROCEDURES))) < 0.05
    done[:, 0] = stays.ventilated
    done[:, 1] |= stays.pressors
    order = stay_order(patients, course)
    row, kind = np.nonzero(done[order])
    stay = order[row]
    span = np.maximum(stays.discharge - stays.admit - DAY, 0)
    when = stays.admit[stay] + (span[stay] * rng.random(len(stay)) * 0.7).astype(np.int64)
    first = np.concatenate([[True], stay[1:] != stay[:-1]])
    number = np.arange(len(stay)) - np.maximum.accumulate(np.where(first, np.arange(len(stay)), 0))
    yield (
        "hosp/procedures_icd",
        {
            "subject_id": subjects(patients, course)[stay],
            "hadm_id": ids.hadm[stay],
            "seq_num": number + 1,
            "chartdate": pa.array(when.astype("datetime64[s]").astype("datetime64[D]")),
            "icd_code": [PROCEDURES[i][0] for i in kind],
            "icd_version": 10,
        },
        len(stay),
    )
    yield (
        "hosp/d_icd_procedures",
        {"icd_code": [code for code, _ in PROCEDURES], "icd_version": 10,
         "long_title": [title for _, title in PROCEDURES]},
        len(PROCEDURES),
    )  # fmt: skip
