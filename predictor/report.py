"""One self-contained page: the audit first, then what the model is worth, for whom, and why.

Nothing is loaded from elsewhere, pictures are inline SVG, and no patient text is in it unless the
explanations that are given hold quotes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from predictor import plots
from predictor.explain import Explanation
from predictor.intervals import Interval
from predictor.metrics import Benefit, Bin
from predictor.run import RunInfo, load_info
from predictor.tripod import TripodItem, tripod_items


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What the template shows. `metrics` is `metrics.json`; pictures are SVG elements by name."""

    info: RunInfo
    metrics: Mapping[str, Any]
    pictures: Mapping[str, str]
    tripod: Sequence[TripodItem]
    explanations: Sequence[Explanation]
    patient_text: bool


def render_report(
    run: Path, explanations: Sequence[Explanation] = (), *, patient_text: bool = False
) -> str:
    """The page of a run's folder as HTML; `RunError` where it is no finished run."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    info = load_info(run)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    page = Page(
        info,
        metrics,
        _pictures(run, metrics),
        tripod_items(info, metrics),
        explanations,
        patient_text,
    )
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    environment.filters["share"] = share
    return environment.get_template("report.html.j2").render(page=page, m=metrics, info=info)


def figure(value: Mapping[str, Any] | None, digits: int = 3) -> str:
    """An interval as text; a dash where a figure is not defined."""
    if value is None or value["value"] is None:
        return "–"
    if value["low"] is None:
        return f"{value['value']:.{digits}f}"
    return f"{value['value']:.{digits}f} ({value['low']:.{digits}f} to {value['high']:.{digits}f})"


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def interval(value: Mapping[str, Any]) -> Interval:
    """An interval of `metrics.json`; null is NaN."""
    parts = [np.nan if value[key] is None else value[key] for key in ("value", "low", "high")]
    return Interval(*parts)


def _pictures(run: Path, metrics: Mapping[str, Any]) -> dict[str, str]:
    label, scores = _test_scores(run, list(metrics["models"]))
    main = metrics["models"][metrics["model"]]["test"]
    curves = {
        kind: [Bin(**b) for b in result["test"]["curve"]]
        for kind, result in metrics["models"].items()
        if kind in (metrics["model"], "balanced_forest")
    }
    importance = metrics["models"][metrics["model"]]["importance"]
    pictures = {
        "roc": plots.roc(label, scores),
        "precision": plots.precision_recall(label, scores),
        "calibration": plots.calibration_plot(curves),
        "decision": plots.decision_plot([Benefit(**b) for b in main["decisions"]]),
        "importance": plots.bars(list(importance.items())[:20], "share of the model's gain"),
    }
    if len(metrics["ablations"]) > 1:
        rows = [(name, interval(part["auroc"])) for name, part in metrics["ablations"].items()]
        pictures["ablations"] = plots.forest(rows, "AUROC on the test part", 0.5)
    if metrics["learning_curve"]:
        points = metrics["learning_curve"]
        pictures["learning"] = plots.line(
            [point["patients"] for point in points],
            [interval(point["auroc"]) for point in points],
            "development patients",
            "AUROC",
        )
    groups = [g for g in metrics["subgroups"] if g["auroc"] is not None]
    if groups:
        rows = [(f"{g['name']} (n {g['n']})", interval(g["auroc"])) for g in groups]
        pictures["subgroups"] = plots.forest(rows, "AUROC", main["auroc"]["value"])
    return pictures


def _test_scores(run: Path, kinds: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    predicted = pq.read_table(run / "predictions.parquet")
    test = predicted.filter(pc.equal(predicted["fold"], -1))
    scores, label = {}, None
    for kind in kinds:
        part = test.filter(pc.equal(test["model"], kind))
        label = np.asarray(part["label"], dtype=np.int8)
        scores[kind] = np.asarray(part["probability"], dtype=np.float64)
    return label, scores
