"""The synthetic hospital read as records: rows, times and labels are those it says itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from predictor.cohort import load_task, make_cohort
from predictor.sources import open_records
from tests.predictor.synthetic.conftest import Reader


@pytest.mark.parametrize("name", ["readmission_30d", "in_hospital_mortality"])
def test_rows_and_labels_are_the_hospitals_own(clean: Path, read: Reader, name: str) -> None:
    with open_records(clean) as records:
        cohort = make_cohort(records, load_task(name))
    own = {
        str(row["hadm_id"]): (str(row["prediction_time"]), int(row["label"]))
        for row in read(f"labels/{name}").to_pylist()
    }
    found = {
        row["stay_id"]: (str(row["prediction_time"]), row["label"])
        for row in cohort.rows.to_pylist()
    }
    assert len(found) > 200
    assert found == own
