"""Real notes of the public sets, and the problems that were marked by hand in twenty of them.

`real_notes.tsv` keeps ids, offsets and statuses alone; the text stays in the data. The twenty were
drawn at random (ten visits of ACI-BENCH's validation part, ten sections of MTS-Dialog's of at least
200 characters) and marked by one reader after the i2b2/VA 2010 definitions before any reader of
this project had read them.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from extractor.schema import Finding, Identifier, Kind, Note, Status

MARKS = Path(__file__).with_name("real_notes.tsv")
_FILES = {
    "aci-bench/train": ("aci-bench/train.csv", "encounter_id", "note"),
    "aci-bench/valid": ("aci-bench/valid.csv", "encounter_id", "note"),
    "mts-dialog/training": ("mts-dialog/MTS-Dialog-TrainingSet.csv", "ID", "section_text"),
    "mts-dialog/validation": ("mts-dialog/MTS-Dialog-ValidationSet.csv", "ID", "section_text"),
}


def real_notes(data: Path) -> Iterator[Note]:
    """All notes and sections, each with its set and number as id."""
    for name, (file, key, text) in _FILES.items():
        with (data / "notes" / file).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield Note(f"{name}/{row[key]}", row[text])


def marked_problems(notes: dict[Identifier, Note]) -> dict[Identifier, list[Finding]]:
    """The problems that were marked by hand, by note."""
    marked: dict[Identifier, list[Finding]] = defaultdict(list)
    with MARKS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            start, end = int(row["start"]), int(row["end"])
            quote = notes[row["note_id"]].text[start:end]
            marked[row["note_id"]].append(
                Finding(start, end, quote, Kind(row["kind"]), Status(row["status"]))
            )
    return dict(marked)
