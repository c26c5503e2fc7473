"""Retrieval from what a server holds: from its content alone, and from a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_builder.concepts_table import concepts_of
from kg_builder.neo4j_mirror import MirrorError, mirrored, write_copy
from kg_builder.neo4j_publish import clear, publish
from kg_builder.neo4j_store import EvidenceNotPublishedError, NoGraphError
from kg_builder.snapshot_tables import SnapshotTables, find_snapshot
from kg_builder.store import open_store
from kg_builder.verify import Content, snapshot_contents
from retrieval.passages import Passage
from retrieval.retriever import GraphRetriever
from tools.neo4j_server import Neo4jServer

QUESTIONS = (
    "Does omeprazole interact with clopidogrel?",
    "What causes hyperkalemia?",
    "warfarin and antibiotics",
    "How is sepsis connected with atrial fibrillation?",
)


def without_places(tables: SnapshotTables) -> list[Content]:
    """A snapshot's content as a server holds it: each concept once an article, no spans of it."""
    return [
        Content(
            part.articles,
            part.mentions.group_by(["article", "concept"]).aggregate([]),
            part.evidence,
        )
        for part in snapshot_contents(tables)
    ]


def told(passages: list[Passage]) -> list[tuple[int, str]]:
    return [(passage.pmid, passage.sentence) for passage in passages]


def test_a_copy_of_the_content_is_the_graph(demo_graph: Path, tmp_path: Path) -> None:
    tables = SnapshotTables(find_snapshot(demo_graph))
    concepts = list(concepts_of(tables["concepts"]))
    info = write_copy(tmp_path / "copy", without_places(tables), concepts)
    assert info.digest == tables.build["digest"]
    copy = open_store(str(tmp_path / "copy"))
    assert copy.stats() == open_store(str(demo_graph)).stats()
    ours, theirs = (GraphRetriever.open(str(g)) for g in (tmp_path / "copy", demo_graph))
    for question in QUESTIONS:
        assert told(ours.retrieve(question)) == told(theirs.retrieve(question))


@pytest.mark.accept
def test_a_server_answers_as_the_graph_published_there(
    demo_graph: Path, tmp_path: Path, neo4j_server: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    clear(neo4j_server.url)  # other tests publish to it too, in any order
    with pytest.raises(NoGraphError, match="publish"):
        mirrored(neo4j_server.url)
    publish(find_snapshot(demo_graph), neo4j_server.url, evidence=False)
    with pytest.raises(EvidenceNotPublishedError, match="evidence"):
        GraphRetriever.open(neo4j_server.url)
    publish(find_snapshot(demo_graph), neo4j_server.url)
    ours, theirs = GraphRetriever.open(neo4j_server.url), GraphRetriever.open(str(demo_graph))
    for question in QUESTIONS:
        assert told(ours.retrieve(question)) == told(theirs.retrieve(question))
    made = mirrored(neo4j_server.url).stat().st_mtime_ns
    assert mirrored(neo4j_server.url).stat().st_mtime_ns == made


def test_a_copy_that_differs_is_refused(demo_graph: Path, tmp_path: Path) -> None:
    from kg_builder.neo4j_mirror import _kept

    tables = SnapshotTables(find_snapshot(demo_graph))
    concepts = list(concepts_of(tables["concepts"]))
    (part,) = without_places(tables)
    altered = Content(part.articles, part.mentions, part.evidence.slice(1))
    with pytest.raises(MirrorError, match="verify"):
        _kept(tmp_path / str(tables.build["digest"]), [altered], concepts, "bolt://here")
    assert list(tmp_path.iterdir()) == []
