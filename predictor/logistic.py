"""Ridge logistic regression on scaled columns, kept as its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from predictor.encode import Encoder
from predictor.metrics import expit, log_loss
from predictor.model import F64, I8, Settings, Tuned, encoder_of, shares
from predictor.schema import FeatureTable


@dataclass(frozen=True, slots=True, eq=False)
class FittedLogistic:
    """`weights` (columns,) of the encoder's linear form, and the intercept, in log odds."""

    encoder: Encoder
    weights: F64
    intercept: float
    kind: ClassVar[str] = "logistic"

    def predict_proba(self, table: FeatureTable) -> F64:
        return expit(self.encoder.linear(table) @ self.weights + self.intercept)

    def importance(self) -> dict[str, float]:
        return shares(np.abs(self.weights), self.encoder.linear_names)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {"weights": self.weights, "intercept": np.array([self.intercept])}
        save_file(arrays, folder / "logistic.safetensors")


class Logistic:
    """scikit-learn's logistic regression; `penalty` is the strength of the ridge."""

    name = "logistic"
    candidates: tuple[Settings, ...] = ({"penalty": 100.0}, {"penalty": 10.0}, {"penalty": 1000.0})

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedLogistic:
        from sklearn.linear_model import LogisticRegression

        encoder = Encoder.fit(table)
        model = LogisticRegression(C=1 / settings["penalty"], max_iter=1000, tol=1e-6)
        model.fit(encoder.linear(table), label)
        return FittedLogistic(
            encoder, model.coef_[0].astype(np.float64), float(model.intercept_[0])
        )

    def tune(
        self,
        train: tuple[FeatureTable, I8],
        valid: tuple[FeatureTable, I8],
        settings: Settings,
        *,
        seed: int,
        threads: int = 1,
    ) -> Tuned:
        fitted = self.fit(*train, settings, seed=seed, threads=threads)
        return Tuned(settings, log_loss(valid[1], fitted.predict_proba(valid[0])))

    def load(self, folder: Path) -> FittedLogistic:
        from safetensors.numpy import load_file

        arrays = load_file(folder / "logistic.safetensors")
        return FittedLogistic(encoder_of(folder), arrays["weights"], float(arrays["intercept"][0]))
