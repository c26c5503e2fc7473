"""Bulk hashes against the same bytes put together one row at a time."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.canonical import NullTextError, many_texts, one_text, row_hashes
from kg_builder.digest import concept_hash, concept_hashes
from ontologies.concept import Concept, Name
from tests.kg_builder.shard_world import concept_rows

_text = st.text(max_size=5)
_row = st.tuples(
    st.integers(-(2**63), 2**63 - 1), _text, st.lists(_text, max_size=3).map(tuple), _text
)
_texts = st.lists(_text, max_size=3).map(tuple)
_name = st.builds(Name, _text, _text, _text, st.booleans())
_concept = st.builds(
    Concept, _text, _text, st.lists(_name, max_size=3).map(tuple), _texts, _texts, _texts, _text
)


def by_hand(numbers: list[int], texts: list[str]) -> bytes:
    """The canonical bytes as their definition says."""
    encoded = [text.encode() for text in texts]
    integers = [len(numbers), *numbers, *map(len, encoded)]
    return b"".join(struct.pack("<q", n) for n in integers) + b"".join(encoded)


@given(st.lists(_row, max_size=6), st.integers(0, 3))
def test_rows_hash_as_their_definition_says(
    rows: list[tuple[int, str, tuple[str, ...], str]], skipped: int
) -> None:
    number, one, many, other = (list(column) for column in zip(*rows, strict=True)) if rows else (
        [], [], [], []
    )  # fmt: skip
    table = pa.table(
        {
            "one": pa.array(one, pa.string()),
            "many": pa.array(many, pa.list_(pa.string())),
            "other": pa.array(other, pa.large_string()),
        }
    ).slice(skipped)
    numbers = np.array(number[skipped:], np.int64)
    columns = [one_text(table["one"]), many_texts(table["many"]), one_text(table["other"])]
    found = [sha.digest() for sha in row_hashes([numbers, columns[1].counts], columns)]
    assert found == [
        hashlib.sha256(by_hand([n, len(m)], [a, *m, b])).digest() for n, a, m, b in rows[skipped:]
    ]


@given(st.lists(_concept, max_size=4))
def test_concepts_in_bulk_hash_as_one_by_one(concepts: list[Concept]) -> None:
    assert concept_hashes(concept_rows(concepts)) == list(map(concept_hash, concepts))


def test_nulls_have_no_canonical_bytes() -> None:
    with pytest.raises(NullTextError):
        one_text(pa.array(["a", None]))
    with pytest.raises(NullTextError):
        many_texts(pa.array([["a"], None], pa.list_(pa.string())))
