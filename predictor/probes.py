"""The audit's probes of a feature table: what should not tell the outcome, measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from extractor.split import Split
from predictor.encode import Encoder
from predictor.intervals import auroc_error
from predictor.leakage import Measured, NotRun, counted
from predictor.metrics import F64, I8, auroc
from predictor.schema import KEYS, Column, FeatureError, FeatureTable, Key

FOLDS: Final = 5
LEAST_EVENTS: Final = 20
PROBE: Final = {"leaves": 7.0, "rate": 0.08, "least": 30.0, "features": 0.5, "ridge": 10.0}
ROUNDS: Final = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """AUROC beyond which a probe raises an alarm. The levels are those of honest data:

    missingness tells how ill a patient is (0.70 for one column of SUPPORT2); codes of earlier stays
    reach 0.6 to 0.75, codes of the stay itself 0.97; one honest measurement stays below 0.9.
    """

    missingness: float = 0.80
    presence: float = 0.65
    codes: float = 0.85
    identifiers: float = 0.60
    shuffled: float = 0.55
    single: float = 0.90
    duplicates: float = 0.01


def table_probes(
    table: FeatureTable, split: Split | None, limits: Limits | None = None, *, seed: int = 0
) -> Iterator[Measured | NotRun]:
    """All probes that need nothing but a feature table (its clocks unchecked) and a split."""
    limits = limits or Limits()
    yield from late(table)
    fold = audit_folds(table, split)
    events = int(table.labels.sum())
    if min(events, len(table) - events) < LEAST_EVENTS:
        yield NotRun(
            "what tells the outcome",
            f"{events} of {len(table)} rows have the outcome; at least {LEAST_EVENTS} with and "
            "without it are needed to measure",
        )
        return
    yield from _alone(table, fold, limits, seed)
    yield _shuffled(table, fold, limits, seed)
    yield from singles(table, fold, limits)
    yield duplicates(table, fold, limits)


def audit_folds(table: FeatureTable, split: Split | None) -> npt.NDArray[np.int64]:
    """Patient-disjoint folds: those of the split (test as one more), else by a hash."""
    subjects = table.subjects.tolist()
    if split is not None:
        return np.array([split.fold(subject) for subject in subjects], dtype=np.int64)
    digests = (hashlib.sha256(subject.encode()).digest() for subject in subjects)
    return np.array([digest[0] % FOLDS for digest in digests], dtype=np.int64)


def late(table: FeatureTable) -> Iterator[Measured | NotRun]:
    """Records known only after the prediction time: a probe for each clock with such records."""
    found = table.late_rows()
    if not found:
        yield NotRun("known after the prediction", "no feature says when its records were known")
    elif not any(len(rows) for rows in found.values()):
        yield counted(
            "known after the prediction",
            0,
            len(table),
            f"none of {len(table)} rows uses a record known only after its prediction time "
            f"({len(found)} kinds of records: {', '.join(found)})",
            "",
        )
    for clock, rows in found.items():
        if not len(rows):
            continue
        names = [column.name for column in table.columns if column.clock == clock]
        yield counted(
            f"known after the prediction ({clock})",
            len(rows),
            len(table),
            f"{len(rows)} of {len(table)} rows use records of {clock} that were known only after "
            f"the prediction time ({len(names)} features, the first {', '.join(names[:3])})",
            "cut the records at the prediction time, by when they were known (storetime)",
        )


def literature_probe(published: Mapping[Key, date], allowed: Mapping[Key, date]) -> Measured:
    """The latest publication behind a row's graph features against the date that it may see."""
    rows = [key for key in published if key in allowed]
    late = sum(published[key] > allowed[key] for key in rows)
    return counted(
        "literature after the prediction",
        late,
        len(rows),
        f"{late} of {len(rows)} rows use articles published after their prediction",
        "cut the graph at the prediction's date (`medweave cut`), and make the features anew",
    )


def _alone(
    table: FeatureTable, fold: npt.NDArray[np.int64], limits: Limits, seed: int
) -> Iterator[Measured | NotRun]:
    given = (
        (
            "missingness alone",
            missingness(table, notes=False),
            limits.missingness,
            "a model that sees only which features are missing",
            "see whether something is recorded only once the outcome is known",
        ),
        (
            "presence of a note alone",
            missingness(table, notes=True),
            limits.presence,
            "a model that sees only whether notes and stage-1 outputs are there",
            "make a row for every stay, whatever came after it, and state the missing as missing",
        ),
        (
            "codes alone",
            chosen(table, [c for c in table.columns if c.from_codes]),
            limits.codes,
            "a model that sees only features made from diagnosis and procedure codes",
            "use codes of earlier stays only: those of a stay are assigned after its discharge",
        ),
        (
            "identifiers and order",
            identifiers(table),
            limits.identifiers,
            "a model that sees only the identifiers of patient and stay",
            "look at how rows were numbered and ordered; leave identifiers out of the features",
        ),
    )
    for check, part, limit, who, remedy in given:
        if part is None:
            yield NotRun(check, "the table has no such features")
            continue
        probe = modelled(check, part, fold, limit, who, remedy, seed)
        yield probe


def modelled(
    check: str,
    table: FeatureTable,
    fold: npt.NDArray[np.int64],
    limit: float,
    who: str,
    remedy: str,
    seed: int,
) -> Measured | NotRun:
    """How well a small model that sees only some features ranks the outcome, out of fold."""
    try:
        score = out_of_fold(table, table.labels, fold, seed)
    except FeatureError as error:
        return NotRun(check, str(error))
    area = auroc(table.labels, score)
    spread = auroc_error(table.labels, score, table.subjects)
    return Measured(
        check, "AUROC", area, spread, limit, 0.5, f"{who} reaches an AUROC of {area:.3f}", remedy
    )


def out_of_fold(table: FeatureTable, label: I8, fold: npt.NDArray[np.int64], seed: int) -> F64:
    """Ranks (rows,) of a small boosted model, each row by one fitted on other folds.

    Scores of different folds' models are not of one scale, so each is the rank within its fold.
    """
    from predictor.boosters import LightGBM

    score = np.zeros(len(table))
    for number in np.unique(fold):
        rows = fold == number
        model = LightGBM().fit(
            table.take(~rows), label[~rows], {**PROBE, "rounds": ROUNDS}, seed=seed
        )
        predicted = model.predict_proba(table.take(rows))
        _, place = np.unique(predicted, return_inverse=True)
        score[rows] = place / max(1, place.max())
    return score


def missingness(table: FeatureTable, *, notes: bool) -> FeatureTable | None:
    """Whether each feature is there, as features of their own; of the notes or of the rest."""
    columns: dict[str, pa.Array] = {}
    for column in table.columns:
        if (column.source == "notes") != notes:
            continue
        if column.presence:
            columns[column.name] = table.table[column.name]
        elif table.table[column.name].null_count:
            given = np.asarray(table.table[column.name].is_valid(), dtype=np.float64)
            columns[f"{column.name} is there"] = pa.array(given)
    return _made(table, columns)


def identifiers(table: FeatureTable) -> FeatureTable | None:
    """The numbers within the identifiers of patient and stay."""
    columns = {}
    for key in KEYS[:2]:
        figures = ["".join(filter(str.isdigit, v))[-15:] for v in table.table[key].to_pylist()]
        columns[f"number in {key}"] = pa.array(
            [float(f) if f else None for f in figures], pa.float64()
        )
    return _made(table, columns)


def chosen(table: FeatureTable, columns: Sequence[Column]) -> FeatureTable | None:
    """Some features as a table of their own, without their clocks."""
    if not columns:
        return None
    bare = [replace(column, clock="") for column in columns]
    names = [*KEYS, "label", *(column.name for column in columns)]
    return FeatureTable(table.task, tuple(bare), table.table.select(names))


def _made(table: FeatureTable, columns: dict[str, pa.Array]) -> FeatureTable | None:
    if not columns:
        return None
    made = table.table.select([*KEYS, "label"])
    for name, values in columns.items():
        made = made.append_column(name, values)
    return FeatureTable(table.task, tuple(Column(n, "structured") for n in columns), made)


def _shuffled(
    table: FeatureTable, fold: npt.NDArray[np.int64], limits: Limits, seed: int
) -> Measured:
    rng = np.random.default_rng(seed)
    label = rng.permutation(table.labels).astype(np.int8)
    score = out_of_fold(table, label, fold, seed)
    area = auroc(label, score)
    error = auroc_error(label, score, table.subjects)
    return Measured(
        "shuffled outcomes",
        "AUROC",
        area,
        error,
        limits.shuffled,
        limits.shuffled,
        f"a model of outcomes that were shuffled reaches an AUROC of {area:.3f} (0.5 is right)",
        "something that was fitted on the outcome reaches the rows that it predicts",
    )


def singles(table: FeatureTable, fold: npt.NDArray[np.int64], limits: Limits) -> Iterator[Measured]:
    """The best of all single features, and every one whose AUROC is above the limit."""
    label, subjects = table.labels, table.subjects
    areas = []
    for column in table.columns:
        score, rows = _score_of(table, column, fold)
        events = int(label[rows].sum())
        if min(events, int(rows.sum()) - events) >= LEAST_EVENTS:
            area = auroc(label[rows], score[rows])
            areas.append((max(area, 1 - area), column.name, score, rows))
    areas.sort(key=lambda found: (-found[0], found[1]))
    for place, (area, name, score, rows) in enumerate(areas):
        if place and area <= limits.single:
            break
        yield Measured(
            "a single feature",
            "AUROC",
            area,
            auroc_error(label[rows], score[rows], subjects[rows]),
            limits.single,
            limits.single,
            f"{name} alone reaches an AUROC of {area:.3f} on the {int(rows.sum())} rows that "
            "have it" + ("" if place else f", the most of {len(areas)} features"),
            "find out when this is recorded and by whom; what follows from the outcome must go",
        )


def _score_of(
    table: FeatureTable, column: Column, fold: npt.NDArray[np.int64]
) -> tuple[F64, npt.NDArray[np.bool_]]:
    """A score of one feature and the rows that have it; categories by other folds' shares."""
    if column.kind == "number":
        score = table.number(column.name)
        return np.nan_to_num(score), ~np.isnan(score)
    values = np.array(table.table[column.name].to_pylist(), dtype=object)
    known = np.array([value is not None for value in values.tolist()])
    _, code = np.unique(values.astype(str), return_inverse=True)
    label, mean = table.labels, float(table.labels.mean())
    score = np.zeros(len(values))
    for number in np.unique(fold):
        rows, others = fold == number, (fold != number) & known
        events = np.bincount(code[others], weights=label[others], minlength=code.max() + 1)
        times = np.bincount(code[others], minlength=code.max() + 1)
        score[rows] = ((events + 5 * mean) / (times + 5))[code[rows]]
    return score, known


def duplicates(table: FeatureTable, fold: npt.NDArray[np.int64], limits: Limits) -> Measured:
    """Rows that equal a row of another patient in another part, feature by feature."""
    encoder = Encoder.fit(table, least_rows=1)
    matrix = encoder.trees(table)
    seen: dict[bytes, set[tuple[int, str]]] = {}
    subjects = table.subjects.tolist()
    prints = [row.tobytes() for row in np.nan_to_num(matrix, nan=-9.87654321e300)]
    varied = [len(np.unique(row[~np.isnan(row)])) > 3 for row in matrix]
    for print_, number, subject in zip(prints, fold.tolist(), subjects, strict=True):
        seen.setdefault(print_, set()).add((number, subject))
    twins = sum(
        rich and any(n != number and s != subject for n, s in seen[print_])
        for print_, rich, number, subject in zip(
            prints, varied, fold.tolist(), subjects, strict=True
        )
    )
    share = twins / len(table)
    error = float(np.sqrt(share * (1 - share) / len(table)))
    return Measured(
        "duplicates across parts",
        "share of rows",
        share,
        error,
        limits.duplicates,
        0.0,
        f"{twins} of {len(table)} rows equal a row of another patient in another part",
        "find the copies: the same stay under two patients is predicted from itself",
    )
