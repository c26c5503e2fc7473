"""The TRIPOD+AI items of a run: what the run itself answers, and what only its authors can."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictor.run import RunInfo

Metrics = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TripodItem:
    """One item; `answer` is "" where the authors must write it."""

    number: str
    section: str
    asks: str
    answer: str


def tripod_items(info: RunInfo, metrics: Metrics) -> tuple[TripodItem, ...]:
    """All items of the checklist (Collins 2024), filled from a run where it can answer."""
    path = Path(__file__).with_name("tripod.toml")
    items = tomllib.loads(path.read_text(encoding="utf-8"))["item"]
    return tuple(
        TripodItem(
            item["number"],
            item["section"],
            item["asks"],
            _ANSWERS[item["from"]](info, metrics) if "from" in item else "",
        )
        for item in items
    )


def _title(info: RunInfo, _: Metrics) -> str:
    told = info.told.get("task_told", {})
    return f"Development and evaluation of a prediction model: {told.get('title', info.task)}"


def _objectives(_: RunInfo, __: Metrics) -> str:
    return "Develops a model and evaluates it on a part of the patients that entered no training."


def _data(info: RunInfo, metrics: Metrics) -> str:
    return (
        f"Source {info.source}: {metrics['rows']:,} predictions of {metrics['patients']:,} "
        f"patients, {metrics['events']:,} with the outcome. To be added: place, dates, and how "
        "patients came to be in the data."
    )


def _participants(info: RunInfo, _: Metrics) -> str:
    steps = [s for s in info.told.get("flow", []) if s["excluded"]]
    left_out = "; ".join(f"{s['name']} ({s['excluded']:,})" for s in steps) or "nobody"
    return f"Left out: {left_out}. To be added: setting and treatments."


def _preparation(_: RunInfo, __: Metrics) -> str:
    return (
        "Records are cut at the prediction time by when they were known. Encodings, fill-in values "
        "and scales are learned from training rows alone; scaled values are cut at 6 SD."
    )


def _outcome(info: RunInfo, _: Metrics) -> str:
    told = info.told.get("task_told", {})
    return f"{told.get('title', info.task)}; definition: {told.get('outcome', 'see the task')}"


def _predictors(info: RunInfo, _: Metrics) -> str:
    counts = {s: sum(c.source == s for c in info.columns) for s in ("structured", "notes", "graph")}
    given = ", ".join(f"{number} {source}" for source, number in counts.items() if number)
    return (
        f"{len(info.columns)} candidate predictors ({given}), listed in run.json with their clocks."
    )


def _sample_size(_: RunInfo, metrics: Metrics) -> str:
    return (
        f"All that the data hold: {metrics['events']:,} events among {metrics['rows']:,} "
        "predictions; the learning curve shows what more would bring."
    )


def _missing(_: RunInfo, __: Metrics) -> str:
    return (
        "Nothing was left out for missing predictors. Trees take missing as its own value; linear "
        "models and forests get the training median and a mark. Rows without a known outcome are "
        "left out and counted in the flow."
    )


def _analysis(info: RunInfo, metrics: Metrics) -> str:
    return (
        f"A test part and patient-disjoint development folds (split {info.split[:12]}); "
        f"{', '.join(metrics['models'])}; settings chosen by log loss inside training folds; "
        "AUROC, AUPRC, Brier score, calibration, net benefit; 95 % intervals by bootstrap over "
        "patients, differences by DeLong's test for clustered rows."
    )


def _imbalance(_: RunInfo, __: Metrics) -> str:
    return (
        "Not corrected but in the balanced forest; every model is recalibrated (logistic, on "
        "out-of-fold predictions), calibration is shown before and after."
    )


def _fairness(_: RunInfo, metrics: Metrics) -> str:
    groups = len(metrics["subgroups"])
    return (
        f"Discrimination and observed to expected in {groups} subgroups; nothing was tuned to them."
    )


def _output(_: RunInfo, __: Metrics) -> str:
    return (
        "A probability with an interval; no threshold is recommended: sensitivity and predictive "
        "value are given at stated alert rates, net benefit over all thresholds."
    )


def _evaluation(_: RunInfo, __: Metrics) -> str:
    return "Same source and period; other patients. For other hospitals see `medweave validate`."


def _code(info: RunInfo, _: Metrics) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in info.told.get("versions", {}).items())
    return f"Code: medweave, Apache-2.0 ({versions}). To be added: funding, protocol, data sharing."


def _flow(info: RunInfo, _: Metrics) -> str:
    steps = info.told.get("flow", [])
    return " → ".join(f"{s['name']}: {s['left']:,}" for s in steps) or ""


def _parts(_: RunInfo, metrics: Metrics) -> str:
    return "; ".join(
        f"{name}: {n:,} rows, {events:,} events" for name, n, events in metrics["parts"]
    )


def _specification(info: RunInfo, metrics: Metrics) -> str:
    return (
        f"models/{metrics['model']} in the run's folder: the whole model as text, its calibrator "
        f"and settings {metrics['models'][metrics['model']]['settings']}."
    )


def _performance(_: RunInfo, metrics: Metrics) -> str:
    test = metrics["models"][metrics["model"]]["test"]
    area = test["auroc"]
    return (
        f"AUROC {area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f}) on {test['n']:,} "
        "test predictions; tables and plots above."
    )


def _updating(_: RunInfo, __: Metrics) -> str:
    return "None in this run."


def _limitations(_: RunInfo, metrics: Metrics) -> str:
    return (
        f"{metrics['audit']['summary']} One source, no external validation in this run. To be "
        "added: what else."
    )


def _usability(_: RunInfo, __: Metrics) -> str:
    return (
        "Missing input is scored as missing, categories that training never met as missing and "
        "counted; tables that lack a feature are refused."
    )


_ANSWERS: dict[str, Callable[[RunInfo, Metrics], str]] = {
    "title": _title, "objectives": _objectives, "data": _data, "participants": _participants,
    "preparation": _preparation, "outcome": _outcome, "predictors": _predictors,
    "sample_size": _sample_size, "missing": _missing, "analysis": _analysis,
    "imbalance": _imbalance, "fairness": _fairness, "output": _output, "evaluation": _evaluation,
    "code": _code, "flow": _flow, "parts": _parts, "specification": _specification,
    "performance": _performance, "updating": _updating, "limitations": _limitations,
    "usability": _usability,
}  # fmt: skip
