"""MEDS datasets: one long table of events (subject_id, time, code, numeric_value) in Parquet.

Codes are read as the public converters write them: `HOSPITAL_ADMISSION//type//from` and
`HOSPITAL_DISCHARGE//to`, `ICU_ADMISSION`, `MEDS_BIRTH`, `MEDS_DEATH`, `GENDER//F`,
`DIAGNOSIS//ICD//9//4280` or `ICD10CM/I50.9`, `LAB//50983//mEq/L` or `LOINC/2951-2`,
`MEDICATION//START//name`. A stay reaches from an admission to the next discharge.

MEDS has one time for an event; whether it is that of charting or of storing is the converter's
choice, and the known time here. Dates may be shifted and no calendar is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from predictor.sources.calendar import NO_CALENDAR
from predictor.sources.measurements import make_item_table, measured
from predictor.sources.records import Database, Records, RecordsError, in_list, quoted

NEEDED: Final = ("subject_id", "time", "code", "numeric_value")
PLANNED: Final = ("ELECTIVE", "SURGICAL SAME DAY ADMISSION")
DEAD: Final = ("DIED", "EXPIRED", "DEAD", "DEAD/EXPIRED")
TRANSFERRED: Final = ("ACUTE HOSPITAL", "SHORT TERM HOSPITAL")
_STATUS: Final = ("START", "STOP", "ADMINISTERED", "NOT GIVEN", "UNK")


def recognize(path: Path, database: Database) -> bool:
    """Whether a folder is a MEDS dataset: Parquet files with its columns below `data/`."""
    first = next(iter(sorted((path / "data").rglob("*.parquet"))), None)
    return first is not None and set(NEEDED) <= set(database.columns(first))


def open_source(path: Path, database: Database) -> Records:
    """Records of a MEDS dataset; `RecordsError` where it has no hospital admissions."""
    files = path / "data" / "**" / "*.parquet"
    first = next(iter(sorted((path / "data").rglob("*.parquet"))))
    stay = "hadm_id::VARCHAR" if "hadm_id" in database.columns(first) else "NULL::VARCHAR"
    database.view(
        "events",
        f"SELECT subject_id::VARCHAR AS subject_id, time::TIMESTAMP AS time, code, numeric_value, "
        f"string_split(code, '//') AS parts, {stay} AS hadm FROM read_parquet("
        f"{quoted(str(files))}, union_by_name = true)",
    )
    _stays(database)
    if not database.query("SELECT 1 FROM stays LIMIT 1").num_rows:
        raise RecordsError(
            f"{path}: no event has a code that begins with HOSPITAL_ADMISSION; stays cannot be made"
        )
    for make in (_icu, _diagnoses, _measurements, _drugs):
        make(database)
    return Records("meds", path, NO_CALENDAR, database)


def _stays(database: Database) -> None:
    database.table(
        "stays",
        f"""WITH begins AS (SELECT *, row_number() OVER w AS n, lead(time) OVER w AS next
            FROM events WHERE parts[1] = 'HOSPITAL_ADMISSION' AND time NOTNULL
            WINDOW w AS (PARTITION BY subject_id ORDER BY time, code)),
        ends AS (SELECT subject_id, n, min({{'time': e.time, 'goes': upper(e.parts[2])}}) AS last
            FROM begins JOIN (SELECT subject_id, time, parts FROM events WHERE parts[1] =
            'HOSPITAL_DISCHARGE') e USING (subject_id)
            WHERE e.time >= begins.time AND (next IS NULL OR e.time <= next) GROUP BY ALL),
        people AS (SELECT subject_id, min(time) FILTER (code = 'MEDS_BIRTH') AS born,
            min(time) FILTER (code LIKE 'MEDS_DEATH%') AS died,
            min(parts[2]) FILTER (parts[1] = 'GENDER') AS sex FROM events
            WHERE code = 'MEDS_BIRTH' OR code LIKE 'MEDS_DEATH%' OR parts[1] = 'GENDER' GROUP BY 1),
        joined AS (SELECT begins.*, last.time AS discharged, last.goes AS goes, born, sex,
            people.died AS death, coalesce(people.died BETWEEN begins.time AND last.time, false)
            OR coalesce(last.goes IN {in_list(DEAD)}, false) AS dead
            FROM begins LEFT JOIN ends USING (subject_id, n) LEFT JOIN people USING (subject_id))
        SELECT subject_id, coalesce(hadm, subject_id || '-' || n) AS stay_id, time AS admitted,
        discharged, CASE WHEN dead THEN least(coalesce(death, discharged), discharged) END AS died,
        dead, true AS dead_known, date_diff('day', born, time) / 365.2425 AS age, sex,
        parts[2] AS admission_type, parts[3] AS admitted_from, goes AS discharged_to,
        NULL::VARCHAR AS insurance, NULL::VARCHAR AS race, NULL::VARCHAR AS language,
        NULL::VARCHAR AS marital_status, upper(parts[2]) IN {in_list(PLANNED)} AS planned,
        goes IN {in_list(TRANSFERRED)} AS transferred, goes LIKE '%AGAINST%ADVI%' AS
        against_advice, goes LIKE 'HOSPICE%' AS hospice, NULL::TIMESTAMP AS ed_arrived,
        NULL::TIMESTAMP AS ed_left, NULL::INTEGER AS literature_shift FROM joined""",
    )


def _icu(database: Database) -> None:
    database.table(
        "icu",
        """WITH ends AS (SELECT subject_id, time FROM events WHERE parts[1] = 'ICU_DISCHARGE')
        SELECT i.subject_id, stay_id, i.subject_id || '-' || epoch_us(i.time) AS icu_id,
        i.time AS entered, min(ends.time) AS left_at, i.parts[2] AS unit
        FROM events i JOIN stays ON stays.subject_id = i.subject_id AND i.time >= admitted AND
            (discharged IS NULL OR i.time < discharged)
        LEFT JOIN ends ON ends.subject_id = i.subject_id AND ends.time > i.time
        WHERE i.parts[1] = 'ICU_ADMISSION' GROUP BY ALL""",
    )


def _diagnoses(database: Database) -> None:
    """A diagnosis belongs to the stay in which it stands; after it, to the last one before."""
    database.view(
        "diagnoses",
        """WITH coded AS (SELECT subject_id, time, CASE WHEN parts[1] = 'DIAGNOSIS' AND parts[2] =
                'ICD' THEN parts[4] ELSE split_part(code, '/', -1) END AS icd,
            CASE WHEN parts[1] = 'DIAGNOSIS' AND parts[2] = 'ICD' THEN 'ICD' ||
                regexp_extract(parts[3], '^(9|10)') || 'CM' ELSE split_part(code, '/', 1) END AS
            system FROM events WHERE time NOTNULL AND (code LIKE 'DIAGNOSIS//ICD//%' OR
                regexp_matches(code, '^ICD(9|10)CM/')))
        SELECT coded.subject_id, stay_id, icd AS code, system, NULL::INTEGER AS rank, time AS known
        FROM coded ASOF JOIN stays ON coded.subject_id = stays.subject_id AND
            coded.time >= stays.admitted WHERE icd NOTNULL""",
    )


def _measurements(database: Database) -> None:
    make_item_table(database, "mimic4", loinc=True)
    database.view(
        "measured_events",
        """SELECT subject_id, time, numeric_value,
        CASE WHEN code LIKE 'LOINC%' THEN split_part(code, '/', -1) ELSE parts[2] END AS itemid,
        CASE WHEN code LIKE 'LOINC%' THEN NULL ELSE parts[3] END AS valueuom
        FROM events WHERE numeric_value NOTNULL AND time NOTNULL AND (code LIKE 'LOINC%' OR
            parts[1] IN ('LAB', 'VITAL', 'CHART', 'SUBJECT_FLUID_OUTPUT'))""",
    )
    database.view(
        "measurements", measured("measured_events", "numeric_value", "valueuom", "time", "time")
    )


def _drugs(database: Database) -> None:
    database.view(
        "drugs",
        f"""SELECT e.subject_id, stay_id, [part FOR part IN e.parts[2:] IF upper(part)
            NOT IN {in_list(_STATUS)}][1] AS drug, e.time AS started, e.time AS known
        FROM (SELECT * FROM events WHERE parts[1] = 'MEDICATION' AND NOT list_contains(parts,
            'STOP')) e JOIN stays ON stays.subject_id = e.subject_id AND e.time >= admitted AND
            (discharged IS NULL OR e.time <= discharged)""",
    )
