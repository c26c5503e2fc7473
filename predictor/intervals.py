"""How sure a figure is: patients drawn anew (bootstrap), and DeLong's comparison of two AUROCs.

The patient is what is drawn, not the row: rows of one patient are alike, and intervals that treat
them as independent are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.metrics import Ranking

F64 = npt.NDArray[np.float64]
REPLICATES: Final = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; all three NaN where the figure is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def bootstrap(
    figures: Callable[[F64 | None], Mapping[str, float]],
    clusters: Sequence[object] | npt.NDArray[np.generic],
    *,
    seed: int,
    replicates: int = REPLICATES,
    level: float = 0.95,
) -> dict[str, Interval]:
    """Percentile intervals of figures over whole clusters (patients) drawn with replacement.

    `figures(weight)` gives every figure for row weights (n,), or for `None` (each row once). A
    replicate in which a figure is not defined is left out of that figure's interval. Raises
    `ValueError` where there is no row.
    """
    if not len(clusters):
        raise ValueError("no rows to draw from")
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    count = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(replicates):
        times = np.bincount(rng.integers(0, count, count), minlength=count)
        for name, value in figures(times[member].astype(np.float64)).items():
            drawn.setdefault(name, []).append(value)
    tails = (50 * (1 - level), 100 - 50 * (1 - level))
    found = {}
    for name, value in figures(None).items():
        values = np.array(drawn.get(name, []))
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, tails) if len(values) else (np.nan, np.nan)
        found[name] = Interval(value, float(low), float(high))
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """AUROC of two scores on the same rows: `difference` is first minus second."""

    first: float
    second: float
    difference: Interval
    p_value: float


def compare_auroc(
    label: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    clusters: Sequence[object] | npt.NDArray[np.generic],
) -> Comparison:
    """DeLong's test for two correlated AUROCs (1988), for clustered rows (Obuchowski 1997).

    With one row a cluster this is DeLong's own estimate. The two-sided p-value is of no difference.
    """
    labels = np.asarray(label, dtype=np.float64)
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    parts = [_components(labels, np.asarray(s, dtype=np.float64), member) for s in (first, second)]
    areas = [part.area for part in parts]
    variance = (
        _covariance(parts[0], parts[0])
        + _covariance(parts[1], parts[1])
        - 2 * _covariance(parts[0], parts[1])
    )
    difference, error = areas[0] - areas[1], math.sqrt(max(variance, 0.0))
    if error == 0:
        p_value = 1.0 if difference == 0 else 0.0
    else:
        p_value = math.erfc(abs(difference) / error / math.sqrt(2))
    half = 1.959964 * error
    around = Interval(difference, difference - half, difference + half)
    return Comparison(areas[0], areas[1], around, p_value)


def auroc_error(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    clusters: Sequence[object] | npt.NDArray[np.generic],
) -> float:
    """Standard error of an AUROC over clustered rows (Obuchowski 1997)."""
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    part = _components(
        np.asarray(label, dtype=np.float64), np.asarray(score, dtype=np.float64), member
    )
    return math.sqrt(max(_covariance(part, part), 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Components:
    """Sums by cluster of centred placement values of events and of non-events."""

    area: float
    events: F64
    others: F64
    event_clusters: int
    other_clusters: int
    event_count: int
    other_count: int


def _components(
    label: npt.NDArray[np.float64], score: F64, member: npt.NDArray[np.int64]
) -> _Components:
    event = label > 0
    high, low = score[event], score[~event]
    if not len(high) or not len(low):
        raise ValueError("a comparison needs rows with and without the outcome")
    area = Ranking(label, score).auroc()
    # The share of non-events below each event, and of events above each non-event.
    sorted_low, sorted_high = np.sort(low), np.sort(high)
    below = _midrank(sorted_low, high) / len(low)
    above = 1 - _midrank(sorted_high, low) / len(high)
    clusters = int(member.max()) + 1

    def summed(values: F64, rows: npt.NDArray[np.bool_]) -> F64:
        total = np.bincount(member[rows], weights=values - area, minlength=clusters)
        return total.astype(np.float64)

    return _Components(
        area,
        summed(below, event),
        summed(above, ~event),
        len(np.unique(member[event])),
        len(np.unique(member[~event])),
        len(high),
        len(low),
    )


def _midrank(ordered: F64, values: F64) -> F64:
    """How many of `ordered` lie below each value, ties half."""
    left = np.searchsorted(ordered, values, "left").astype(np.float64)
    right = np.searchsorted(ordered, values, "right").astype(np.float64)
    return (left + right) / 2


def _covariance(a: _Components, b: _Components) -> float:
    m, n = a.event_count, a.other_count

    def corrected(clusters: int) -> float:
        return clusters / (clusters - 1) if clusters > 1 else 1.0

    clusters = len(a.events)
    events = corrected(a.event_clusters) * float((a.events * b.events).sum()) / m**2
    others = corrected(a.other_clusters) * float((a.others * b.others).sum()) / n**2
    mixed = float((a.events * b.others).sum() + (a.others * b.events).sum()) / (m * n)
    return events + others + corrected(clusters) * mixed
