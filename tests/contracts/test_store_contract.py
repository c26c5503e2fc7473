"""What every `GraphStore` answers: equal to the reference on random graphs, and by hand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kg_builder.ladybug_store import LadybugStore, load_ladybug
from kg_builder.memory_store import MemoryStore
from kg_builder.model import REFUTES, EdgeKey, PublicationDate
from kg_builder.store import IMPLEMENTATIONS, GraphStore
from tests.contracts.graphs import (
    CONCEPTS,
    CUTS,
    IDS,
    PREDICATE_SETS,
    Statement,
    World,
    worlds,
    written,
)
from tests.contracts.snapshots import write_hashed, write_snapshot

ALL = tuple(concept.id for concept in CONCEPTS)
ASPIRIN, FAILURE, DISEASE, ATTACK, INSULIN = ALL


@contextmanager
def memory(world: World) -> Iterator[GraphStore]:
    yield MemoryStore(world.mined, world.concepts, digest="made")


@contextmanager
def ladybug(world: World) -> Iterator[GraphStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = LadybugStore.open(write_snapshot(world, Path(folder) / "graph"))
        try:
            yield store
        finally:
            store.close()


@contextmanager
def ladybug_in_batches(world: World) -> Iterator[GraphStore]:
    with tempfile.TemporaryDirectory() as folder:
        store = LadybugStore.open(write_snapshot(world, Path(folder) / "graph", batch=2))
        try:
            yield store
        finally:
            store.close()


@contextmanager
def neo4j(world: World) -> Iterator[GraphStore]:
    """Publishes by the difference from whatever the example before left."""
    from kg_builder.neo4j_publish import publish
    from kg_builder.neo4j_store import Neo4jStore
    from tests.kg_builder.neo4j_databases import forget_digest

    url = os.environ["TEST_NEO4J_URL"]
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_hashed(world, Path(folder) / "graph", digest="made")
        forget_digest(url)
        publish(snapshot, url)
        store = Neo4jStore.open(url)
        try:
            yield store
        finally:
            store.close()


Opener = Callable[[World], Any]
OPENERS: dict[str, Opener] = {
    "kg_builder.memory_store:MemoryStore": memory,
    "kg_builder.ladybug_store:LadybugStore": ladybug,
    "kg_builder.ladybug_store:LadybugStore in batches": ladybug_in_batches,
    "kg_builder.neo4j_store:Neo4jStore": neo4j,
}


@pytest.fixture(scope="module")
def opener(request: pytest.FixtureRequest) -> Opener:
    """Opens a world in the store that the test is run for, whose server runs."""
    if request.param is neo4j:
        os.environ["TEST_NEO4J_URL"] = request.getfixturevalue("neo4j_server").url
    chosen: Opener = request.param
    return chosen


def stores(*names: str) -> pytest.MarkDecorator:
    """Runs a test for each of the stores with these names."""
    chosen = [OPENERS[name] for name in names]
    return pytest.mark.parametrize("opener", chosen, ids=list(names), indirect=True)


SERVERS = ["kg_builder.neo4j_store:Neo4jStore"]
every_store = stores(*OPENERS)
embedded_stores = stores(*[name for name in list(OPENERS)[1:] if name not in SERVERS])
server_stores = stores(*SERVERS)
ON_SERVERS = (Phase.explicit, Phase.reuse, Phase.generate)
"""No shrinking: against a server it takes minutes, and the worlds are small as they are."""


def test_every_implementation_is_in_this_suite() -> None:
    assert set(IMPLEMENTATIONS.values()) <= set(OPENERS)


def plain(concepts: list[Any]) -> list[dict[str, Any]]:
    """Concepts with all their fields: as values they are equal when their ids are."""
    return [asdict(concept) for concept in concepts]


@embedded_stores
@settings(max_examples=40, deadline=None)
@given(world=worlds(), as_of=CUTS, data=st.data())
def test_answers_equal_the_reference(
    opener: Opener, world: World, as_of: date | None, data: st.DataObject
) -> None:
    check_answers(opener, world, as_of, data)


@server_stores
@settings(max_examples=10, deadline=None, phases=ON_SERVERS)
@given(world=worlds(), as_of=CUTS, data=st.data())
def test_answers_of_a_server_equal_the_reference(
    opener: Opener, world: World, as_of: date | None, data: st.DataObject
) -> None:
    check_answers(opener, world, as_of, data)


def check_answers(opener: Opener, world: World, as_of: date | None, data: st.DataObject) -> None:
    """Every read answers as the reference does."""
    reference = MemoryStore(world.mined, world.concepts, digest="made")
    with opener(world) as store:
        assert store.stats(as_of=as_of) == reference.stats(as_of=as_of)
        ids = data.draw(IDS)
        assert plain(store.concepts(ids)) == plain(reference.concepts(ids))
        assert store.article_counts(ids, as_of=as_of) == reference.article_counts(ids, as_of=as_of)
        asked: dict[str, Any] = {
            "predicates": data.draw(PREDICATE_SETS),
            "direction": data.draw(st.sampled_from(("out", "in", "both"))),
            "as_of": as_of,
            "min_articles": data.draw(st.integers(0, 3)),
            "limit_per_concept": data.draw(st.none() | st.integers(1, 3)),
        }
        assert store.edges(ids, **asked) == reference.edges(ids, **asked)
        for cut in (as_of, date(2005, 2, 1)):  # by the later one every date has passed
            whole = reference.edges(ALL, as_of=cut, min_articles=0)
            assert store.edges(ALL, as_of=cut, min_articles=0) == whole
        assert list(store.concept_ids()) == list(reference.concept_ids())
        known = sorted(keys(world))
        assert store.publications(known, as_of=as_of) == reference.publications(known, as_of=as_of)
        for key in known:
            for retracted in (False, True):
                assert store.evidence(key, as_of=as_of, retracted=retracted) == reference.evidence(
                    key, as_of=as_of, retracted=retracted
                )


def keys(world: World) -> set[EdgeKey]:
    found = {
        EdgeKey(e.subject_id, e.predicate, e.object_id) for m in world.mined for e in m.evidence
    }
    turned = {EdgeKey(key.object_id, key.predicate, key.subject_id) for key in found}
    return found | turned | {EdgeKey("UMLS:C0000000", "TREATS", ASPIRIN)}


WORDS = st.sampled_from(
    ["heart", "failure", "disease", "cardiac", "aspirin", "a", "h", "ins", "attack", "zz", "𝛼"]
) | st.sampled_from(["mesh:d001241", "C0018801"])


TEXTS = st.lists(WORDS, max_size=3).map(" ".join) | st.text(max_size=4)


@server_stores
@settings(max_examples=6, deadline=None, phases=ON_SERVERS)
@given(
    world=worlds(),
    asked=st.lists(st.tuples(TEXTS, st.integers(1, 6)), min_size=5, max_size=20),
)
def test_search_of_a_server_equals_the_reference(
    opener: Opener, world: World, asked: list[tuple[str, int]]
) -> None:
    reference = MemoryStore(world.mined, world.concepts)
    with opener(world) as store:
        for text, limit in asked:
            assert plain(store.search(text, limit)) == plain(reference.search(text, limit))


@embedded_stores
@settings(max_examples=40, deadline=None)
@given(world=worlds(), text=TEXTS, limit=st.integers(1, 6))
def test_search_equals_the_reference(opener: Opener, world: World, text: str, limit: int) -> None:
    reference = MemoryStore(world.mined, world.concepts)
    with opener(world) as store:
        assert plain(store.search(text, limit)) == plain(reference.search(text, limit))


@settings(max_examples=40, deadline=None)
@given(world=worlds(), as_of=CUTS.filter(bool), ids=IDS)
def test_a_cut_answers_like_a_graph_of_what_was_published_by_then(
    world: World, as_of: date, ids: list[str]
) -> None:
    whole = MemoryStore(world.mined, world.concepts)
    by_then = MemoryStore(
        [mined for mined in world.mined if mined.published_by(as_of)], world.concepts
    )
    assert whole.stats(as_of=as_of) == by_then.stats()
    assert whole.edges(ids, as_of=as_of) == by_then.edges(ids)
    assert whole.article_counts(ids, as_of=as_of) == by_then.article_counts(ids)


def small() -> World:
    """Aspirin treats heart attack: two articles say so, one of them hedged, one denies it."""
    treats = Statement(0, 3, "TREATS")
    return World(
        (
            written(1, [treats, treats], published=PublicationDate(2001)),
            written(2, [replace_hedge(treats)], published=PublicationDate(2002, 5)),
            written(3, [treats._replace(polarity=REFUTES)], published=PublicationDate(2003, 5, 7)),
            written(4, [treats], published=PublicationDate(2004), retracted=True),
            written(5, [treats]),
            written(6, [Statement(1, 0, "INTERACTS_WITH")], published=PublicationDate(2002)),
        ),
        CONCEPTS,
    )


def replace_hedge(statement: Statement) -> Statement:
    return statement._replace(hedged=True)


@every_store
def test_counts_by_hand(opener: Opener) -> None:
    with opener(small()) as store:
        edge, other = store.edges([ASPIRIN])
        assert edge.key == EdgeKey(ASPIRIN, "TREATS", ATTACK)
        assert (edge.supporting, edge.refuting, edge.hedged) == (3, 1, 1)
        assert (edge.first_year, edge.last_year) == (2001, 2003)
        assert other.key == EdgeKey(ASPIRIN, "INTERACTS_WITH", FAILURE)


@every_store
def test_a_date_means_its_last_day_and_the_cut_is_inclusive(opener: Opener) -> None:
    with opener(small()) as store:
        assert store.edges([ATTACK], as_of=date(2001, 12, 30)) == []
        (edge,) = store.edges([ATTACK], as_of=date(2001, 12, 31))
        assert (edge.supporting, edge.first_year, edge.last_year) == (1, 2001, 2001)
        (edge,) = store.edges([ATTACK], as_of=date(2002, 5, 31))
        assert (edge.supporting, edge.hedged, edge.refuting) == (2, 1, 0)
        (edge,) = store.edges([ATTACK], as_of=date(2003, 5, 7))
        assert (edge.first_year, edge.last_year) == (2001, 2003)
        assert (edge.supporting, edge.refuting) == (2, 1)  # the undated article is not there
        (edge,) = store.edges([ATTACK], as_of=date(2001, 12, 31))
        assert edge.hedged == 0


@every_store
def test_evidence_comes_newest_first_and_undated_last(opener: Opener) -> None:
    key = EdgeKey(ASPIRIN, "TREATS", ATTACK)
    with opener(small()) as store:
        cited = store.evidence(key)
        assert [c.evidence.pmid for c in cited] == [3, 2, 1, 1, 5]
        assert cited[0].sentence == f"Aspirin treats {CONCEPTS[3].name}."
        assert (cited[0].subject_text, cited[0].object_text) == ("Aspirin", CONCEPTS[3].name)
        assert not any(c.retracted for c in cited)
        shown = store.evidence(key, retracted=True)
        assert [c.evidence.pmid for c in shown] == [4, 3, 2, 1, 1, 5]
        assert store.evidence(replace(key, object_id=INSULIN)) == []


@every_store
def test_symmetric_edges_lie_in_both_directions(opener: Opener) -> None:
    with opener(small()) as store:
        for direction in ("in", "out", "both"):
            found = store.edges([FAILURE], direction=direction)
            assert [edge.predicate for edge in found] == ["INTERACTS_WITH"]
        assert [e.predicate for e in store.edges([ATTACK], direction="in")] == ["TREATS"]
        assert store.edges([ATTACK], direction="out") == []
        assert len(store.evidence(EdgeKey(FAILURE, "INTERACTS_WITH", ASPIRIN))) == 1


@every_store
def test_refusals(opener: Opener) -> None:
    tomorrow = date.today() + timedelta(days=1)
    key = EdgeKey(ASPIRIN, "TREATS", ATTACK)
    with opener(small()) as store:
        for read in (
            lambda: store.edges([ASPIRIN], as_of=tomorrow),
            lambda: store.evidence(key, as_of=tomorrow),
            lambda: store.article_counts([ASPIRIN], as_of=tomorrow),
            lambda: store.stats(as_of=tomorrow),
        ):
            with pytest.raises(ValueError, match="in the future"):
                read()
        with pytest.raises(ValueError, match="no predicate 'HEALS'"):
            store.edges([ASPIRIN], predicates=["HEALS"])
        with pytest.raises(ValueError, match="direction"):
            store.edges([ASPIRIN], direction="up")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="limit_per_concept"):
            store.edges([ASPIRIN], limit_per_concept=0)
        assert len(store.edges([ASPIRIN], as_of=date.today())) == 2


@every_store
def test_an_empty_graph_answers(opener: Opener) -> None:
    with opener(World((), CONCEPTS)) as store:
        assert store.edges([ASPIRIN]) == []
        assert store.edges([ASPIRIN], as_of=date(2001, 1, 1)) == []
        assert store.search("aspirin") == []
        assert store.article_counts([ASPIRIN]) == [0]
        assert store.stats().edges == 0


QUERIES = (
    "MATCH (c:Concept) RETURN c.id AS id, c.name AS name, c.names AS names, "
    "c.semantic_types AS types, c.xrefs AS xrefs, c.articles AS articles ORDER BY id",
    "MATCH (c:Concept {id: $id}) RETURN c.name AS name",
    "MATCH (c:Concept) WHERE c.name STARTS WITH 'Heart' RETURN c.id AS id ORDER BY id",
    "MATCH (c:Concept) WHERE 'T047' IN c.semantic_types RETURN count(*) AS number",
    "MATCH (a:Concept)-[r:TREATS]->(b:Concept) RETURN a.id AS subject, b.id AS object, "
    "r.supporting AS supporting, r.refuting AS refuting, r.hedged AS hedged, "
    "r.first_year AS first_year, r.last_year AS last_year ORDER BY subject, object",
    "MATCH (a:Concept)-[r:CO_OCCURS_WITH|INTERACTS_WITH]-(b:Concept) "
    "RETURN a.id AS one, b.id AS other, r.supporting AS supporting ORDER BY one, other, supporting",
    "MATCH (a:Concept {id: $id})-[r:TREATS|CAUSES|CO_OCCURS_WITH|INTERACTS_WITH]-(b:Concept) "
    "RETURN b.id AS id, max(r.supporting) AS supporting ORDER BY supporting DESC, id",
    "MATCH (a:Concept)-[:TREATS]->(b:Concept)<-[:CAUSES]-(c:Concept) "
    "RETURN a.id AS drug, b.id AS disease, c.id AS cause ORDER BY drug, disease, cause",
    "MATCH (a:Concept)-[r:CAUSES]->(b:Concept) WHERE r.refuting > 0 AND r.first_year >= 2002 "
    "RETURN a.id AS subject, b.id AS object ORDER BY subject, object",
    "MATCH (a:Concept)-[r:ISA]->(b:Concept) WHERE r.supporting IS NULL "
    "RETURN a.id AS child, b.id AS parent ORDER BY child, parent",
    "MATCH (a:Concept)-[r:TREATS]->(:Concept) RETURN max(r.supporting) AS most, count(*) AS number",
)
"""Queries whose rows are the same on every store that has Cypher."""


@server_stores
@settings(max_examples=4, deadline=None, phases=ON_SERVERS)
@given(world=worlds())
def test_stated_queries_give_the_rows_of_the_embedded_store(opener: Opener, world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(world, Path(folder) / "graph")
        load_ladybug(snapshot)
        embedded = LadybugStore(snapshot)
        with opener(world) as server:
            for query in QUERIES:
                params = {"id": ASPIRIN} if "$id" in query else {}
                assert server.cypher(query, params) == embedded.cypher(query, params), query
        embedded.close()
