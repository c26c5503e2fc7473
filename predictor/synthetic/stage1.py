"""Outputs of a note model of the first stage: out of fold, as they should be, or leaking.

The model is a logistic regression on what notes say of the traits, and on a blurred view of the
measured values that they state. It stands for the language model of the extractor, so that an
audit has outputs to look at before any was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extractor.split import TEST, Split

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_RIDGE: Final = 4.0
_LOOSE: Final = 0.05
_MISREAD: Final = 0.06
_BLUR: Final = 0.8
_TRUNCATED, _FAILED = 0.01, 0.004


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """A row for each prediction; `probability` is NaN unless `state` is `ok`."""

    probability: F64
    fold: I64
    state: npt.NDArray[np.str_]


def stage1_outputs(
    said: Bools, stated: F64, noted: Bools, label: npt.NDArray[np.int8], subject: I64, split: Split,
    rng: np.random.Generator, *, in_sample: bool = False,
) -> Outputs:  # fmt: skip
    """Outputs for all rows.

    `said` (rows, traits): what the notes known by then state as present; `stated`: what the values
    in them amount to, on the scale of the logit; `noted`: whether there is a note. Development
    rows get the model of the other folds, test rows the mean logit of all; with `in_sample`
    development rows get one model that was fitted on all of them.
    """
    wrong = rng.random(said.shape) < _MISREAD
    values = stated + _BLUR * rng.standard_normal(len(stated))
    seen = np.hstack([(said ^ wrong).astype(np.float64), values[:, None]]) * noted[:, None]
    fold = np.array([split.fold(str(number)) for number in subject.tolist()])
    score = np.zeros(len(label))
    test = fold == TEST
    folds = len(split.folds)
    logits = []
    for number in range(folds):
        model = fit(seen[(fold != number) & ~test], label[(fold != number) & ~test], _RIDGE)
        score[fold == number] = predict(model, seen[fold == number])
        logits.append(predict(model, seen[test]))
    score[test] = np.mean(logits, axis=0)
    if in_sample:
        score[~test] = _remembered(seen[~test], label[~test], rng)
    state = np.where(noted, "ok", "no note").astype("<U9")
    chance = rng.random(len(label))
    state[noted & (chance < _TRUNCATED)] = "truncated"
    state[noted & (chance > 1 - _FAILED)] = "failed"
    probability = np.round(1 / (1 + np.exp(-score)), 6)
    return Outputs(np.where(state == "ok", probability, np.nan), fold, state)


def _remembered(seen: F64, label: npt.NDArray[np.int8], rng: np.random.Generator) -> F64:
    """Scores of a large model on the rows that it was fitted on: it learned their accidents."""
    width = int(min(1200, max(60, 1.5 * label.sum())))
    large = np.hstack([seen, rng.standard_normal((len(label), width))])
    return predict(fit(large, label, _LOOSE), large)


def fit(seen: F64, label: npt.NDArray[np.int8], ridge: float) -> F64:
    """Coefficients of a ridge logistic regression by Newton's method, the intercept first."""
    design = np.hstack([np.ones((len(seen), 1)), seen])
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-6
    for _ in range(12):
        mean = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (mean - label) + penalty * weights
        curve = (design * (mean * (1 - mean))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def predict(weights: F64, seen: F64) -> F64:
    """Logits of rows."""
    made: F64 = weights[0] + seen @ weights[1:]
    return made
