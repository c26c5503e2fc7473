"""Which features have any support in training rows: what tells nothing alone is noise to a model.

Of a thousand measurements, findings and edges most say nothing of one outcome, and a model of few
events learns from their chance patterns. A feature is kept where the outcome goes with it, or with
its square, beyond chance (Fan & Lv 2008: sure independence screening). Learned from training rows
alone, like everything that is fitted. Pairs of concepts that articles say do harm together are
rare, and have support from elsewhere: families of features are to be tested apart (Efron 2008).
"""

from __future__ import annotations

import numpy as np

from predictor.encode import Encoder
from predictor.metrics import F64, I8
from predictor.schema import PAIR, FeatureTable


def supported(
    table: FeatureTable, label: I8, least: float, *, documented: bool = False
) -> FeatureTable:
    """The table with the features whose |z| with the outcome is at least `least`.

    z is the correlation times the root of the number of rows, the greatest over a feature's columns
    (missingness and each category are columns) and the squares of numbers. Where no feature has
    that much support all are kept. With `documented` a feature of a pair that articles say does
    harm (`schema.PAIR`) needs no support in the rows.
    """
    encoder = Encoder.fit(table)
    columns = encoder.linear(table)
    strength = np.fmax(_scores(columns, label), _scores(columns**2, label))
    kept = {
        name
        for name, one in zip(encoder.linear_names, strength.tolist(), strict=True)
        if one >= least
    }
    if kept and documented:
        kept |= {name for name in encoder.names if name.startswith(PAIR)}
    return table.only(kept or set(encoder.names))


def _scores(columns: F64, label: I8) -> F64:
    """|z| of each column (rows, columns); 0 for one that does not vary."""
    n, outcome = len(label), label - label.mean()
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) * (outcome**2).sum())
    z: F64 = np.abs(
        np.divide(centred.T @ outcome, spread, out=np.zeros(len(spread)), where=spread > 1e-12)
    ) * np.sqrt(n)
    return z
