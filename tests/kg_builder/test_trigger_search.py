"""The search through many sentences at once, against the search through one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder import trigger_search
from kg_builder.trigger_search import TriggerSearch, find_words, trie_of
from kg_builder.triggers import Hit, load_lexicon, lower
from ontologies import kernels
from ontologies.tokens import code_points

LEXICON = load_lexicon()
SEARCH = TriggerSearch(LEXICON)
WORDS = st.sampled_from([*LEXICON.entries, " ", "(", "\n", "é", "二", "pain", "/", "-", "😀", "s"])
TEXTS = st.lists(WORDS, max_size=12).map(lambda words: lower("".join(words)))


def stretches(texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two halves of each text, the first of which may end within a word."""
    rows = [
        (owner, *span)
        for owner, text in enumerate(texts)
        for span in ((0, len(text) // 2), (len(text) // 2, len(text)))
    ]
    owners, starts, ends = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return owners, starts, ends


def one_by_one(texts: list[str]) -> list[list[Hit]]:
    rows = zip(*(column.tolist() for column in stretches(texts)), strict=True)
    return [LEXICON.hits_in(texts[owner])(start, end, end) for owner, start, end in rows]


def test_compiled_search_finds_what_the_expression_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "WORTH", 0)
    monkeypatch.setattr(kernels, "START", 0)
    found = 0

    @settings(max_examples=300, deadline=None)
    @given(st.lists(TEXTS, min_size=1, max_size=5))
    def hold_equal(texts: list[str]) -> None:
        nonlocal found
        hits = SEARCH.hits(texts, *stretches(texts))
        assert hits == one_by_one(texts)
        found += sum(map(len, hits))

    hold_equal()
    assert found > 300


def test_little_text_is_searched_by_the_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigger_search, "compiled", lambda _loop, _items: None)
    texts = ["aspirin-induced pain (not caused by it)", ""]
    assert SEARCH.hits(texts, *stretches(texts)) == one_by_one(texts)


def test_the_longest_word_by_hand() -> None:
    words = [" cause", " caused by", "-led"]
    text = " caused by-led causes cause"
    found, counts = np.zeros((9, 3), np.int64), np.zeros(1, np.int64)
    bounds = np.array([0]), np.array([len(text)])
    assert find_words(code_points(text), trie_of(words), *bounds, found, counts) == 3
    assert found[:3].tolist() == [[0, 10, 1], [10, 14, 2], [21, 27, 0]]
    assert counts.tolist() == [3]
