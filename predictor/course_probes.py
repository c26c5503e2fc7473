"""The audit's probes of what lies around the features: outcomes, stage 1, notes, literature."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from extractor.split import TEST, Split
from predictor.intervals import auroc_error
from predictor.leakage import Measured, NotRun, counted
from predictor.metrics import F64, auroc
from predictor.schema import FeatureTable
from predictor.stage1 import Stage1Output

Key = tuple[str, str]
"""(subject_id, stay_id)."""

LEAST_EVENTS: Final = 10
SUMMARIES: Final = frozenset({"DS", "discharge", "discharge summary"})
"""Note types of discharge summaries: what MIMIC-IV, others, and this project's hospital write."""
WORDS_LIMIT: Final = 0.60
IN_SAMPLE_LIMIT: Final = 0.03
OTHER_VISIT_LIMIT: Final = 0.0
OTHER_VISIT_ALONE: Final = 0.75
ROWS_LIMIT: Final = 0.55
TWINS_LIMIT: Final = 0.01


@dataclass(frozen=True, slots=True)
class NoteText:
    """A note as the audit reads it. `known` is when it was known: storetime, else charttime."""

    subject_id: str
    stay_id: str
    charttime: datetime
    known: datetime
    text: str
    note_type: str = ""


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """An outcome that came with the data, for comparison with the one counted from the records."""

    subject_id: str
    stay_id: str
    label: int


# --- outcomes -----------------------------------------------------------------------------------


def outcome_probes(
    table: FeatureTable, given: Sequence[GivenOutcome] | None
) -> Iterator[Measured | NotRun]:
    """Outcomes that the data bring against those that the task counts from the records."""
    check = "outcomes counted anew"
    if given is None:
        yield NotRun(check, "the data bring no outcomes of their own to compare with")
        return
    ours = dict(zip(keys_of(table), table.labels.tolist(), strict=True))
    both = [
        (ours[key], row.label) for row in given if (key := (row.subject_id, row.stay_id)) in ours
    ]
    different = sum(mine != theirs for mine, theirs in both)
    yield counted(
        check,
        different,
        len(both),
        f"{different} of {len(both)} outcomes that came with the data differ from those counted "
        f"from its records ({sum(theirs for _, theirs in both)} events against "
        f"{sum(mine for mine, _ in both)})",
        "count readmission from discharge, among those discharged alive, and death in this stay",
    )
    surplus = len({(row.subject_id, row.stay_id) for row in given} - set(ours))
    yield counted(
        "stays at risk",
        surplus,
        len(given),
        f"{surplus} of {len(given)} outcomes that came with the data are of stays that the task "
        "leaves out (deaths before discharge, transfers, children)",
        "leave out stays that cannot have the outcome",
    )


def keys_of(table: FeatureTable) -> list[Key]:
    return list(zip(table.subjects.tolist(), table.table["stay_id"].to_pylist(), strict=True))


# --- stage-1 outputs ------------------------------------------------------------------------------


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
    row_of = {key: row for row, key in enumerate(keys_of(table))}
    given = {(output.subject_id, output.stay_id) for output in outputs}
    there = np.array([key in given for key in row_of], dtype=np.float64)
    yield _ranked(
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
    return Measured(
        check,
        "difference of AUROC",
        areas[0] - areas[1],
        math.hypot(*errors),
        IN_SAMPLE_LIMIT,
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
    keys = keys_of(table)
    known = np.array([keys[row] in next_outcome for row in rows.tolist()], dtype=bool)
    rows, score = rows[known], score[known]
    following = np.array([next_outcome[keys[row]] for row in rows.tolist()], dtype=np.int8)
    own, subjects = table.labels[rows], table.subjects[rows]
    if any(min(x.sum(), (1 - x).sum()) < LEAST_EVENTS for x in (own, following)):
        if len(following) and min(following.sum(), (1 - following).sum()) >= LEAST_EVENTS:
            return _ranked(
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
    return Measured(
        check,
        "difference of AUROC",
        areas[0] - areas[1],
        math.hypot(*errors),
        OTHER_VISIT_LIMIT,
        OTHER_VISIT_LIMIT,
        f"stage-1 outputs rank the outcome of the next stay with an AUROC of {areas[0]:.3f}, that "
        f"of their own with {areas[1]:.3f} ({len(rows)} stays with a next one)",
        "train the note model on the outcome of the stay that the note is of",
    )


# --- notes ----------------------------------------------------------------------------------------


def note_probes(
    table: FeatureTable,
    notes: Iterable[NoteText] | None,
    fold: npt.NDArray[np.int64],
    seed: int,
    ends: Mapping[Key, datetime] | None = None,
) -> Iterator[Measured | NotRun]:
    """Whether notes that count as known before the prediction speak of what came after it.

    `ends` tells when each stay ended, where that is known.
    """
    if notes is None:
        yield NotRun("outcome words in notes", "there are no notes")
        return
    row_of = {key: row for row, key in enumerate(keys_of(table))}
    cut = table.times("prediction_time")
    before: dict[int, list[str]] = defaultdict(list)
    later = early = summaries = 0
    for note in notes:
        row = row_of.get((note.subject_id, note.stay_id))
        if row is None:
            continue
        known = np.datetime64(note.known) <= cut[row]
        if note.note_type in SUMMARIES:
            summaries += 1
            end = (ends or {}).get((note.subject_id, note.stay_id))
            early += end is not None and note.known < end - timedelta(hours=24)
        if known:
            before[row].append(note.text)
        else:
            later += 1
    if ends is None or not summaries:
        yield NotRun("summaries before the end", "no discharge summaries with a known end of stay")
    else:
        yield counted(
            "summaries before the end",
            early,
            summaries,
            f"{early} of {summaries} discharge summaries were known more than a day before their "
            "stay ended",
            "a summary tells the whole stay: it was written at its end, whatever its date says",
            tolerated=0.02,
        )
    yield from _words(table, before, later)
    yield from _texts(table, before, fold, seed)
    yield _twins(table, before, fold)


def _words(
    table: FeatureTable, before: Mapping[int, Sequence[str]], later: int
) -> Iterator[Measured | NotRun]:
    check = "outcome words in notes"
    words = outcome_words(table.task)
    if not words:
        yield NotRun(check, f"no words are known that tell the outcome of {table.task}")
        return
    pattern = re.compile(
        r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + r")(?!\w)",
        re.IGNORECASE,
    )
    rows = np.array(sorted(before), dtype=np.int64)
    told = np.array(
        [sum(len(pattern.findall(text)) for text in before[row]) for row in rows.tolist()],
        dtype=np.float64,
    )
    label = table.labels[rows]
    if not len(rows) or min(label.sum(), (1 - label).sum()) < LEAST_EVENTS:
        yield NotRun(check, f"{len(rows)} rows have notes before the prediction: too few events")
        return
    shares = [float((told[label == value] > 0).mean()) for value in (1, 0)]
    yield _ranked(
        check,
        label,
        told,
        table.subjects[rows],
        WORDS_LIMIT,
        f"how often notes known before the prediction hold words such as {words[0]!r} "
        f"({shares[0]:.1%} of rows with the outcome, {shares[1]:.1%} without; {later} notes known "
        "later were left out)",
        "these notes were written, or completed, after the prediction time: cut by storetime",
    )


def outcome_words(task: str) -> list[str]:
    """Words that tell a task's outcome; none for a task that is not known."""
    path = Path(__file__).with_name("outcome_words.toml")
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    return list(known.get(task, {}).get("words", []))


def _texts(
    table: FeatureTable,
    before: Mapping[int, Sequence[str]],
    fold: npt.NDArray[np.int64],
    seed: int,
    *,
    check: str = "words of notes alone",
    limit: float = 0.9,
    who: str = "a model of the bare words of notes known before the prediction",
    remedy: str = "read what these notes say: so much before the event is seldom honest",
) -> Iterator[Measured | NotRun]:
    """How well bare words rank the outcome, out of fold."""
    rows = np.array(sorted(before), dtype=np.int64)
    label = table.labels[rows]
    if not len(rows) or min(label.sum(), (1 - label).sum()) < 2 * LEAST_EVENTS:
        yield NotRun(check, f"{len(rows)} rows have any before the prediction: too few events")
        return
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    hashed = HashingVectorizer(n_features=2**16, ngram_range=(1, 2), alternate_sign=False)
    matrix = hashed.transform(["\n".join(before[row]) for row in rows.tolist()])
    score = np.zeros(len(rows))
    for number in np.unique(fold[rows]):
        held = fold[rows] == number
        if len(np.unique(label[~held])) < 2:
            yield NotRun(check, "a fold's complement holds one outcome only")
            return
        model = SGDClassifier("log_loss", alpha=1e-5, random_state=seed, max_iter=200, tol=1e-3)
        predicted = model.fit(matrix[~held], label[~held]).decision_function(matrix[held])
        score[held] = np.argsort(np.argsort(predicted, kind="stable")) / max(1, held.sum() - 1)
    yield _ranked(
        check,
        label,
        score,
        table.subjects[rows],
        limit,
        who,
        remedy,
    )


def _twins(
    table: FeatureTable, before: Mapping[int, Sequence[str]], fold: npt.NDArray[np.int64]
) -> Measured:
    """Long notes that stand, to the letter, with another patient in another part."""
    seen: dict[bytes, set[tuple[int, str]]] = defaultdict(set)
    subjects, count = table.subjects.tolist(), 0
    prints: list[tuple[bytes, int]] = []
    for row in sorted(before):
        for text in before[row]:
            plain = " ".join(text.lower().split())
            if len(plain) >= 200:
                prints.append((hashlib.sha256(plain.encode()).digest(), row))
                seen[prints[-1][0]].add((int(fold[row]), subjects[row]))
    for print_, row in prints:
        count += any(n != fold[row] and s != subjects[row] for n, s in seen[print_])
    share = count / len(prints) if prints else 0.0
    error = float(np.sqrt(share * (1 - share) / len(prints))) if prints else 0.0
    return Measured(
        "the same note with two patients",
        "share of notes",
        share,
        error,
        TWINS_LIMIT,
        0.0,
        f"{count} of {len(prints)} notes stand word for word with a patient of another part",
        "find the copies: a stay under two patients is predicted from itself",
    )


# --- codes ------------------------------------------------------------------------------------


def code_probes(
    table: FeatureTable,
    codes: Mapping[Key, Sequence[str]] | None,
    early: tuple[int, int] | None,
    fold: npt.NDArray[np.int64],
    seed: int,
) -> Iterator[Measured | NotRun]:
    """Whether codes of the stay itself count as known before the prediction, and tell the outcome.

    `codes` are those of a row's own stay that the records mark as known by the prediction time;
    `early` counts codes of stays marked as known before the stay ended, and all codes.
    """
    if codes is None or early is None:
        yield NotRun("codes of the stay", "the records hold no codes with the time of coding")
        return
    yield counted(
        "codes before the end of their stay",
        *early,
        f"{early[0]} of {early[1]} diagnosis codes are marked as known before their stay ended",
        "codes are assigned after discharge: take those of earlier stays alone",
        tolerated=0.01,
    )
    texts = {
        row: [" ".join(codes[key])] for row, key in enumerate(keys_of(table)) if codes.get(key)
    }
    yield from _texts(
        table, texts, fold, seed,
        check="codes of the stay",
        limit=0.8,
        who="a model of the stay's own codes that count as known before the prediction",
        remedy="leave the codes of the index stay out: they are assigned after its end",
    )  # fmt: skip


# --- literature -----------------------------------------------------------------------------------


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


def _ranked(
    check: str,
    label: npt.NDArray[np.int8],
    score: F64,
    subjects: npt.NDArray[np.str_],
    limit: float,
    who: str,
    remedy: str,
    *,
    either: bool = False,
) -> Measured | NotRun:
    """A score's AUROC for the outcome; `either`: the larger of both directions."""
    if min(int(label.sum()), int((1 - label).sum())) < LEAST_EVENTS:
        return NotRun(check, "too few events to measure")
    area = auroc(label, score)
    if either and area < 0.5:
        area, score = 1 - area, -score
    error = auroc_error(label, score, subjects)
    found = f"{who} tells the outcome with an AUROC of {area:.3f}"
    return Measured(check, "AUROC", area, error, limit, 0.5, found, remedy)
