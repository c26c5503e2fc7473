"""The models behind one `fit` and `predict_proba`, and how they are kept: text and plain arrays.

`KINDS` names them. A kind fits on a feature table with one of its `candidates` (settings to choose
from); what is fitted predicts, says what it used, and saves itself without pickles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from predictor.encode import Encoder
from predictor.schema import FeatureTable

F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
Settings = Mapping[str, float]
Labelled = tuple[FeatureTable, I8]
"""Rows with their labels, 0 or 1."""

FORMAT: Final = 3


class ModelError(ValueError):
    """A saved model that is damaged or of another version, or a model that is not known."""


class Fitted(Protocol):
    """A fitted model. `predict_proba` gives (n,) probabilities of the outcome, uncalibrated."""

    @property
    def kind(self) -> str: ...

    @property
    def encoder(self) -> Encoder: ...

    def predict_proba(self, table: FeatureTable) -> F64: ...

    def importance(self) -> dict[str, float]:
        """How much each feature is used, summing to 1: by gain, impurity or |weight|."""
        ...

    def save(self, folder: Path) -> None:
        """Write what it takes to load it into an existing folder."""
        ...


@runtime_checkable
class Explained(Fitted, Protocol):
    """A fitted model whose log odds are a sum over features."""

    def contributions(self, table: FeatureTable) -> F64:
        """(rows, features): what each of the encoder's features adds to the mean log odds."""
        ...


class Kind(Protocol):
    """A way to fit a model; `candidates` are the settings that tuning chooses from."""

    @property
    def name(self) -> str: ...

    @property
    def candidates(self) -> tuple[Settings, ...]: ...

    def fit(
        self,
        table: FeatureTable,
        label: I8,
        settings: Settings,
        *,
        seed: int,
        threads: int = 1,
    ) -> Fitted:
        """Fit on all rows. The same input, seed and threads give the same model."""
        ...

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        """Fit on one part and measure on the other; may choose a number of rounds."""
        ...

    def load(self, folder: Path) -> Fitted: ...


@dataclass(frozen=True, slots=True)
class Tuned:
    """What settings reached on rows that they were not fitted on; lower `loss` (nats) is better."""

    settings: Settings
    loss: float


def kinds() -> dict[str, Kind]:
    """All kinds of model by name, the default first."""
    from predictor.blend import Blend
    from predictor.boosters import LightGBM, XGBoost
    from predictor.forest import BalancedForest
    from predictor.logistic import Logistic

    known: tuple[Kind, ...] = (
        Blend(), LightGBM(), XGBoost(), BalancedForest(), Logistic(),
    )  # fmt: skip
    return {kind.name: kind for kind in known}


def kind_named(name: str) -> Kind:
    """The kind of a name; `ModelError` names those that there are."""
    known = kinds()
    if name not in known:
        raise ModelError(f"{name!r} is no model; known are {', '.join(known)}")
    return known[name]


def save_model(fitted: Fitted, folder: Path) -> None:
    """Write a fitted model into a new folder: its kind, its encoder and its parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"format": FORMAT, "kind": fitted.kind, "encoder": fitted.encoder.to_json()}
    (folder / "model.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    fitted.save(folder)


def load_model(folder: Path) -> Fitted:
    """A model as `save_model` wrote it; `ModelError` names what is wrong with the folder."""
    return kind_named(told_of(folder)["kind"]).load(folder)


def told_of(folder: Path) -> dict[str, Any]:
    """What `model.json` says; `ModelError` where it is missing or of another version."""
    path = folder / "model.json"
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: no saved model ({error}); train again") from error
    if value.get("format") != FORMAT:
        raise ModelError(f"{path}: format {value.get('format')}, expected {FORMAT}; train again")
    return value


def encoder_of(folder: Path) -> Encoder:
    return Encoder.of_json(told_of(folder)["encoder"])


def shares(weights: npt.ArrayLike, names: tuple[str, ...]) -> dict[str, float]:
    """Non-negative weights summed by name, as shares of all, the largest first, ties by name."""
    values = np.asarray(weights, dtype=np.float64)
    total = float(values.sum()) or 1.0
    by_name = dict.fromkeys(names, 0.0)
    for name, value in zip(names, (values / total).tolist(), strict=True):
        by_name[name] += value
    return dict(sorted(by_name.items(), key=lambda pair: (-pair[1], pair[0])))
