"""Discrimination, calibration and usefulness of predicted probabilities, on weighted rows.

All functions take `label` (n,) of 0 and 1, `score` or `probability` (n,) and, where a bootstrap
needs them, `weight` (n,) of non-negative row weights. A figure that is not defined (no events, no
non-events) is NaN: unknown, not 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
EDGE: Final = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log odds are taken."""


def log_odds(probability: F64) -> F64:
    """ln(p / (1 - p)), of probabilities kept within [1e-6, 1 - 1e-6]."""
    kept = np.clip(probability, EDGE, 1 - EDGE)
    odds: F64 = np.log(kept / (1 - kept))
    return odds


def expit(logit: F64) -> F64:
    """1 / (1 + exp(-x)): the inverse of `log_odds`."""
    probability: F64 = 1.0 / (1.0 + np.exp(-np.clip(logit, -700, 700)))
    return probability


class Ranking:
    """Rows in descending order of a score, ties together: made once, weighed many times."""

    def __init__(self, label: npt.ArrayLike, score: npt.ArrayLike) -> None:
        """Raises `ValueError` where lengths differ or a score is not finite."""
        labels, scores = np.asarray(label), np.asarray(score, dtype=np.float64)
        if labels.shape != scores.shape or scores.ndim != 1:
            raise ValueError(f"{labels.shape} labels for {scores.shape} scores; expected (n,) each")
        if not np.isfinite(scores).all():
            raise ValueError("a score is not finite; leave out rows without a score and count them")
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))[: len(scores)]
        self.event = labels[self.order] > 0

    def _tied(self, weight: F64 | None) -> tuple[F64, F64]:
        """Weights of events and of non-events at each distinct score, highest first."""
        if not len(self.order):
            return np.zeros(0), np.zeros(0)
        weighed = np.ones(len(self.order)) if weight is None else weight[self.order]
        events = np.add.reduceat(np.where(self.event, weighed, 0.0), self.starts)
        others = np.add.reduceat(np.where(self.event, 0.0, weighed), self.starts)
        return events, others

    def auroc(self, weight: F64 | None = None) -> float:
        """P(score of an event > score of a non-event) + half of P(equal), in [0, 1]."""
        events, others = self._tied(weight)
        total = events.sum() * others.sum()
        if not total > 0:
            return float("nan")
        above = np.cumsum(events) - 0.5 * events
        return float((others * above).sum() / total)

    def auprc(self, weight: F64 | None = None) -> float:
        """Average precision: the mean over events of the precision at their score, in [0, 1]."""
        events, others = self._tied(weight)
        if not events.sum() > 0:
            return float("nan")
        found, flagged = np.cumsum(events), np.cumsum(events + others)
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        return float((events * precision).sum() / events.sum())


def auroc(label: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Area under the ROC curve, ties counted half (Hanley & McNeil 1982).

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    >>> auroc([1, 1], [0.2, 0.3])
    nan
    """
    return Ranking(label, score).auroc()


def auprc(label: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Average precision; compare it with the prevalence, which a random score reaches.

    >>> round(auprc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return Ranking(label, score).auprc()


def brier(label: I8, probability: F64, weight: F64 | None = None) -> float:
    """Mean squared difference of probability and outcome, in [0, 1], lower is better."""
    return float(np.average((probability - label) ** 2, weights=weight)) if len(label) else np.nan


def log_loss(label: I8, probability: F64) -> float:
    """Mean negative log likelihood in nats, lower is better."""
    kept = np.clip(probability, EDGE, 1 - EDGE)
    return float(-np.mean(np.where(label > 0, np.log(kept), np.log(1 - kept))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of ln odds of the outcome on ln odds of the prediction (Cox 1958).

    `intercept` is that of the model with slope 1 ("in the large"; 0 is ideal, below 0 predicts too
    high); `slope` that of the model with both (1 is ideal, below 1 predicts too extreme).
    """

    intercept: float
    slope: float


def calibration(label: I8, probability: F64, weight: F64 | None = None) -> Calibration:
    """Calibration intercept and slope; NaN where an outcome does not occur."""
    logit = log_odds(probability)
    weighed = np.ones(len(logit)) if weight is None else weight
    events = float((weighed * label).sum())
    if not 0 < events < float(weighed.sum()):
        return Calibration(float("nan"), float("nan"))
    large, _ = _logistic(label, logit, weighed, free_slope=False)
    _, slope = _logistic(label, logit, weighed, free_slope=True)
    return Calibration(large, slope)


def fit_logistic(label: I8, x: F64, weight: F64 | None = None) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of a label on one variable.

    Both are NaN where one outcome does not occur or `x` has no spread.
    """
    weighed = np.ones(len(x)) if weight is None else weight
    if not 0 < float((weighed * label).sum()) < float(weighed.sum()):
        return float("nan"), float("nan")
    return _logistic(label, x, weighed, free_slope=True)


def _logistic(label: I8, x: F64, weight: F64, *, free_slope: bool) -> tuple[float, float]:
    """Intercept and slope of a logistic regression on one variable, by Newton's method."""
    a, b = 0.0, 1.0
    for _ in range(50):
        p = expit(a + b * x)
        residual, curvature = weight * (label - p), weight * p * (1 - p)
        gradient = np.array([residual.sum(), (residual * x).sum()])
        cross = (curvature * x).sum()
        hessian = np.array([[curvature.sum(), cross], [cross, (curvature * x * x).sum()]])
        if not free_slope:
            step = np.array([gradient[0] / hessian[0, 0], 0.0])
        elif hessian[0, 0] * hessian[1, 1] * (1 - 1e-10) <= cross * cross:
            return float("nan"), float("nan")  # all predictions are equal: no slope
        else:
            step = np.linalg.solve(hessian, gradient)
        a, b = a + float(np.clip(step[0], -5, 5)), b + float(np.clip(step[1], -5, 5))
        if np.abs(step).max() < 1e-10:
            break
    return a, b


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of similar predicted risk: how many, mean prediction, observed share and interval."""

    n: int
    predicted: float
    observed: float
    low: float
    high: float


def calibration_curve(label: I8, probability: F64, bins: int = 10) -> tuple[Bin, ...]:
    """Equally many rows a bin, ordered by prediction; 95 % Wilson interval of the share."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    curve = []
    for part in parts:
        events = int(label[part].sum())
        low, high = wilson(events, len(part))
        share = events / len(part)
        curve.append(Bin(len(part), float(probability[part].mean()), share, low, high))
    return tuple(curve)


def wilson(events: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), within [0, 1]."""
    if n == 0:
        return float("nan"), float("nan")
    share, spread = events / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Alert:
    """What is met when the riskiest share `rate` of rows is flagged.

    `threshold` is the least flagged probability. Rows tied with it are flagged in proportion.
    """

    rate: float
    threshold: float
    sensitivity: float
    specificity: float
    ppv: float
    lift: float


def alerts(
    label: I8, probability: F64, rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
) -> tuple[Alert, ...]:
    """Sensitivity, specificity and positive predictive value at stated alert rates."""
    n, events = len(label), float(label.sum())
    if not 0 < events < n:
        return ()
    order = np.argsort(-probability, kind="stable")
    ordered = probability[order]
    found = []
    for rate in rates:
        flagged = max(1.0, rate * n)
        least = ordered[int(np.ceil(flagged)) - 1]
        above, tied = probability > least, probability == least
        share = (flagged - above.sum()) / tied.sum()
        hits = float(label[above].sum() + share * label[tied].sum())
        ppv = hits / flagged
        clear = 1 - (flagged - hits) / (n - events)
        found.append(Alert(rate, float(least), hits / events, clear, ppv, ppv * n / events))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Benefit:
    """Net benefit at a threshold probability: of the model, of treating all; of none it is 0."""

    threshold: float
    model: float
    treat_all: float


def decision_curve(
    label: I8, probability: F64, thresholds: F64 | None = None
) -> tuple[Benefit, ...]:
    """Net benefit TP/n - FP/n * t/(1-t) over threshold probabilities t (Vickers & Elkin 2006)."""
    at = np.arange(0.01, 0.61, 0.01) if thresholds is None else thresholds
    n, prevalence = len(label), float(label.mean())
    curve = []
    for threshold in at.tolist():
        flagged, odds = probability >= threshold, threshold / (1 - threshold)
        hits = float(label[flagged].sum())
        net = hits / n - (float(flagged.sum()) - hits) / n * odds
        curve.append(Benefit(threshold, net, prevalence - (1 - prevalence) * odds))
    return tuple(curve)
