"""Tokens found by character classes against the regular expression that defines them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies.candidates import BREAK, GapKinds, TokenTable, gap_kind, tokenize
from ontologies.normalize import TOKEN
from ontologies.tokens import code_points, token_bounds

SIGNS = st.sampled_from("aZs sé\u0301'’ʼ_-. \n\t,12٣αμ二🙂/(")
TEXTS = st.text(SIGNS | st.characters(), max_size=40)


def spans(text: str) -> list[tuple[int, int]]:
    starts, ends = token_bounds(text, code_points(text))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_tokens_are_those_of_the_expression(text: str) -> None:
    assert spans(text) == [match.span() for match in TOKEN.finditer(text)]


@pytest.mark.parametrize(
    "text", ["", "x's's", "Crohn’s's", "é's", "a'sé", "'s", "1's", "α's", "二x"]
)
def test_possessives_and_other_letters(text: str) -> None:
    assert spans(text) == [match.span() for match in TOKEN.finditer(text)]


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_batch_is_its_texts_one_by_one(texts: list[str]) -> None:
    table, gaps = TokenTable(), GapKinds()
    batch = tokenize(texts, table, gaps)
    words = list(table)
    for number, text in enumerate(texts):
        low, high = batch.first[number], batch.first[number + 1]
        pieces = TOKEN.split(text)
        assert [words[token] for token in batch.token[low:high]] == pieces[1::2]
        assert batch.start[low:high].tolist() == [m.start() for m in TOKEN.finditer(text)]
        assert batch.end[low:high].tolist() == [m.end() for m in TOKEN.finditer(text)]
        kinds = [BREAK, *map(gap_kind, pieces[2:-1:2])][: high - low]
        softened = [k if k != BREAK else None for k in batch.gap[low:high].tolist()]
        # A full stop after a long token ends the sentence.
        assert all(k in (None, kind) for k, kind in zip(softened, kinds, strict=True))
        assert set(batch.document[low:high].tolist()) <= {number}
