"""Concepts as columns against the same concepts one at a time."""

from __future__ import annotations

from dataclasses import asdict

import pyarrow as pa
import pytest

from ontologies.concept import UnknownConceptError, Vocabulary
from ontologies.select import SELECTED
from ontologies.starter_vocabulary import starter_vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return starter_vocabulary()


def test_columns_hold_what_the_concepts_hold(vocabulary: Vocabulary) -> None:
    ids = list(vocabulary)[::-3]
    found = vocabulary.select(pa.array(ids))
    assert found.schema == SELECTED
    assert found.to_pylist() == [
        {name: _plain(asdict(vocabulary[one])[name]) for name in SELECTED.names} for one in ids
    ]


def test_no_id_gives_no_row(vocabulary: Vocabulary) -> None:
    assert vocabulary.select(pa.array([], pa.string())).num_rows == 0


def test_an_unknown_id_is_named(vocabulary: Vocabulary) -> None:
    known = next(iter(vocabulary))
    with pytest.raises(UnknownConceptError, match="MESH:D999999"):
        vocabulary.select(pa.array([known, "MESH:D999999"]))


def test_each_id_is_found_in_its_row_and_nothing_between(vocabulary: Vocabulary) -> None:
    assert [vocabulary.row(one) for one in vocabulary] == list(range(len(vocabulary)))
    known = set(vocabulary)
    others = [one[:-1] for one in known] + [one + "0" for one in known] + ["", "\U0010ffff"]
    assert not any(other in vocabulary for other in others if other not in known)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
