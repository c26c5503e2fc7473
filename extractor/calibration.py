"""Platt scaling: from a model's log odds to a calibrated probability (Platt 1999)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TINY = 1e-6
_ROUNDS = 50


class CalibrationError(ValueError):
    """Too little to calibrate on: both outcomes must occur."""


@dataclass(frozen=True, slots=True)
class Platt:
    """`probability = 1 / (1 + exp(-(slope * logit + intercept)))`."""

    slope: float
    intercept: float

    def __call__(self, logit: float) -> float:
        return _sigmoid(self.slope * logit + self.intercept)


def fit_platt(logits: Sequence[float], labels: Sequence[int]) -> Platt:
    """Slope and intercept of the greatest likelihood, the targets smoothed as Platt does.

    `logits` must come from models that did not see their rows. Raises `CalibrationError` where
    one of the outcomes does not occur.
    """
    given, outcome = np.asarray(logits, dtype=float), np.asarray(labels, dtype=float)
    events = float(outcome.sum())
    if events in (0, len(outcome)):
        raise CalibrationError(
            f"{events:.0f} of {len(outcome)} development rows have the outcome; "
            "calibration needs both"
        )
    high, low = (events + 1) / (events + 2), 1 / (len(outcome) - events + 2)
    target = np.where(outcome > 0, high, low)
    design = np.column_stack([given, np.ones_like(given)])
    weights = np.array([0.0, math.log(events / (len(outcome) - events))])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (chance - target)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + _TINY * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return Platt(float(weights[0]), float(weights[1]))


def logit(chance: float) -> float:
    """Log odds, finite for every probability."""
    kept = min(max(chance, _TINY), 1 - _TINY)
    return math.log(kept / (1 - kept))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else 1 - 1 / (1 + math.exp(value))
