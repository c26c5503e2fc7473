"""Boosted trees, grown by LightGBM and kept as the bit masks that `precision` evaluates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ontologies.precision import LEAVES, Trees

Bool = npt.NDArray[np.bool_]
Columns = Mapping[str, npt.NDArray[np.generic]]

PARAMETERS: Final = {
    "objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.15, "min_data_in_leaf": 40,
    "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0,
    "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
_ROUNDS: Final = 80
_MOST_FEATURES: Final = 40
"""Features beyond the forty that gain most cost time and change nothing that can be measured."""


def fit(views: Sequence[Columns], right: Bool, use: Bool) -> Trees:
    """Trees that tell right candidates from wrong ones, over the features that help most.

    `views` are the columns of the same candidates as they look with more and with less known.
    """
    first = _grow(views, right, use)
    gains = first.feature_importance("gain")
    best = sorted(np.argsort(-gains, kind="stable")[:_MOST_FEATURES].tolist())
    names = [tuple(views[0])[feature] for feature in best]
    chosen = [{name: view[name] for name in names} for view in views]
    grown = _grow(chosen, right, use).dump_model()["tree_info"]
    return masked_trees(tuple(names), [tree["tree_structure"] for tree in grown])


def _grow(views: Sequence[Columns], right: Bool, use: Bool) -> Any:
    import lightgbm

    stacked = [np.column_stack([np.asarray(c)[use] for c in view.values()]) for view in views]
    matrix = np.concatenate(stacked).astype(np.float64)
    data = lightgbm.Dataset(matrix, np.tile(right[use].astype(int), len(views)))
    return lightgbm.train(dict(PARAMETERS), data, _ROUNDS)


_Test = tuple[int, float, int, int]
"""Feature, threshold, and the leaves (low, high) that a value above the threshold excludes."""


def _walk(
    node: Mapping[str, Any],
    first: int,
    tests: list[_Test],
    leaves: list[float],
) -> int:
    """Number the leaves of a node from `first` on, from left to right; gives the next number."""
    if "split_feature" not in node:
        leaves.append(node["leaf_value"])
        return first + 1
    middle = _walk(node["left_child"], first, tests, leaves)
    tests.append((node["split_feature"], node["threshold"], first, middle))
    return _walk(node["right_child"], middle, tests, leaves)


def masked_trees(names: tuple[str, ...], structures: Sequence[Mapping[str, Any]]) -> Trees:
    """Trees as LightGBM dumps them, as masks. Features that no tree asks for are left out."""
    leaves = np.zeros((len(structures), LEAVES), dtype=np.float32)
    tests: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for tree, structure in enumerate(structures):
        found: list[_Test] = []
        values: list[float] = []
        _walk(structure, 0, found, values)
        leaves[tree, : len(values)] = values
        for feature, threshold, low, high in found:
            tests[feature].append((threshold, tree, (1 << high) - (1 << low)))
    used = sorted(tests)
    limits = [sorted({threshold for threshold, _, _ in tests[feature]}) for feature in used]
    masks = [
        _masks(tests[f], known, len(structures)) for f, known in zip(used, limits, strict=True)
    ]
    return Trees(
        tuple(names[feature] for feature in used),
        np.array([limit for known in limits for limit in known], dtype=np.float64),
        np.cumsum([0, *map(len, limits)]),
        np.concatenate([np.zeros((0, len(structures)), dtype=np.uint16), *masks]),
        leaves,
    )


def _masks(
    tests: list[tuple[float, int, int]], limits: list[float], trees: int
) -> npt.NDArray[np.uint16]:
    """The leaves left in every tree (columns) for a value in each bin between limits (rows)."""
    everything = (1 << LEAVES) - 1
    masks = np.full((len(limits) + 1, trees), everything, dtype=np.uint16)
    for threshold, tree, excluded in tests:
        masks[limits.index(threshold) + 1 :, tree] &= np.uint16(everything & ~excluded)
    return masks
