"""The model's two layers: evidence against counts by hand, trees against LightGBM's own answer."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ontologies.boosting import PARAMETERS, masked_trees
from ontologies.features import KEYS, Features
from ontologies.lexicon import KINDS
from ontologies.precision import (
    PRIOR,
    STRENGTH,
    Evidence,
    Precision,
    WeightsError,
    family_keys,
    log_odds,
    weights_digest,
)


def test_log_odds_by_hand() -> None:
    expected = math.log((3 + STRENGTH * PRIOR) / (1 + STRENGTH * (1 - PRIOR)))
    assert log_odds(np.array([3.0]), np.array([1.0]))[0] == pytest.approx(expected)


def evidence_of(counts: dict[tuple[int, int], tuple[float, float]]) -> Evidence:
    """Evidence from {(family, key): (right, wrong)}."""
    salted = {
        int(family_keys(np.array([key], dtype=np.uint64), family)[0]): value
        for (family, key), value in counts.items()
    }
    keys = sorted(salted)
    right, wrong = (np.array([salted[key][side] for key in keys]) for side in (0, 1))
    return Evidence.of_counts(np.array(keys, dtype=np.uint64), right, wrong)


def test_evidence_is_kept_apart_by_family() -> None:
    evidence = evidence_of({(0, 5): (3, 1), (1, 5): (0, 2)})
    keys = tuple(np.array([5, 6], dtype=np.uint64) for _ in KEYS)
    columns = evidence.columns(Features({}, keys), [0, 1, 2])
    unknown = log_odds(np.zeros(1), np.zeros(1))[0]
    first, second = (columns[f"odds: {KEYS[family]}"] for family in (0, 1))
    assert first.tolist() == pytest.approx([log_odds(np.array([3.0]), np.array([1.0]))[0], unknown])
    assert second.tolist() == pytest.approx([log_odds(np.zeros(1), np.array([2.0]))[0], unknown])
    assert columns[f"count: {KEYS[0]}"].tolist() == [4, 0]
    assert columns[f"odds: {KEYS[2]}"].tolist() == pytest.approx([unknown, unknown])


def test_masked_trees_answer_as_lightgbm() -> None:
    lightgbm = pytest.importorskip("lightgbm")
    random = np.random.default_rng(7)
    matrix = random.integers(0, 9, (3000, 5)).astype(float)
    matrix[:, 4] = random.normal(size=3000)
    right = (matrix[:, 0] * matrix[:, 4] + matrix[:, 1] > 4) ^ (random.random(3000) < 0.1)
    data = lightgbm.Dataset(matrix, right.astype(int))
    booster = lightgbm.train(dict(PARAMETERS), data, 30)
    names = ("a", "b", "c", "d", "e")
    trees = masked_trees(names, [t["tree_structure"] for t in booster.dump_model()["tree_info"]])
    columns = dict(zip(names, matrix.T, strict=True))
    raw = booster.predict(matrix, raw_score=True)
    assert trees.raw(columns, len(matrix)) == pytest.approx(raw, abs=1e-5)
    # Exactly on a threshold a value goes left.
    on_edge = np.full((len(trees.thresholds), 5), 4.0)
    on_edge[:, 4] = trees.thresholds
    columns = dict(zip(names, on_edge.T, strict=True))
    raw = booster.predict(on_edge, raw_score=True)
    assert trees.raw(columns, len(on_edge)) == pytest.approx(raw, abs=1e-5)


def small_precision() -> Precision:
    leaf = {"leaf_value": -1.0}, {"leaf_value": 2.0}
    split = {
        "split_feature": 0, "threshold": 1.5, "left_child": leaf[0], "right_child": leaf[1],
    }  # fmt: skip
    other = split | {"left_child": {"leaf_value": 0.5}}
    evidence = evidence_of({(0, 5): (3, 1)})
    trees = tuple(masked_trees(("tokens",), [tree]) for tree in (split, other))
    return Precision(evidence, trees, weights_digest(evidence, trees))


def test_saved_weights_score_alike(tmp_path: Path) -> None:
    precision = small_precision()
    precision.save(tmp_path / "w.npz")
    loaded = Precision.load(tmp_path / "w.npz")
    keys = tuple(np.array([5, 6], dtype=np.uint64) for _ in KEYS)
    given = Features({"tokens": np.array([1, 2])}, keys)
    disease, chemical = KINDS.index("DISO"), KINDS.index("CHEM")
    expected = [1 / (1 + math.exp(1)), 1 / (1 + math.exp(-2))]
    assert loaded.digest == precision.digest
    of = {k: loaded.score(given, np.array([k, k], np.uint8)).tolist() for k in (disease, chemical)}
    assert of[disease] == pytest.approx(expected)
    assert of[chemical] == pytest.approx([1 / (1 + math.exp(-0.5)), expected[1]])


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    small_precision().save(path)
    with np.load(path) as stored:
        arrays = dict(stored) | {"families": np.array(len(KEYS) + 1)}
    np.savez(path, **arrays)
    with pytest.raises(WeightsError, match="train anew"):
        Precision.load(path)
