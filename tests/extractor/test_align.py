"""Quotes to characters."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from extractor.align import align
from extractor.schema import Kind, Stated, Status


def stated(quote: str) -> Stated:
    return Stated(quote, Kind.PROBLEM, Status.PRESENT)


def test_a_repeated_quote_means_successive_mentions() -> None:
    found, ungrounded = align("pain, then pain.", [stated("pain"), stated("pain"), stated("pain")])
    assert [(f.start, f.end) for f in found] == [(0, 4), (11, 15)]
    assert ungrounded == (stated("pain"),)


def test_a_quote_does_not_begin_or_end_within_a_word() -> None:
    found, ungrounded = align("painful painting", [stated("pain")])
    assert found == ()
    assert ungrounded == (stated("pain"),)


def test_white_space_and_case_are_forgiven_and_the_note_s_own_words_are_quoted() -> None:
    found, _ = align("Shortness\n  of breath", [stated("shortness of  breath")])
    assert [f.quote for f in found] == ["Shortness\n  of breath"]


def test_an_exact_mention_comes_before_a_tolerant_one() -> None:
    found, _ = align("Pain. pain.", [stated("pain")])
    assert [f.start for f in found] == [6]


def test_what_is_empty_or_not_there_is_ungrounded() -> None:
    for quote in ("", " ", ".", "fever", "a(b"):
        assert align("no such thing a[b", [stated(quote)]) == ((), (stated(quote),))


@given(st.text(), st.integers(0, 2**32))
def test_whatever_the_text_a_finding_quotes_it(text: str, seed: int) -> None:
    chosen = random.Random(seed)
    low = chosen.randint(0, len(text))
    quotes = [text[low : chosen.randint(low, len(text))], "x", text]
    found, ungrounded = align(text, map(stated, quotes))
    assert all(text[f.start : f.end] == f.quote for f in found)
    assert len(found) + len(ungrounded) == len(quotes)
