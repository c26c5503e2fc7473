"""Examples for training keep their quotes in their places, however they are varied."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from extractor.examples import GoldError, MarkedNote, examples, names_by_kind, read_marked, varied
from extractor.records import finding_lines, note_line
from extractor.schema import Finding, Kind, Note, NoteFindings, State, Status

TEXT = "PMH: chronic gout, asthma.\nDenies fever."
NOTE = Note(1, TEXT)
MARKS = tuple(
    Finding(TEXT.index(q), TEXT.index(q) + len(q), q, Kind.PROBLEM, s)
    for q, s in (
        ("chronic gout", Status.PRESENT),
        ("asthma", Status.PRESENT),
        ("fever", Status.ABSENT),
    )
)


def test_windows_carry_the_findings_that_lie_in_them() -> None:
    got = [
        (e.window.text, [f.quote for f in e.findings]) for e in examples(MarkedNote(NOTE, MARKS))
    ]
    assert got == [
        ("chronic gout, asthma.", ["chronic gout", "asthma"]),
        ("Denies fever.", ["fever"]),
    ]


def test_varied_examples_quote_their_own_text() -> None:
    marked = MarkedNote(NOTE, MARKS)
    pool = names_by_kind([marked])
    rng = Random(2)
    seen = set()
    for example in examples(marked):
        for _ in range(300):
            other = varied(example, pool, rng)
            seen.add(other.window.text)
            for finding in other.findings:
                assert other.window.text[finding.start : finding.end] == finding.quote
            assert [f.status for f in other.findings] == [f.status for f in example.findings]
    assert len(seen) > 100


def test_marks_that_do_not_fit_their_notes_are_refused(tmp_path: Path) -> None:
    notes, gold = tmp_path / "notes.jsonl", tmp_path / "gold.jsonl"
    notes.write_text(note_line(NOTE), encoding="utf-8")
    gold.write_text("".join(finding_lines(NoteFindings(1, State.OK, "", MARKS))), encoding="utf-8")
    assert read_marked(notes, gold) == [MarkedNote(NOTE, MARKS)]
    notes.write_text(note_line(Note(1, " " + TEXT)), encoding="utf-8")
    with pytest.raises(GoldError, match="note 1"):
        read_marked(notes, gold)
    notes.write_text(note_line(Note(2, TEXT)), encoding="utf-8")
    with pytest.raises(GoldError, match="not among the notes"):
        read_marked(notes, gold)
