"""What a folder of records brings along beside its tables, for the audit to look at.

| file | what |
|---|---|
| `labels/TASK.csv[.gz]` | outcomes as somebody counted them: subject_id, hadm_id, label |
| `stage1/TASK.csv[.gz]` | outputs of a note model: see `predictor.stage1` |
| `splits/TASK.json` | the split that they were made with: see `extractor.split` |
| `notes.jsonl` | notes: subject_id, hadm_id, charttime, storetime, text, note_type |

None of them is needed, and none enters a model unless it is named on the command line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from extractor.split import Split
from predictor.note_features import moment
from predictor.outcome_probes import GivenOutcome
from predictor.stage1 import Stage1Output, read_stage1
from predictor.text_probes import NoteText


class BroughtError(ValueError):
    """A file beside the records that cannot be read; names the file and the row."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Paths of what is there; `None` for what is not."""

    labels: Path | None
    stage1: Path | None
    split: Path | None
    notes: Path | None

    @classmethod
    def find(cls, data: Path, task: str) -> Brought:
        """What lies beside the records of a folder for a task."""
        folder = data if data.is_dir() else data.parent

        def first(*names: str) -> Path | None:
            paths = (folder / name for name in names)
            return next((path for path in paths if path.is_file()), None)

        return cls(
            first(f"labels/{task}.csv.gz", f"labels/{task}.csv"),
            first(f"stage1/{task}.csv.gz", f"stage1/{task}.csv"),
            first(f"splits/{task}.json"),
            first("notes.jsonl"),
        )


def given_outcomes(path: Path) -> list[GivenOutcome]:
    """Outcomes of a table; `BroughtError` names a missing column."""
    table = read_any(path)
    missing = {"subject_id", "hadm_id", "label"} - set(table.column_names)
    if missing:
        raise BroughtError(f"{path}: no column {', '.join(sorted(missing))}")
    rows = zip(
        *(table[name].to_pylist() for name in ("subject_id", "hadm_id", "label")), strict=True
    )
    return [GivenOutcome(str(subject), str(stay), int(label)) for subject, stay, label in rows]


def given_stage1(path: Path) -> tuple[Stage1Output, ...]:
    """Stage-1 outputs of a table; `Stage1Error` names a bad row."""
    return tuple(read_stage1(read_any(path), path.name))


def given_split(path: Path | None) -> Split | None:
    return None if path is None else Split.load(path)


def given_notes(path: Path) -> Iterator[NoteText]:
    """Notes of a JSON-lines file, with when each was known; `BroughtError` names a bad line."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row: dict[str, Any] = json.loads(line)
                charted = moment(row["charttime"])
                stored = row.get("storetime")
                yield NoteText(
                    str(row["subject_id"]),
                    str(row["hadm_id"]),
                    charted,
                    moment(stored) if stored else charted,
                    row["text"],
                    str(row.get("note_type") or ""),
                )
            except (KeyError, TypeError, ValueError) as error:
                raise BroughtError(
                    f"{path}, line {number}: not a note with patient, stay and time ({error!r})"
                ) from error


def read_any(path: Path) -> pa.Table:
    """A table of a CSV (plain or gz), Parquet or JSON-lines file; `BroughtError` names the file."""
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        if path.suffix in (".jsonl", ".json"):
            import pyarrow.json as pa_json

            return pa_json.read_json(path)
        return pa_csv.read_csv(path)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise BroughtError(f"{path}: not a table that can be read ({error})") from error
