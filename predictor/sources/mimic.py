"""What MIMIC-III and MIMIC-IV lay out alike, up to the names of columns and the words of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from predictor.sources.files import Folder
from predictor.sources.measurements import measured
from predictor.sources.records import Database

NUMBERED: Final = {"subject_id": "BIGINT", "hadm_id": "BIGINT"}
STAY: Final = "subject_id::VARCHAR AS subject_id, hadm_id::VARCHAR AS stay_id"
VALUES: Final = {"labevents": "valuenum", "chartevents": "valuenum", "outputevents": "value"}
"""Tables of measurements with the column of their number."""


@dataclass(frozen=True, slots=True)
class StayColumns:
    """What the releases tell of a stay each in its own way: SQL over admissions and patients.

    `race` names a column; the others are expressions, those from `planned` to `hospice` of truth.
    """

    age: str
    race: str
    planned: str
    transferred: str
    against_advice: str
    hospice: str
    literature_shift: str


def has_patients_with(column: str, folder: Folder, database: Database) -> bool:
    """Whether a folder holds admissions, and patients with this column."""
    patients = folder.find("patients")
    return (
        patients is not None
        and folder.find("admissions") is not None
        and column in database.columns(patients)
    )


def make_stays(folder: Folder, database: Database, columns: StayColumns) -> None:
    """The table of stays; `raw_patients` has been read."""
    texts = ("admission_location", "discharge_location", "insurance", "language",
             "marital_status", columns.race)  # fmt: skip
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
        f"""SELECT {STAY}, admittime AS admitted, dischtime AS discharged,
        CASE WHEN hospital_expire_flag = 1 THEN coalesce(deathtime, dischtime) END AS died,
        hospital_expire_flag = 1 AS dead, hospital_expire_flag NOTNULL AS dead_known,
        ({columns.age})::DOUBLE AS age, gender AS sex, admission_type,
        admission_location AS admitted_from, discharge_location AS discharged_to, insurance,
        {columns.race} AS race, language, marital_status, {columns.planned} AS planned,
        {columns.transferred} AS transferred, {columns.against_advice} AS against_advice,
        {columns.hospice} AS hospice, edregtime AS ed_arrived, edouttime AS ed_left,
        {columns.literature_shift} AS literature_shift
        FROM raw_admissions JOIN raw_patients USING (subject_id)""",
    )


def view_ed_admitted(database: Database) -> None:
    """Emergency visits, as far as admissions tell of them: those that led to one."""
    database.view(
        "ed_admitted",
        "SELECT subject_id, ed_arrived AS arrived, stay_id FROM stays WHERE ed_arrived NOTNULL",
    )


def make_icu(folder: Folder, database: Database, number: str) -> None:
    """Stays in intensive care; `number` is the column of their id."""
    if file := folder.find("icustays"):
        times = {"intime": "TIMESTAMP", "outtime": "TIMESTAMP"}
        needed = {**NUMBERED, number: "BIGINT", "first_careunit": "VARCHAR", **times}
        database.read("raw_icustays", file, needed, {})
        database.table(
            "icu",
            f"""SELECT {STAY}, {number}::VARCHAR AS icu_id, intime AS entered,
            outtime AS left_at, first_careunit AS unit FROM raw_icustays""",
        )


def measurement_parts(folder: Folder, database: Database, error: str | None = None) -> list[str]:
    """Queries of what was measured, known when stored; `error` is the column that marks faults."""
    parts = []
    needed = {"subject_id": "BIGINT", "itemid": "INTEGER", "charttime": "TIMESTAMP"}
    wished = {"storetime": "TIMESTAMP", "valueuom": "VARCHAR"}
    if error is not None:
        wished[error] = "INTEGER"
    for name, value in VALUES.items():
        if file := folder.find(name):
            database.read(f"raw_{name}", file, {**needed, value: "DOUBLE"}, wished)
            sound = f"AND coalesce({error}, 0) = 0" if error is not None else ""
            known = "coalesce(storetime, charttime)"
            parts.append(measured(f"raw_{name}", value, "valueuom", "charttime", known, sound))
    return parts


def view_drugs(folder: Folder, database: Database, start: str, known: str) -> None:
    """Orders of drugs without what they are dissolved in; `start` a column, `known` SQL."""
    if file := folder.find("prescriptions"):
        needed = {**NUMBERED, start: "TIMESTAMP", "drug": "VARCHAR"}
        database.read("raw_prescriptions", file, needed, {"drug_type": "VARCHAR"})
        database.view(
            "drugs",
            f"""SELECT {STAY}, trim(drug) AS drug, {start} AS started, {known} AS known
            FROM raw_prescriptions WHERE coalesce(drug_type, 'MAIN') <> 'BASE' AND drug NOTNULL""",
        )


def view_actions(folder: Folder, database: Database, procedures: str, infusions: str) -> None:
    """Bedside procedures and infusions of these tables: charted as running from their start.

    `storetime` of an interval is when it was closed; that it runs is known from its start, that
    it has ended from its end.
    """
    labels = folder.find("d_items")
    if labels is None:
        return
    database.read("raw_d_items", labels, {"itemid": "INTEGER", "label": "VARCHAR"}, {})
    timed = {**NUMBERED, "itemid": "INTEGER", "starttime": "TIMESTAMP", "endtime": "TIMESTAMP"}
    running = "starttime AS started, endtime AS ended"
    if file := folder.find(procedures):
        database.read("raw_procedureevents", file, timed, {})
        database.view(
            "actions",
            f"""SELECT {STAY}, label AS name, {running}, starttime AS known
            FROM raw_procedureevents JOIN raw_d_items USING (itemid)""",
        )
    if file := folder.find(infusions):
        database.read("raw_inputevents", file, timed, {"rate": "DOUBLE", "rateuom": "VARCHAR"})
        database.view(
            "infusions",
            f"""SELECT {STAY}, lower(label) AS drug, {running}, rate, rateuom AS unit,
            starttime AS known
            FROM raw_inputevents JOIN raw_d_items USING (itemid) WHERE rate NOTNULL""",
        )


def make_services(folder: Folder, database: Database) -> None:
    """The services that looked after a stay, each known from its transfer."""
    if file := folder.find("services"):
        needed = {**NUMBERED, "transfertime": "TIMESTAMP", "curr_service": "VARCHAR"}
        database.read("raw_services", file, needed, {})
        database.table(
            "services",
            f"SELECT {STAY}, curr_service AS service, transfertime AS known FROM raw_services",
        )
