"""Measures of rankings, with intervals by bootstrap over questions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SAMPLES = 2000
SEED = 20260101


class Measure(NamedTuple):
    """A mean over questions with its 95 % interval by percentile bootstrap (Efron 1979)."""

    value: float
    low: float
    high: float


def measured(values: Sequence[float]) -> Measure:
    """The mean of one value a question; raises `ValueError` where there is none.

    >>> measured([1.0, 1.0, 1.0])
    Measure(value=1.0, low=1.0, high=1.0)
    """
    if not len(values):
        raise ValueError("no question was asked; there is nothing to measure")
    column = np.asarray(values, np.float64)
    drawn = np.random.default_rng(SEED).integers(0, len(column), (SAMPLES, len(column)))
    low, high = np.quantile(column[drawn].mean(axis=1), (0.025, 0.975))
    return Measure(float(column.mean()), float(low), float(high))


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Measure:
    """The mean paired difference: ours beats theirs where the whole interval lies above 0."""
    return measured([one - other for one, other in zip(ours, theirs, strict=True)])


Ranked = Sequence[int]
"""What was returned, best first."""


def recall_at(k: int) -> Callable[[Ranked, set[int]], float]:
    """The share of the relevant that stands among the first `k`."""
    return lambda ranked, relevant: len(relevant.intersection(ranked[:k])) / len(relevant)


def reciprocal_rank(ranked: Ranked, relevant: set[int]) -> float:
    """1 / rank of the first relevant; 0 where none was returned.

    >>> reciprocal_rank([5, 7], {7})
    0.5
    """
    return next((1.0 / rank for rank, one in enumerate(ranked, 1) if one in relevant), 0.0)


def ndcg(ranked: Ranked, relevant: set[int]) -> float:
    """Normalized discounted cumulative gain of what was returned, each relevant one gaining 1.

    Järvelin and Kekäläinen, 'Cumulated gain-based evaluation of IR techniques', 2002.
    """
    gains = [1.0 / math.log2(rank + 1) for rank, one in enumerate(ranked, 1) if one in relevant]
    best = sum(1.0 / math.log2(rank + 1) for rank in range(1, min(len(relevant), len(ranked)) + 1))
    return sum(gains) / best if best else 0.0


def precision(ranked: Ranked, relevant: set[int]) -> float:
    """The share of what was returned that is relevant; 0 where nothing was."""
    return sum(one in relevant for one in ranked) / len(ranked) if ranked else 0.0
