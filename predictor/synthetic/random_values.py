"""Trajectories of measured values: patient, stay, severity and its recovery, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor.synthetic.items import Lab, Vital

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
RECOVERY_DAYS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """When something was measured: `stay` is an index, times in seconds, ordered by stay and time.

    `values` has a column for each measurement, NaN where it was not made.
    """

    stay: I64
    time: I64
    known: I64
    values: F64

    def last(self, stays: int, cut: I64) -> F64:
        """The last value of each measurement known by each stay's cut, NaN where there is none.

        Shape (stays, measurements).
        """
        found = np.full((stays, self.values.shape[1]), np.nan)
        fits = self.known <= cut[self.stay]
        for column in range(self.values.shape[1]):
            rows = np.flatnonzero(fits & ~np.isnan(self.values[:, column]))
            found[self.stay[rows], column] = self.values[rows, column]
        return found

    def mean(self, stays: int, cut: I64) -> F64:
        """The mean of the values known by each stay's cut, NaN where there is none."""
        found = np.full((stays, self.values.shape[1]), np.nan)
        fits = self.known <= cut[self.stay]
        for column in range(self.values.shape[1]):
            rows = np.flatnonzero(fits & ~np.isnan(self.values[:, column]))
            count = np.bincount(self.stay[rows], minlength=stays)
            total = np.bincount(self.stay[rows], weights=self.values[rows, column], minlength=stays)
            seen = count > 0
            found[seen, column] = total[seen] / count[seen]
        return found


def trajectories(
    specs: Sequence[Lab | Vital], stay: I64, day: F64, severity: F64,
    patient: F64, rng: np.random.Generator,
) -> F64:  # fmt: skip
    """Values for each draw and measurement, rounded as they are reported.

    `severity` and `patient` (standard normal, one column a measurement) are per stay; `day` is the
    day of each draw from admission.
    """
    stays = len(severity)
    fading = np.exp(-day / RECOVERY_DAYS)
    made = np.empty((len(stay), len(specs)))
    for column, spec in enumerate(specs):
        own = spec.patient * patient[:, column] + spec.stay * rng.standard_normal(stays)
        value = spec.mean + own[stay] + spec.severe * (severity[stay] * (0.4 + 0.6 * fading))
        value += spec.noise * rng.standard_normal(len(stay))
        if isinstance(spec, Lab) and spec.log:
            value = np.exp(value)
        made[:, column] = np.round(np.clip(value, spec.least, spec.most), spec.decimals)
    return made


def ordered(
    specs: tuple[Lab, ...], stay: I64, severity: F64, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Which tests of which draws were made: seldom all, more in who is severely ill."""
    made = np.empty((len(stay), len(specs)), dtype=bool)
    for column, spec in enumerate(specs):
        base = np.log(spec.ordered / (1 - spec.ordered))
        share = 1 / (1 + np.exp(-(base + spec.more * severity)))
        wanted = rng.random(len(severity)) < share
        made[:, column] = wanted[stay] & (rng.random(len(stay)) < 0.93)
    return made
