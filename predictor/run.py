"""A run's folder: the model, its predictions, its figures, and what it takes to repeat it.

    run.json             task, source, settings, versions, seed, features
    split.json           which patients were for what
    features.parquet     what the models saw
    predictions.parquet  every row's probability, interval and fold, by model
    metrics.json         all figures;  audit.json  the leakage audit
    models/NAME/         the kept model, its calibrator and the fold models of its interval

Models are text or plain arrays, never pickles: opening a run executes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from predictor.calibrate import Calibrator
from predictor.fuse import FusedRun, RiskModel
from predictor.model import ModelError, load_model, save_model
from predictor.schema import KEYS, Column, FeatureError, FeatureTable

FORMAT: Final = 2
"""Raised when a feature of the same name gets another meaning: an older model would misread it."""


class RunError(ValueError):
    """A folder that is no finished run, or data that do not fit a run's model."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What `run.json` says; `told` is what it takes to repeat the run."""

    task: str
    source: str
    model: str
    seed: int
    split: str
    columns: tuple[Column, ...]
    told: Mapping[str, Any]


def save_risk_model(model: RiskModel, folder: Path) -> None:
    """Write a risk model into a new folder."""
    save_model(model.fitted, folder)
    for number, fitted in enumerate(model.by_fold):
        save_model(fitted, folder / f"fold-{number}")
    value = {
        "format": FORMAT,
        "task": model.task,
        "model_id": model.model_id,
        "folds": len(model.by_fold),
        "calibrator": asdict(model.calibrator),
        "settings": dict(model.settings),
    }
    (folder / "risk.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def load_risk_model(folder: Path) -> RiskModel:
    """A risk model as `save_risk_model` wrote it; `ModelError` names what is wrong."""
    path = folder / "risk.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise ModelError(f"{path}: format {value['format']}, expected {FORMAT}; train again")
        return RiskModel(
            value["task"],
            load_model(folder),
            Calibrator(**value["calibrator"]),
            tuple(load_model(folder / f"fold-{number}") for number in range(value["folds"])),
            value["settings"],
            value["model_id"],
        )
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: no saved risk model ({error!r}); train again") from error


def save_info(info: RunInfo, folder: Path) -> None:
    value = {
        "format": FORMAT,
        "task": info.task,
        "source": info.source,
        "model": info.model,
        "seed": info.seed,
        "split": info.split,
        "columns": [asdict(column) for column in info.columns],
        **info.told,
    }
    (folder / "run.json").write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def load_info(folder: Path) -> RunInfo:
    """What a run was; `RunError` where the folder holds no finished run."""
    path = folder / "run.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != FORMAT:
            raise RunError(f"{path}: format {value['format']}, expected {FORMAT}; train again")
        known = ("format", "task", "source", "model", "seed", "split", "columns")
        return RunInfo(
            value["task"],
            value["source"],
            value["model"],
            value["seed"],
            value["split"],
            tuple(Column(**column) for column in value["columns"]),
            {key: part for key, part in value.items() if key not in known},
        )
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise RunError(
            f"{folder}: no finished run ({error!r}); make one with `medweave train`"
        ) from error


def predictions(table: FeatureTable, runs: Mapping[str, FusedRun]) -> pa.Table:
    """Every row's prediction by every model: keys, label, fold (-1 test), raw and calibrated."""
    keys = table.table.select([*KEYS, "label"])
    parts = []
    for name, run in runs.items():
        part = keys.append_column("model", pa.array([name] * len(table)))
        part = part.append_column("fold", pa.array(run.fold))
        part = part.append_column("raw", pa.array(run.raw))
        parts.append(part.append_column("probability", pa.array(run.probability)))
    return pa.concat_tables(parts)


def check_fits(info: RunInfo, table: FeatureTable) -> None:
    """Raise `FeatureError` where a table was made for another task than the run's."""
    if table.task != info.task:
        raise FeatureError(
            f"features of task {table.task!r} for a model of {info.task!r}; make them with the "
            "run's task"
        )


def write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path)
