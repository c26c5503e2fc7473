"""MIMIC-IV as PhysioNet ships it: hosp/, icu/, ed/ and note/ beside each other, or flat.

Dates are shifted for each patient; the calendar is the first year of `anchor_year_group` plus
(year - anchor_year), the earliest possible. Only hosp/admissions and hosp/patients are needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from predictor.sources import mimic
from predictor.sources.calendar import Calendar
from predictor.sources.files import Folder
from predictor.sources.measurements import make_item_table, measured
from predictor.sources.records import Database, Records, in_list, moment

MODULES: Final = ("hosp", "icu", "ed", "note")
PLANNED: Final = ("ELECTIVE", "SURGICAL SAME DAY ADMISSION")
CALENDAR: Final = Calendar(
    "year", "the first year of anchor_year_group + (year - anchor_year), the earliest possible"
)
NOTES: Final = {"discharge": "Discharge summary", "radiology": "Radiology",
                "progress": "Progress note"}  # fmt: skip
"""Tables of notes with their category; progress notes are not in what PhysioNet ships."""


STAYS: Final = mimic.StayColumns(
    age="anchor_age + year(admittime) - anchor_year",
    race="race",
    planned=f"admission_type IN {in_list(PLANNED)}",
    transferred="discharge_location = 'ACUTE HOSPITAL'",
    against_advice="discharge_location = 'AGAINST ADVICE'",
    hospice="discharge_location = 'HOSPICE'",
    literature_shift="TRY_CAST(left(anchor_year_group, 4) AS INTEGER) - anchor_year",
)


def recognize(path: Path, database: Database) -> bool:
    """Whether a folder is MIMIC-IV: patients have an anchor year."""
    return mimic.has_patients_with("anchor_year", Folder(path, MODULES), database)


def open_source(path: Path, database: Database) -> Records:
    """Records of MIMIC-IV; `RecordsError` for a table without the columns that are published."""
    folder = Folder(path, MODULES)
    years = {"anchor_age": "INTEGER", "anchor_year": "INTEGER", "anchor_year_group": "VARCHAR"}
    needed = {"subject_id": "BIGINT", "gender": "VARCHAR", **years}
    database.read("raw_patients", folder.need("patients"), needed, {})
    mimic.make_stays(folder, database, STAYS)
    _ed(folder, database)
    mimic.make_icu(folder, database, "stay_id")
    _codes(folder, database)
    _measurements(folder, database)
    mimic.view_drugs(folder, database, "starttime", "starttime")
    mimic.view_actions(folder, database, "procedureevents", "inputevents")
    mimic.make_services(folder, database)
    _notes(folder, database)
    return Records("mimic4", path, CALENDAR, database)


def _ed(folder: Folder, database: Database) -> None:
    """Emergency visits; without the module those that led to an admission are known alone."""
    if file := folder.find("edstays"):
        database.read("raw_edstays", file, {**mimic.NUMBERED, "intime": "TIMESTAMP"}, {})
        database.table("ed", "SELECT subject_id::VARCHAR AS subject_id, intime AS arrived, "
                       "hadm_id::VARCHAR AS stay_id FROM raw_edstays")  # fmt: skip
        return
    mimic.view_ed_admitted(database)


def _codes(folder: Folder, database: Database) -> None:
    for table, raw, system in (
        ("diagnoses", "diagnoses_icd", "CM"),
        ("procedures", "procedures_icd", "PCS"),
    ):
        if file := folder.find(raw):
            database.read(f"raw_{raw}", file, {**mimic.NUMBERED, "seq_num": "INTEGER",
                          "icd_code": "VARCHAR", "icd_version": "INTEGER"},
                          {"storetime": "TIMESTAMP"})  # fmt: skip
            database.view(
                table,
                f"""SELECT coded.subject_id::VARCHAR AS subject_id, coded.hadm_id::VARCHAR AS
                stay_id, trim(icd_code) AS code, 'ICD' || icd_version || '{system}' AS system,
                seq_num AS rank, coalesce(storetime, discharged) AS known
                FROM raw_{raw} coded JOIN stays
                ON stays.stay_id = coded.hadm_id::VARCHAR""",
            )


def _measurements(folder: Folder, database: Database) -> None:
    make_item_table(database, "mimic4")
    parts = mimic.measurement_parts(folder, database)
    if file := folder.find("vitalsign"):
        parts += _ed_vitals(file, database)
    if parts:
        database.view("measurements", " UNION ALL ".join(parts))


ED_VITALS: Final = {
    "heartrate": 220045, "resprate": 220210, "o2sat": 220277, "sbp": 220179, "dbp": 220180,
    "temperature": 223761,
}  # fmt: skip
"""Columns of ed/vitalsign with the item that means the same."""


def _ed_vitals(file: Path, database: Database) -> list[str]:
    needed = {"subject_id": "BIGINT", "charttime": "TIMESTAMP"}
    database.read("raw_vitalsign", file, needed, dict.fromkeys(ED_VITALS, "DOUBLE"))
    parts = []
    for name, itemid in ED_VITALS.items():
        database.view(
            f"raw_vitalsign_{name}",
            f"SELECT subject_id, charttime, {name} AS valuenum, {itemid} AS itemid "
            "FROM raw_vitalsign",
        )
        parts.append(
            measured(f"raw_vitalsign_{name}", "valuenum", "NULL", "charttime", "charttime")
        )
    return parts


def _notes(folder: Folder, database: Database) -> None:
    """When notes were known; `charttime` of a discharge summary is a bare date at midnight."""
    parts = []
    for name, category in NOTES.items():
        if file := folder.find(name):
            timed = {"charttime": "TIMESTAMP", "storetime": "TIMESTAMP"}
            database.read(f"raw_{name}", file, mimic.NUMBERED, timed)
            parts.append(
                f"SELECT {mimic.STAY}, '{category}' AS category, "
                f"coalesce(storetime, {moment('charttime')}) AS known FROM raw_{name}"
            )
    if parts:
        database.view("notes", " UNION ALL ".join(parts))
