"""MIMIC-III as PhysioNet ships it (upper or lower case names). It has no calendar.

Dates are shifted for each patient and nothing tells by how much. Patients of 90 and more have a
date of birth 300 years back; their age is given as 90, which means 90 or more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from predictor.sources import mimic
from predictor.sources.calendar import NO_CALENDAR
from predictor.sources.files import Folder
from predictor.sources.measurements import make_item_table
from predictor.sources.records import Database, Records, end_of_day

OLDEST: Final = 90


STAYS: Final = mimic.StayColumns(
    age=f"least(date_diff('day', dob, admittime) / 365.2425, {OLDEST})",
    race="ethnicity",
    planned="admission_type = 'ELECTIVE'",
    transferred="discharge_location = 'SHORT TERM HOSPITAL'",
    against_advice="discharge_location LIKE 'LEFT AGAINST%'",
    hospice="discharge_location LIKE 'HOSPICE%'",
    literature_shift="NULL::INTEGER",
)


def recognize(path: Path, database: Database) -> bool:
    """Whether a folder is MIMIC-III: patients have a date of birth."""
    return mimic.has_patients_with("dob", Folder(path), database)


def open_source(path: Path, database: Database) -> Records:
    """Records of MIMIC-III; `RecordsError` for a table without the columns that are published."""
    folder = Folder(path)
    born = {"subject_id": "BIGINT", "gender": "VARCHAR", "dob": "TIMESTAMP"}
    database.read("raw_patients", folder.need("patients"), born, {})
    mimic.make_stays(folder, database, STAYS)
    mimic.view_ed_admitted(database)
    mimic.make_icu(folder, database, "icustay_id")
    _codes(folder, database)
    make_item_table(database, "mimic3")
    if parts := mimic.measurement_parts(folder, database, error="iserror"):
        database.view("measurements", " UNION ALL ".join(parts))
    # Orders carry dates alone: known at the end of the day on which they start.
    mimic.view_drugs(folder, database, "startdate", end_of_day("startdate"))
    mimic.view_actions(folder, database, "procedureevents_mv", "inputevents_mv")
    mimic.make_services(folder, database)
    _notes(folder, database)
    return Records("mimic3", path, NO_CALENDAR, database)


def _codes(folder: Folder, database: Database) -> None:
    for table, raw, system in (
        ("diagnoses", "diagnoses_icd", "ICD9CM"),
        ("procedures", "procedures_icd", "ICD9PCS"),
    ):
        if file := folder.find(raw):
            database.read(f"raw_{raw}", file, {**mimic.NUMBERED, "seq_num": "INTEGER",
                          "icd9_code": "VARCHAR"}, {})  # fmt: skip
            database.view(
                table,
                f"""SELECT coded.subject_id::VARCHAR AS subject_id, coded.hadm_id::VARCHAR AS
                stay_id, trim(icd9_code) AS code, '{system}' AS system, seq_num AS rank,
                discharged AS known FROM raw_{raw} coded JOIN stays
                ON stays.stay_id = coded.hadm_id::VARCHAR WHERE icd9_code NOTNULL""",
            )


def _notes(folder: Folder, database: Database) -> None:
    """When notes were known: stored, else charted, else the end of the day."""
    if file := folder.find("noteevents"):
        database.read("raw_notes", file, {**mimic.NUMBERED, "category": "VARCHAR"},
                      {"chartdate": "TIMESTAMP", "charttime": "TIMESTAMP",
                       "storetime": "TIMESTAMP", "iserror": "VARCHAR"})  # fmt: skip
        database.view(
            "notes",
            f"""SELECT {mimic.STAY},
            trim(category) AS category,
            coalesce(storetime, charttime, {end_of_day("chartdate")}) AS known
            FROM raw_notes WHERE coalesce(iserror, '') <> '1'""",
        )
