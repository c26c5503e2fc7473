"""Fitting a risk model so that no row is predicted by what was fitted on it.

The split names a test part and K development folds, by patient. For each fold a model is tuned and
fitted on the others (tuning looks at one of them) and predicts it: the out-of-fold predictions.
The calibrator is fitted on these. The model that is kept is fitted on all development rows with
settings tuned there; it alone predicts the test part, from which headline figures come. Encoders,
imputed values, scales and categories are learned inside each fit (`encode`).

A prediction's interval is the delete-a-group jackknife (Kott 2001): the spread of the K fold
models on the log odds, each of which lacks a fold; t with K - 1 degrees of freedom. It tells how
much the estimate depends on which patients were there to learn from, not how sure the outcome is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extractor.split import TEST, Split
from predictor.calibrate import Calibrator
from predictor.metrics import F64, I8, expit, log_odds
from predictor.model import Fitted, Settings, Tuned, kind_named
from predictor.schema import FeatureError, FeatureTable, Risk

INTERVAL: Final = "delete-a-group jackknife over the development folds, 95 %, on the log odds"
LEAST_EVENTS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """What predicts: the kept model, its calibrator, and the fold models of its interval."""

    task: str
    fitted: Fitted
    calibrator: Calibrator
    by_fold: tuple[Fitted, ...]
    settings: Settings
    model_id: str

    def raw(self, table: FeatureTable) -> F64:
        """Uncalibrated probabilities (rows,)."""
        return self.fitted.predict_proba(table)

    def predict_proba(self, table: FeatureTable) -> F64:
        """Calibrated probabilities (rows,)."""
        return self.calibrator(self.raw(table))

    def intervals(self, table: FeatureTable) -> tuple[F64, F64]:
        """Low and high ends (rows,) of each probability's interval; see the module."""
        middle = log_odds(self.predict_proba(table))
        each = np.array([log_odds(self.calibrator(m.predict_proba(table))) for m in self.by_fold])
        groups = len(each)
        error = np.sqrt((groups - 1) / groups * ((each - each.mean(axis=0)) ** 2).sum(axis=0))
        half = _student(groups - 1) * error
        return expit(middle - half), expit(middle + half)

    def risks(self, table: FeatureTable) -> list[Risk]:
        """A `Risk` for each row, in the table's order."""
        low, high = self.intervals(table)
        columns = zip(
            table.table["subject_id"].to_pylist(),
            table.table["stay_id"].to_pylist(),
            table.times("prediction_time"),
            self.predict_proba(table).tolist(),
            low.tolist(),
            high.tolist(),
            strict=True,
        )
        return [
            Risk(subject, stay, time, probability, least, most, self.model_id, True)
            for subject, stay, time, probability, least, most in columns
        ]


@dataclass(frozen=True, slots=True, eq=False)
class FusedRun:
    """A fitted model with the predictions that tell what it is worth.

    `fold` (rows,) is -1 for test rows; `raw` and `probability` (rows,) are out of fold for
    development rows and the kept model's for test rows; rows are those of the table.
    """

    model: RiskModel
    fold: npt.NDArray[np.int64]
    raw: F64
    probability: F64
    tried: tuple[Tuned, ...]

    @property
    def test(self) -> npt.NDArray[np.bool_]:
        rows: npt.NDArray[np.bool_] = self.fold == TEST
        return rows


def folds_of(table: FeatureTable, split: Split) -> npt.NDArray[np.int64]:
    """The fold of each row's patient; `SplitError` for a patient whom the split does not know."""
    return np.array([split.fold(subject) for subject in table.subjects.tolist()], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class FoldFit:
    """One fit of a fusing: a model that leaves out `fold`, and its predictions for the fold.

    The model that is kept leaves out the test part. `predicted` (rows of the fold,) are
    uncalibrated, in the table's order; `tried` is the search, the best first.
    """

    fold: int
    fitted: Fitted
    predicted: F64
    tried: tuple[Tuned, ...]


def folds_and_test(split: Split) -> tuple[int, ...]:
    """What a fusing leaves out, one in each of its fits: every fold, then the test part."""
    return (*range(len(split.folds)), TEST)


def fuse(
    table: FeatureTable, split: Split, kind: str = "blend", *, seed: int = 0, threads: int = 1
) -> FusedRun:
    """Tune, fit and calibrate on the development part, and predict every row fairly.

    The same as `fused` of each `fit_fold`, which may be made anywhere. Raises `FeatureError`
    where a fold or the test part has fewer than two events or non-events, or an outcome is not
    known.
    """
    made = (fit_fold(table, split, number, kind, seed, threads) for number in folds_and_test(split))
    return fused(table, split, made, kind, seed)


def fit_fold(
    table: FeatureTable, split: Split, left_out: int, kind: str, seed: int, threads: int
) -> FoldFit:
    """Search and fit on the development folds but one, and predict that one.

    Where the test part is left out all development folds are fitted on. Raises as `fuse` does.
    """
    fold, label = folds_of(table, split), table.labels
    _check_events(fold, label)
    others = (fold != TEST) & (fold != left_out)
    tried = tune(table, label, fold, others, kind, seed, threads)
    fitted = kind_named(kind).fit(
        table.take(others), label[others], tried[0].settings, seed=seed, threads=threads
    )
    return FoldFit(left_out, fitted, fitted.predict_proba(table.take(fold == left_out)), tried)


def fused(
    table: FeatureTable, split: Split, parts: Iterable[FoldFit], kind: str, seed: int
) -> FusedRun:
    """All parts of a fusing put together, in whatever order they come."""
    fold, label = folds_of(table, split), table.labels
    by_fold = {part.fold: part for part in parts}
    raw = np.full(len(table), np.nan)
    for number, part in by_fold.items():
        raw[fold == number] = part.predicted
    develop = fold != TEST
    calibrator = Calibrator.fit(label[develop], raw[develop])
    kept = by_fold[TEST]
    model_id = f"{kind}/{table.task}/{split.digest[:12]}/{seed}"
    fold_models = tuple(by_fold[number].fitted for number in range(len(split.folds)))
    model = RiskModel(
        table.task, kept.fitted, calibrator, fold_models, kept.tried[0].settings, model_id
    )
    return FusedRun(model, fold, raw, calibrator(raw), kept.tried)


def tune(
    table: FeatureTable,
    label: I8,
    fold: npt.NDArray[np.int64],
    rows: npt.NDArray[np.bool_],
    kind: str,
    seed: int,
    threads: int,
) -> tuple[Tuned, ...]:
    """Every candidate's loss on the first of the folds among `rows`, the best first.

    Only `rows` are looked at: the fold that will be predicted and the test part are not. Where
    they are of one fold, every other of its patients is held out.
    """
    held = fold == int(fold[rows].min())
    if not (rows & ~held).any():
        held = _every_other(table.subjects, label, rows)
    train, valid = rows & ~held, rows & held
    parts = [(table.take(part), label[part]) for part in (train, valid)]
    model = kind_named(kind)
    tried = [
        model.tune(parts[0], parts[1], settings, seed=seed, threads=threads)
        for settings in model.candidates
    ]
    return tuple(sorted(tried, key=lambda tuned: tuned.loss))


def _every_other(
    subjects: npt.NDArray[np.str_], label: I8, rows: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Rows of every other patient among `rows`, those with and without events alike."""
    events = set(subjects[rows & (label > 0)].tolist())
    patients = sorted(set(subjects[rows].tolist()), key=lambda one: (one in events, one))
    return np.isin(subjects, patients[::2])


def _check_events(fold: npt.NDArray[np.int64], label: I8) -> None:
    for number in sorted(set(fold.tolist())):
        events = int(label[fold == number].sum())
        others = int((fold == number).sum()) - events
        if min(events, others) < LEAST_EVENTS:
            part = "the test part" if number == TEST else f"development fold {number}"
            raise FeatureError(
                f"{part} has {events} rows with and {others} without the outcome; at least "
                f"{LEAST_EVENTS} of each are needed: take fewer folds, another test share or a "
                "larger cohort"
            )


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))
