"""Boosted trees: LightGBM (the default) and XGBoost; tuning chooses the number of rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from predictor.encode import Encoder
from predictor.metrics import log_loss
from predictor.model import F64, I8, Labelled, Settings, Tuned, encoder_of, shares
from predictor.schema import FeatureTable

MOST_ROUNDS: Final = 1000
PATIENCE: Final = 40
"""Boosting stops where the loss on rows not fitted on has not fallen for `PATIENCE` rounds."""

_CANDIDATES: Final[tuple[Settings, ...]] = (
    {"leaves": 7, "rate": 0.05, "least": 60, "features": 0.3, "ridge": 10.0},
    {"leaves": 4, "rate": 0.08, "least": 60, "features": 0.2, "ridge": 30.0},
    {"leaves": 31, "rate": 0.02, "least": 80, "features": 0.3, "ridge": 30.0},
)


@dataclass(frozen=True, slots=True, eq=False)
class FittedLightGBM:
    encoder: Encoder
    booster: Any
    kind: ClassVar[str] = "lightgbm"

    def predict_proba(self, table: FeatureTable) -> F64:
        matrix = self.encoder.trees(table)
        predicted = self.booster.predict(matrix, num_threads=1) if len(table) else np.zeros(0)
        return np.asarray(predicted, dtype=np.float64)

    def contributions(self, table: FeatureTable) -> F64:
        """(rows, features): what each feature adds to the log odds (TreeSHAP, Lundberg 2020)."""
        given = self.booster.predict(self.encoder.trees(table), pred_contrib=True, num_threads=1)
        return np.asarray(given, dtype=np.float64)[:, :-1]

    def importance(self) -> dict[str, float]:
        return shares(self.booster.feature_importance("gain"), self.encoder.names)

    def save(self, folder: Path) -> None:
        text = self.booster.model_to_string()
        (folder / "lightgbm.txt").write_text(text, encoding="utf-8")


class LightGBM:
    """LightGBM on one thread, row-wise and deterministic: the same model each time."""

    name = "lightgbm"
    candidates = _CANDIDATES

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedLightGBM:
        import lightgbm

        encoder = Encoder.fit(table)
        data = _lightgbm_data(encoder, table, label)
        rounds = int(settings.get("rounds", 200))
        booster = lightgbm.train(_lightgbm(settings, seed, threads), data, rounds)
        return FittedLightGBM(encoder, booster)

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        import lightgbm

        encoder = Encoder.fit(train[0])
        booster = lightgbm.train(
            _lightgbm(settings, seed, threads),
            _lightgbm_data(encoder, *train),
            MOST_ROUNDS,
            valid_sets=[_lightgbm_data(encoder, *valid)],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        loss = float(booster.best_score["valid_0"]["binary_logloss"])
        return Tuned({**settings, "rounds": booster.best_iteration}, loss)

    def load(self, folder: Path) -> FittedLightGBM:
        import lightgbm

        text = (folder / "lightgbm.txt").read_text(encoding="utf-8")
        return FittedLightGBM(encoder_of(folder), lightgbm.Booster(model_str=text))


def _lightgbm(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "num_leaves": int(settings["leaves"]),
        "learning_rate": settings["rate"],
        "min_data_in_leaf": int(settings["least"]),
        "feature_fraction": settings["features"],
        "lambda_l2": settings["ridge"],
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "cat_smooth": 20,
        "min_data_per_group": 50,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "seed": seed,
        "verbosity": -1,
    }


def _lightgbm_data(encoder: Encoder, table: FeatureTable, label: I8) -> Any:
    import lightgbm

    return lightgbm.Dataset(
        encoder.trees(table),
        label,
        feature_name=[f"f{place}" for place in range(len(encoder.names))],
        categorical_feature=encoder.categorical,
        params={"max_bin": 127, "verbosity": -1},
        free_raw_data=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class FittedXGBoost:
    encoder: Encoder
    booster: Any
    kind: ClassVar[str] = "xgboost"

    def predict_proba(self, table: FeatureTable) -> F64:
        if not len(table):
            return np.zeros(0)
        return np.asarray(
            self.booster.predict(_xgboost_data(self.encoder, table)), dtype=np.float64
        )

    def importance(self) -> dict[str, float]:
        gains: Mapping[str, float] = self.booster.get_score(importance_type="total_gain")
        used = [gains.get(f"f{place}", 0.0) for place in range(len(self.encoder.names))]
        return shares(used, self.encoder.names)

    def save(self, folder: Path) -> None:
        (folder / "xgboost.json").write_bytes(bytes(self.booster.save_raw("json")))


class XGBoost:
    """XGBoost's histogram trees on stated threads."""

    name = "xgboost"
    candidates = _CANDIDATES

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedXGBoost:
        import xgboost

        encoder = Encoder.fit(table)
        rounds = int(settings.get("rounds", 200))
        data = _xgboost_data(encoder, table, label)
        return FittedXGBoost(
            encoder, xgboost.train(_xgboost(settings, seed, threads), data, rounds)
        )

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        import xgboost

        encoder = Encoder.fit(train[0])
        booster = xgboost.train(
            _xgboost(settings, seed, threads),
            _xgboost_data(encoder, *train),
            MOST_ROUNDS,
            evals=[(_xgboost_data(encoder, *valid), "valid")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        rounds = booster.best_iteration + 1
        predicted = booster.predict(
            _xgboost_data(encoder, valid[0]), iteration_range=(0, rounds)
        ).astype(np.float64)
        return Tuned({**settings, "rounds": rounds}, log_loss(valid[1], predicted))

    def load(self, folder: Path) -> FittedXGBoost:
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(bytearray((folder / "xgboost.json").read_bytes()))
        return FittedXGBoost(encoder_of(folder), booster)


def _xgboost(settings: Settings, seed: int, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_depth": 0,
        "max_leaves": int(settings["leaves"]),
        "eta": settings["rate"],
        "min_child_weight": settings["least"] / 10,
        "colsample_bytree": settings["features"],
        "lambda": settings["ridge"],
        "subsample": 0.8,
        "max_bin": 128,
        "nthread": threads,
        "seed": seed,
        "verbosity": 0,
    }


def _xgboost_data(encoder: Encoder, table: FeatureTable, label: I8 | None = None) -> Any:
    import xgboost

    kinds = ["q"] * len(encoder.numbers) + ["c"] * len(encoder.categories)
    return xgboost.DMatrix(
        encoder.trees(table),
        label=label,
        feature_names=[f"f{place}" for place in range(len(kinds))],
        feature_types=kinds,
        enable_categorical=True,
        nthread=1,
    )
