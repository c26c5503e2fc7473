"""A trained model on other records: `medweave score` and `medweave validate`."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from predictor.evaluate import performance
from predictor.fuse import RiskModel
from predictor.run import RunInfo, check_fits, load_info, load_risk_model
from predictor.schema import FeatureTable
from predictor.sources import open_records
from ray_jobs.cohorts import data_option, layout_option
from ray_jobs.options import emit, json_option, out_file_option, told_plainly
from ray_jobs.risk_data import Inputs, gather, with_contexts
from ray_jobs.risk_options import inputs_options, kind_option, run_option, seed_option
from ray_jobs.risk_tables import (
    add_performance,
    console,
    json_of,
    performance_table,
)


@click.command("score")
@run_option
@data_option
@layout_option
@inputs_options
@kind_option
@out_file_option("Risks, as JSON lines.")
def score_command(
    run: Path,
    data: Path,
    layout: Path | None,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    kind: str | None,
    out: Path,
) -> None:
    """Predict the risks of new records by a trained model; one JSON line each."""
    inputs = Inputs(data, "", layout, findings, outcomes, graph, contexts, vocabulary)
    with told_plainly():
        info, model, table = opened(run, inputs, kind)
        unseen = model.fitted.encoder.unseen(table)
        with out.open("w", encoding="utf-8") as lines:
            for risk in model.risks(table):
                row = {**asdict(risk), "prediction_time": str(risk.prediction_time)}
                lines.write(json.dumps(row) + "\n")
    console.print(f"{len(table):,} risks of {info.task} in {out}")
    for name, rows in unseen.items():
        console.print(
            f"{name}: {rows:,} rows hold a value that training never met; taken as missing"
        )


def opened(run: Path, inputs: Inputs, kind: str | None) -> tuple[RunInfo, RiskModel, FeatureTable]:
    """A run's model and the features of new records, made by the run's own task."""
    info = load_info(run)
    model = load_risk_model(run / "models" / (kind or info.model))
    command = info.told["command"]
    asked = replace(inputs, task=command["task"], passages=0)
    if asked.layout is None and command.get("layout"):
        asked = replace(asked, layout=Path(command["layout"]))
    with (
        open_records(asked.data, asked.layout) as records,
        tempfile.TemporaryDirectory() as scratch,
    ):
        asked = with_contexts(records, asked, Path(scratch))
        table = gather(records, asked, scoring=info).table
    check_fits(info, table)
    return info, model, table


@click.command("validate")
@run_option
@data_option
@layout_option
@inputs_options
@kind_option
@seed_option
@json_option
def validate_command(
    run: Path,
    data: Path,
    layout: Path | None,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    kind: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Evaluate a saved model, unchanged, on other data, and show what recalibration would do."""
    inputs = Inputs(data, "", layout, findings, outcomes, graph, contexts, vocabulary)
    with told_plainly():
        info, model, table = opened(run, inputs, kind)
        label, subjects = table.labels, table.subjects
        given = model.predict_proba(table)
        unchanged = performance(label, given, subjects, seed=seed)
        recalibrated = performance(
            label, cross_recalibrated(label, given, subjects, seed), subjects, seed=seed
        )
    if as_json:
        emit(
            {
                "task": info.task,
                "model": model.model_id,
                "unseen": model.fitted.encoder.unseen(table),
                "unchanged": json_of(unchanged),
                "recalibrated": json_of(recalibrated),
            }
        )
        return
    shown = performance_table(f"{model.model_id} on {data}")
    add_performance(shown, "unchanged", unchanged)
    add_performance(shown, "recalibrated, two-fold", recalibrated)
    console.print(shown)


def cross_recalibrated(label: Any, probability: Any, subjects: Any, seed: int) -> Any:
    """Each half of the patients recalibrated by what the other half shows."""
    import numpy as np

    from predictor.calibrate import Calibrator

    patients = np.unique(subjects)
    half = set(np.random.default_rng(seed).permutation(patients)[::2].tolist())
    first = np.array([subject in half for subject in subjects.tolist()])
    made = np.array(probability)
    for rows in (first, ~first):
        made[rows] = Calibrator.fit(label[~rows], probability[~rows])(probability[rows])
    return made
