"""What a risk model is worth on rows that nothing was fitted on, each figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from predictor.intervals import REPLICATES, Comparison, Interval, bootstrap, compare_auroc
from predictor.metrics import (
    F64,
    I8,
    Alert,
    Benefit,
    Bin,
    Ranking,
    alerts,
    brier,
    calibration,
    calibration_curve,
    decision_curve,
)
from predictor.schema import FeatureTable, Source

Subjects = npt.NDArray[np.str_]
LEAST_EVENTS: Final = 10
"""A subgroup with fewer rows with or without the outcome is named and not measured."""


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of one model on one set of rows; intervals are 95 % over patients."""

    n: int
    patients: int
    events: int
    auroc: Interval
    auprc: Interval
    brier: Interval
    calibration_intercept: Interval
    calibration_slope: Interval
    curve: tuple[Bin, ...]
    alerts: tuple[Alert, ...]
    decisions: tuple[Benefit, ...]


def performance(
    label: I8, probability: F64, subjects: Subjects, *, seed: int = 0, replicates: int = REPLICATES
) -> Performance:
    """All figures of (n,) predictions; `ValueError` where there is no row."""
    ranking = Ranking(label, probability)

    def figures(weight: F64 | None) -> dict[str, float]:
        fitted = calibration(label, probability, weight)
        return {
            "auroc": ranking.auroc(weight),
            "auprc": ranking.auprc(weight),
            "brier": brier(label, probability, weight),
            "calibration_intercept": fitted.intercept,
            "calibration_slope": fitted.slope,
        }

    found = bootstrap(figures, subjects, seed=seed, replicates=replicates)
    return Performance(
        n=len(label),
        patients=len(np.unique(subjects)),
        events=int(label.sum()),
        curve=calibration_curve(label, probability),
        alerts=alerts(label, probability),
        decisions=decision_curve(label, probability),
        **found,
    )


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One part of the test rows. AUROC is `None` where events are too few to measure it.

    `observed_to_expected` is events over the sum of predictions: above 1 risks are too low.
    """

    name: str
    n: int
    events: int
    auroc: Interval | None
    observed_to_expected: float


def subgroups(
    table: FeatureTable,
    probability: F64,
    groups: Mapping[str, npt.NDArray[np.bool_]],
    *,
    seed: int = 0,
    replicates: int = 200,
) -> tuple[Subgroup, ...]:
    """Figures of named sets of rows of a table."""
    label, subjects = table.labels, table.subjects
    found = []
    for name, rows in groups.items():
        n, events = int(rows.sum()), int(label[rows].sum())
        area = None
        if min(events, n - events) >= LEAST_EVENTS:
            ranking = Ranking(label[rows], probability[rows])
            area = bootstrap(
                lambda w, ranking=ranking: {"auroc": ranking.auroc(w)},  # type: ignore[misc]
                subjects[rows],
                seed=seed,
                replicates=replicates,
            )["auroc"]
        expected = float(probability[rows].sum())
        ratio = events / expected if expected else math.nan
        found.append(Subgroup(name, n, events, area, ratio))
    return tuple(found)


def groups_of(table: FeatureTable, names: Sequence[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Sets of rows by the values of some columns: levels of categories, thirds of numbers."""
    found: dict[str, npt.NDArray[np.bool_]] = {}
    kinds = {column.name: column.kind for column in table.columns}
    for name in names:
        if kinds.get(name) == "category":
            values = np.array(table.table[name].to_pylist(), dtype=object)
            for level in sorted({value for value in values.tolist() if value is not None}):
                found[f"{name} = {level}"] = values == level
            if table.table[name].null_count:
                found[f"{name} not known"] = np.array([v is None for v in values.tolist()])
        elif kinds.get(name) == "number":
            found |= _thirds(name, table.number(name))
    return found


def _thirds(name: str, values: F64) -> dict[str, npt.NDArray[np.bool_]]:
    known = ~np.isnan(values)
    if len(np.unique(values[known])) < 3:
        return {f"{name} = {v:g}": values == v for v in np.unique(values[known]).tolist()}
    low, high = np.percentile(values[known], (100 / 3, 200 / 3))
    parts = {
        f"{name} up to {low:g}": values <= low,
        f"{name} {low:g} to {high:g}": (values > low) & (values <= high),
        f"{name} above {high:g}": values > high,
    }
    return parts if known.all() else parts | {f"{name} not known": ~known}


ABLATIONS: Final[tuple[tuple[Source, ...], ...]] = (
    ("structured",),
    ("notes",),
    ("graph",),
    ("structured", "notes"),
    ("structured", "graph"),
    ("notes", "graph"),
    ("structured", "notes", "graph"),
)


def ablation_sets(table: FeatureTable) -> tuple[tuple[Source, ...], ...]:
    """The sets of sources to compare: those whose every source has features."""
    present = {column.source for column in table.columns}
    return tuple(sources for sources in ABLATIONS if set(sources) <= present)


def name_of(sources: Sequence[Source]) -> str:
    """How a set of sources is called in reports: `structured + notes`."""
    return " + ".join(sources)


@dataclass(frozen=True, slots=True)
class Difference:
    """What `added` adds to the AUROC of `base` on the test rows (paired, patient-clustered)."""

    base: str
    added: str
    comparison: Comparison


def differences(
    label: I8, probabilities: Mapping[str, F64], subjects: Subjects
) -> tuple[Difference, ...]:
    """What each source adds to each set of sources that lacks just it."""
    found = []
    for base in probabilities:
        for larger in probabilities:
            added = set(larger.split(" + ")) - set(base.split(" + "))
            if set(base.split(" + ")) < set(larger.split(" + ")) and len(added) == 1:
                compared = compare_auroc(
                    label, probabilities[larger], probabilities[base], subjects
                )
                found.append(Difference(base, next(iter(added)), compared))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """AUROC on the test rows of a model fitted on a share of the development patients."""

    patients: int
    rows: int
    auroc: Interval


def as_json(value: Any) -> Any:
    """Nested values of this package as JSON; what is not defined (NaN) becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
