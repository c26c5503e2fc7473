"""A made-up feature table with a known risk, small enough to fit in a second."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from predictor.metrics import expit
from predictor.schema import Column, FeatureTable

COLUMNS = (
    Column("age", "structured"),
    Column("sodium", "structured", clock="labs"),
    Column("service", "structured", "category"),
    Column("frail", "notes", clock="notes"),
    Column("documented pairs", "graph"),
    Column("noise", "structured"),
)
NOON = datetime(2020, 1, 1, 12)


def made_table(patients: int = 900, seed: int = 0) -> tuple[FeatureTable, np.ndarray]:
    """Rows (one or two a patient) and their true risks."""
    rng = np.random.default_rng(seed)
    patient = np.concatenate([np.arange(patients), np.arange(0, patients, 4)])
    n = len(patient)
    age, sodium, noise = rng.normal(65, 12, n), rng.normal(138, 4, n), rng.normal(0, 1, n)
    service = rng.choice(["MED", "SURG", "CARD"], n, p=[0.6, 0.3, 0.1])
    frail, pairs = (rng.random(n) < 0.3) * 1.0, rng.poisson(0.4, n) * 1.0
    logit = -2.2 + 0.05 * (age - 65) - 0.12 * (sodium - 138) + 1.1 * frail + 0.8 * pairs
    risk = expit(logit + np.where(service == "CARD", 0.8, 0.0))
    label = (rng.random(n) < risk).astype(np.int8)
    times = [NOON + timedelta(days=100 * int(k >= patients)) for k in range(n)]
    table = pa.table(
        {
            "subject_id": [f"p{p:05d}" for p in patient],
            "stay_id": [f"s{k:05d}" for k in range(n)],
            "prediction_time": pa.array(times, pa.timestamp("us")),
            "label": pa.array(label, pa.int8()),
            "age": age,
            "sodium": pa.array(np.where(rng.random(n) < 0.2, np.nan, sodium), from_pandas=True),
            "service": service.tolist(),
            "frail": frail,
            "documented pairs": pairs,
            "noise": noise,
            "clock labs": pa.array(times, pa.timestamp("us")),
            "clock notes": pa.array(times, pa.timestamp("us")),
        }
    )
    made = FeatureTable.make("made", COLUMNS, table)
    order = np.argsort(np.array(table["subject_id"].to_pylist()), kind="stable")
    return made, risk[order]
