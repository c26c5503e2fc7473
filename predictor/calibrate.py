"""Logistic recalibration (Platt 1999, Cox 1958) of probabilities, in log odds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from predictor.metrics import F64, I8, Calibration, calibration, expit, fit_logistic, log_odds


class CalibrationError(ValueError):
    """Predictions that cannot be calibrated, since one outcome does not occur among them."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Two numbers, fitted on predictions of rows that their model was not fitted on.

    A slope of 0 gives every row the prevalence: what is known where predictions do not rank.
    """

    intercept: float
    slope: float

    @classmethod
    def fit(cls, label: I8, probability: F64) -> Calibrator:
        """Raises `CalibrationError` where one of the two outcomes does not occur.

        Predictions that are all equal, or that rank the wrong way round, get the slope 0: turned
        round, they would hide that nothing was learned.
        """
        events = int(label.sum())
        if not 0 < events < len(label):
            raise CalibrationError(
                f"{events} of {len(label)} rows have the outcome: no calibration"
            )
        intercept, slope = fit_logistic(label, log_odds(probability))
        if not slope > 0:
            return cls(math.log(events / (len(label) - events)), 0.0)
        return cls(intercept, slope)

    @property
    def ranks(self) -> bool:
        """Whether the predictions ranked the outcome at all."""
        return self.slope > 0

    def __call__(self, probability: F64) -> F64:
        """Calibrated probabilities (n,)."""
        return expit(self.intercept + self.slope * log_odds(probability))


def before_and_after(
    label: I8, raw: F64, calibrator: Calibrator
) -> tuple[Calibration, Calibration]:
    """Intercept and slope of raw and of recalibrated predictions on the same rows."""
    return calibration(label, raw), calibration(label, calibrator(raw))
