"""Opening a graph: by its directory, by a snapshot, and what is said where there is none."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from kg_builder.ladybug_store import LadybugStore, load_ladybug
from kg_builder.memory_store import MemoryStore, MinedArticle
from kg_builder.name_index import save_name_index
from kg_builder.sentences import sentence_spans
from kg_builder.snapshot import build_snapshot, set_current
from kg_builder.snapshot_tables import SnapshotDamagedError, SnapshotVersionError
from kg_builder.store import open_store
from tests.contracts.graphs import CONCEPTS, Statement, World, written
from tests.contracts.snapshots import write_snapshot
from tests.kg_builder.shard_world import (
    CONCEPTS as LETTERS,
)
from tests.kg_builder.shard_world import (
    WordExtractor,
    WordLinker,
    Words,
    add_file,
    article,
)

WORLD = World((written(1, [Statement(0, 3, "TREATS")]),), CONCEPTS)


def test_a_graph_directory_and_its_snapshot_open_alike(tmp_path: Path) -> None:
    snapshot = write_snapshot(WORLD, tmp_path / "graph")
    stores = [open_store(str(tmp_path / "graph")), open_store(str(snapshot))]
    assert all(isinstance(store, LadybugStore) for store in stores)
    assert stores[0].stats() == stores[1].stats()
    for store in stores:
        store.close()


def test_what_the_build_writes_answers_like_the_reference(tmp_path: Path) -> None:
    records = [
        article(1, "A > B. B ! C."),
        article(2, "A > B. A C E.", year=2002),
        article(3, "A ? B. F > G.", year=None),
        article(4, "A > B.", year=2003, retracted=True),
    ]
    add_file(tmp_path, records)
    info = build_snapshot(tmp_path, Words())
    load_ladybug(info.path)
    save_name_index(info.path)
    set_current(tmp_path, info.digest)
    mined = []
    for one in records:
        sentences, mentions = sentence_spans(one), WordLinker().link(one.text)
        found = WordExtractor().relate(one, sentences, mentions)
        mined.append(MinedArticle(one, tuple(sentences), tuple(mentions), tuple(found)))
    reference = MemoryStore(mined, LETTERS.values(), digest=info.digest)
    store = open_store(str(tmp_path))
    for as_of in (None, date(2001, 12, 31), date(2002, 12, 31)):
        assert store.stats(as_of=as_of) == reference.stats(as_of=as_of)
        edges = reference.edges(LETTERS, as_of=as_of)
        assert store.edges(LETTERS, as_of=as_of) == edges
        for edge in edges:
            assert store.evidence(edge.key, as_of=as_of, retracted=True) == reference.evidence(
                edge.key, as_of=as_of, retracted=True
            )
    stats = store.stats()
    assert (stats.edges, stats.evidence) == (info.edges, info.evidence)
    (row,) = store.cypher("MATCH ()-[r]->() WHERE r.supporting IS NOT NULL RETURN count(*) AS n")
    assert row["n"] == stats.edges
    assert [concept.id for concept in store.search("U:B")] == ["T:B"]
    store.close()


def test_where_there_is_no_graph_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="kg_build"):
        open_store(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="kg_build"):
        open_store(str(tmp_path / "nothing"))
    (tmp_path / "CURRENT").write_text("gone\n")
    with pytest.raises(FileNotFoundError, match="'gone'"):
        open_store(str(tmp_path))


@pytest.mark.parametrize("url", ["redis://host:1", "file:///graph"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="known: a directory"):
        open_store(url)


def test_a_snapshot_of_another_version_is_refused(tmp_path: Path) -> None:
    snapshot = write_snapshot(WORLD, tmp_path)
    build = json.loads((snapshot / "BUILD.json").read_text())
    (snapshot / "BUILD.json").write_text(json.dumps({**build, "snapshot_version": 999}))
    with pytest.raises(SnapshotVersionError, match=r"999.*kg_build"):
        open_store(str(tmp_path))


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    snapshot = write_snapshot(WORLD, tmp_path)
    (snapshot / "edges.arrow").write_bytes(b"ARROW1 no more")
    (snapshot / "incidence.arrow").unlink()
    (snapshot / "occurrence.arrow").write_bytes((snapshot / "sentences.arrow").read_bytes())
    store = open_store(str(tmp_path))
    for table, read in (
        ("incidence", lambda: store.edges([CONCEPTS[0].id])),
        ("edges", store.stats),
        ("occurrence", lambda: store.article_counts([CONCEPTS[0].id], as_of=date(2001, 1, 1))),
    ):
        with pytest.raises(SnapshotDamagedError, match=table):
            read()
