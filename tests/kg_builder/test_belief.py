"""Belief by hand, by its properties, and its two forms against each other."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.belief import (
    HEDGED_SHARE,
    SYSTEMATIC_ERROR,
    belief,
    belief_of_evidence,
    beliefs,
    edge_beliefs,
)
from kg_builder.ladybug_store import LadybugStore
from kg_builder.memory_store import MemoryStore
from kg_builder.model import REFUTES, SUPPORTS, EdgeKey, PublicationDate
from tests.contracts.graphs import CONCEPTS, CUTS, EXTRACTORS, Statement, World, worlds, written
from tests.contracts.snapshots import write_snapshot

CHANCES = st.lists(st.floats(0.0, 1.0), max_size=5)
KEY = EdgeKey(CONCEPTS[0].id, "TREATS", CONCEPTS[1].id)
SCORE = 0.75  # of all evidence that `written` writes


def test_by_hand() -> None:
    one = 1 - (0.05 + 0.95 * 0.2)
    assert belief({"a": [0.8]}, {}) == pytest.approx(one)
    two_articles = 1 - (0.05 + 0.95 * 0.2 * 0.5)
    assert belief({"a": [0.8, 0.5]}, {}) == pytest.approx(two_articles)
    two_extractors = 1 - (0.05 + 0.95 * 0.2) * (0.05 + 0.95 * 0.5)
    assert belief({"a": [0.8], "b": [0.5]}, {}) == pytest.approx(two_extractors)
    assert belief({"a": [0.8]}, {"a": [0.8]}) == pytest.approx(one * (1 - one))
    assert belief({}, {}) == belief({"a": []}, {}) == belief({}, {"a": [1.0]}) == 0.0


@given(CHANCES, CHANCES, CHANCES, st.floats(0.0, 1.0))
def test_more_support_is_never_less_belief_and_more_refutation_never_more(
    one: list[float], other: list[float], against: list[float], new: float
) -> None:
    before = belief({"a": one, "b": other}, {"a": against})
    assert 0.0 <= before <= 1.0
    assert belief({"a": [*one, new], "b": other}, {"a": against}) >= before - 1e-12
    assert belief({"a": one, "b": other}, {"a": [*against, new]}) <= before + 1e-12


@given(st.lists(st.floats(0.0, 1.0), min_size=1))
def test_one_extractor_alone_is_never_certain(found: list[float]) -> None:
    assert belief({"a": found}, {}) <= 1 - SYSTEMATIC_ERROR + 1e-12


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="reliability"):
        belief({"a": [wrong]}, {})


def store_of(*articles: object) -> MemoryStore:
    return MemoryStore(articles, CONCEPTS)  # type: ignore[arg-type]


def treats(polarity: str = SUPPORTS, hedged: bool = False, extractor: int = 0) -> Statement:
    return Statement(0, 1, "TREATS", polarity, hedged, EXTRACTORS[extractor])


def believed(*articles: object, as_of: date | None = None) -> float:
    return edge_beliefs(store_of(*articles), [KEY], as_of=as_of)[0]


def test_sentences_of_one_article_count_once_and_the_best_of_them() -> None:
    alone = believed(written(1, [treats()]))
    assert alone == pytest.approx(belief({"patterns": [SCORE]}, {}))
    assert believed(written(1, [treats(), treats(hedged=True), treats()])) == alone
    hedged = believed(written(1, [treats(hedged=True)]))
    assert hedged == pytest.approx(belief({"patterns": [SCORE * HEDGED_SHARE]}, {}))
    assert hedged < alone


def test_versions_of_an_extractor_share_its_systematic_error() -> None:
    two = believed(written(1, [treats()]), written(2, [treats(extractor=1)]))
    assert two == pytest.approx(belief({"patterns": [SCORE, SCORE]}, {}))


def test_retracted_and_later_articles_count_nowhere() -> None:
    first = written(1, [treats()], published=PublicationDate(2001))
    later = written(2, [treats(REFUTES)], published=PublicationDate(2003))
    gone = written(3, [treats()], published=PublicationDate(2001), retracted=True)
    alone = believed(first)
    assert believed(first, gone) == alone
    assert believed(first, later) < alone
    assert believed(first, later, as_of=date(2002, 1, 1)) == alone
    assert believed(first, later, as_of=date(2000, 1, 1)) == 0.0
    everything = store_of(first, gone).evidence(KEY, retracted=True)
    assert belief_of_evidence(everything) == alone


@settings(max_examples=60, deadline=None)
@given(worlds(), CUTS)
def test_tables_and_sentences_give_the_same(world: World, as_of: date | None) -> None:
    reference = MemoryStore(world.mined, world.concepts)
    edges = reference.edges([c.id for c in CONCEPTS], min_articles=0)
    keys = [edge.key for edge in edges] + [EdgeKey("UMLS:C0000000", "TREATS", CONCEPTS[0].id)]
    with tempfile.TemporaryDirectory() as folder:
        store = LadybugStore.open(write_snapshot(world, Path(folder) / "graph"))
        expected = edge_beliefs(reference, keys, as_of=as_of)
        assert edge_beliefs(store, keys, as_of=as_of) == pytest.approx(expected, abs=1e-12)
        rows = np.array([row for key in keys if (row := store.edge_row(key)) is not None], np.int64)
        twice = beliefs(store, np.concatenate((rows, rows)), as_of=as_of)
        assert twice[: len(rows)].tolist() == twice[len(rows) :].tolist()
        store.close()
