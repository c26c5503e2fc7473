"""Does one feature carry the model? What a small model loses without the one that it uses most.

An honest feature is one of many that tell how ill a patient is, and the others make up for most of
it. What follows from the outcome (an order not to resuscitate) tells what no other feature does:
without it the model falls back, though alone it may rank no better than an honest score.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.intervals import compare_auroc
from predictor.leakage import Measured, NotRun
from predictor.probes import LEAST_EVENTS, PROBE, ROUNDS, out_of_fold
from predictor.schema import FeatureError, FeatureTable

CHECK: Final = "reliance on one feature"
LIMIT: Final = 0.04
EXPECTED: Final = 0.02
FEWEST: Final = 20
"""AUROC that one feature may add to all others, and that it adds in honest tables (0.017 in
SUPPORT2, where an order not to resuscitate adds 0.075 and the mean intensity of treatment 0.052).
With fewer features than `FEWEST` others cannot be expected to make up for one."""


def reliance(
    table: FeatureTable, fold: npt.NDArray[np.int64], limit: float = LIMIT, *, seed: int = 0
) -> Measured | NotRun:
    """How much the AUROC falls, out of fold, where the most used feature is left out."""
    events = int(table.labels.sum())
    if min(events, len(table) - events) < LEAST_EVENTS:
        return NotRun(CHECK, f"{events} of {len(table)} rows have the outcome: too few to measure")
    if len(table.columns) < FEWEST:
        return NotRun(CHECK, f"of {len(table.columns)} features one may well carry the model")
    try:
        most = most_used(table, seed)
        others = tuple(column for column in table.columns if column.name != most)
        full = out_of_fold(table, table.labels, fold, seed)
        without = out_of_fold(replace(table, columns=others), table.labels, fold, seed)
    except FeatureError as error:
        return NotRun(CHECK, str(error))
    compared = compare_auroc(table.labels, full, without, table.subjects)
    lost = compared.difference
    return Measured(
        CHECK,
        "AUROC lost",
        lost.value,
        (lost.high - lost.low) / (2 * 1.959964),
        limit,
        EXPECTED,
        f"without {most} a small model reaches an AUROC of {compared.second:.3f} instead of "
        f"{compared.first:.3f}, with all {len(others)} other features",
        "find out when this is recorded and by whom; what follows from the outcome must go",
    )


def most_used(table: FeatureTable, seed: int) -> str:
    """The feature with the greatest gain in a small boosted model of all rows."""
    from predictor.boosters import LightGBM

    fitted = LightGBM().fit(table, table.labels, {**PROBE, "rounds": ROUNDS}, seed=seed)
    ((name, _),) = Counter(fitted.importance()).most_common(1)
    return name
