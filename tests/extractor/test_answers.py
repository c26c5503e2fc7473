"""Prompts, answers and their grammar; windows of a note."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.answers import AnswerError, read_answer, read_cut_answer, without_repeats
from extractor.prompt import (
    BRIEF,
    COMPACT,
    INSTRUCT,
    LONGEST,
    OVERLAP,
    PROMPTS,
    answer,
    prompt,
    windows,
)
from extractor.schema import Kind, Stated, Status

PAIN = Stated("pain", Kind.PROBLEM, Status.ABSENT)


def test_an_answer_comes_back_from_its_json() -> None:
    said = [PAIN, Stated("CT", Kind.TEST, Status.PRESENT)]
    assert read_answer(answer(said, INSTRUCT)) == said
    for form in (COMPACT, BRIEF):
        assert [s.quote for s in read_answer(answer(said, form))] == [" pain", " CT"]
        assert [s.status for s in read_answer(answer(said, form))] == [s.status for s in said]


@pytest.mark.parametrize(
    "text",
    [
        "", "pain", "{}", '[{"quote": 3, "kind": "problem", "status": "present"}]', "[1]",
        '[{"quote": "x", "kind": "person", "status": "present"}]',
        '[{"quote": "x", "kind": "problem"}]', "[" * 100_000, '[["x", "problem"]]',
        '[["x", "person", "present"]]', '[[3, "problem", "present"]]',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_answer(text)
    assert "person" not in str(refused.value)


@pytest.mark.parametrize("form", PROMPTS)
def test_of_a_cut_answer_the_whole_findings_are_kept(form: str) -> None:
    whole = answer([PAIN, PAIN], form)
    for end in range(len(whole)):
        kept = read_cut_answer(whole[:end])
        assert all(item.status is Status.ABSENT for item in kept)
        assert len(kept) == whole[:end].count(answer([PAIN], form)[-3:-1])


def test_a_quote_is_kept_as_often_as_it_stands_in_the_text() -> None:
    assert without_repeats([PAIN] * 3, "pain and pain") == [PAIN] * 2


@given(st.text(max_size=1200))
def test_windows_hold_all_text_of_their_sentences_and_are_not_too_long(text: str) -> None:
    for window in windows(text):
        assert len(window.text) == window.end - window.start <= LONGEST
        assert json.dumps(window.text, ensure_ascii=False) == f'"{window.text}"'


def test_a_long_sentence_is_read_in_overlapping_windows() -> None:
    text = "pain " * 300
    parts = windows(text)
    assert parts[0].start == 0
    assert parts[-1].end == len(text.rstrip())
    for before, after in pairwise(parts):
        assert before.end - OVERLAP - 10 < after.start < before.end
    assert prompt(parts[0], COMPACT).startswith(" other:\n pain")
