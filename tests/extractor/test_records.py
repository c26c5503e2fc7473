"""Notes and findings as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extractor.records import (
    BadNote,
    NoteInputError,
    finding_lines,
    note_line,
    parse_finding,
    parse_note,
    read_notes,
)
from extractor.schema import Finding, Kind, Note, NoteFindings, SpanError, State, Status


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"not json", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"text": "secret"}', "note_id is missing"),
        (b'{"note_id": true, "text": "secret"}', "note_id is a boolean"),
        (b'{"note_id": "", "text": "secret"}', "note_id is an empty string"),
        (b'{"note_id": 1, "text": ["secret"]}', "text is a list"),
        (b'{"note_id": 1, "text": "secret", "charttime": "yesterday"}', "charttime is no time"),
        (b'{"note_id": 1, "text": "secret\xff"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_record_is_named_without_its_text(line: bytes, problem: str) -> None:
    bad = parse_note(line, "notes.jsonl, line 4")
    assert isinstance(bad, BadNote)
    assert bad.place == "notes.jsonl, line 4"
    assert problem in bad.problem
    assert "secret" not in bad.problem


def test_good_records_beside_bad_ones_are_kept_and_lines_end_at_newlines_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "notes.jsonl"
    odd = "a\u2028b\u0085c\rd"
    path.write_bytes(
        json.dumps({"note_id": 1, "text": odd}, ensure_ascii=False).encode()
        + b'\nbad\n\n{"note_id": 1, "text": "again"}\n{"note_id": "1", "text": "", "hadm_id": 5}\n'
    )
    records = list(read_notes(path))
    assert [r for r in records if isinstance(r, Note)] == [
        Note(1, odd),
        Note("1", "", hadm_id=5),
    ]
    assert [r.problem for r in records if isinstance(r, BadNote)] == [
        "not JSON; write one JSON object a line",
        "its note_id was given before",
    ]


def test_text_files_are_read_without_translating_line_ends(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"x\r\ny\rz")
    (tmp_path / "a.txt").write_bytes("é".encode("latin-1"))
    first, second = read_notes(tmp_path)
    assert isinstance(first, BadNote)
    assert second == Note("b", "x\r\ny\rz")


def test_a_folder_without_notes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoteInputError, match=r"no \.txt file"):
        list(read_notes(tmp_path))


def test_a_note_comes_back_from_its_line() -> None:
    note = Note("n", "a\nb\u2028", subject_id=4, storetime="2150-01-01T00:00:00")
    assert parse_note(note_line(note).encode(), "") == note


def test_a_finding_comes_back_from_its_line_with_its_note_s_ids() -> None:
    finding = Finding(2, 7, "fever", Kind.PROBLEM, Status.ABSENT, "UMLS:C0015967", score=0.5)
    read = NoteFindings(9, State.OK, "rules", (finding,), subject_id=3, charttime="2150-01-01")
    (line,) = finding_lines(read)
    assert parse_finding(line) == (9, finding)
    value = json.loads(line)
    assert (value["subject_id"], value["charttime"]) == (3, "2150-01-01")


@pytest.mark.parametrize(("start", "end"), [(3, 3), (-1, 4), (0, 4), (5, 0)])
def test_a_span_that_is_none_is_refused(start: int, end: int) -> None:
    with pytest.raises(SpanError):
        Finding(start, end, "fever", Kind.PROBLEM, Status.PRESENT)
