"""The tables of MIMIC-IV's `icu` module, from what was simulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predictor.synthetic.items import (
    ARTERIAL_OXYGEN,
    COMA,
    COMA_WORDS,
    EYES,
    INSPIRED_OXYGEN,
    MOTOR,
    NOREPINEPHRINE,
    SALINE,
    URINE,
    VENTILATION,
    VERBAL,
    VITALS,
    WEIGHT,
)
from predictor.synthetic.population import Patients
from predictor.synthetic.stay_rows import Ids, Table, melted, stay_order, subjects
from predictor.synthetic.stay_tables import unit_names
from predictor.synthetic.stays import DAY, HOUR, Course
from predictor.synthetic.writing import seconds

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


def icu_tables(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Iterator[Table]:  # fmt: skip
    """All tables of `icu`."""
    stays = course.stays
    order = stay_order(patients, course)
    inside = order[stays.intensive[order]]
    units = unit_names(course)
    subject = subjects(patients, course)
    yield (
        "icu/icustays",
        {
            "subject_id": subject[inside],
            "hadm_id": ids.hadm[inside],
            "stay_id": ids.icu[inside],
            "first_careunit": [units[stay] for stay in inside],
            "last_careunit": [units[stay] for stay in inside],
            "intime": seconds(stays.icu_in[inside]),
            "outtime": seconds(stays.icu_out[inside]),
            "los": np.round((stays.icu_out - stays.icu_in)[inside] / DAY, 4),
        },
        len(inside),
    )
    yield _chartevents(patients, course, ids, rng)
    yield _inputevents(patients, course, ids, rng)
    yield _outputevents(patients, course, ids, rng)
    yield _procedureevents(patients, course, ids, rng)
    yield _items()


def _chartevents(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    parts = [_vital_rows(course), *_coma_rows(course), *_oxygen_rows(course, rng)]
    stay, time, known, item, value = (np.concatenate([part[n] for part in parts]) for n in range(5))
    stays = course.stays
    kept = (time < stays.icu_out[stay]) & (known < stays.discharge[stay] - 300)
    stay, time, known, item, value = (x[kept] for x in (stay, time, known, item, value))
    rank = np.empty(len(ids.hadm), np.int64)
    rank[stay_order(patients, course)] = np.arange(len(rank))
    order = np.lexsort((item, time, rank[stay]))
    stay, time, known, item, value = (x[order] for x in (stay, time, known, item, value))
    units = {vital.item: vital.unit for vital in VITALS} | {
        INSPIRED_OXYGEN: "", ARTERIAL_OXYGEN: "mmHg", WEIGHT: "kg"}  # fmt: skip
    unit = np.array([units.get(number, "") for number in item], dtype=object)
    return (
        "icu/chartevents",
        {
            **_whose(patients, course, ids, stay, time),
            "charttime": seconds(time),
            "storetime": seconds(known),
            "itemid": item,
            "value": _texts(item, value),
            "valuenum": value,
            "valueuom": pa.array(unit, mask=unit == ""),
            "warning": 0,
        },
        len(stay),
    )


_Rows = tuple[I64, I64, I64, I64, F64]


def _vital_rows(course: Course) -> _Rows:
    row, column = melted(course.vitals)
    draws = course.vitals
    items = np.array([vital.item for vital in VITALS])
    return (
        draws.stay[row], draws.time[row], draws.known[row], items[column],
        draws.values[row, column],
    )  # fmt: skip


def _coma_rows(course: Course) -> Iterator[_Rows]:
    """The Glasgow Coma Scale in its three parts, every four hours of two days."""
    stays = course.stays
    inside = np.flatnonzero(stays.intensive)
    hours = np.arange(0, 48, 4)
    stay = np.repeat(inside, len(hours))
    time = stays.icu_in[stay] + np.tile(hours, len(inside)) * HOUR + 15 * 60
    parts = coma_parts(stays.coma[stay])
    for place, item in enumerate((EYES, VERBAL, MOTOR)):
        yield stay, time, time + 600, np.full(len(stay), item), parts[place].astype(np.float64)


def coma_parts(total: F64) -> I64:
    """Eyes, verbal and motor response that add up to a Glasgow Coma Scale of 3 to 15.

    >>> coma_parts(np.array([15.0, 9.0, 3.0])).tolist()
    [[4, 3, 1], [5, 2, 1], [6, 4, 1]]
    """
    lost = (15 - total).astype(np.int64)
    motor = np.minimum(lost * 5 // 12, 5)
    eyes = np.minimum((lost - motor) * 3 // 7, 3)
    verbal = lost - motor - eyes
    return np.stack([4 - eyes, 5 - verbal, 6 - motor])


def _oxygen_rows(course: Course, rng: np.random.Generator) -> Iterator[_Rows]:
    """Inspired oxygen with every blood gas, the arterial pressure again, and the weight once."""
    gases, stays = course.gases, course.stays
    fraction = np.where(
        stays.ventilated[gases.stay], rng.choice([40, 50, 60, 80, 100], size=len(gases.stay)),
        rng.choice([21, 28, 35], size=len(gases.stay)),
    )  # fmt: skip
    full = np.full(len(gases.stay), INSPIRED_OXYGEN)
    yield gases.stay, gases.time, gases.time + 300, full, fraction.astype(np.float64)
    yield (gases.stay, gases.time, gases.known, np.full(len(gases.stay), ARTERIAL_OXYGEN),
           gases.values[:, 0])  # fmt: skip
    inside = np.flatnonzero(stays.intensive)
    weight = np.clip(rng.normal(80, 18, len(inside)), 38, 190).round(1).astype(np.float64)
    when = stays.icu_in[inside] + 30 * 60
    yield inside, when, when + 900, np.full(len(inside), WEIGHT), weight


def _texts(item: I64, value: F64) -> Any:
    text = np.char.mod("%g", value).astype(object)
    for number, words in COMA_WORDS.items():
        rows = item == number
        text[rows] = np.array(words, dtype=object)[value[rows].astype(np.int64) - 1]
    return text


def _inputevents(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    stays = course.stays
    order = stay_order(patients, course)
    given = order[stays.pressors[order]]
    saline = order[(stays.intensive & (rng.random(len(stays)) < 0.5))[order]]
    stay = np.concatenate([given, saline])
    press = np.arange(len(stay)) < len(given)
    start = stays.icu_in[stay] + (HOUR * rng.uniform(0.5, 6, len(stay))).astype(np.int64)
    end = start + (HOUR * np.where(press, rng.uniform(4, 40, len(stay)), 2)).astype(np.int64)
    kept = start < stays.icu_out[stay] - HOUR
    stay, press, start, end = stay[kept], press[kept], start[kept], end[kept]
    end = np.minimum(end, stays.icu_out[stay])
    rate = np.round(np.exp(rng.normal(-2.2, 0.7, len(stay))), 3)
    amount = np.where(press, np.round(rate * 80 * (end - start) / 60_000, 3), 1000.0)
    count = len(stay)
    columns: dict[str, Any] = {
        **_whose(patients, course, ids, stay, start),
        "starttime": seconds(start),
        "endtime": seconds(end),
        "storetime": seconds(start + 300),
        "itemid": np.where(press, NOREPINEPHRINE, SALINE),
        "amount": amount,
        "amountuom": np.where(press, "mg", "ml"),
        "rate": np.where(press, rate, np.nan),
        "rateuom": pa.array(np.where(press, "mcg/kg/min", ""), mask=~press),
        "orderid": np.arange(count) + 1_000_000,
        "linkorderid": np.arange(count) + 1_000_000,
        "ordercategoryname": np.where(press, "01-Drips", "02-Fluids (Crystalloids)"),
        "secondaryordercategoryname": None,
        "ordercomponenttypedescription": "Main order parameter",
        "ordercategorydescription": np.where(press, "Continuous Med", "Continuous IV"),
        "patientweight": 80,
        "totalamount": amount,
        "totalamountuom": "ml",
        "isopenbag": 0,
        "continueinnextdept": 0,
        "statusdescription": "FinishedRunning",
        "originalamount": amount,
        "originalrate": np.where(press, rate, np.nan),
    }
    return "icu/inputevents", columns, count


def _whose(
    patients: Patients, course: Course, ids: Ids, stay: I64, time: I64
) -> Mapping[str, I64]:  # fmt: skip
    """Whose events they are, and who charted them at that time."""
    return {
        "subject_id": subjects(patients, course)[stay],
        "hadm_id": ids.hadm[stay],
        "stay_id": ids.icu[stay],
        "caregiver_id": 10_000 + (time // HOUR % 997),
    }


def _outputevents(patients: Patients, course: Course, ids: Ids, rng: np.random.Generator) -> Table:
    stays = course.stays
    order = stay_order(patients, course)
    inside = order[stays.intensive[order]]
    hours = np.arange(4, 52, 6)
    stay = np.repeat(inside, len(hours))
    time = stays.icu_in[stay] + np.tile(hours, len(inside)) * HOUR
    usual = np.exp(rng.normal(5.9 - 0.25 * stays.severity, 0.45))
    value = np.round(usual[stay] * np.exp(rng.normal(0, 0.3, len(stay))))
    kept = (time < stays.icu_out[stay] - 1800) & (rng.random(len(stay)) < 0.95)
    stay, time, value = stay[kept], time[kept], value[kept]
    return (
        "icu/outputevents",
        {
            **_whose(patients, course, ids, stay, time),
            "charttime": seconds(time),
            "storetime": seconds(time + 600),
            "itemid": URINE,
            "value": value,
            "valueuom": "ml",
        },
        len(stay),
    )


def _procedureevents(
    patients: Patients, course: Course, ids: Ids, rng: np.random.Generator
) -> Table:  # fmt: skip
    stays = course.stays
    order = stay_order(patients, course)
    stay = order[stays.ventilated[order]]
    start = stays.icu_in[stay] + (HOUR * rng.uniform(0.2, 3, len(stay))).astype(np.int64)
    start = np.minimum(start, stays.icu_out[stay] - 30 * 60)
    end = np.minimum(start + (HOUR * stays.vent_hours[stay]).astype(np.int64), stays.icu_out[stay])
    minutes = (end - start) // 60
    columns: dict[str, Any] = {
        **_whose(patients, course, ids, stay, start),
        "starttime": seconds(start),
        "endtime": seconds(end),
        "storetime": seconds(start + 20 * 60),
        "itemid": VENTILATION,
        "value": minutes,
        "valueuom": "min",
        "location": None,
        "locationcategory": None,
        "orderid": np.arange(len(stay)) + 2_000_000,
        "linkorderid": np.arange(len(stay)) + 2_000_000,
        "ordercategoryname": "Ventilation",
        "ordercategorydescription": "ContinuousProcess",
        "patientweight": 80,
        "isopenbag": 1,
        "continueinnextdept": 0,
        "statusdescription": "FinishedRunning",
        "ORIGINALAMOUNT": minutes,
        "ORIGINALRATE": 1,
    }
    return "icu/procedureevents", columns, len(stay)


def _items() -> Table:
    rows = [
        (v.item, v.label, v.short, "chartevents", v.category, v.unit, "Numeric") for v in VITALS
    ]
    rows += [(item, label, short, "chartevents", "Neurological", "", "Text")
             for item, label, short, _ in COMA]  # fmt: skip
    rows += [
        (INSPIRED_OXYGEN, "Inspired O2 Fraction", "FiO2", "chartevents", "Respiratory", "",
         "Numeric"),
        (ARTERIAL_OXYGEN, "Arterial O2 pressure", "PO2 (Arterial)", "chartevents", "Labs", "mmHg",
         "Numeric"),
        (WEIGHT, "Admission Weight (Kg)", "Admission Weight (Kg)", "chartevents", "General", "kg",
         "Numeric"),
        (URINE, "Foley", "Foley", "outputevents", "Output", "mL", "Numeric"),
        (VENTILATION, "Invasive Ventilation", "Invasive Ventilation", "procedureevents",
         "2-Ventilation", "", "Processes"),
        (NOREPINEPHRINE, "Norepinephrine", "Norepinephrine", "inputevents", "Medications", "mg",
         "Solution"),
        (SALINE, "NaCl 0.9%", "NaCl 0.9%", "inputevents", "Fluids/Intake", "mL", "Solution"),
    ]  # fmt: skip
    columns = list(zip(*sorted(rows), strict=True))
    names = ("itemid", "label", "abbreviation", "linksto", "category", "unitname", "param_type")
    made: dict[str, Any] = {name: list(values) for name, values in zip(names, columns, strict=True)}
    made["unitname"] = [unit or None for unit in made["unitname"]]
    return "icu/d_items", {**made, "lownormalvalue": None, "highnormalvalue": None}, len(rows)
