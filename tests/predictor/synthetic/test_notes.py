"""Synthetic notes: every finding where it is said to be, the same notes for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from ontologies.starter_vocabulary import starter_concepts
from predictor.synthetic.author import misspelt, own_frames, repertoire
from predictor.synthetic.frames import STATUSES, Blank, FrameError, Slot, frames, parse_frame
from predictor.synthetic.phrases import concept_of, pools
from predictor.synthetic.practice import practice_notes
from predictor.synthetic.styles import BY_NAME, HELD_OUT, STYLES, heading

NOTES = list(practice_notes(3 * len(STYLES), seed=5, styles=STYLES))


def test_spans_are_exact_ordered_and_apart() -> None:
    for made in NOTES:
        text, golds = made.note.text, made.note.golds
        assert golds
        for gold in golds:
            assert text[gold.start : gold.end] == gold.quote
            assert gold.quote == gold.quote.strip()
            assert gold.quote
        assert all(left.end <= right.start for left, right in pairwise(golds))


def test_the_same_seed_gives_the_same_notes() -> None:
    again = list(practice_notes(8, seed=5, styles=STYLES))
    assert [made.note.text for made in again] == [made.note.text for made in NOTES[:8]]
    assert [made.note.golds for made in again] == [made.note.golds for made in NOTES[:8]]
    other = list(practice_notes(8, seed=6, styles=STYLES))
    assert all(a.note.text != b.note.text for a, b in zip(again, other, strict=True))


def test_all_statuses_kinds_and_styles_occur() -> None:
    golds = [gold for made in NOTES for gold in made.note.golds]
    assert {gold.status for gold in golds} == set(STATUSES.values())
    assert {gold.kind for gold in golds} == {"problem", "treatment", "test"}
    assert {made.style for made in NOTES} == set(BY_NAME)
    assert not {made.style for made in practice_notes(30, seed=1)} & set(HELD_OUT)
    assert sum(bool(gold.value) for gold in golds) > 50


def test_values_stand_beside_their_test() -> None:
    for made in NOTES:
        for gold in made.note.golds:
            if gold.value:
                after = made.note.text[gold.end : gold.end + 40]
                assert gold.value in after
                assert not gold.unit or gold.unit in after


def test_gold_concepts_are_in_the_vocabulary() -> None:
    known = {concept.id for concept in starter_concepts()}
    found = {gold.concept for made in NOTES for gold in made.note.golds if gold.concept}
    assert len(found) > 300
    assert found <= known


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("dyspnea", "UMLS:C0013404"),
        ("worsening shortness of breath", "UMLS:C0013404"),
        ("congestive heart failure", "UMLS:C0018801"),
        ("foot drop", None),
    ],
)
def test_concept_of_a_phrase(text: str, concept: str | None) -> None:
    assert concept_of(text) == concept


def test_every_blank_and_slot_of_the_frames_can_be_filled() -> None:
    """Write every frame once, so that no blank lacks its filler."""
    from predictor.synthetic.author import Author, Person
    from predictor.synthetic.values import practice_readings

    rng = Random(1)
    author = Author(BY_NAME["classic"], Person("Ann", "Marsh", 70, False), practice_readings(rng),
                    repertoire(frozenset()), rng)  # fmt: skip
    for group, made in frames().items():
        for frame in made:
            before = len(author.draft.golds)
            author.write(frame)
            slots = [piece for piece in frame if isinstance(piece, Slot)]
            added = author.draft.golds[before:]
            assert len(added) >= len(slots), (group, frame)
            assert {gold.status for gold in added} == {slot.status for slot in slots}


def test_frames_that_cannot_be_read_are_named() -> None:
    assert parse_frame("{He} took {T+}")[0] == Blank("He")
    with pytest.raises(FrameError, match="left over"):
        parse_frame("{He} took {T+")


def test_loud_concepts_are_claimed_only_where_asked() -> None:
    loud = frozenset({"UMLS:C0013404"})
    words = repertoire(loud)
    assert all(p.concept not in loud for pool in words.calm.values() for p in pool.plain)
    assert any(p.concept in loud for p in pools()["S"].plain)


def test_a_slip_changes_two_letters_of_one_long_word() -> None:
    text = "severe hypertension"
    slipped = misspelt(text, Random(3))
    assert slipped != text
    assert Counter(slipped) == Counter(text)
    assert misspelt("a cold", Random(3)) == "a cold"


def test_styles_differ() -> None:
    assert len(STYLES) >= 8
    assert len(HELD_OUT) >= 2
    assert len({heading(style, "hpi") for style in STYLES}) > 3
    assert own_frames("classic", "symptom") != own_frames("terse", "symptom")
