"""Logistic regression and boosted trees together: a weighted mean of their log odds.

Risks that add up are what a regression reads best, thresholds and interactions what trees do. How
much each of the two says is chosen, like their settings, on rows that neither was fitted on.
Features without support in training rows do not enter, but those that articles support may
(`predictor.support`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from predictor.boosters import FittedLightGBM, LightGBM
from predictor.encode import Encoder
from predictor.logistic import FittedLogistic, Logistic
from predictor.metrics import expit, log_loss, log_odds
from predictor.model import F64, I8, Labelled, Settings, Tuned
from predictor.schema import FeatureTable
from predictor.support import supported

WEIGHTS: Final = tuple(step / 10 for step in range(11))
"""Of the regression; what is left to 1 is the trees'."""

TREE_CANDIDATES: Final[tuple[Settings, ...]] = LightGBM.candidates[1:]
"""The trees' candidates of fewest and of most leaves: beside a regression that fits, what is left
for trees is shallow, and where it does not fit they must do all themselves."""

LINEAR: Final = "logistic "
TREES: Final = "lightgbm "
"""How settings of the two are called among those of the blend."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedBlend:
    """Both models and the weight (0 to 1) of the regression's log odds."""

    linear: FittedLogistic
    trees: FittedLightGBM
    weight: float
    kind: ClassVar[str] = "blend"

    @property
    def encoder(self) -> Encoder:
        """That of the trees: both were learned from the same rows and use the same features."""
        return self.trees.encoder

    def predict_proba(self, table: FeatureTable) -> F64:
        return blended(
            self.linear.predict_proba(table), self.trees.predict_proba(table), self.weight
        )

    def contributions(self, table: FeatureTable) -> F64:
        """(rows, features): what each feature adds to the log odds, of both models by weight."""
        linear, trees = self.linear.contributions(table), self.trees.contributions(table)
        return self.weight * linear + (1 - self.weight) * trees

    def importance(self) -> dict[str, float]:
        """Shares of both models, by weight."""
        linear, trees = self.linear.importance(), self.trees.importance()
        both = {
            name: self.weight * linear.get(name, 0.0) + (1 - self.weight) * trees.get(name, 0.0)
            for name in self.encoder.names
        }
        return dict(sorted(both.items(), key=lambda pair: (-pair[1], pair[0])))

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        self.linear.save(folder)
        self.trees.save(folder)
        save_file({"weight": np.array([self.weight])}, folder / "blend.safetensors")


class Blend:
    """A regression and boosted trees, each tuned as it is alone, then weighed."""

    name = "blend"
    candidates: tuple[Settings, ...] = (
        {"support": 3.0, "documented": 0.0},
        {"support": 5.0, "documented": 1.0},
    )

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedBlend:
        table = _supported(table, label, settings)
        linear = Logistic().fit(table, label, _own(settings, LINEAR), seed=seed, threads=threads)
        trees = LightGBM().fit(table, label, _own(settings, TREES), seed=seed, threads=threads)
        return FittedBlend(linear, trees, settings.get("weight", 0.5))

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        train = (_supported(*train, settings), train[1])
        chosen: dict[str, float] = dict(settings)
        predicted = []
        for kind, prefix in ((Logistic(), LINEAR), (LightGBM(), TREES)):
            given = kind.candidates if prefix == LINEAR else TREE_CANDIDATES
            tried = [kind.tune(train, valid, one, seed=seed, threads=threads) for one in given]
            best = min(tried, key=lambda tuned: tuned.loss).settings
            chosen |= {prefix + name: value for name, value in best.items()}
            fitted = kind.fit(*train, best, seed=seed, threads=threads)
            predicted.append(fitted.predict_proba(valid[0]))
        linear, trees = predicted
        losses = [log_loss(valid[1], blended(linear, trees, weight)) for weight in WEIGHTS]
        best_weight = WEIGHTS[int(np.argmin(losses))]
        return Tuned({**chosen, "weight": best_weight}, min(losses))

    def load(self, folder: Path) -> FittedBlend:
        from safetensors.numpy import load_file

        weight = float(load_file(folder / "blend.safetensors")["weight"][0])
        return FittedBlend(Logistic().load(folder), LightGBM().load(folder), weight)


def blended(linear: F64, trees: F64, weight: float) -> F64:
    """Probabilities (n,) whose log odds are the weighted mean of those of both."""
    return expit(weight * log_odds(linear) + (1 - weight) * log_odds(trees))


def _supported(table: FeatureTable, label: I8, settings: Settings) -> FeatureTable:
    """What enters: see `predictor.support`; where nothing is said, all."""
    documented = bool(settings.get("documented", 0.0))
    return supported(table, label, settings.get("support", 0.0), documented=documented)


def _own(settings: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix): value
        for name, value in settings.items()
        if name.startswith(prefix)
    } or dict((Logistic if prefix == LINEAR else LightGBM).candidates[0])
