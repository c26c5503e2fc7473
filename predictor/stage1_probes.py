"""The audit's probes of stage-1 outputs: out of fold, of this stay, there whatever the outcome."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from extractor.split import TEST, Split
from predictor.intervals import auroc_error
from predictor.leakage import LEAST_EVENTS, Measured, NotRun, counted, ranked
from predictor.metrics import F64, auroc
from predictor.schema import FeatureTable, Key
from predictor.stage1 import Stage1Output

IN_SAMPLE_LIMIT: Final = 0.03
OTHER_VISIT_LIMIT: Final = 0.0
OTHER_VISIT_ALONE: Final = 0.75
ROWS_LIMIT: Final = 0.55


def stage1_probes(
    table: FeatureTable,
    outputs: Sequence[Stage1Output] | None,
    split: Split | None,
    next_outcome: Mapping[Key, int] | None = None,
) -> Iterator[Measured | NotRun]:
    """Whether stage-1 outputs are out of fold, of this stay, and there whatever the outcome.

    `next_outcome` holds the outcome of the patient's next stay, where there is one.
    """
    if outputs is None:
        yield NotRun("stage-1 outputs", "there are none")
        return
    yield _marked(outputs, split)
    label = table.labels
    row_of = {key: row for row, key in enumerate(table.keys)}
    given = {(output.subject_id, output.stay_id) for output in outputs}
    there = np.array([key in given for key in row_of], dtype=np.float64)
    yield ranked(
        "stage-1 rows by outcome",
        label,
        there,
        table.subjects,
        ROWS_LIMIT,
        f"that a stay has a stage-1 row ({int(there.sum())} of {len(there)} have one)",
        "make a stage-1 row for every stay of the cohort, whatever came after it",
        either=True,
    )
    scored = [
        o for o in outputs if o.probability is not None and (o.subject_id, o.stay_id) in row_of
    ]
    rows = np.array([row_of[o.subject_id, o.stay_id] for o in scored], dtype=np.int64)
    score = np.array([o.probability for o in scored], dtype=np.float64)
    yield _in_sample(table, scored, rows, score, split)
    yield _own_label(outputs, row_of, label)
    yield _other_visit(table, rows, score, next_outcome)


def _marked(outputs: Sequence[Stage1Output], split: Split | None) -> Measured:
    wrong = sum(
        output.fold is None
        or not output.split
        or (
            split is not None
            and (
                output.split != split.digest
                or output.subject_id not in split
                or output.fold != split.fold(output.subject_id)
            )
        )
        for output in outputs
    )
    return counted(
        "stage-1 outputs without their fold",
        wrong,
        len(outputs),
        f"{wrong} of {len(outputs)} stage-1 outputs do not say the fold they were left out of, or "
        "name another split than this run's",
        "train both stages by one split file and keep fold and split with every output",
    )


def _in_sample(
    table: FeatureTable,
    outputs: Sequence[Stage1Output],
    rows: npt.NDArray[np.int64],
    score: F64,
    split: Split | None,
) -> Measured | NotRun:
    """How much better outputs of development rows rank their outcomes than those of test rows."""
    check = "stage-1 outputs in sample"
    label, subjects = table.labels[rows], table.subjects[rows]
    if split is None:
        fold = np.array([-9 if o.fold is None else o.fold for o in outputs])
    else:
        fold = np.array([split.fold(s) if s in split else -9 for s in subjects.tolist()])
    parts = [fold >= 0, fold == TEST]
    if any(min(label[p].sum(), (1 - label[p]).sum()) < LEAST_EVENTS for p in parts):
        return NotRun(check, "too few events in the development or the test part to compare")
    areas = [auroc(label[part], score[part]) for part in parts]
    errors = [auroc_error(label[part], score[part], subjects[part]) for part in parts]
    return _gap(
        check,
        areas,
        errors,
        IN_SAMPLE_LIMIT,
        f"stage-1 outputs rank development rows with an AUROC of {areas[0]:.3f}, test rows with "
        f"{areas[1]:.3f}",
        "the note model was fitted on the rows that it scores: use out-of-fold outputs",
    )


def _own_label(
    outputs: Sequence[Stage1Output], row_of: Mapping[Key, int], label: npt.NDArray[np.int8]
) -> Measured | NotRun:
    """Outcomes that stage 1 was trained on against those of the same stays."""
    check = "stage-1 outcomes of another stay"
    both = [
        (output.label, int(label[row_of[output.subject_id, output.stay_id]]))
        for output in outputs
        if output.label is not None and (output.subject_id, output.stay_id) in row_of
    ]
    if not both:
        return NotRun(check, "stage-1 outputs do not say which outcome they were trained on")
    different = sum(one != other for one, other in both)
    return counted(
        check,
        different,
        len(both),
        f"{different} of {len(both)} outcomes of stage 1 differ from the outcome of their stay",
        "train the note model on the outcome of the stay that the note is of",
    )


def _other_visit(
    table: FeatureTable,
    rows: npt.NDArray[np.int64],
    score: F64,
    next_outcome: Mapping[Key, int] | None,
) -> Measured | NotRun:
    """How much better outputs rank the outcome of the next stay than that of their own."""
    check = "stage-1 outputs of another visit"
    if next_outcome is None:
        return NotRun(check, "outcomes of next stays are not known")
    keys = table.keys
    known = np.array([keys[row] in next_outcome for row in rows.tolist()], dtype=bool)
    rows, score = rows[known], score[known]
    following = np.array([next_outcome[keys[row]] for row in rows.tolist()], dtype=np.int8)
    own, subjects = table.labels[rows], table.subjects[rows]
    if any(min(x.sum(), (1 - x).sum()) < LEAST_EVENTS for x in (own, following)):
        if len(following) and min(following.sum(), (1 - following).sum()) >= LEAST_EVENTS:
            return ranked(
                check,
                following,
                score,
                subjects,
                OTHER_VISIT_ALONE,
                "the stage-1 output, taken for the outcome of the patient's next stay,",
                "train the note model on the outcome of the stay that the note is of",
            )
        return NotRun(check, f"{len(rows)} stays with a next one hold too few events to compare")
    areas = auroc(following, score), auroc(own, score)
    errors = auroc_error(following, score, subjects), auroc_error(own, score, subjects)
    return _gap(
        check,
        areas,
        errors,
        OTHER_VISIT_LIMIT,
        f"stage-1 outputs rank the outcome of the next stay with an AUROC of {areas[0]:.3f}, that "
        f"of their own with {areas[1]:.3f} ({len(rows)} stays with a next one)",
        "train the note model on the outcome of the stay that the note is of",
    )


def _gap(
    check: str,
    areas: Sequence[float],
    errors: Sequence[float],
    limit: float,
    found: str,
    remedy: str,
) -> Measured:
    """How far the first of two AUROCs lies above the second."""
    size, error = areas[0] - areas[1], math.hypot(*errors)
    return Measured(check, "difference of AUROC", size, error, limit, limit, found, remedy)
