"""The tables of MIMIC-IV's `hosp` and `ed` modules, from what was simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ontologies.concept import Concept
from predictor.synthetic.items import ARTERIAL, LABS, SPECIMEN
from predictor.synthetic.phrases import concept_by_name, concepts_by_table, names_by_concept
from predictor.synthetic.population import (
    BACKGROUND,
    COMORBIDITIES,
    GROUPS,
    Patients,
    is_drug,
    plain_drugs,
)
from predictor.synthetic.random_values import Draws
from predictor.synthetic.stays import DAY, HOUR, Course
from predictor.synthetic.writing import seconds

I64 = npt.NDArray[np.int64]
Table = tuple[str, Mapping[str, Any], int]
"""Path below the hospital without `.csv.gz`, columns, number of rows."""

RACES: Final = ("WHITE", "BLACK/AFRICAN AMERICAN", "HISPANIC/LATINO", "ASIAN", "OTHER", "UNKNOWN")
_RACE_SHARES: Final = (0.66, 0.14, 0.07, 0.05, 0.05, 0.03)
_TYPES: Final = {
    True: (("EW EMER.", 0.72), ("URGENT", 0.13), ("DIRECT EMER.", 0.08),
           ("OBSERVATION ADMIT", 0.07)),
    False: (("ELECTIVE", 0.55), ("SURGICAL SAME DAY ADMISSION", 0.45)),
}  # fmt: skip
_HOMES: Final = (
    ("HOME", 0.42), ("HOME HEALTH CARE", 0.28), ("SKILLED NURSING FACILITY", 0.19),
    ("REHAB", 0.08), ("CHRONIC/LONG TERM ACUTE CARE", 0.03),
)  # fmt: skip
_WARDS: Final = (
    ("Medicine", 0.5), ("Med/Surg", 0.2), ("Medicine/Cardiology", 0.15),
    ("Hematology/Oncology", 0.08), ("Neurology", 0.07),
)  # fmt: skip
_UNITS: Final = (
    "Medical Intensive Care Unit (MICU)",
    "Surgical Intensive Care Unit (SICU)",
    "Coronary Care Unit (CCU)",
    "Medical/Surgical Intensive Care Unit (MICU/SICU)",
)
OFF_CHART: Final = ("St. John's wort", "contrast media")
"""Treatments that only notes name: no prescription."""

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


def hosp_tables(
    patients: Patients, course: Course, ids: Ids, coded: I64, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
    """All tables of `hosp` and `ed`; `coded` is when each stay's codes were known."""
    yield _patients(patients, course, rng)
    yield "hosp/admissions", _admissions(patients, course, ids, rng), len(ids.hadm)
    yield _transfers(patients, course, ids, rng)
    yield _services(patients, course, ids, rng)
    yield from _diagnoses(patients, course, ids, coded, rng)
    yield from _procedures(patients, course, ids, rng)
    yield from _labs(patients, course, ids)
    yield _prescriptions(patients, course, ids, rng)
    yield _edstays(patients, course, ids, rng)


def _patients(patients: Patients, course: Course, rng: np.random.Generator) -> Table:
    stays = course.stays
    count = len(patients)
    last = np.zeros(count, np.int64)
    np.maximum.at(last, stays.patient, stays.discharge)
    died = np.zeros(count, bool)
    died[stays.patient[stays.died]] = True
    later = ~died & (rng.random(count) < 0.05)
    date = np.where(died, last, last + (DAY * rng.uniform(60, 360, count)).astype(np.int64))
    order = np.argsort(patients.subject)
    day = pa.array(date[order].astype("datetime64[s]").astype("datetime64[D]"),
                   mask=~(died | later)[order])  # fmt: skip
    return (
        "hosp/patients",
        {
            "subject_id": patients.subject[order],
            "gender": np.where(patients.male, "M", "F")[order],
            "anchor_age": patients.age[order].astype(np.int64),
            "anchor_year": patients.anchor_year[order],
            "anchor_year_group": [GROUPS[group][1] for group in patients.group[order]],
            "dod": day,
        },
        count,
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


def _admissions(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Mapping[str, Any]:  # fmt: skip
    stays = course.stays
    count = len(stays)
    kind = np.where(
        stays.unplanned, choose(_TYPES[True], count, rng), choose(_TYPES[False], count, rng)
    )
    goes = choose(_HOMES, count, rng)
    goes = np.where(stays.transferred, "ACUTE HOSPITAL", goes)
    goes = np.where(stays.against_advice, "AGAINST ADVICE", goes)
    goes = np.where(stays.died, "DIED", goes)
    people = len(patients)
    race = rng.choice(RACES, size=people, p=_RACE_SHARES)
    language = np.where(rng.random(people) < 0.9, "ENGLISH", "?")
    married = rng.choice(["MARRIED", "SINGLE", "WIDOWED", "DIVORCED"], size=people)
    insurance = np.where(patients.age >= 65, "Medicare",
                         rng.choice(["Other", "Medicaid"], size=people, p=[0.7, 0.3]))  # fmt: skip
    order = stay_order(patients, course)
    who = stays.patient[order]
    arrived = np.where(stays.unplanned, stays.admit - HOUR, -1)
    return {
        "subject_id": patients.subject[who],
        "hadm_id": ids.hadm[order],
        "admittime": seconds(stays.admit[order]),
        "dischtime": seconds(stays.discharge[order]),
        "deathtime": seconds(np.where(stays.died, stays.discharge, -1)[order]),
        "admission_type": kind[order],
        "admit_provider_id": [f"P{number:05d}" for number in rng.integers(10_000, 99_999, count)],
        "admission_location": np.where(
            stays.unplanned, "EMERGENCY ROOM", "PHYSICIAN REFERRAL")[order],
        "discharge_location": goes[order],
        "insurance": insurance[who],
        "language": language[who],
        "marital_status": married[who],
        "race": race[who],
        "edregtime": seconds(arrived[order]),
        "edouttime": seconds(np.where(stays.unplanned, stays.admit + HOUR // 2, -1)[order]),
        "hospital_expire_flag": stays.died[order].astype(np.int64),
    }  # fmt: skip


def _transfers(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    stays = course.stays
    ward = choose(_WARDS, len(stays), rng)
    care = unit_names(course)
    subject = subjects(patients, course)
    rows: list[tuple[Any, ...]] = []
    for stay in stay_order(patients, course).tolist():
        key = (int(subject[stay]), int(ids.hadm[stay]))
        admit, end = int(stays.admit[stay]), int(stays.discharge[stay])
        if stays.unplanned[stay]:
            rows.append((*key, "ED", "Emergency Department", admit - HOUR, admit))
        if stays.intensive[stay]:
            enter, leave = int(stays.icu_in[stay]), int(stays.icu_out[stay])
            rows.append((*key, "admit", ward[stay], admit, enter))
            rows.append((*key, "transfer", care[stay], enter, leave))
            if leave < end:
                rows.append((*key, "transfer", ward[stay], leave, end))
        else:
            rows.append((*key, "admit", ward[stay], admit, end))
        rows.append((*key, "discharge", None, end, -1))
    columns = list(zip(*rows, strict=True))
    count = len(rows)
    return (
        "hosp/transfers",
        {
            "subject_id": list(columns[0]),
            "hadm_id": list(columns[1]),
            "transfer_id": 30_000_000 + rng.choice(9_999_999, size=count, replace=False),
            "eventtype": list(columns[2]),
            "careunit": list(columns[3]),
            "intime": seconds(np.array(columns[4])),
            "outtime": seconds(np.array(columns[5])),
        },
        count,
    )


def unit_names(course: Course) -> list[str]:
    """The care unit of each stay in intensive care."""
    return [_UNITS[int(place)] for place in course.stays.icu_in // 60 % len(_UNITS)]


def _services(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    stays = course.stays
    cancer = [number for number, (name, _) in enumerate(COMORBIDITIES)
              if name in ("metastasis", "lymphoma", "leukemia")]  # fmt: skip
    oncology = patients.comorbid[stays.patient][:, cancer].any(1) & (rng.random(len(stays)) < 0.6)
    medical = choose((("MED", 0.7), ("CMED", 0.18), ("NMED", 0.12)), len(stays), rng)
    surgical = choose((("SURG", 0.5), ("ORTHO", 0.25), ("CSURG", 0.25)), len(stays), rng)
    cut = np.where(stays.unplanned, rng.random(len(stays)) < 0.15, rng.random(len(stays)) < 0.8)
    service = np.where(oncology, "OMED", np.where(cut, surgical, medical))
    order = stay_order(patients, course)
    return (
        "hosp/services",
        {
            "subject_id": subjects(patients, course)[order],
            "hadm_id": ids.hadm[order],
            "transfertime": seconds(stays.admit[order] + 60),
            "prev_service": None,
            "curr_service": service[order],
        },
        len(order),
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


def _diagnoses(
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


def _procedures(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
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


def melted(draws: Draws) -> tuple[I64, I64]:
    """Rows and columns of all values that were measured, row by row."""
    row, column = np.nonzero(~np.isnan(draws.values))
    return row, column


def _labs(patients: Patients, course: Course, ids: Ids) -> Iterator[Table]:
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


def _prescriptions(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
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


def _edstays(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:  # fmt: skip
    stays = course.stays
    order = np.lexsort((course.ed_time, patients.subject[course.ed_patient]))
    who, when = course.ed_patient[order], course.ed_time[order]
    came = np.flatnonzero(stays.unplanned)
    hadm = {(int(stays.patient[stay]), int(stays.admit[stay]) - HOUR): int(ids.hadm[stay])
            for stay in came}  # fmt: skip
    admitted = [hadm.get((int(p), int(t)), 0) for p, t in zip(who, when, strict=True)]
    inside = np.array(admitted) > 0
    length = np.where(
        inside, HOUR + HOUR // 2, (HOUR * rng.uniform(1, 8, len(who))).astype(np.int64)
    )
    return (
        "ed/edstays",
        {
            "subject_id": patients.subject[who],
            "hadm_id": pa.array(np.array(admitted), mask=~inside),
            "stay_id": 30_000_000 + rng.choice(9_999_999, size=len(who), replace=False),
            "intime": seconds(when),
            "outtime": seconds(when + length),
            "gender": np.where(patients.male, "M", "F")[who],
            "race": "UNKNOWN",
            "arrival_transport": choose((("AMBULANCE", 0.4), ("WALK IN", 0.6)), len(who), rng),
            "disposition": np.where(inside, "ADMITTED", "HOME"),
        },
        len(who),
    )
