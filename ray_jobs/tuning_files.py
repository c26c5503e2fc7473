"""What a fine-tuning and its measures read from files: labels, passages and findings by note."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from extractor.examples import read_marked
from extractor.outcome import OutcomeRow
from extractor.records import good_notes, read_findings
from extractor.schema import Note, NoteFindings, Passage, Relation, State
from extractor.tuning_texts import TuningData
from kg_builder.model import REFUTES


def tuning_data(
    notes: Path, gold: Path | None, labels: Path | None, found: Path | None, passages: Path | None
) -> TuningData:
    """The data of a fine-tuning from its files.

    Raises `NoteInputError`, `FindingInputError`, `GoldError` or `LabelError`, which name the file.
    """
    marked = tuple(read_marked(notes, gold)) if gold else ()
    known = [m.note for m in marked] or good_notes(notes)
    told = found or gold
    stated = read_findings(told) if told else {}
    read = tuple(
        NoteFindings(
            n.note_id, State.OK, "given", tuple(stated.get(n.note_id, ())),
            subject_id=n.subject_id, hadm_id=n.hadm_id, charttime=n.charttime,
            storetime=n.storetime, note_type=n.note_type,
        )
        for n in known
    )  # fmt: skip
    rows = tuple(read_labels(labels)) if labels else ()
    return TuningData(marked, _like(rows, known), read, read_passages(passages))


def _like(rows: Iterable[OutcomeRow], notes: Iterable[Note]) -> tuple[OutcomeRow, ...]:
    """The rows with subject ids as the notes write them: a table's are all text."""
    ids = {str(note.subject_id): note.subject_id for note in notes if note.subject_id is not None}
    return tuple(
        replace(row, subject_id=ids.get(str(row.subject_id), row.subject_id)) for row in rows
    )


class LabelError(ValueError):
    """A table of labels that lacks a column or holds what is no label; names file and row."""


def read_labels(path: Path) -> Iterator[OutcomeRow]:
    """The rows of a CSV of labels (`.csv` or `.csv.gz`); an empty label is unknown."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    with io.StringIO(text, newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            try:
                label = row["label"]
                yield OutcomeRow(
                    row["subject_id"],
                    row.get("hadm_id") or row.get("stay_id"),
                    row["prediction_time"],
                    None if label in ("", None) else int(label),
                )
            except (KeyError, ValueError) as error:
                raise LabelError(
                    f"{path}, line {number}: expected columns subject_id, hadm_id, "
                    f"prediction_time and label (0, 1 or empty); {error}"
                ) from error


def read_passages(path: Path | None) -> dict[tuple[str, str], tuple[Passage, ...]]:
    """Passages by subject and prediction time, of `medweave contexts` or of any other source.

    Those without a date are left out: nobody can tell that they were known.
    """
    given: dict[tuple[str, str], tuple[Passage, ...]] = {}
    if path is None:
        return given
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line:
            try:
                value = json.loads(line)
                given[str(value["subject_id"]), value["prediction_time"]] = tuple(
                    _passage(n, told)
                    for n, told in enumerate(value["passages"], 1)
                    if told["published"]
                )
            except (ValueError, KeyError, TypeError) as error:
                raise LabelError(
                    f"{path}, line {number}: expected subject_id, prediction_time and passages "
                    "(text or sentence, pmid, published; where known edges)"
                ) from error
    return given


def _passage(number: int, told: dict[str, Any]) -> Passage:
    relations = tuple(
        Relation(e["subject_id"], e["predicate"], e["object_id"], e.get("polarity") == REFUTES)
        for e in told.get("edges", ())
    )
    text = told["text"] if "text" in told else told["sentence"]
    return Passage(number, text, str(told["pmid"]), told["published"], relations)
