"""No row is predicted by what was fitted on it, and stage-1 outputs that could leak are refused."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from extractor.split import Split, make_split
from predictor.calibrate import CalibrationError, Calibrator
from predictor.fuse import FusedRun, fuse
from predictor.metrics import auroc, calibration
from predictor.run import RunError, RunInfo, load_info, save_info
from predictor.schema import FeatureError, FeatureTable, LaterThanPredictionError
from predictor.stage1 import Stage1Error, Stage1Output, read_stage1, stage1_features

sys.path.insert(0, str(Path(__file__).parent))
from made import NOON, made_table


def split_of(table: FeatureTable, k: int = 3) -> Split:
    labels: dict[str, int] = {}
    for subject, label in zip(table.subjects.tolist(), table.labels.tolist(), strict=True):
        labels[subject] = max(label, labels.get(subject, 0))
    return make_split(table.task, labels, seed=0, k=k)


@pytest.fixture(scope="module")
def run() -> tuple[FeatureTable, np.ndarray, FusedRun]:
    table, risk = made_table(1500)
    return table, risk, fuse(table, split_of(table), "logistic")


def relabelled(table: FeatureTable, rows: np.ndarray) -> FeatureTable:
    labels = np.where(rows, 1 - table.labels, table.labels).astype(np.int8)
    at = table.table.column_names.index("label")
    changed = table.table.set_column(at, "label", pa.array(labels))
    return FeatureTable.make(table.task, table.columns, changed)


def test_test_labels_change_nothing(run: tuple[FeatureTable, np.ndarray, FusedRun]) -> None:
    table, _, made = run
    other = fuse(relabelled(table, made.test), split_of(table), "logistic")
    np.testing.assert_array_equal(made.probability, other.probability)


def test_a_folds_labels_do_not_change_its_own_predictions() -> None:
    table, _ = made_table(600)
    split = split_of(table)
    made = fuse(table, split, "lightgbm")
    rows = made.fold == 1
    some = rows & (np.arange(len(table)) % 5 == 0)
    other = fuse(relabelled(table, some), split, "lightgbm")
    np.testing.assert_array_equal(made.raw[rows], other.raw[rows])
    assert not np.array_equal(made.raw[made.fold == 0], other.raw[made.fold == 0])


def test_predictions_are_calibrated_and_near_the_best(
    run: tuple[FeatureTable, np.ndarray, FusedRun],
) -> None:
    table, risk, made = run
    found = calibration(table.labels[~made.test], made.probability[~made.test])
    assert found.slope == pytest.approx(1, abs=1e-6)
    best = auroc(table.labels, risk)
    assert auroc(table.labels[made.test], made.probability[made.test]) > best - 0.06


def test_intervals_hold_the_probability_and_shrink_with_patients() -> None:
    """By the square root of four; with few patients the penalty, not the data, sets the width."""
    widths: dict[int, list[float]] = {1600: [], 6400: []}
    for patients, seed in itertools.product(widths, range(3)):
        table, _ = made_table(patients, seed)
        made = fuse(table, split_of(table, 5), "logistic")
        low, high = made.model.intervals(table)
        probability = made.model.predict_proba(table)
        assert ((low <= probability) & (probability <= high)).all()
        widths[patients].append(float(np.median(high - low)))
    assert 1.5 < sum(widths[1600]) / sum(widths[6400]) < 2.6
    (risk, *_) = made.model.risks(table)
    assert risk.calibrated
    assert risk.low is not None


def test_too_few_events_are_named() -> None:
    table, _ = made_table(60)
    none = relabelled(table, table.labels == 1)
    split = Split("made", 0, tuple(sorted(set(table.subjects[:20].tolist()))), (("x",), ("y",)))
    strangers = set(table.subjects.tolist()) - set(split.test)
    split = Split("made", 0, split.test, (tuple(sorted(strangers)), ("y",)))
    with pytest.raises(FeatureError, match="test part has 0 rows with"):
        fuse(none, split)


def test_predictions_that_rank_the_wrong_way_tell_only_the_prevalence() -> None:
    label = np.array([0, 0, 1, 0, 0, 1], dtype=np.int8)
    raw = np.array([0.9, 0.8, 0.2, 0.7, 0.6, 0.1])
    for predicted in (raw, np.full(6, 0.4)):
        calibrator = Calibrator.fit(label, predicted)
        assert not calibrator.ranks
        np.testing.assert_allclose(calibrator(predicted), 1 / 3)
    with pytest.raises(CalibrationError, match="0 of 6"):
        Calibrator.fit(label * 0, raw)


def outputs_of(table: FeatureTable, split: Split) -> list[Stage1Output]:
    return [
        Stage1Output(s, stay, NOON, 0.3, split.fold(s), split.digest, "m", "ok", NOON)
        for s, stay in zip(table.subjects.tolist(), table.table["stay_id"].to_pylist(), strict=True)
    ]


def test_stage1_outputs_become_features_and_unknown_stays_missing() -> None:
    table, _ = made_table(60)
    split = split_of(table)
    outputs = outputs_of(table, split)
    outputs[0] = replace(outputs[0], probability=None, state="truncated")
    made = stage1_features(outputs, split, "made")
    assert np.isnan(made.number("note risk")[0])
    assert made.number("note risk given")[:2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fold": None}, "does not say which fold"),
        ({"split": ""}, "does not say which fold"),
        ({"split": "f" * 64}, "same split file"),
        ({"fold": 17}, "may have been fitted on this patient"),
        ({"state": "zero"}, "state 'zero'"),
    ],
)
def test_stage1_outputs_that_could_leak_are_refused(
    changed: dict[str, object], message: str
) -> None:
    table, _ = made_table(60)
    split = split_of(table)
    outputs = outputs_of(table, split)
    outputs[3] = replace(outputs[3], **changed)  # type: ignore[arg-type]
    with pytest.raises(Stage1Error, match=message):
        stage1_features(outputs, split, "made")


def test_a_note_known_after_the_prediction_is_refused() -> None:
    table, _ = made_table(60)
    split = split_of(table)
    outputs = outputs_of(table, split)
    outputs[3] = replace(outputs[3], known=NOON.replace(hour=13))
    with pytest.raises(LaterThanPredictionError, match="note model"):
        stage1_features(outputs, split, "made")


def test_stage1_rows_that_cannot_be_read_are_named() -> None:
    row = {
        "subject_id": ["1", "2"],
        "hadm_id": ["1", "2"],
        "prediction_time": [NOON, NOON],
        "probability": [0.2, 1.7],
        "state": ["ok", "ok"],
    }
    with pytest.raises(Stage1Error, match=r"x\.csv, row 2: probability 1\.7"):
        list(read_stage1(pa.table(row), "x.csv"))
    with pytest.raises(Stage1Error, match="without the columns state"):
        list(read_stage1(pa.table(row).drop_columns(["state"]), "x.csv"))


def test_a_run_of_another_format_is_refused(tmp_path: Path) -> None:
    info = RunInfo("t", "s", "blend", 0, "d", (), {})
    save_info(info, tmp_path)
    assert load_info(tmp_path) == info
    path = tmp_path / "run.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 1'))
    with pytest.raises(RunError, match="format 1, expected 2; train again"):
        load_info(tmp_path)
