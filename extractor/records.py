"""Notes and findings as JSON lines: strict on the way in, the same bytes each time on the way out.

No message of this module holds any of a note's text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from extractor.schema import (
    Finding,
    Identifier,
    Kind,
    Note,
    NoteFindings,
    Stated,
    Status,
    SubjectOutcome,
)

_TIMES = ("charttime", "storetime")
_OF_NOTE = ("note_id", "subject_id", "hadm_id", *_TIMES, "note_type")
_FIELDS = ("text", *_OF_NOTE)


@dataclass(frozen=True, slots=True)
class BadNote:
    """A record that is no note: where it stands, and what is wrong with it and how to mend it."""

    place: str
    problem: str


class NoteInputError(ValueError):
    """What was given as notes is neither a file of JSON lines nor a folder of `.txt` files."""


def read_notes(path: Path) -> Iterator[Note | BadNote]:
    r"""The notes of a JSON-lines file, or of a folder's `.txt` files in the order of their names.

    Text is taken as it is: line ends are not translated, and lines of JSON end at `\n` alone
    (a note may hold U+2028 or `\r`). A note id that was given before is a `BadNote`.
    """
    seen: set[Identifier] = set()
    for record in _read_folder(path) if path.is_dir() else _read_lines(path):
        if isinstance(record, Note):
            if record.note_id in seen:
                yield BadNote(
                    f"{path}: note {record.note_id}",
                    "its note_id was given before",
                )
                continue
            seen.add(record.note_id)
        yield record


def good_notes(path: Path) -> list[Note]:
    """All notes of a source whose every record must be one: those that a model learns from.

    Raises `NoteInputError` with the first record that is no note.
    """
    notes = []
    for record in read_notes(path):
        if isinstance(record, BadNote):
            raise NoteInputError(
                f"{record.place}: {record.problem}; mend the record or take it out"
            )
        notes.append(record)
    return notes


def _read_folder(path: Path) -> Iterator[Note | BadNote]:
    files = sorted(path.glob("*.txt"))
    if not files:
        raise NoteInputError(f"{path}: no .txt file here; give .txt files or one .jsonl")
    for file in files:
        text = _decoded(file.read_bytes())
        yield (
            BadNote(str(file), "not UTF-8; convert it, for example with iconv")
            if text is None
            else Note(file.stem, text)
        )


def _read_lines(path: Path) -> Iterator[Note | BadNote]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield parse_note(line, f"{path}, line {number}")


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def parse_note(line: bytes, place: str) -> Note | BadNote:
    """The note of one line of JSON.

    >>> parse_note(b'{"note_id": 7, "text": "Cough."}', "notes.jsonl, line 1").note_id
    7
    >>> parse_note(b'{"note_id": 7}', "notes.jsonl, line 2").problem
    'text is missing; expected a string'
    """
    text = _decoded(line)
    if text is None:
        return BadNote(place, "not UTF-8; convert it, for example with iconv")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return BadNote(place, "not JSON; write one JSON object a line")
    if not isinstance(value, dict):
        return BadNote(place, 'not a JSON object; write {"note_id": ..., "text": ...}')
    problem = next(filter(None, (_problem(name, value) for name in _FIELDS)), None)
    if problem is not None:
        return BadNote(place, problem)
    return Note(**{name: value[name] for name in _FIELDS if value.get(name) is not None})


def _problem(name: str, value: Mapping[str, Any]) -> str | None:
    given = value.get(name)
    if given is None:
        wanted = {"note_id": "a string or an integer", "text": "a string"}.get(name)
        return wanted and f"{name} is missing; expected {wanted}"
    if name.endswith("_id"):
        fits = isinstance(given, str | int) and not isinstance(given, bool) and given != ""
        return None if fits else f"{name} is {_sort(given)}; expected a string or an integer"
    if not isinstance(given, str):
        return f"{name} is {_sort(given)}; expected a string"
    if name in _TIMES and not _is_time(given):
        return f"{name} is no time; write it as ISO 8601, 2150-03-01T14:30:00"
    return None


def _sort(value: object) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "an empty string" if value == "" else "a string")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def note_line(note: Note) -> str:
    """A note as a line of JSON, as `read_notes` reads it."""
    return _line({name: getattr(note, name) for name in _FIELDS})


def finding_lines(read: NoteFindings) -> Iterator[str]:
    """A line of JSON for each finding, with the ids and times of its note."""
    ids = _ids(read)
    for finding in read.findings:
        yield _line(ids | _finding(finding))


def state_line(read: NoteFindings) -> str:
    """A line of JSON for the note: how its reading ended, and what could not be located."""
    return _line(
        _ids(read)
        | {
            "state": read.state.value,
            "findings": len(read.findings),
            "ungrounded": [_stated(item) for item in read.ungrounded],
            "windows": read.windows,
            "truncated": read.truncated,
            "invalid": read.invalid,
            "reader": read.reader,
        }
    )


def outcome_line(outcome: SubjectOutcome) -> str:
    """A line of JSON for a subject at a prediction time."""
    return _line(
        {
            "subject_id": outcome.subject_id,
            "hadm_id": outcome.hadm_id,
            "prediction_time": outcome.prediction_time,
            "probability": outcome.probability,
            "fold": outcome.fold,
            "model": outcome.model,
            "state": outcome.state.value,
            "cited_findings": list(outcome.cited_findings),
            "cited_passages": list(outcome.cited_passages),
            "rationale": outcome.rationale,
        }
    )


def _ids(read: NoteFindings) -> dict[str, object]:
    return {name: getattr(read, name) for name in _OF_NOTE}


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "start": finding.start,
        "end": finding.end,
        "quote": finding.quote,
        "kind": finding.kind.value,
        "status": finding.status.value,
        "concept": finding.concept,
        "time": finding.time,
        "value": finding.value,
        "unit": finding.unit,
        "score": None if finding.score is None else round(finding.score, 6),
    }


def _stated(item: Stated) -> dict[str, object]:
    return {"quote": item.quote, "kind": item.kind.value, "status": item.status.value}


def _line(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def parse_finding(line: str) -> tuple[Identifier, Finding]:
    """The note's id and the finding of a line that `finding_lines` wrote.

    Raises `ValueError`, `KeyError` or `TypeError` for what it did not write.
    """
    value = json.loads(line)
    names = ("start", "end", "quote", "concept", "time", "value", "unit", "score")
    kind, status = Kind(value["kind"]), Status(value["status"])
    rest = {name: value.get(name) for name in names}
    return value["note_id"], Finding(kind=kind, status=status, **rest)


class FindingInputError(ValueError):
    """A line of a file of findings that is no finding; names file and line, never the text."""


def read_findings(path: Path) -> dict[Identifier, list[Finding]]:
    """The findings of a file that `medweave extract` wrote, by note, in the order of the file.

    Raises `FindingInputError`.
    """
    found: dict[Identifier, list[Finding]] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line:
            try:
                note_id, finding = parse_finding(line.decode("utf-8"))
            except (ValueError, KeyError, TypeError) as error:
                raise FindingInputError(
                    f"{path}, line {number}: no finding ({type(error).__name__}); expected "
                    "note_id, start, end, quote, kind and status"
                ) from error
            found.setdefault(note_id, []).append(finding)
    return found
