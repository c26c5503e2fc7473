"""Outputs of the note model as features, refused where they could carry an outcome back.

A stage-1 output says how probable the outcome is by the notes. It is a fair feature only where the
model that gave it was not fitted on the patient: for a development row the model of its fold, for a
test row one fitted on development folds alone. Outputs that do not say their fold, that came from
another split, or whose fold is not that of the patient are refused, not repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from extractor.split import Split
from predictor.schema import TIME, Column, FeatureTable

STATES: Final = ("ok", "truncated", "failed", "no note")


class Stage1Error(ValueError):
    """Stage-1 outputs that may not enter stage 2; names the first row and what to do."""


@dataclass(frozen=True, slots=True)
class Stage1Output:
    """What the note model said of one prediction.

    `probability` is `None` unless `state` is `ok`. `fold` is the development fold whose patients
    the model did not see, -1 for a patient of the test part, `None` where the output does not say.
    `split` is the digest of the split file, "" where the output does not say. `known` is when the
    latest note that was read was known, `label` the outcome that the model was trained on.
    """

    subject_id: str
    stay_id: str
    prediction_time: datetime
    probability: float | None
    fold: int | None
    split: str
    model: str
    state: str
    known: datetime | None = None
    label: int | None = None


def check_out_of_fold(outputs: Iterable[Stage1Output], split: Split) -> None:
    """Raise `Stage1Error` for outputs without a fold, of another split, or of a wrong fold."""
    for place, output in enumerate(outputs):
        who = f"stage-1 output {place + 1} (patient {output.subject_id}, stay {output.stay_id})"
        if output.fold is None or not output.split:
            raise Stage1Error(
                f"{who} does not say which fold it was left out of; give the split file to the "
                "note model's training and use the outputs that it writes"
            )
        if output.split != split.digest:
            raise Stage1Error(
                f"{who} comes from the split {output.split[:12]}, this run uses "
                f"{split.digest[:12]}; both stages must read the same split file"
            )
        expected = split.fold(output.subject_id)
        if output.fold != expected:
            raise Stage1Error(
                f"{who} is marked as of fold {output.fold}, the split puts the patient into "
                f"{expected}: its model may have been fitted on this patient"
            )
        if output.state not in STATES:
            raise Stage1Error(f"{who}: state {output.state!r}, expected one of {STATES}")


COLUMNS: Final = (
    Column("note risk", "notes", clock="note model"),
    Column("note risk given", "notes", clock="note model", presence=True),
)


def stage1_features(outputs: Iterable[Stage1Output], split: Split, task: str) -> FeatureTable:
    """The probability by the notes as a feature, missing where there is none.

    Raises `Stage1Error` where `check_out_of_fold` does, `FeatureError` for repeated rows and
    `LaterThanPredictionError` where a note was read that was known later.
    """
    rows = list(outputs)
    check_out_of_fold(rows, split)
    columns = {
        "subject_id": [row.subject_id for row in rows],
        "stay_id": [row.stay_id for row in rows],
        "prediction_time": pa.array([row.prediction_time for row in rows], TIME),
        "label": pa.nulls(len(rows), pa.int8()),
        "note risk": pa.array(
            [row.probability if row.state == "ok" else None for row in rows], pa.float64()
        ),
        "note risk given": [float(row.state == "ok") for row in rows],
        "clock note model": pa.array([row.known for row in rows], TIME),
    }
    return FeatureTable.make(task, COLUMNS, pa.table(columns))


def read_stage1(table: pa.Table, name: str) -> Iterator[Stage1Output]:
    """The rows of a table of stage-1 outputs, whose `hadm_id` or `stay_id` names the stay.

    `Stage1Error` names a missing column or the first row that is not readable.
    """
    stay = "stay_id" if "stay_id" in table.column_names else "hadm_id"
    needed = {"subject_id", stay, "prediction_time", "probability", "state"}
    missing = sorted(needed - set(table.column_names))
    if missing:
        raise Stage1Error(f"{name}: stage-1 outputs without the columns {', '.join(missing)}")
    for place, row in enumerate(table.to_pylist()):
        try:
            yield _output(row, stay)
        except (TypeError, ValueError) as error:
            raise Stage1Error(f"{name}, row {place + 1}: {error}") from error


def _output(row: dict[str, object], stay: str) -> Stage1Output:
    probability, fold = row["probability"], row.get("fold")
    if probability is not None and not 0 <= float(str(probability)) <= 1:
        raise ValueError(f"probability {probability}, expected a number from 0 to 1")
    return Stage1Output(
        str(row["subject_id"]),
        str(row[stay]),
        _moment(row["prediction_time"]),
        None if probability is None else float(str(probability)),
        None if fold is None else int(str(fold)),
        str(row.get("split") or ""),
        str(row.get("model") or ""),
        str(row["state"]),
        _moment(row["known"]) if row.get("known") else None,
        None if row.get("label") is None else int(str(row["label"])),
    )


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
