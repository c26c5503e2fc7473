"""The report's pictures, as SVG text: the same figures give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from predictor.intervals import Interval
from predictor.metrics import F64, I8, Benefit, Bin

COLOURS: Final = ("#1b6ca8", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#5c6770", "#2a9d8f")
INK: Final = "#22303c"


def roc(label: I8, scores: Mapping[str, F64]) -> str:
    """ROC curves of several scores on the same rows."""
    figure, axes = _axes(4.6, 4.2)
    for colour, (name, score) in zip(_colours(scores), scores.items(), strict=True):
        order = np.argsort(-score, kind="stable")
        events, others = np.cumsum(label[order]), np.cumsum(1 - label[order])
        last = np.append(score[order][1:] != score[order][:-1], True)
        x = np.append(0, others[last] / max(1, others[-1]))
        y = np.append(0, events[last] / max(1, events[-1]))
        axes.plot(x, y, color=colour, lw=1.6, label=name)
    axes.plot([0, 1], [0, 1], color="#b8c0c8", lw=1, ls="--")
    _labelled(axes, "1 - specificity", "sensitivity", (0, 1), (0, 1))
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return _svg(figure)


def precision_recall(label: I8, scores: Mapping[str, F64]) -> str:
    """Precision against recall; the dashed line is the prevalence."""
    figure, axes = _axes(4.6, 4.2)
    for colour, (name, score) in zip(_colours(scores), scores.items(), strict=True):
        order = np.argsort(-score, kind="stable")
        events = np.cumsum(label[order])
        last = np.append(score[order][1:] != score[order][:-1], True)
        recall = events[last] / max(1, events[-1])
        axes.plot(
            recall, events[last] / (np.flatnonzero(last) + 1), color=colour, lw=1.4, label=name
        )
    axes.axhline(float(label.mean()), color="#b8c0c8", lw=1, ls="--")
    _labelled(axes, "sensitivity (recall)", "positive predictive value", (0, 1), (0, 1.02))
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    return _svg(figure)


def calibration_plot(curves: Mapping[str, Sequence[Bin]]) -> str:
    """Observed against predicted risk by tenths, with Wilson intervals."""
    figure, axes = _axes(4.6, 4.2)
    most = 0.05
    for colour, (name, bins) in zip(_colours(curves), curves.items(), strict=True):
        x, y = np.array([b.predicted for b in bins]), np.array([b.observed for b in bins])
        low, high = np.array([b.low for b in bins]), np.array([b.high for b in bins])
        axes.errorbar(x, y, [y - low, high - y], color=colour, lw=1, marker="o", ms=4, label=name)
        most = max(most, float(high.max()), float(x.max()))
    axes.plot([0, 1], [0, 1], color="#b8c0c8", lw=1, ls="--")
    _labelled(axes, "predicted risk", "observed share", (0, most * 1.05), (0, most * 1.05))
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    return _svg(figure)


def decision_plot(curve: Sequence[Benefit]) -> str:
    """Net benefit of the model, of alerting for everybody and for nobody."""
    figure, axes = _axes(4.6, 4.2)
    x = [benefit.threshold for benefit in curve]
    model = [benefit.model for benefit in curve]
    everybody = [benefit.treat_all for benefit in curve]
    axes.plot(x, model, color=COLOURS[0], lw=1.8, label="by the model")
    axes.plot(x, everybody, color=COLOURS[1], lw=1.2, label="everybody")
    axes.axhline(0, color=COLOURS[5], lw=1.2, label="nobody")
    top = max(*model, everybody[0], 0.01)
    _labelled(axes, "threshold probability", "net benefit", (0, x[-1]), (-0.25 * top, top * 1.1))
    axes.legend(loc="upper right", frameon=False, fontsize=8)
    return _svg(figure)


def forest(rows: Sequence[tuple[str, Interval]], what: str, reference: float | None) -> str:
    """Figures with their intervals, one line each; `reference` is a dashed line."""
    figure, axes = _axes(7.4, 0.9 + 0.3 * len(rows))
    places = np.arange(len(rows))[::-1]
    for place, (_, figure_of) in zip(places, rows, strict=True):
        axes.plot([figure_of.low, figure_of.high], [place, place], color=COLOURS[0], lw=1.6)
        axes.plot(figure_of.value, place, "s", color=COLOURS[0], ms=5)
    if reference is not None:
        axes.axvline(reference, color="#b8c0c8", lw=1, ls="--")
    axes.set_yticks(places, [name for name, _ in rows], fontsize=8)
    axes.set_xlabel(what, fontsize=9)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    return _svg(figure)


def bars(rows: Sequence[tuple[str, float]], what: str) -> str:
    """Shares, one bar each."""
    figure, axes = _axes(7.4, 0.8 + 0.24 * len(rows))
    places = np.arange(len(rows))[::-1]
    axes.barh(places, [value for _, value in rows], color=COLOURS[0], height=0.7)
    axes.set_yticks(places, [name for name, _ in rows], fontsize=8)
    axes.set_xlabel(what, fontsize=9)
    return _svg(figure)


def line(x: Sequence[float], rows: Sequence[Interval], what_x: str, what_y: str) -> str:
    """Figures with intervals along an axis."""
    figure, axes = _axes(4.6, 3.6)
    y = np.array([row.value for row in rows])
    spread = [y - [row.low for row in rows], [row.high for row in rows] - y]
    axes.errorbar(x, y, spread, color=COLOURS[0], lw=1.5, marker="o", ms=4)
    axes.set_xlabel(what_x, fontsize=9)
    axes.set_ylabel(what_y, fontsize=9)
    axes.set_xlim(left=0)
    return _svg(figure)


def _colours(named: Mapping[str, Any]) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(len(named))]


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    return figure, axes


def _labelled(
    axes: Any, x: str, y: str, x_limits: tuple[float, float], y_limits: tuple[float, float]
) -> None:
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)


def _svg(figure: Any) -> str:
    """The figure as an SVG element, with text as text and no date."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "medweave", "svg.fonttype": "none"}):
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return re.sub(r"(?s)^.*?(?=<svg)", "", text)
