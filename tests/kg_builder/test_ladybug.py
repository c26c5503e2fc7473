"""The embedded database: loaded whole or not at all, and harmless whatever the query."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg_builder import ladybug_store
from kg_builder.cypher_process import (
    CypherCrashError,
    CypherError,
    CypherProcess,
    CypherResultError,
    CypherTimeoutError,
)
from kg_builder.ladybug_store import LadybugStore, LoadMismatchError, load_ladybug
from kg_builder.memory_store import MemoryStore
from kg_builder.model import PublicationDate
from tests.contracts.graphs import CONCEPTS, Statement, World, written
from tests.contracts.snapshots import write_snapshot

ASPIRIN, FAILURE, DISEASE, ATTACK, INSULIN = (concept.id for concept in CONCEPTS)


def world() -> World:
    return World(
        (
            written(1, [Statement(0, 3, "TREATS")], published=PublicationDate(2001)),
            written(2, [Statement(0, 3, "TREATS"), Statement(1, 2, "CO_OCCURS_WITH")]),
            written(3, [Statement(4, 3, "CAUSES")], retracted=True),
        ),
        CONCEPTS,
    )


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ladybug") / "graph"
    load_ladybug(write_snapshot(world(), directory))
    return directory


@pytest.fixture
def store(graph: Path) -> Iterator[LadybugStore]:
    opened = LadybugStore.open(graph)
    yield opened
    opened.close()


def test_relationships_are_the_edges(store: LadybugStore) -> None:
    edges = MemoryStore(*world()).edges([concept.id for concept in CONCEPTS])
    rows = store.cypher(
        "MATCH (a:Concept)-[r:TREATS|CAUSES|CO_OCCURS_WITH]->(b:Concept) RETURN a.id AS s, "
        "label(r) AS p, b.id AS o, r.supporting AS n, r.refuting AS m, r.first_year AS y"
    )
    assert {tuple(row.values()) for row in rows} == {
        (e.subject_id, e.predicate, e.object_id, e.supporting, e.refuting, e.first_year)
        for e in edges
    }
    assert len(rows) == 2


def test_the_hierarchy_is_kept_apart_from_what_was_mined(store: LadybugStore) -> None:
    rows = store.cypher("MATCH (a)-[r:ISA]->(b) RETURN a.id, b.id, r.supporting ORDER BY a.id")
    assert [tuple(row.values()) for row in rows] == [
        (FAILURE, DISEASE, None),
        (ATTACK, DISEASE, None),
    ]
    assert store.edges([FAILURE], predicates=["ISA"]) == []


def test_values_are_plain(store: LadybugStore) -> None:
    (row,) = store.cypher(
        "MATCH (a:Concept {id: $id}) RETURN a, date('2001-02-03') AS d, a.names AS s",
        {"id": ASPIRIN},
    )
    assert row["a"]["_LABEL"] == "Concept"
    assert row["a"]["name"] == "Aspirin"
    assert "_ID" not in row["a"]
    assert row["d"] == "2001-02-03"
    assert row["s"] == ["Aspirin", "acetylsalicylic acid", "ASA"]


@pytest.mark.parametrize(
    "query",
    [
        "CREATE (:Concept {id: 'x'})",
        "MATCH (a:Concept) SET a.name = 'x'",
        "MATCH (a:Concept) DETACH DELETE a",
        "CREATE NODE TABLE X(id STRING PRIMARY KEY)",
        "COPY (MATCH (a:Concept) RETURN a.id) TO 'FOLDER/out.csv'",
        "EXPORT DATABASE 'FOLDER/all'",
        "LOAD FROM 'FOLDER/secret.csv' RETURN *",
    ],
)
def test_nothing_is_written_and_no_file_is_read(
    store: LadybugStore, tmp_path: Path, query: str
) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with pytest.raises(PermissionError):
        store.cypher(query.replace("FOLDER", str(tmp_path)))
    written_files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written_files == [tmp_path / "secret.csv"]
    assert store.cypher("MATCH (a:Concept) RETURN count(*) AS n") == [{"n": 5}]


def test_errors_have_names(store: LadybugStore) -> None:
    with pytest.raises(CypherError):
        store.cypher("BOGUS")
    with pytest.raises(CypherError, match="parameters id"):
        store.cypher("MATCH (a {id: $id}) RETURN a, '$other'")
    with pytest.raises(CypherError, match="several statements"):
        store.cypher("RETURN 1; RETURN 2")
    with pytest.raises(CypherResultError):
        store.cypher("UNWIND range(1, 200000) AS x RETURN x")
    assert store.cypher("RETURN 1 AS one") == [{"one": 1}]


def test_a_query_without_end_is_ended(graph: Path) -> None:
    store = LadybugStore(graph / "snapshots" / "made", cypher_seconds=0.5)
    try:
        with pytest.raises(CypherTimeoutError):
            store.cypher("UNWIND range(1, 3000000) AS x UNWIND range(1, 3000) AS y RETURN sum(x*y)")
        assert store.cypher("RETURN 1 AS one") == [{"one": 1}]
    finally:
        store.close()


def test_a_crash_has_a_name_and_the_next_query_another_process(store: LadybugStore) -> None:
    store.cypher("RETURN 1 AS one")
    child = store._cypher._child
    assert child is not None
    os.kill(child.pid, 9)
    child.wait()
    with pytest.raises(CypherCrashError, match="-9"):
        store.cypher("RETURN 1 AS one")
    assert store.cypher("RETURN 1 AS one") == [{"one": 1}]


def test_a_snapshot_without_database_says_how_to_get_one(tmp_path: Path) -> None:
    store = LadybugStore.open(write_snapshot(world(), tmp_path / "graph"))
    with pytest.raises(FileNotFoundError, match="kg_build"):
        store.cypher("RETURN 1")
    assert store.edges([ASPIRIN])


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "graph.lbug").write_bytes(b"not a database" * 1000)
    process = CypherProcess(tmp_path / "graph.lbug", seconds=5)
    with pytest.raises((CypherError, CypherCrashError)):
        process.rows("RETURN 1", {})


def test_lost_rows_are_noticed_and_leave_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = write_snapshot(world(), tmp_path / "graph")
    whole = ladybug_store._load

    def losing(connection: object, tables: ladybug_store.SnapshotTables) -> dict[str, int]:
        counted = whole(connection, tables)
        return {**counted, "TREATS": counted["TREATS"] + 1}

    monkeypatch.setattr(ladybug_store, "_load", losing)
    with pytest.raises(LoadMismatchError, match=r"1 TREATS, the snapshot 2"):
        load_ladybug(snapshot)
    assert not list(snapshot.glob("*lbug*"))


def test_loading_again_changes_nothing(graph: Path, tmp_path: Path) -> None:
    copy = tmp_path / "made"
    shutil.copytree(graph / "snapshots" / "made", copy)
    before = (copy / "graph.lbug").read_bytes()
    load_ladybug(copy)
    assert (copy / "graph.lbug").read_bytes() == before
