"""The audit's probes of notes and codes: do they speak of what came after the prediction?"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.leakage import LEAST_EVENTS, Measured, NotRun, counted, ranked
from predictor.note_features import SUMMARIES
from predictor.schema import FeatureTable, Key

WORDS_LIMIT: Final = 0.60
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
    row_of = {key: row for row, key in enumerate(table.keys)}
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
    yield ranked(
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
    yield ranked(
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
    texts = {row: [" ".join(codes[key])] for row, key in enumerate(table.keys) if codes.get(key)}
    yield from _texts(
        table, texts, fold, seed,
        check="codes of the stay",
        limit=0.8,
        who="a model of the stay's own codes that count as known before the prediction",
        remedy="leave the codes of the index stay out: they are assigned after its end",
    )  # fmt: skip
