"""Figures against scikit-learn, hand counts and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.intervals import auroc_error, bootstrap, compare_auroc
from predictor.metrics import (
    Ranking,
    alerts,
    auprc,
    auroc,
    brier,
    calibration,
    calibration_curve,
    decision_curve,
    expit,
    log_odds,
    wilson,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)), min_size=2, max_size=40
)


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_areas_equal_scikit_learn_with_ties_and_weights(rows: list[tuple[int, int, int]]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    label, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    ranking = Ranking(label, score)
    for weights in (None, weight.astype(float)):
        counted = np.ones(len(label)) if weights is None else weights
        if (counted * label).sum() == 0 or (counted * (1 - label)).sum() == 0:
            assert math.isnan(ranking.auroc(weights))
            continue
        used = counted > 0
        expected = roc_auc_score(label[used], score[used], sample_weight=counted[used])
        assert ranking.auroc(weights) == pytest.approx(expected)
        precision = average_precision_score(label[used], score[used], sample_weight=counted[used])
        assert ranking.auprc(weights) == pytest.approx(precision)


def test_scores_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        auroc([0, 1], [0.1, float("nan")])
    assert math.isnan(auprc([0, 0], [0.1, 0.2]))


def test_calibration_finds_the_distortion_that_was_made() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(-1.5, 1.2, 200_000)
    label = (rng.random(len(logit)) < expit(logit)).astype(np.int8)
    fair = calibration(label, expit(logit))
    assert fair.intercept == pytest.approx(0, abs=0.03)
    assert fair.slope == pytest.approx(1, abs=0.03)
    extreme = calibration(label, expit(2 * logit))
    assert extreme.slope == pytest.approx(0.5, abs=0.02)
    high = calibration(label, expit(logit + 0.7))
    assert high.intercept == pytest.approx(-0.7, abs=0.03)


def test_calibration_equals_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    probability = rng.random(500) * 0.8 + 0.1
    label = (rng.random(500) < probability**1.5).astype(np.int8)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds(probability)[:, None], label)
    assert calibration(label, probability).slope == pytest.approx(fitted.coef_[0, 0], rel=1e-4)


def test_calibration_of_one_outcome_or_one_prediction_is_not_defined() -> None:
    assert math.isnan(calibration(np.zeros(5, dtype=np.int8), np.full(5, 0.2)).slope)
    for equal in (0.2, 0.5, 0.123456789):
        label = np.arange(300) % 3 == 0
        found = calibration(label.astype(np.int8), np.full(300, equal), np.arange(300.0))
        assert math.isnan(found.slope)
        assert math.isfinite(found.intercept)


def test_calibration_curve_counts_every_row_once() -> None:
    label = np.array([0, 0, 1, 1, 1, 0, 1], dtype=np.int8)
    curve = calibration_curve(label, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]), bins=3)
    assert [(b.n, round(b.observed, 3)) for b in curve] == [(3, 0.333), (2, 1.0), (2, 0.5)]
    assert all(b.low <= b.observed <= b.high for b in curve)


def test_wilson_by_the_book() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_alerts_by_hand() -> None:
    label = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=np.int8)
    probability = np.array([0.9, 0.8, 0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    (alert,) = alerts(label, probability, rates=(0.2,))
    assert (alert.sensitivity, alert.ppv, alert.threshold) == (0.5, 0.5, 0.8)
    assert alert.specificity == pytest.approx(7 / 8)
    assert alert.lift == pytest.approx(2.5)
    (tied,) = alerts(label, np.full(10, 0.3), rates=(0.5,))
    assert tied.sensitivity == pytest.approx(0.5)


def test_decision_curve_by_hand() -> None:
    label = np.array([1, 0, 0, 0], dtype=np.int8)
    (benefit,) = decision_curve(label, np.array([0.9, 0.5, 0.1, 0.1]), np.array([0.2]))
    assert benefit.model == pytest.approx(1 / 4 - 1 / 4 * 0.25)
    assert benefit.treat_all == pytest.approx(0.25 - 0.75 * 0.25)


def test_delong_equals_the_estimate_by_pairs() -> None:
    """The structural components as DeLong et al. define them, one pair after the other."""
    rng = np.random.default_rng(3)
    label = (rng.random(60) < 0.4).astype(int)
    first, second = label + rng.normal(0, 1, 60), np.round(label + rng.normal(0, 1.5, 60), 1)

    def placements(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        above = [
            [1.0 if x > y else 0.5 if x == y else 0.0 for y in score[label == 0]]
            for x in score[label == 1]
        ]
        kernel = np.array(above)
        return kernel.mean(axis=1), kernel.mean(axis=0)

    (v10, v01), (w10, w01) = placements(first), placements(second)
    variance = np.var(v10 - w10, ddof=1) / len(v10) + np.var(v01 - w01, ddof=1) / len(v01)
    found = compare_auroc(label, first, second, np.arange(60))
    half = (found.difference.high - found.difference.low) / 2
    # Obuchowski's mixed term vanishes with one row a cluster.
    assert half == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-9)
    assert found.difference.value == pytest.approx(auroc(label, first) - auroc(label, second))


def test_repeating_patients_does_not_make_a_comparison_surer() -> None:
    rng = np.random.default_rng(4)
    label = (rng.random(200) < 0.3).astype(int)
    score = label + rng.normal(0, 1, 200)
    once = auroc_error(label, score, np.arange(200))
    patients = np.tile(np.arange(200), 3)
    thrice = auroc_error(np.tile(label, 3), np.tile(score, 3), patients)
    assert thrice == pytest.approx(once, rel=0.01)


def test_bootstrap_covers_and_draws_patients() -> None:
    rng = np.random.default_rng(5)
    label = (rng.random(400) < 0.3).astype(np.int8)
    score = label + rng.normal(0, 1, 400)
    ranking = Ranking(label, score)
    found = bootstrap(lambda w: {"auroc": ranking.auroc(w)}, np.arange(400), seed=1, replicates=400)
    half = 1.959964 * auroc_error(label, score, np.arange(400))
    assert found["auroc"].low == pytest.approx(found["auroc"].value - half, abs=0.012)
    again = bootstrap(lambda w: {"auroc": ranking.auroc(w)}, np.arange(400), seed=1, replicates=400)
    assert found == again


def test_a_figure_that_is_nowhere_defined_has_no_interval() -> None:
    found = bootstrap(lambda w: {"auroc": float("nan")}, ["a", "b"], seed=0, replicates=5)
    assert math.isnan(found["auroc"].low)


def test_brier_by_hand() -> None:
    assert brier(np.array([1, 0], dtype=np.int8), np.array([0.8, 0.4])) == pytest.approx(0.1)
