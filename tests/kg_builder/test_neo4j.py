"""Publishing to a real Neo4j server: by difference, and beside others' data."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kg_builder import neo4j_publish
from kg_builder.export import export_graph
from kg_builder.ladybug_store import LadybugStore
from kg_builder.neo4j_publish import clear, publish
from kg_builder.neo4j_session import (
    connect,
)
from kg_builder.neo4j_store import (
    EvidenceNotPublishedError,
    Neo4jStore,
    NoGraphError,
    PartialGraphError,
)
from kg_builder.neo4j_write_store import Statement, TakenOverError, Writer
from kg_builder.store import open_store
from tests.kg_builder.neo4j_databases import CONCEPTS, digest_of, forget_digest, held, run


def test_a_second_publish_writes_nothing(url: str, base: Path) -> None:
    first = publish(base, url)
    assert first.digest == digest_of(base)
    second = publish(base, url)
    assert second.unchanged
    assert second.counters == {}
    forget_digest(url)  # so that all is compared
    third = publish(base, url)
    assert (third.concepts, third.edges, third.articles, third.removed) == (0, 0, 0, 0)
    assert third.counters == {}
    assert publish(base, url).unchanged


def test_what_is_held_says_the_digest_and_exports_the_same_bytes(
    url: str, base: Path, tmp_path: Path
) -> None:
    publish(base, url)
    embedded, store = LadybugStore(base), open_store(url)
    assert isinstance(store, Neo4jStore)
    assert store.content_digest() == store.stats().digest == embedded.digest
    for name in ("kgx", "networkx", "graphml"):
        ours = export_graph(embedded, name, tmp_path / "a" / name)
        theirs = export_graph(store, name, tmp_path / "b" / name)
        assert [p.read_bytes() for p in ours] == [p.read_bytes() for p in theirs]
    store.close()


def test_a_change_of_content_is_found(url: str, base: Path) -> None:
    publish(base, url)
    run(url, "MATCH (e:Evidence:Medweave) WITH e LIMIT 1 SET e.hedged = NOT e.hedged")
    store = Neo4jStore.open(url)
    assert store.content_digest() != store.stats().digest
    store.close()
    clear(url)


def test_an_update_writes_what_changed_and_equals_a_publish_anew(
    url: str, base: Path, updated: Path
) -> None:
    clear(url)
    whole = publish(updated, url)
    anew = held(url)
    publish(base, url)
    report = publish(updated, url)
    assert held(url) == anew
    assert anew[0] == digest_of(updated)
    assert report.articles == 3
    assert report.edges <= 5 * 4  # of five articles that came or went
    assert report.counters["nodes_created"] == 3 + 3 * 4
    assert sum(report.counters.values()) < sum(whole.counters.values()) / 10  # of 121 articles


def others(url: str) -> list[list[Any]]:
    """Nodes, relationships and properties that the tests put there as someone else."""
    return [
        *run(url, "MATCH (n:Concept) WHERE n.by = 'others' RETURN labels(n), properties(n)"),
        *run(url, "MATCH (n:Article) WHERE n.by = 'others' RETURN labels(n), properties(n)"),
        *run(url, "MATCH (n:Medweave) WHERE n.note IS NOT NULL RETURN n.id, n.note"),
        *run(url, "MATCH (a)-[r]->(b) WHERE r.by = 'others' RETURN a.id, type(r), b.id, r.by"),
    ]


def test_what_others_keep_there_is_not_touched(url: str, base: Path, updated: Path) -> None:
    clear(url)
    publish(base, url)
    run(
        url,
        """CREATE (p:Concept {id: 'X:001', by: 'others', hash: 7}),
          (a:Article {pmid: 3, by: 'others'}),
          (a)-[:MENTIONS {by: 'others'}]->(p), (p)-[:TREATS {by: 'others', supporting: 9}]->(p)
        WITH p MATCH (c:Medweave {id: 'X:001'}), (d:Medweave {id: 'X:002'})
        CREATE (p)-[:MEANS {by: 'others'}]->(c), (c)-[:TREATS {by: 'others'}]->(d)
        SET c.note = 'mine'""",
    )
    before = others(url)
    assert len(before) == 7
    publish(updated, url)
    assert others(url) == before
    store, embedded = Neo4jStore.open(url), LadybugStore(updated)
    ids = [concept.id for concept in CONCEPTS]
    assert store.edges(ids) == embedded.edges(ids)
    assert store.stats() == embedded.stats()
    store.close()
    clear(url)
    assert others(url)[:2] == before[:2]
    assert others(url)[-4:] == before[-4:]
    assert run(url, "MATCH (n:Medweave) RETURN count(n)") == [[0]]
    kept = run(url, "MATCH (n:Concept) WHERE n.note = 'mine' RETURN labels(n), n.id")
    assert kept == [[["Concept"], "X:001"]]  # released, for their relationships end there
    run(url, "MATCH (n) DETACH DELETE n")


def test_without_evidence_reads_that_need_it_say_so(url: str, base: Path) -> None:
    publish(base, url, evidence=False)
    assert run(url, "MATCH (e:Evidence) RETURN count(e)") == [[0]]
    store, embedded = Neo4jStore.open(url), LadybugStore(base)
    ids = [concept.id for concept in CONCEPTS]
    assert store.edges(ids) == embedded.edges(ids)
    cut = date(2005, 1, 1)
    assert store.article_counts(ids, as_of=cut) == embedded.article_counts(ids, as_of=cut)
    key = store.edges(ids)[0].key
    for read in (
        lambda: store.evidence(key),
        lambda: store.publications([key]),
        lambda: store.edges(ids, as_of=cut),
        lambda: store.stats(as_of=cut),
        store.content_digest,
    ):
        with pytest.raises(EvidenceNotPublishedError, match="--no-evidence"):
            read()
    store.close()
    assert not publish(base, url).unchanged
    assert held(url)[0] == digest_of(base)


def test_a_database_says_when_it_holds_no_whole_snapshot(url: str, base: Path) -> None:
    publish(base, url)
    store = Neo4jStore.open(url)
    forget_digest(url)
    with pytest.raises(PartialGraphError, match="publish"):
        store.stats()
    with pytest.raises(PartialGraphError, match="medweave publish"):
        open_store(url)
    clear(url)
    with pytest.raises(NoGraphError, match="no graph at"):
        open_store(url)
    store.close()


def test_the_later_of_two_writers_goes_on_alone(url: str, base: Path) -> None:
    lost = Statement("UNWIND $rows AS row CREATE (:Medweave {id: row})", ["lost"])
    with (
        connect(url) as driver,
        driver.session() as one,
        driver.session() as two,
        Writer(one) as first,
        Writer(two) as second,
    ):
        first.begin()
        second.begin()
        first.write([lost])
        with pytest.raises(TakenOverError, match="began while this one ran"):
            first.settle()
        with pytest.raises(TakenOverError, match="began while this one ran"):
            first.finish({"digest": "of the first"})
        second.finish({"digest": "of the second"})
    assert run(url, "MATCH (n:Medweave {id: 'lost'}) RETURN count(n)") == [[0]]
    publish(base, url)


def test_concepts_with_more_edges_than_a_transaction_holds(
    url: str, base: Path, updated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {}
    for size in (7, 5000):
        monkeypatch.setattr(neo4j_publish, "BATCH", size)
        clear(url)
        report = publish(base, url)
        assert report.edges > 2 * len(CONCEPTS)
        assert publish(updated, url).digest == digest_of(updated)
        whole[size] = held(url)
    assert whole[7] == whole[5000]
