"""Reading the truth of a synthetic hospital: for evaluation, never for a model or an audit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from predictor.synthetic.draft import Gold
from predictor.synthetic.make import FORMAT, TRUTH, HospitalError, Plan


@dataclass(frozen=True, slots=True)
class TaskTruth:
    """What is known of a task: `best` is the AUROC of the true risks, which no model can exceed
    but by luck; `added_last` is what each source adds to it beyond the others.
    """

    rows: int
    events: int
    best: float
    added_last: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class HospitalTruth:
    """The plan by which a hospital was made, its leak included, and the truth of each task."""

    plan: Plan
    tasks: Mapping[str, TaskTruth]


@dataclass(frozen=True, slots=True)
class GoldNote:
    """The findings of a note, ordered by place, and the style of its author."""

    note_id: str
    style: str
    golds: tuple[Gold, ...]


def read_truth(folder: Path) -> HospitalTruth:
    """The truth of the hospital in a folder; `HospitalError` where it is not there."""
    told = json.loads(_there(folder / TRUTH / "truth.json").read_text(encoding="utf-8"))
    if told["format"] != FORMAT:
        raise HospitalError(f"{folder}: truth of format {told['format']}, expected {FORMAT}")
    plan = Plan(
        told["patients"], told["seed"], told["leak"], told["without_notes"], told["without_graph"]
    )
    return HospitalTruth(plan, {task: _task(values) for task, values in told["tasks"].items()})


def _task(told: Mapping[str, float]) -> TaskTruth:
    prefix = "added_last_"
    added = {key.removeprefix(prefix): told[key] for key in told if key.startswith(prefix)}
    return TaskTruth(int(told["rows"]), int(told["events"]), told["best_reachable_auroc"], added)


def read_risks(folder: Path, task: str) -> pa.Table:
    """subject_id, hadm_id, prediction_time, label, risk, base, structured, notes, graph, pairs.

    `base + structured + notes + graph` is the logit of `risk`, the probability that `label` was
    drawn by.
    """
    table: pa.Table = pa.csv.read_csv(_there(folder / TRUTH / f"risks_{task}.csv.gz"))
    return table


def read_gold(folder: Path) -> Iterator[GoldNote]:
    """The findings of all notes, note by note, in the order of `notes.jsonl`.

    A note without any finding does not occur.
    """
    note_id, style, golds = "", "", list[Gold]()
    path = _there(folder / TRUTH / "findings.jsonl")
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            value = json.loads(line)
            if value["note_id"] != note_id and golds:
                yield GoldNote(note_id, style, tuple(golds))
                golds = []
            note_id, style = value.pop("note_id"), value.pop("style")
            golds.append(Gold(**value))
    if golds:
        yield GoldNote(note_id, style, tuple(golds))


def _there(path: Path) -> Path:
    if not path.is_file():
        raise HospitalError(f"{path} is missing: no synthetic hospital, or its truth was taken out")
    return path
