"""Balanced random forest (Chen, Liaw & Breiman 2004), kept as plain arrays.

Each tree sees as many rows with as without the outcome, so its probabilities are those of a world
where both are equally common: they rank, and need calibration before they are risks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from predictor.encode import Encoder
from predictor.metrics import log_loss
from predictor.model import F64, I8, Labelled, Settings, Tuned, encoder_of, shares
from predictor.schema import FeatureTable

_LEAF: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class FittedForest:
    """Nodes of all trees behind each other; `roots` are the first of each tree.

    At a node rows go to `left` where the feature is at most `threshold`, else to `right`; a leaf
    has feature -1 and the share of rows with the outcome in `value`.
    """

    encoder: Encoder
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: F64
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: F64
    impurity: F64
    kind: ClassVar[str] = "balanced_forest"

    def predict_proba(self, table: FeatureTable) -> F64:
        matrix = self.encoder.linear(table).astype(np.float32)
        total = np.zeros(len(matrix))
        rows = np.arange(len(matrix))
        for root in self.roots.tolist():
            node = np.full(len(matrix), root, dtype=np.int32)
            inner = rows
            while len(inner := inner[self.feature[node[inner]] != _LEAF]):
                at = node[inner]
                goes_left = matrix[inner, self.feature[at]] <= self.threshold[at]
                node[inner] = np.where(goes_left, self.left[at], self.right[at])
            total += self.value[node]
        return total / len(self.roots)

    def importance(self) -> dict[str, float]:
        return shares(self.impurity, self.encoder.linear_names)

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {name: getattr(self, name) for name in _ARRAYS}
        save_file(arrays, folder / "forest.safetensors")


_ARRAYS: Final = ("roots", "feature", "threshold", "left", "right", "value", "impurity")


class BalancedForest:
    """imbalanced-learn's balanced random forest."""

    name = "balanced_forest"
    candidates: tuple[Settings, ...] = ({"trees": 300, "least": 5}, {"trees": 300, "least": 20})

    def fit(
        self, table: FeatureTable, label: I8, settings: Settings, *, seed: int, threads: int = 1
    ) -> FittedForest:
        from imblearn.ensemble import BalancedRandomForestClassifier

        encoder = Encoder.fit(table)
        forest = BalancedRandomForestClassifier(
            n_estimators=int(settings["trees"]),
            min_samples_leaf=int(settings["least"]),
            max_features="sqrt",
            sampling_strategy="all",
            replacement=True,
            bootstrap=False,
            random_state=seed,
            n_jobs=threads,
        )
        forest.fit(encoder.linear(table).astype(np.float32), label)
        return FittedForest(encoder, **_arrays(forest))

    def tune(
        self, train: Labelled, valid: Labelled, settings: Settings, *, seed: int, threads: int = 1
    ) -> Tuned:
        from predictor.calibrate import Calibrator

        predicted = self.fit(*train, settings, seed=seed, threads=threads).predict_proba(valid[0])
        # Balanced trees predict far too high: settings are compared by what they rank.
        return Tuned(settings, log_loss(valid[1], Calibrator.fit(valid[1], predicted)(predicted)))

    def load(self, folder: Path) -> FittedForest:
        from safetensors.numpy import load_file

        arrays = load_file(folder / "forest.safetensors")
        return FittedForest(encoder_of(folder), **{name: arrays[name] for name in _ARRAYS})


def _arrays(forest: Any) -> dict[str, npt.NDArray[Any]]:
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _ARRAYS[:-1]}
    offset = 0
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        leaf = tree.children_left < 0
        parts["roots"].append(np.array([offset], dtype=np.int32))
        parts["feature"].append(np.where(leaf, _LEAF, tree.feature).astype(np.int32))
        parts["threshold"].append(tree.threshold)
        parts["left"].append((tree.children_left + offset).astype(np.int32))
        parts["right"].append((tree.children_right + offset).astype(np.int32))
        events = tree.value[:, 0, -1] / tree.value[:, 0, :].sum(axis=1)
        parts["value"].append(events)
        offset += tree.node_count
    joined = {name: np.concatenate(part) for name, part in parts.items()}
    return joined | {"impurity": np.asarray(forest.feature_importances_, dtype=np.float64)}
