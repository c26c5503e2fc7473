"""Concepts named together, against a loop over every sentence and every two mentions."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.ledger_rows import mention_table, sentence_table
from kg_builder.pairs import CROWDED, CROWDED_REACH, naming, together
from ontologies.linker import Mention

Span = tuple[int, int]
CODES = 5
SILENT = 4  # the code of a concept that takes part in nothing


@st.composite
def spans(draw: st.DrawFn, longest: int) -> list[Span]:
    """Spans in order that do not overlap; some touch."""
    borders = sorted(draw(st.sets(st.integers(0, longest), max_size=8)))
    pairs = list(zip(borders[::2], borders[1::2], strict=False))
    if draw(st.booleans()):
        return list(pairwise(borders))
    return pairs


@st.composite
def article(draw: st.DrawFn) -> tuple[list[Span], list[tuple[Span, int]]]:
    """Sentences of an article, and its mentions with the code of a concept, or -1."""
    mentions = draw(spans(40))
    codes = draw(st.lists(st.integers(-1, SILENT), min_size=len(mentions), max_size=len(mentions)))
    return draw(spans(40)), list(zip(mentions, codes, strict=True))


def by_hand(
    sentences: list[Span], mentions: list[tuple[Span, int]]
) -> list[tuple[Span, Span, Span]]:
    """Sentence and first mentions of every two concepts that it names."""
    found = []
    for start, end in sentences:
        firsts: dict[int, Span] = {}
        for (left, right), code in mentions:
            if start <= left and right <= end and code not in {-1, SILENT}:
                firsts.setdefault(code, (left, right))
        found += [((start, end), a, b) for a, b in combinations(firsts.values(), 2)]
    return found


@given(st.lists(article(), max_size=4))
def test_pairs_are_those_that_a_loop_finds(
    articles: list[tuple[list[Span], list[tuple[Span, int]]]],
) -> None:
    sentences = sentence_table([own for own, _ in articles])
    linked = [[Mention(*s, "", None, 1.0) for s, _ in own] for _, own in articles]
    codes = np.array([code for _, own in articles for _, code in own], np.int64)
    takes_part = np.arange(CODES) != SILENT
    named = naming(sentences, mention_table(linked), codes, takes_part)
    one, other = together(named)
    spans_of = list(zip(named.start.tolist(), named.end.tolist(), strict=True))
    rows = [(r["article"], (r["start"], r["end"])) for r in sentences.to_pylist()]
    found = [
        (*rows[int(named.sentence[a])], spans_of[a], spans_of[b])
        for a, b in zip(one.tolist(), other.tolist(), strict=True)
    ]
    assert found == [
        (number, *pair) for number, given in enumerate(articles) for pair in by_hand(*given)
    ]


def test_a_crowded_sentence_pairs_neighbours() -> None:
    size = CROWDED + 1
    mentions = [[Mention(i, i + 1, "", None, 1.0) for i in range(size)]]
    sentences = sentence_table([[(0, size)]])
    named = naming(sentences, mention_table(mentions), np.arange(size), np.ones(size, bool))
    one, other = together(named)
    near = [(a, b) for a, b in combinations(range(size), 2) if b - a <= CROWDED_REACH]
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == near
    assert len(together(named, crowded=size)[0]) == size * (size - 1) // 2
