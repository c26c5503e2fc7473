"""MIMIC-IV and MIMIC-III: cohorts against counts by hand, features against brute force."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predictor.cohort import load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.given import GivenError
from predictor.schema import FeatureTable
from predictor.sources import CalendarError, Records, RecordsError, open_records
from predictor.task import Task
from tests.predictor.mimic4_files import ADMISSIONS, LABEVENTS, PATIENTS, write_mimic4


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Records]:
    with open_records(write_mimic4(tmp_path)) as records:
        yield records


def column(features: FeatureTable, name: str) -> dict[str, Any]:
    return dict(zip(features.table["stay_id"].to_pylist(), features.table[name].to_pylist(),
                    strict=True))  # fmt: skip


def features_of(records: Records, task: Task) -> FeatureTable:
    return ehr_features(records, make_cohort(records, task), task)


def discharges(**more: Any) -> Task:
    """Readmission of everyone alive."""
    from dataclasses import replace

    task = load_task("readmission_30d")
    return replace(task, exclusions=task.exclusions[:1], **more)


def test_readmission_is_counted_from_discharge_and_planned_ones_apart(hospital: Records) -> None:
    cohort = make_cohort(hospital, load_task("readmission_30d"))
    flow = [(step.name, step.excluded) for step in cohort.flow if step.excluded]
    assert flow == [("under 18 years", 1), ("died in hospital", 1),
                    ("left against medical advice", 1)]  # fmt: skip
    labels = dict(zip(cohort.rows["stay_id"].to_pylist(), cohort.rows["label"].to_pylist(),
                      strict=True))  # fmt: skip
    assert labels == {"11": 1, "12": 0}
    assert cohort.flow[-1].told == "1 returned first for a planned stay: no outcome"


@pytest.mark.parametrize(("planned", "labels"), [
    ("outcome", {"11": 1, "12": 1}), ("no_outcome", {"11": 1, "12": 0}), ("excluded", {"11": 1}),
])  # fmt: skip
def test_a_planned_return_is_what_the_task_says(
    hospital: Records, tmp_path: Path, planned: str, labels: dict[str, int]
) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(
        "prediction: {at: discharge}\nminimum_age: 18\nexclude: [died, against_advice]\n"
        f"outcome: {{kind: readmission, days: 30, planned: {planned}}}\n"
    )
    rows = make_cohort(hospital, load_task(file)).rows
    assert dict(zip(rows["stay_id"].to_pylist(), rows["label"].to_pylist(), strict=True)) == labels


def test_a_return_on_the_last_moment_of_the_horizon_counts(tmp_path: Path) -> None:
    """Discharged on the 5th at noon: until noon of the 4th of February it is within 30 days."""
    for time, expected in (("2150-02-04 12:00:00", 1), ("2150-02-04 12:00:01", 0)):
        text = ADMISSIONS.replace("2150-01-15 00:00:00", time).replace("1,13,", "4,13,")
        text = text.replace("2150-01-20 00:00:00", "2150-02-20 00:00:00")
        with open_records(write_mimic4(tmp_path, admissions=text)) as records:
            rows = make_cohort(records, load_task("readmission_30d")).rows
        labels = dict(zip(rows["stay_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
        assert labels["11"] == expected


def test_mortality_leaves_out_who_has_gone_by_the_prediction_time(hospital: Records) -> None:
    cohort = make_cohort(hospital, load_task("in_hospital_mortality"))
    assert [(step.name, step.excluded) for step in cohort.flow if step.excluded] == [
        ("under 18 years", 1), ("left within 48 hours", 1)
    ]  # fmt: skip
    assert cohort.rows.select(["stay_id", "label"]).to_pylist() == [
        {"stay_id": "11", "label": 0}, {"stay_id": "12", "label": 0}, {"stay_id": "31", "label": 1}
    ]  # fmt: skip
    late = make_cohort(hospital, load_task("icu_mortality_24h"))
    assert late.rows["stay_id"].to_pylist() == ["31"]
    assert late.rows["prediction_time"].to_pylist() == [datetime(2170, 3, 2, 11)]


def test_follow_up_that_ends_too_soon_is_left_out(hospital: Records) -> None:
    from datetime import date

    kept = make_cohort(hospital, discharges(data_end=date(2150, 2, 10)))
    assert "11" in kept.rows["stay_id"].to_pylist()
    assert "12" not in kept.rows["stay_id"].to_pylist()


def test_the_literature_is_cut_at_the_earliest_possible_year(hospital: Records) -> None:
    cohort = make_cohort(hospital, load_task("in_hospital_mortality"))
    assert cohort.literature_dates() == ["2011-01-01", "2011-01-01", "2008-01-01"]


def test_values_enter_when_they_were_stored_and_not_before(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "sodium last")["11"] == 140  # 150 was stored after discharge
    assert column(features, "sodium count")["11"] == 2
    assert column(features, "sodium max")["11"] == 140
    assert column(features, "sodium mean")["11"] == 135
    assert column(features, "sodium slope")["11"] == pytest.approx(10 / 4)  # a day
    assert column(features, "sodium hours since")["11"] == 3
    assert column(features, "sodium mean 24h")["11"] == 140
    assert column(features, "clock labs")["11"] == datetime(2150, 1, 5, 10)
    assert column(features, "sodium last")["12"] is None
    assert column(features, "sodium measured")["12"] == 0


def test_impossible_values_and_other_units_are_set_aside(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "potassium last")["11"] == 4.5  # 45 is no potassium of the living
    assert column(features, "creatinine last")["11"] is None  # umol/L is not mg/dL


def test_prior_use_counts_from_this_admission(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "stays in 6 months") == {"11": 0, "12": 1, "13": 2}
    assert column(features, "days since last discharge") == {
        "11": None,
        "12": 9.5,
        "13": pytest.approx(20 + 7 / 24),
    }
    assert column(features, "emergency visits in 6 months") == {"11": 0, "12": 1, "13": 1}
    assert column(features, "unplanned stays in 12 months")["13"] == 2


def test_codes_are_known_after_their_stay(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "earlier charlson congestive heart failure") == {
        "11": None, "12": 1, "13": 1
    }  # fmt: skip
    assert column(features, "earlier charlson metastatic solid tumour")["12"] == 0
    assert column(features, "earlier charlson index") == {"11": None, "12": 2, "13": 8}
    assert "charlson index" not in {c.name for c in features.columns}
    allowed = features_of(hospital, discharges(allow_index_codes=True))
    assert column(allowed, "charlson index") == {"11": 2, "12": 7, "13": None}


def test_orders_services_and_intensive_care(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "drug loop diuretic") == {"11": 2, "12": 0, "13": 0}
    assert column(features, "drug orders")["11"] == 2  # the diluent is no drug
    assert column(features, "service")["11"] == "CMED"
    early = features_of(hospital, load_task("in_hospital_mortality_24h"))
    assert column(early, "service")["11"] == "MED"
    assert column(early, "drug loop diuretic")["11"] == 1
    assert column(early, "intensive care hours")["31"] == 23
    assert column(early, "in intensive care now") == {"11": 0, "12": 0, "13": 0, "31": 1}


def test_a_note_with_a_bare_date_is_known_at_the_end_of_that_day(hospital: Records) -> None:
    features = features_of(hospital, discharges())
    assert column(features, "discharge summaries so far") == {"11": 1, "12": 0, "13": 0}
    presence = [c.name for c in features.columns if c.clock == "note presence"]
    assert all(c.presence for c in features.columns if c.name in presence)


def test_rows_of_files_in_another_order_give_the_same_features(tmp_path: Path) -> None:
    task = discharges()
    with open_records(write_mimic4(tmp_path / "a")) as records:
        before = features_of(records, task)
    lines = LABEVENTS.splitlines()
    turned = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    with open_records(write_mimic4(tmp_path / "b", labevents=turned)) as records:
        assert features_of(records, task).table.equals(before.table)


def test_a_broken_line_is_named_with_its_file(tmp_path: Path) -> None:
    broken = LABEVENTS.replace("2150-01-05 09:00:00", "2150-13-05 09:00:00")
    with (
        open_records(write_mimic4(tmp_path, labevents=broken)) as records,
        pytest.raises(RecordsError, match=r"labevents\.csv\.gz: .*Line: 3.*charttime"),
    ):
        features_of(records, discharges())


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    folder = write_mimic4(tmp_path, admissions=ADMISSIONS.replace("dischtime", "disch"))
    with pytest.raises(RecordsError, match=r"admissions\.csv\.gz: no column dischtime"):
        open_records(folder)


def test_without_a_year_group_there_is_no_date(tmp_path: Path) -> None:
    folder = write_mimic4(tmp_path, patients=PATIENTS.replace("2011 - 2013", ""))
    with open_records(folder) as records:
        cohort = make_cohort(records, load_task("in_hospital_mortality"))
        with pytest.raises(CalendarError, match="2 of 3 rows"):
            cohort.literature_dates()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prediction: {at: admission, hours: 24}\noutcome: {kind: death_in_hospital}\n"
         "allow_index_codes: true", "codes of the stay"),
        ("prediction: {at: admission}\noutcome: {kind: death_in_hospital}\n"
         "discharge_summary_grace_hours: 24", "only a prediction at discharge"),
        ("prediction: {at: discharge}\noutcome: {kind: death_in_hospital}", "at discharge"),
        ("prediction: {at: admission}\noutcome: {kind: readmission}", "predicted at discharge"),
        ("prediction: {at: noon}\noutcome: {kind: readmission}", "`at` is one of"),
        ("prediction: {at: discharge}\noutcome: {kind: readmission}\nexclude: [dead]", "'dead'"),
    ],
)  # fmt: skip
def test_a_task_that_would_leak_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(text)
    with pytest.raises(GivenError, match=told):
        load_task(file)


def test_mimic4_demo_counts(data: Path) -> None:
    """275 admissions, 15 deaths; 260 live discharges, 53 readmitted within 30 days."""
    with open_records(data / "ehr" / "mimic-iv-demo") as records:
        from dataclasses import replace

        task = load_task("readmission_30d")
        plain = replace(task, exclusions=task.exclusions[:1], minimum_age=0,
                        outcome=replace(task.outcome, planned="outcome"))  # fmt: skip
        cohort = make_cohort(records, plain)
        assert cohort.flow[0].left == 275
        assert (len(cohort), cohort.events) == (260, 53)
        shipped = make_cohort(records, task)
        assert {step.name: step.excluded for step in shipped.flow if step.excluded} == {
            "died in hospital": 15, "transferred to another acute hospital": 1,
            "left against medical advice": 4,
        }  # fmt: skip
        deaths = make_cohort(records, load_task("in_hospital_mortality"))
        assert (len(deaths), deaths.events) == (220, 13)


def test_mimic3_demo_counts(data: Path) -> None:
    """129 admissions, 40 deaths; 89 live discharges, 10 readmitted within 30 days."""
    with open_records(data / "ehr" / "mimic-iii-demo") as records:
        cohort = make_cohort(records, discharges(minimum_age=0))
        assert [(step.name, step.excluded, step.left) for step in cohort.flow[:3]] == [
            ("candidates", 0, 129), ("no discharge recorded", 0, 129), ("died in hospital", 40, 89)
        ]  # fmt: skip
        assert cohort.events == 10
        with pytest.raises(CalendarError, match="literature_as_of"):
            cohort.literature_dates()
        features = features_of(records, load_task("in_hospital_mortality"))
        assert len(features) == 113
        assert np.nanmax(features.number("urine total")) > 0


def test_mimic4_demo_windows_against_brute_force(data: Path) -> None:
    """Creatinine of every row of the demo, computed again from the file with plain loops."""
    folder = data / "ehr" / "mimic-iv-demo"
    with open_records(folder) as records:
        task = load_task("in_hospital_mortality")
        cohort = make_cohort(records, task)
        features = ehr_features(records, cohort, task)
    stays = {row["hadm_id"]: row for row in read(folder / "hosp" / "admissions.csv.gz")}
    drawn: dict[str, list[tuple[datetime, datetime, float]]] = {}
    for row in read(folder / "hosp" / "labevents.csv.gz"):
        if row["itemid"] == "50912" and row["valuenum"]:
            known = row["storetime"] or row["charttime"]
            drawn.setdefault(row["subject_id"], []).append(
                (datetime.fromisoformat(row["charttime"]), datetime.fromisoformat(known),
                 float(row["valuenum"]))
            )  # fmt: skip
    compared = 0
    for row in features.table.to_pylist():
        stay = stays[row["stay_id"]]
        arrived = min(t for t in (stay["admittime"], stay["edregtime"]) if t)
        since = datetime.fromisoformat(arrived) - timedelta(hours=6)
        cut = row["prediction_time"]
        values = sorted((t, v) for t, known, v in drawn.get(row["subject_id"], [])
                        if since <= t <= cut and known <= cut and 0.05 <= v <= 40)  # fmt: skip
        assert row["creatinine count"] == len(values)
        if not values:
            assert row["creatinine last"] is None
            continue
        last = max(t for t, _ in values)
        assert row["creatinine last"] == max(v for t, v in values if t == last)
        assert row["creatinine mean"] == pytest.approx(np.mean([v for _, v in values]))
        days = [(t - cut).total_seconds() / 86400 for t, _ in values]
        if len(set(days)) > 1:
            slope = np.polyfit(days, [v for _, v in values], 1)[0]
            assert row["creatinine slope"] == pytest.approx(slope, abs=1e-6)
        compared += 1
    assert compared > 150


def read(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as lines:
        yield from csv.DictReader(lines)
