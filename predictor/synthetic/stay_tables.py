"""Who was in the hospital, when and where: patients, admissions, transfers, services, ED stays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from predictor.synthetic.population import (
    COMORBIDITIES,
    GROUPS,
    Patients,
)
from predictor.synthetic.stay_rows import Ids, Table, choose, stay_order, subjects
from predictor.synthetic.stays import DAY, HOUR, Course
from predictor.synthetic.writing import seconds

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


def patients_table(patients: Patients, course: Course, rng: np.random.Generator) -> Table:
    """Patients by number; one in twenty of the living dies later, outside the hospital."""
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


def admissions_table(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:  # fmt: skip
    """Stays: how patients came, where they went, what they say of themselves."""
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
    columns = {
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
    return "hosp/admissions", columns, count


def transfers_table(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:
    """Where patients lay, and from when to when; the last row of a stay is its discharge."""
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


def services_table(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    """The service that looked after each stay: one a stay, from its first minute."""
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


def edstays_table(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:  # fmt: skip
    """Visits to the emergency department, those that ended in a stay with its number."""
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
