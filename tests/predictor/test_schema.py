from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predictor.schema import Column, FeatureError, FeatureTable, LaterThanPredictionError

NOON, LATER = datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 13)
COLUMNS = (
    Column("age", "structured"),
    Column("sodium last", "structured", clock="labs"),
    Column("service", "structured", "category"),
    Column("frail", "notes", clock="notes"),
)


def world(**changed: list[Any]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "subject_id": ["b", "a"],
        "stay_id": ["2", "1"],
        "prediction_time": [NOON, NOON],
        "label": [1, 0],
        "age": [70, 50],
        "sodium last": [131.0, None],
        "service": ["MED", None],
        "frail": [1.0, 0.0],
        "clock labs": [NOON, None],
        "clock notes": [None, NOON],
    }
    return pa.table(columns | changed)


def test_rows_are_ordered_by_key_and_missing_values_stay_missing() -> None:
    made = FeatureTable.make("t", COLUMNS, world())
    assert made.subjects.tolist() == ["a", "b"]
    assert made.labels.tolist() == [0, 1]
    assert np.isnan(made.number("sodium last")[0])


def test_what_was_known_after_the_prediction_time_is_refused() -> None:
    late = world(**{"clock labs": [LATER, None]})
    with pytest.raises(LaterThanPredictionError, match=r"1 rows.*labs.*'b'.*sodium last"):
        FeatureTable.make("t", COLUMNS, late)
    seen = FeatureTable.make("t", COLUMNS, late, check_clocks=False)
    assert {clock: rows.tolist() for clock, rows in seen.late_rows().items()} == {
        "labs": [1],
        "notes": [],
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"subject_id": ["a", "a"], "stay_id": ["1", "1"]}, "repeated"),
        ({"subject_id": [None, "a"]}, "without subject_id"),
        ({"label": [2, 0]}, "labels"),
        ({"age": ["old", "young"]}, "another type"),
        ({"surplus": [1, 2]}, "surplus"),
    ],
)
def test_what_breaks_the_contract_is_named(changed: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        FeatureTable.make("t", COLUMNS, world(**changed))


def test_unknown_outcomes_are_not_negative() -> None:
    with pytest.raises(FeatureError, match="1 rows have no label"):
        _ = FeatureTable.make("t", COLUMNS, world(label=[None, 0])).labels


@pytest.mark.parametrize("name", ["lab: sodium", "label", "", "clock x", "subject_id", "a,b"])
def test_names_that_a_model_would_refuse(name: str) -> None:
    with pytest.raises(FeatureError):
        Column(name, "structured")


def test_saved_and_loaded(tmp_path: Path) -> None:
    made = FeatureTable.make("t", COLUMNS, world())
    made.save(tmp_path / "features.parquet")
    again = FeatureTable.load(tmp_path / "features.parquet")
    assert again.columns == made.columns
    assert again.table.equals(made.table.replace_schema_metadata(again.table.schema.metadata))


def test_selection_keeps_the_clocks_of_what_is_left() -> None:
    notes = FeatureTable.make("t", COLUMNS, world()).select(["notes"])
    assert notes.table.column_names[-2:] == ["frail", "clock notes"]


def test_join_leaves_null_where_a_source_has_no_row() -> None:
    made = FeatureTable.make("t", COLUMNS, world())
    graph = pa.table(
        {
            "subject_id": ["a"],
            "stay_id": ["1"],
            "prediction_time": [NOON],
            "label": [None],
            "near": [0.5],
        }
    )
    joined = made.join(FeatureTable.make("t", [Column("near", "graph")], graph))
    assert joined.number("near")[0] == 0.5
    assert np.isnan(joined.number("near")[1])
    assert joined.labels.tolist() == [0, 1]
