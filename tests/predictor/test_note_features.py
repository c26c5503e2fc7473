from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from extractor.schema import Status
from predictor import note_features as module
from predictor.note_features import FindingsError, KnownFinding, note_features, read_findings

NOON = datetime(2020, 1, 1, 12)


def rows_of(count: int) -> pa.Table:
    return pa.table(
        {
            "subject_id": [f"p{n}" for n in range(count)],
            "stay_id": [f"s{n}" for n in range(count)],
            "prediction_time": pa.array([NOON] * count, pa.timestamp("us")),
            "label": pa.array([n % 2 for n in range(count)], pa.int8()),
        }
    )


def found(row: int, key: str, status: Status, minutes: int = -60) -> KnownFinding:
    concept, quote = (key, "x") if ":" in key else ("", key)
    known = NOON + timedelta(minutes=minutes)
    return KnownFinding(f"p{row}", f"s{row}", f"n{minutes}", known, concept, quote, status)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROWS", 2)


def test_statuses_are_kept_apart_and_later_notes_left_out() -> None:
    findings = [
        found(0, "UMLS:C1", Status.PRESENT),
        found(0, "UMLS:C1", Status.PRESENT, minutes=-30),
        found(1, "UMLS:C1", Status.ABSENT),
        found(2, "UMLS:C1", Status.PRESENT),
        found(3, "UMLS:C1", Status.ABSENT),
        found(3, "UMLS:C1", Status.PRESENT, minutes=1),
        found(4, "UMLS:C1", Status.FAMILY),
    ]
    made = note_features(rows_of(6), "t", findings, {"UMLS:C1": "Heart failure"}.__getitem__)
    assert made.number("note present Heart failure").tolist() == [1, 0, 1, 0, 0, 0]
    assert made.number("note absent Heart failure").tolist() == [0, 1, 0, 1, 0, 0]
    assert made.number("findings family").tolist() == [0, 0, 0, 0, 1, 0]
    assert made.number("notes read").tolist() == [2, 1, 1, 1, 1, 0]
    assert made.times("clock findings")[3] == np.datetime64(NOON - timedelta(hours=1))
    assert np.isnat(made.times("clock findings")[5])
    (column,) = [c for c in made.columns if c.name == "note present Heart failure"]
    assert column.concept == "UMLS:C1"


def test_a_granted_grace_lets_a_later_summary_in_and_is_told() -> None:
    late = [found(row, "UMLS:C1", Status.PRESENT, minutes=90) for row in (0, 1)]
    findings = [replace(one, note_type="DS") for one in late]
    none = note_features(rows_of(2), "t", findings)
    granted = note_features(rows_of(2), "t", findings, grace_hours=2)
    assert none.number("findings present").tolist() == [0, 0]
    assert granted.number("findings present").tolist() == [1, 1]
    assert {column.grace for column in granted.columns} == {2.0}


def test_a_grace_is_of_the_discharge_summary_alone() -> None:
    late = found(0, "UMLS:C1", Status.PRESENT, minutes=90)
    kinds = ["DS", "PN", "discharge summary"]
    findings = [replace(late, subject_id=f"p{n}", stay_id=f"s{n}", note_type=kind)
                for n, kind in enumerate(kinds)]  # fmt: skip
    made = note_features(rows_of(3), "t", findings, grace_hours=2)
    assert made.number("findings present").tolist() == [1, 0, 1]
    with pytest.raises(FindingsError, match="note_type"):
        note_features(rows_of(1), "t", [late], grace_hours=2)
    later = replace(late, known=late.known + timedelta(hours=1))
    assert note_features(rows_of(1), "t", [later], grace_hours=2).number("notes read").tolist() == [
        0
    ]


def test_findings_without_a_concept_are_taken_by_their_words() -> None:
    findings = [
        found(row, text, Status.PRESENT) for row, text in enumerate(["Lives  alone", "lives alone"])
    ]
    made = note_features(rows_of(3), "t", findings)
    assert made.number("note present lives alone").tolist() == [1, 1, 0]


def test_two_concepts_of_one_name_are_told_apart() -> None:
    findings = [found(row, key, Status.PRESENT) for row in (0, 1) for key in ("A:1", "B:1")]
    made = note_features(rows_of(2), "t", findings, lambda _: "Cold")
    names = [column.name for column in made.columns]
    assert {"note present Cold (A 1)", "note present Cold (B 1)"} <= set(names)


def test_a_line_without_patient_or_time_is_named(tmp_path: Path) -> None:
    path = tmp_path / "findings.jsonl"
    good = {
        "note_id": "n", "subject_id": 1, "hadm_id": 2, "charttime": "2020-01-01", "quote": "fever",
        "status": "present", "concept": None,
    }  # fmt: skip
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, "hadm_id": None}) + "\n")
    reading = read_findings(path)
    first = next(reading)
    assert (first.subject_id, first.key) == ("1", "fever")
    assert first.known == datetime(2020, 1, 1, 23, 59, 59, 999999)
    with pytest.raises(FindingsError, match="line 2"):
        next(reading)


def test_one_patient_gets_the_columns_of_the_model() -> None:
    findings = [found(row, key, Status.PRESENT) for row in (0, 1) for key in ("A:1", "B:1", "")]
    names = {"A:1": "Cold", "B:1": "Cold"}.__getitem__
    many = note_features(rows_of(30), "t", findings * 2, names)
    for row in (0, 5):
        alone = note_features(rows_of(30).slice(row, 1), "t", findings, names, wanted=many.columns)
        assert alone.columns == many.columns
        there = {column.name for column in many.columns if column.name.startswith("note present")}
        assert {alone.table[name][0].as_py() for name in there} == ({1.0} if row == 0 else {0.0})
