"""MEDS: the hospital of three patients again, as one table of events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from predictor.cohort import load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.sources import RecordsError, open_records

EVENTS: list[tuple[int, str | None, str, float | None]] = [
    (1, None, "GENDER//F", None),
    (1, "2080-01-01", "MEDS_BIRTH", None),
    (1, "2150-01-01 12:00", "HOSPITAL_ADMISSION//EW EMER.//EMERGENCY ROOM", None),
    (1, "2150-01-01 09:00", "LAB//50983//mEq/L", 130),
    (1, "2150-01-05 10:00", "LOINC/2951-2", 140),
    (1, "2150-01-05 13:00", "LAB//50983//mEq/L", 150),
    (1, "2150-01-03 10:00", "LAB//50912//umol/L", 88),
    (1, "2150-01-02 00:00", "MEDICATION//START//Furosemide", None),
    (1, "2150-01-03 00:00", "MEDICATION//STOP//Furosemide", None),
    (1, "2150-01-05 12:00", "HOSPITAL_DISCHARGE//HOME", None),
    (1, "2150-01-05 12:00", "DIAGNOSIS//ICD//9//4280", None),
    (1, "2150-01-15 00:00", "HOSPITAL_ADMISSION//URGENT//CLINIC REFERRAL", None),
    (1, "2150-01-20 00:00", "HOSPITAL_DISCHARGE//HOME", None),
    (1, "2150-01-20 00:00", "ICD10CM/C78.7", None),
    (1, "2150-02-09 07:00", "HOSPITAL_ADMISSION//ELECTIVE//PHYSICIAN REFERRAL", None),
    (1, "2150-02-10 12:00", "HOSPITAL_DISCHARGE//AGAINST ADVICE", None),
    (3, None, "GENDER//M", None),
    (3, "2120-01-01", "MEDS_BIRTH", None),
    (3, "2170-03-01 10:00", "HOSPITAL_ADMISSION//EW EMER.//EMERGENCY ROOM", None),
    (3, "2170-03-01 11:00", "ICU_ADMISSION//MICU", None),
    (3, "2170-03-04 09:00", "ICU_DISCHARGE//MICU", None),
    (3, "2170-03-04 09:00", "HOSPITAL_DISCHARGE//DIED", None),
    (3, "2170-03-04 09:00", "MEDS_DEATH", None),
]


def write(folder: Path, events: list[tuple[int, str | None, str, float | None]]) -> Path:
    """The events in two shards."""
    for name, subjects in (("train", {1, 2}), ("held_out", {3})):
        rows = [event for event in events if event[0] in subjects]
        table = pa.table({
            "subject_id": pa.array([row[0] for row in rows], pa.int64()),
            "time": pa.array([None if row[1] is None else datetime.fromisoformat(row[1])
                              for row in rows], pa.timestamp("us")),
            "code": pa.array([row[2] for row in rows], pa.string()),
            "numeric_value": pa.array([row[3] for row in rows], pa.float32()),
        })  # fmt: skip
        file = folder / "data" / name / "0.parquet"
        file.parent.mkdir(parents=True)
        pq.write_table(table, file)
    return folder


def test_stays_outcomes_and_features(tmp_path: Path) -> None:
    with open_records(write(tmp_path, EVENTS)) as records:
        assert records.name == "meds"
        task = load_task("readmission_30d")
        cohort = make_cohort(records, task)
        features = ehr_features(records, cohort, task)
    assert cohort.rows.select(["stay_id", "label"]).to_pylist() == [
        {"stay_id": "1-1", "label": 1}, {"stay_id": "1-2", "label": 0}
    ]  # fmt: skip
    assert [s.excluded for s in cohort.flow if s.excluded] == [1, 1]  # died, against advice
    first, second = features.table.to_pylist()
    assert (first["sodium last"], first["sodium count"], first["creatinine last"]) == (140, 2, None)
    assert (first["drug loop diuretic"], first["drug orders"]) == (1, 1)
    assert first["earlier charlson index"] is None
    assert second["earlier charlson index"] == 1
    assert round(first["age"]) == 70
    assert second["days since last discharge"] == 9.5


def test_mortality_in_intensive_care(tmp_path: Path) -> None:
    with open_records(write(tmp_path, EVENTS)) as records:
        cohort = make_cohort(records, load_task("icu_mortality_24h"))
    assert cohort.rows.select(["stay_id", "prediction_time", "label"]).to_pylist() == [
        {"stay_id": "3-1", "prediction_time": datetime(2170, 3, 2, 11), "label": 1}
    ]


def test_events_without_admissions_are_told(tmp_path: Path) -> None:
    events = [event for event in EVENTS if "HOSPITAL" not in event[2]]
    with pytest.raises(RecordsError, match="HOSPITAL_ADMISSION"):
        open_records(write(tmp_path, events))
