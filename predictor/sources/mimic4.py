"""MIMIC-IV as PhysioNet ships it: hosp/, icu/, ed/ and note/ beside each other, or flat.

Dates are shifted for each patient; the calendar is the first year of `anchor_year_group` plus
(year - anchor_year), the earliest possible. Only hosp/admissions and hosp/patients are needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

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
NUMBERED: Final = {"subject_id": "BIGINT", "hadm_id": "BIGINT"}


def recognize(path: Path, database: Database) -> bool:
    """Whether a folder is MIMIC-IV: patients have an anchor year."""
    folder = Folder(path, MODULES)
    patients = folder.find("patients")
    return (
        patients is not None
        and folder.find("admissions") is not None
        and "anchor_year" in database.columns(patients)
    )


def open_source(path: Path, database: Database) -> Records:
    """Records of MIMIC-IV; `RecordsError` for a table without the columns that are published."""
    folder = Folder(path, MODULES)
    _stays(folder, database)
    for make in (_icu, _ed, _codes, _measurements, _drugs, _actions, _services, _notes):
        make(folder, database)
    return Records("mimic4", path, CALENDAR, database)


def _stays(folder: Folder, database: Database) -> None:
    database.read(
        "raw_patients",
        folder.need("patients"),
        {"subject_id": "BIGINT", "gender": "VARCHAR", "anchor_age": "INTEGER",
         "anchor_year": "INTEGER", "anchor_year_group": "VARCHAR"},
        {},
    )  # fmt: skip
    texts = ("admission_location", "discharge_location", "insurance", "language",
             "marital_status", "race")  # fmt: skip
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
        (anchor_age + year(admittime) - anchor_year)::DOUBLE AS age, gender AS sex,
        admission_type, admission_location AS admitted_from, discharge_location AS discharged_to,
        insurance, race, language, marital_status,
        admission_type IN {in_list(PLANNED)} AS planned,
        discharge_location = 'ACUTE HOSPITAL' AS transferred,
        discharge_location = 'AGAINST ADVICE' AS against_advice,
        discharge_location = 'HOSPICE' AS hospice,
        edregtime AS ed_arrived, edouttime AS ed_left,
        TRY_CAST(left(anchor_year_group, 4) AS INTEGER) - anchor_year AS literature_shift
        FROM raw_admissions JOIN raw_patients USING (subject_id)""",
    )


def _icu(folder: Folder, database: Database) -> None:
    if file := folder.find("icustays"):
        database.read("raw_icustays", file, {**NUMBERED, "stay_id": "BIGINT",
                      "first_careunit": "VARCHAR", "intime": "TIMESTAMP", "outtime": "TIMESTAMP"},
                      {})  # fmt: skip
        database.table("icu", "SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS "
                       "stay_id, stay_id::VARCHAR AS icu_id, intime AS entered, outtime AS "
                       "left_at, first_careunit AS unit FROM raw_icustays")  # fmt: skip


def _ed(folder: Folder, database: Database) -> None:
    """Emergency visits; without the module those that led to an admission are known alone."""
    if file := folder.find("edstays"):
        database.read("raw_edstays", file, {**NUMBERED, "intime": "TIMESTAMP"}, {})
        database.table("ed", "SELECT subject_id::VARCHAR AS subject_id, intime AS arrived, "
                       "hadm_id::VARCHAR AS stay_id FROM raw_edstays")  # fmt: skip
        return
    database.view("ed_admitted",
        "SELECT subject_id, ed_arrived AS arrived, stay_id FROM stays "
                  "WHERE ed_arrived NOTNULL")  # fmt: skip


def _codes(folder: Folder, database: Database) -> None:
    for table, raw, system in (
        ("diagnoses", "diagnoses_icd", "CM"),
        ("procedures", "procedures_icd", "PCS"),
    ):
        if file := folder.find(raw):
            database.read(f"raw_{raw}", file, {**NUMBERED, "seq_num": "INTEGER",
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
    parts = []
    timed = {"subject_id": "BIGINT", "itemid": "INTEGER", "charttime": "TIMESTAMP"}
    wished = {"storetime": "TIMESTAMP", "valueuom": "VARCHAR"}
    for name, value in (("labevents", "valuenum"), ("chartevents", "valuenum"),
                        ("outputevents", "value")):  # fmt: skip
        if file := folder.find(name):
            database.read(f"raw_{name}", file, {**timed, value: "DOUBLE"}, wished)
            parts.append(measured(f"raw_{name}", value, "valueuom", "charttime",
                                  "coalesce(storetime, charttime)"))  # fmt: skip
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


def _drugs(folder: Folder, database: Database) -> None:
    if file := folder.find("prescriptions"):
        database.read("raw_prescriptions", file,
                      {**NUMBERED, "starttime": "TIMESTAMP", "drug": "VARCHAR"},
                      {"drug_type": "VARCHAR"})  # fmt: skip
        database.view(
            "drugs",
            """SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id,
            trim(drug) AS drug, starttime AS started, starttime AS known FROM raw_prescriptions
            WHERE coalesce(drug_type, 'MAIN') <> 'BASE' AND drug NOTNULL""",
        )


def _actions(folder: Folder, database: Database) -> None:
    """Bedside procedures and infusions: charted as running from their start.

    `storetime` of an interval is when it was closed; that it runs is known from its start, that
    it has ended from its end.
    """
    labels = folder.find("d_items")
    if labels is None:
        return
    database.read("raw_d_items", labels, {"itemid": "INTEGER", "label": "VARCHAR"}, {})
    timed = {**NUMBERED, "itemid": "INTEGER", "starttime": "TIMESTAMP", "endtime": "TIMESTAMP"}
    if file := folder.find("procedureevents"):
        database.read("raw_procedureevents", file, timed, {})
        database.view(
            "actions",
            """SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id, label AS
            name, starttime AS started, endtime AS ended, starttime AS known
            FROM raw_procedureevents JOIN raw_d_items USING (itemid)""",
        )
    if file := folder.find("inputevents"):
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
    """When notes were known; `charttime` of a discharge summary is a bare date at midnight."""
    parts = []
    for name, category in NOTES.items():
        if file := folder.find(name):
            timed = {"charttime": "TIMESTAMP", "storetime": "TIMESTAMP"}
            database.read(f"raw_{name}", file, NUMBERED, timed)
            parts.append(
                f"SELECT subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id, "
                f"'{category}' AS category, coalesce(storetime, {moment('charttime')}) AS known "
                f"FROM raw_{name}"
            )
    if parts:
        database.view("notes", " UNION ALL ".join(parts))
