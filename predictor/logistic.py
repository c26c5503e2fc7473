"""Penalized logistic regression on scaled columns, kept as its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from predictor.encode import Encoder
from predictor.metrics import expit, log_loss
from predictor.model import F64, I8, Labelled, Settings, Tuned, encoder_of, shares
from predictor.schema import FeatureTable

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True, slots=True, eq=False)
class FittedLogistic:
    """`weights` (columns,) of the encoder's linear form, and the intercept, in log odds.

    `centre` (columns,) are the means of the columns in training: contributions start from there.
    """

    encoder: Encoder
    weights: F64
    intercept: float
    centre: F64
    kind: ClassVar[str] = "logistic"

    def predict_proba(self, table: FeatureTable) -> F64:
        return expit(self.encoder.linear(table) @ self.weights + self.intercept)

    def contributions(self, table: FeatureTable) -> F64:
        """(rows, features): what each feature adds to the mean log odds, over all its columns."""
        each = (self.encoder.linear(table) - self.centre) * self.weights
        place = {name: at for at, name in enumerate(self.encoder.names)}
        summed = np.zeros((len(table), len(place)))
        for at, name in enumerate(self.encoder.linear_names):
            summed[:, place[name]] += each[:, at]
        return summed

    def importance(self) -> dict[str, float]:
        return shares(np.abs(self.weights), self.encoder.linear_names)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {
            "weights": self.weights,
            "intercept": np.array([self.intercept]),
            "centre": self.centre,
        }
        save_file(arrays, folder / "logistic.safetensors")


class Logistic:
    """scikit-learn's logistic regression: with a ridge, or with a lasso (Tibshirani 1996).

    `penalty` is its strength. The ridge keeps every feature a little, the lasso leaves out those
    that tell nothing: which of them is better depends on how many features matter.
    """

    name = "logistic"
    candidates: tuple[Settings, ...] = (
        {"penalty": 1000.0, "lasso": 0.0},
        *({"penalty": penalty, "lasso": 1.0} for penalty in (30.0, 60.0)),
    )

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedLogistic:
        encoder = Encoder.fit(table)
        columns = encoder.linear(table)
        model = _regression(settings, seed)
        model.fit(columns, label)
        return FittedLogistic(
            encoder,
            model.coef_[0].astype(np.float64),
            float(model.intercept_[0]),
            columns.mean(axis=0),
        )

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        fitted = self.fit(*train, settings, seed=seed, threads=threads)
        return Tuned(settings, log_loss(valid[1], fitted.predict_proba(valid[0])))

    def load(self, folder: Path) -> FittedLogistic:
        from safetensors.numpy import load_file

        arrays = load_file(folder / "logistic.safetensors")
        return FittedLogistic(
            encoder_of(folder), arrays["weights"], float(arrays["intercept"][0]), arrays["centre"]
        )


def _regression(settings: Settings, seed: int) -> LogisticRegression:
    """The regression of some settings; the lasso's intercept is hardly penalized."""
    from sklearn.linear_model import LogisticRegression

    strength = 1 / settings["penalty"]
    if not settings.get("lasso"):
        return LogisticRegression(C=strength, max_iter=1000, tol=1e-6)
    return LogisticRegression(
        C=strength, l1_ratio=1, solver="liblinear", intercept_scaling=10, max_iter=1000, tol=1e-5,
        random_state=seed,
    )  # fmt: skip
