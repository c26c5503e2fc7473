"""One study: every model, every set of sources, and what the differences are worth.

Jobs (`jobs_of`) are independent and may run anywhere; `study` puts their results together. All
headline figures come from the test part, which nothing was fitted or tuned on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from extractor.split import TEST, Split
from predictor.evaluate import (
    Difference,
    LearningPoint,
    Performance,
    Subgroup,
    ablation_sets,
    differences,
    groups_of,
    name_of,
    performance,
    subgroups,
)
from predictor.fuse import FoldFit, FusedRun, fit_fold, folds_of, fused
from predictor.intervals import Comparison, Interval, bootstrap, compare_auroc
from predictor.metrics import F64, Calibration, Ranking, calibration
from predictor.model import kind_named
from predictor.schema import FeatureTable, Source

LEARNING_SHARES: Final = (0.125, 0.25, 0.5, 1.0)
SHUFFLED: Final = "graph of another patient"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. The first of `kinds` is the model that is kept and taken apart."""

    kinds: tuple[str, ...] = ("blend", "lightgbm", "xgboost", "balanced_forest", "logistic")
    seed: int = 0
    threads: int = 1
    replicates: int = 1000
    ablate: bool = True
    subgroup_columns: tuple[str, ...] = ("age", "sex", "race", "insurance", "admission_type")


@dataclass(frozen=True, slots=True)
class Job:
    """One model to fit: on some sources, with the graph's features of others where `shuffled`."""

    name: str
    kind: str
    sources: tuple[Source, ...]
    shuffled: bool = False


def jobs_of(table: FeatureTable, plan: Plan) -> tuple[Job, ...]:
    """The full model of every kind, then the sets of sources and the counterfactual."""
    sets = ablation_sets(table)
    full = sets[-1]
    jobs = [Job(kind, kind, full) for kind in plan.kinds]
    if plan.ablate:
        jobs += [Job(name_of(s), plan.kinds[0], s) for s in sets if s != full]
        if "graph" in full and len(full) > 1:
            jobs.append(Job(SHUFFLED, plan.kinds[0], full, shuffled=True))
    return tuple(jobs)


def do(job: Job, left_out: int, table: FeatureTable, split: Split, plan: Plan) -> FoldFit:
    """One fit of a job's model: the one that leaves out a fold, or the test part."""
    chosen = _given(job, table, split, plan)
    return fit_fold(chosen, split, left_out, job.kind, plan.seed, plan.threads)


def done(
    job: Job, parts: Iterable[FoldFit], table: FeatureTable, split: Split, plan: Plan
) -> FusedRun:
    """A job's model from all of its fits."""
    return fused(_given(job, table, split, plan), split, parts, job.kind, plan.seed)


def _given(job: Job, table: FeatureTable, split: Split, plan: Plan) -> FeatureTable:
    given = shuffled_graph(table, split, plan.seed) if job.shuffled else table
    return given.select(job.sources)


def shuffled_graph(table: FeatureTable, split: Split, seed: int) -> FeatureTable:
    """The table with graph features exchanged between patients of the same part.

    Each row keeps its outcome and its other features: what the graph then adds is not knowledge
    about the patient.
    """
    fold, rng = folds_of(table, split), np.random.default_rng(seed)
    order = np.arange(len(table))
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        order[rows] = rng.permutation(rows)
    changed = table.table
    for column in table.columns:
        if column.source == "graph":
            at = changed.column_names.index(column.name)
            values = changed[column.name].take(pa.array(order))
            changed = changed.set_column(at, column.name, values)
    return FeatureTable(table.task, table.columns, changed)


@dataclass(frozen=True, slots=True)
class ModelResult:
    """One model's figures: on the test part, out of fold, and its calibration before and after."""

    test: Performance
    development: Performance
    raw: Calibration
    calibrated: Calibration
    settings: Mapping[str, float]
    importance: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """A bedside score beside the models, on the test rows that have all its inputs.

    `missed` counts the test rows that lack each input. With too few rows `auroc` is `None`.
    """

    n: int
    events: int
    auroc: Interval | None
    models: Mapping[str, Comparison]
    missed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Study:
    """All figures of a run; see `evaluate` and `metrics` for what each means."""

    models: Mapping[str, ModelResult]
    ablations: Mapping[str, Performance]
    differences: tuple[Difference, ...]
    counterfactuals: Mapping[str, Comparison]
    learning_curve: tuple[LearningPoint, ...]
    subgroups: tuple[Subgroup, ...]
    scores: Mapping[str, ScoreResult] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class GivenScore:
    """Points of a bedside score by row (NaN where not computable), and who lacks which input."""

    points: F64
    missed: Mapping[str, npt.NDArray[np.bool_]]


def study(
    table: FeatureTable,
    split: Split,
    plan: Plan,
    runs: Mapping[str, FusedRun],
    *,
    scores: Mapping[str, GivenScore] | None = None,
    instead: Mapping[str, FusedRun] | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Study:
    """Put together what the jobs of `jobs_of(table, plan)` gave, by name of job.

    `instead` are runs of the first kind on the same rows with other knowledge, to compare with.
    """
    main = runs[plan.kinds[0]]
    test = main.test
    label, subjects = table.labels, table.subjects
    full = name_of(ablation_sets(table)[-1])
    by_set = {full: main} | {n: r for n, r in runs.items() if n not in (*plan.kinds, SHUFFLED)}
    told("models")
    models = {kind: _result(table, runs[kind], plan) for kind in plan.kinds}
    told("sources")
    alone = {
        name: performance(
            label[test], run.probability[test], subjects[test], seed=plan.seed,
            replicates=plan.replicates,
        )
        for name, run in by_set.items()
    }  # fmt: skip
    probabilities = {name: run.probability[test] for name, run in by_set.items()}
    told("learning curve")
    curve = learning_curve(table, main, plan) if plan.ablate else ()
    told("subgroups")
    names = [column.name for column in table.columns if column.name in plan.subgroup_columns]
    part = table.take(test)
    groups = subgroups(part, main.probability[test], groups_of(part, names), seed=plan.seed)
    shuffled = {SHUFFLED: runs[SHUFFLED]} if SHUFFLED in runs else {}
    counterfactuals = {
        name: compare_auroc(
            label[test], main.probability[test], run.probability[test], subjects[test]
        )
        for name, run in {**shuffled, **(instead or {})}.items()
    }
    return Study(
        models,
        alone,
        differences(label[test], probabilities, subjects[test]),
        counterfactuals,
        curve,
        groups,
        {name: _scored(table, given, runs, plan) for name, given in (scores or {}).items()},
    )


def _result(table: FeatureTable, run: FusedRun, plan: Plan) -> ModelResult:
    label, subjects, test = table.labels, table.subjects, run.test

    def figures(rows: npt.NDArray[np.bool_]) -> Performance:
        return performance(
            label[rows], run.probability[rows], subjects[rows],
            seed=plan.seed, replicates=plan.replicates,
        )  # fmt: skip

    return ModelResult(
        figures(test),
        figures(~test),
        calibration(label[test], run.raw[test]),
        calibration(label[test], run.probability[test]),
        run.model.settings,
        dict(list(run.model.fitted.importance().items())[:50]),
    )


def learning_curve(table: FeatureTable, run: FusedRun, plan: Plan) -> tuple[LearningPoint, ...]:
    """Models of the kept settings, fitted on ever more development patients, on the test rows."""
    label, subjects = table.labels, table.subjects
    develop = ~run.test
    patients = np.unique(subjects[develop])
    order = np.random.default_rng(plan.seed).permutation(len(patients))
    test = table.take(run.test)
    points = []
    for share in LEARNING_SHARES:
        drawn = set(patients[order[: round(share * len(patients))]].tolist())
        rows = develop & np.array([subject in drawn for subject in subjects.tolist()])
        if min(label[rows].sum(), (1 - label[rows]).sum()) < 10:
            continue
        kind = kind_named(plan.kinds[0])
        fitted = kind.fit(
            table.take(rows), label[rows], run.model.settings, seed=plan.seed, threads=plan.threads
        )
        area = _area(label[run.test], fitted.predict_proba(test), test.subjects, plan)
        points.append(LearningPoint(len(drawn), int(rows.sum()), area))
    return tuple(points)


def _area(
    label: npt.NDArray[np.int8], score: F64, subjects: npt.NDArray[np.str_], plan: Plan
) -> Interval:
    ranking = Ranking(label, score)
    return bootstrap(
        lambda weight: {"auroc": ranking.auroc(weight)},
        subjects,
        seed=plan.seed,
        replicates=min(300, plan.replicates),
    )["auroc"]


def _scored(
    table: FeatureTable, given: GivenScore, runs: Mapping[str, FusedRun], plan: Plan
) -> ScoreResult:
    test = runs[plan.kinds[0]].test
    rows = test & ~np.isnan(given.points)
    missed = {name: int((lacking & test).sum()) for name, lacking in given.missed.items()}
    label, subjects = table.labels[rows], table.subjects[rows]
    events = int(label.sum())
    if min(events, len(label) - events) < 10:
        return ScoreResult(len(label), events, None, {}, missed)
    compared = {
        kind: compare_auroc(label, runs[kind].probability[rows], given.points[rows], subjects)
        for kind in plan.kinds
    }
    area = _area(label, given.points[rows], subjects, plan)
    return ScoreResult(len(label), events, area, compared, missed)


def counts_of(table: FeatureTable, split: Split) -> Sequence[tuple[str, int, int]]:
    """Name, rows and events of the test part and of each fold, for the report."""
    fold, label = folds_of(table, split), table.labels
    return [
        (
            "test" if number == TEST else f"fold {number}",
            int((fold == number).sum()),
            int(label[fold == number].sum()),
        )
        for number in sorted(set(fold.tolist()))
    ]
