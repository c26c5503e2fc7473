"""The trigger table: found words against brute force, and tables that contradict themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.triggers import (
    Cue,
    TriggerError,
    compile_lexicon,
    expand,
    load_lexicon,
    lower,
    words_pattern,
)


def table(**changes: Any) -> dict[str, Any]:
    row = {"predicate": "TREATS", "frame": "active", "words": ["treat{,s}"], "score": 5000}
    return {
        "trigger": [row | changes],
        "scope": {"open": []},
        "cues": {"denial": ["not"]},
        "lists": {},
    }


def test_choices_in_braces_stand_for_all_their_words() -> None:
    assert expand("{a,b}c{,d}") == ["ac", "acd", "bc", "bcd"]
    assert expand("plain") == ["plain"]


@given(
    st.lists(st.text("ab ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=6),
    st.text("ab ,", max_size=12),
)
def test_the_longest_word_that_ends_as_a_word_is_found(words: list[str], text: str) -> None:
    found = re.compile(words_pattern(words)).match(text)
    fits = [w for w in words if text.startswith(w) and not text[len(w) : len(w) + 1].isalnum()]
    assert (found[0] if found else "") == max(fits, key=len, default="")


def test_hits_lie_where_their_words_stand() -> None:
    text = "iron-induced pain (not caused by it); it may cause/treat"
    hits = load_lexicon().hits_in(text)(0, len(text), len(text))
    found = [(text[hit.start : hit.end], hit.entry.cue) for hit in hits]
    assert found == [
        ("-induced", Cue.TRIGGER),
        ("not", Cue.DENIAL),
        ("caused by", Cue.TRIGGER),
        (";", Cue.BOUNDARY),
        ("may", Cue.DOUBT),
        ("cause", Cue.TRIGGER),
        ("treat", Cue.TRIGGER),
    ]


@given(st.text(max_size=30))
def test_small_letters_stay_in_their_places(text: str) -> None:
    assert len(lower(text)) == len(text)


def test_nitric_oxide_is_not_a_denial() -> None:
    assert lower("NO is NOT no") == "NO is not no"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predicate": "CURES"}, "CURES"),
        ({"frame": "sideways"}, "SIDEWAYS"),
        ({"words": ["not"]}, "'not' is listed as denial"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        compile_lexicon(table(**changes))


def test_an_open_trigger_must_be_a_trigger() -> None:
    broken = table() | {"scope": {"open": ["for"]}}
    with pytest.raises(TriggerError, match="'for'"):
        compile_lexicon(broken)
