"""The reader by rules on real notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.evaluate import score
from extractor.rules import RuleReader
from extractor.schema import Kind, State
from tests.extractor.real_notes import marked_problems, real_notes


def test_problems_of_twenty_notes_marked_by_hand(data: Path, rules: RuleReader) -> None:
    """F1 of problems by overlapping span and equal status is at least 0.75."""
    notes = {note.note_id: note for note in real_notes(data)}
    marked = marked_problems(notes)
    assert len(marked) == 20
    read = rules.read([notes[n] for n in marked])
    scored = score(marked, {r.note_id: r.findings for r in read}, kind=Kind.PROBLEM)["status"]
    assert scored.marked == 392
    assert scored.f1 is not None
    assert scored.f1 >= 0.75


@pytest.mark.accept
def test_all_real_notes_are_read_and_every_finding_quotes_its_note(
    data: Path, rules: RuleReader
) -> None:
    notes = list(real_notes(data))
    read = rules.read(notes)
    assert [r.note_id for r in read] == [n.note_id for n in notes]
    for note, found in zip(notes, read, strict=True):
        assert found.state is (State.OK if note.text.strip() else State.NO_NOTE)
        assert all(note.text[f.start : f.end] == f.quote for f in found.findings)
        assert found.ungrounded == ()
