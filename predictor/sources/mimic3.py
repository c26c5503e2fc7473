"""MIMIC-III as PhysioNet ships it (upper or lower case names). It has no calendar.

Dates are shifted for each patient and nothing tells by how much. Patients of 90 and more have a
date of birth 300 years back; their age is given as 90, which means 90 or more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from predictor.sources.calendar import NO_CALENDAR
from predictor.sources.files import Folder
from predictor.sources.measurements import make_item_table, measured
from predictor.sources.records import Database, Records, end_of_day

NUMBERED: Final = {"subject_id": "BIGINT", "hadm_id": "BIGINT"}
OLDEST: Final = 90
VALUE: Final = {"labevents": "valuenum", "chartevents": "valuenum", "outputevents": "value"}


def recognize(path: Path, database: Database) -> bool:
    """Whether a folder is MIMIC-III: patients have a date of birth."""
    folder = Folder(path)
    patients = folder.find("patients")
    return (
        patients is not None
        and folder.find("admissions") is not None
        and "dob" in database.columns(patients)
    )


def open_source(path: Path, database: Database) -> Records:
    """Records of MIMIC-III; `RecordsError` for a table without the columns that are published."""
    folder = Folder(path)
    _stays(folder, database)
    for make in (_icu, _codes, _measurements, _drugs, _actions, _services, _notes):
        make(folder, database)
    return Records("mimic3", path, NO_CALENDAR, database)


def _stays(folder: Folder, database: Database) -> None:
    born = {"subject_id": "BIGINT", "gender": "VARCHAR", "dob": "TIMESTAMP"}
    database.read("raw_patients", folder.need("patients"), born, {})
    texts = ("admission_location", "discharge_location", "insurance", "language",
             "marital_status", "ethnicity")  # fmt: skip
    times = ("deathtime", "edregtime", "edouttime")
    database.read(
        "raw_admissions",
        folder.need("admissions"),
        {**NUMBERED, "admittime": "TIMESTAMP", "dischtime": "TIMESTAMP",
         "admission_type": "VARCHAR", "hospital_expire_flag": "INTEGER"},
        {**dict.fromkeys(texts, "VARCHAR"), **dict.fromkeys(times, "TIMESTAMP")},
    )  # fmt: skip
    database.table(
        "stays",
        f"""SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id,
        admittime AS admitted, dischtime AS discharged,
        CASE WHEN hospital_expire_flag = 1 THEN coalesce(deathtime, dischtime) END AS died,
        hospital_expire_flag = 1 AS dead, hospital_expire_flag NOTNULL AS dead_known,
        least(date_diff('day', dob, admittime) / 365.2425, {OLDEST})::DOUBLE AS age,
        gender AS sex, admission_type, admission_location AS admitted_from,
        discharge_location AS discharged_to, insurance, ethnicity AS race, language,
        marital_status, admission_type = 'ELECTIVE' AS planned,
        discharge_location = 'SHORT TERM HOSPITAL' AS transferred,
        discharge_location LIKE 'LEFT AGAINST%' AS against_advice,
        discharge_location LIKE 'HOSPICE%' AS hospice,
        edregtime AS ed_arrived, edouttime AS ed_left, NULL::INTEGER AS literature_shift
        FROM raw_admissions JOIN raw_patients USING (subject_id)""",
    )
    database.view("ed_admitted",
        "SELECT subject_id, ed_arrived AS arrived, stay_id FROM stays "
                  "WHERE ed_arrived NOTNULL")  # fmt: skip


def _icu(folder: Folder, database: Database) -> None:
    if file := folder.find("icustays"):
        database.read("raw_icustays", file, {**NUMBERED, "icustay_id": "BIGINT",
                      "first_careunit": "VARCHAR", "intime": "TIMESTAMP", "outtime": "TIMESTAMP"},
                      {})  # fmt: skip
        database.table("icu", "SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS "
                       "stay_id, icustay_id::VARCHAR AS icu_id, intime AS entered, outtime AS "
                       "left_at, first_careunit AS unit FROM raw_icustays")  # fmt: skip


def _codes(folder: Folder, database: Database) -> None:
    for table, raw, system in (
        ("diagnoses", "diagnoses_icd", "ICD9CM"),
        ("procedures", "procedures_icd", "ICD9PCS"),
    ):
        if file := folder.find(raw):
            database.read(f"raw_{raw}", file, {**NUMBERED, "seq_num": "INTEGER",
                          "icd9_code": "VARCHAR"}, {})  # fmt: skip
            database.view(
                table,
                f"""SELECT coded.subject_id::VARCHAR AS subject_id, coded.hadm_id::VARCHAR AS
                stay_id, trim(icd9_code) AS code, '{system}' AS system, seq_num AS rank,
                discharged AS known FROM raw_{raw} coded JOIN stays
                ON stays.stay_id = coded.hadm_id::VARCHAR WHERE icd9_code NOTNULL""",
            )


def _measurements(folder: Folder, database: Database) -> None:
    make_item_table(database, "mimic3")
    parts = []
    for name, value in VALUE.items():
        if file := folder.find(name):
            needed = {"subject_id": "BIGINT", "itemid": "INTEGER", "charttime": "TIMESTAMP"}
            wished = {"storetime": "TIMESTAMP", "valueuom": "VARCHAR", "iserror": "INTEGER"}
            database.read(f"raw_{name}", file, {**needed, value: "DOUBLE"}, wished)
            parts.append(
                measured(f"raw_{name}", value, "valueuom", "charttime",
                         "coalesce(storetime, charttime)", "AND coalesce(iserror, 0) = 0")
            )  # fmt: skip
    if parts:
        database.view("measurements", " UNION ALL ".join(parts))


def _drugs(folder: Folder, database: Database) -> None:
    """Orders carry dates alone: known at the end of the day on which they start."""
    if file := folder.find("prescriptions"):
        database.read("raw_prescriptions", file,
                      {**NUMBERED, "startdate": "TIMESTAMP", "drug": "VARCHAR"},
                      {"drug_type": "VARCHAR"})  # fmt: skip
        database.view(
            "drugs",
            f"""SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id,
            trim(drug) AS drug, startdate AS started, {end_of_day("startdate")} AS known
            FROM raw_prescriptions WHERE coalesce(drug_type, 'MAIN') <> 'BASE' AND drug NOTNULL""",
        )


def _actions(folder: Folder, database: Database) -> None:
    """Procedures and infusions of MetaVision: charted as running from their start."""
    labels = folder.find("d_items")
    if labels is None:
        return
    database.read("raw_d_items", labels, {"itemid": "INTEGER", "label": "VARCHAR"}, {})
    timed = {**NUMBERED, "itemid": "INTEGER", "starttime": "TIMESTAMP", "endtime": "TIMESTAMP"}
    if file := folder.find("procedureevents_mv"):
        database.read("raw_procedureevents", file, timed, {})
        database.view(
            "actions",
            """SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id, label AS
            name, starttime AS started, endtime AS ended, starttime AS known
            FROM raw_procedureevents JOIN raw_d_items USING (itemid)""",
        )
    if file := folder.find("inputevents_mv"):
        database.read("raw_inputevents", file, timed, {"rate": "DOUBLE", "rateuom": "VARCHAR"})
        database.view(
            "infusions",
            """SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id,
            lower(label) AS drug, starttime AS started, endtime AS ended, rate, rateuom AS unit,
            starttime AS known
            FROM raw_inputevents JOIN raw_d_items USING (itemid) WHERE rate NOTNULL""",
        )


def _services(folder: Folder, database: Database) -> None:
    if file := folder.find("services"):
        database.read("raw_services", file, {**NUMBERED, "transfertime": "TIMESTAMP",
                      "curr_service": "VARCHAR"}, {})  # fmt: skip
        database.table("services", "SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS "
                       "stay_id, curr_service AS service, transfertime AS known "
                       "FROM raw_services")  # fmt: skip


def _notes(folder: Folder, database: Database) -> None:
    """When notes were known: stored, else charted, else the end of the day."""
    if file := folder.find("noteevents"):
        database.read("raw_notes", file, {**NUMBERED, "category": "VARCHAR"},
                      {"chartdate": "TIMESTAMP", "charttime": "TIMESTAMP",
                       "storetime": "TIMESTAMP", "iserror": "VARCHAR"})  # fmt: skip
        database.view(
            "notes",
            f"""SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id,
            trim(category) AS category,
            coalesce(storetime, charttime, {end_of_day("chartdate")}) AS known
            FROM raw_notes WHERE coalesce(iserror, '') <> '1'""",
        )
