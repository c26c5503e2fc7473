"""The embedded store, the default: a snapshot's tables for typed reads, LadybugDB for Cypher.

`load_ladybug` loads a snapshot's concepts and edges in bulk into a new database file beside its
tables. The file is written under a temporary name, counted, renamed, and never updated in place.
In it every concept is a `:Concept`, every edge a relationship of its predicate's type with the
counts of articles. `ISA` relationships that the vocabulary's hierarchy states have null counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.cypher_process import CypherProcess
from kg_builder.model import PREDICATES
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.snapshot_tables import SnapshotTables, find_snapshot
from kg_builder.snapshot_values import hierarchy
from kg_builder.verify import digest_of_snapshot

if TYPE_CHECKING:
    import ladybug

DATABASE = "graph.lbug"
POOL_BYTES = 1 << 30
ROWS_AT_ONCE = 1 << 20

_CONCEPT = {
    "id": "STRING PRIMARY KEY",
    "name": "STRING",
    "names": "STRING[]",
    "semantic_types": "STRING[]",
    "xrefs": "STRING[]",
    "articles": "INT32",
}
_COUNTS = {
    "supporting": "INT32",
    "refuting": "INT32",
    "hedged": "INT32",
    "first_year": "INT16",
    "last_year": "INT16",
}


class LadybugStore(SnapshotReader):
    """Reads of a snapshot, and read-only Cypher over the database that lies beside its tables.

    `cypher_seconds` is the time limit of a query. The database runs in a process of its own,
    started by the first query: a crash, or a query without end, costs that process alone.
    """

    def __init__(self, snapshot: Path, *, cypher_seconds: float = 30.0) -> None:
        super().__init__(snapshot)
        self._cypher = CypherProcess(snapshot / DATABASE, seconds=cypher_seconds)

    @classmethod
    def open(cls, url: str | Path) -> LadybugStore:
        """Open a graph directory or a snapshot; `FileNotFoundError` where there is neither."""
        return cls(find_snapshot(url))

    def cypher(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        return self._cypher.rows(query, params or {})

    def content_digest(self) -> str:
        """The digest computed anew from the snapshot's tables."""
        return digest_of_snapshot(self.tables.directory)

    def close(self) -> None:
        self._cypher.close()
        super().close()


class LoadMismatchError(RuntimeError):
    """The embedded database does not hold what the snapshot's tables hold."""


def load_ladybug(snapshot: Path) -> int:
    """Write the embedded database of a snapshot folder; return the number of relationships loaded.

    Raises `LoadMismatchError` where the database's counts are not the tables', and leaves no
    database then. An existing database is left as it is.
    """
    import ladybug

    target = snapshot / DATABASE
    part = snapshot / f".{DATABASE}.part"
    if target.is_file():
        return 0
    _remove(part)
    tables = SnapshotTables(snapshot)
    try:
        database = ladybug.Database(str(part), buffer_pool_size=POOL_BYTES)
        connection = ladybug.Connection(database)
        expected = _load(connection, tables)
        connection.close()
        database.close()
        verify(part, expected)
        part.rename(target)
    finally:
        _remove(part)
    return sum(expected.values()) - expected["Concept"]


def _remove(path: Path) -> None:
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()


def _load(connection: ladybug.Connection, tables: SnapshotTables) -> dict[str, int]:
    """Load all; return how many nodes and relationships there must be of each table."""
    columns = ", ".join(f"{name} {kind}" for name, kind in _CONCEPT.items())
    connection.execute(f"CREATE NODE TABLE Concept({columns})")
    expected = {"Concept": tables["concepts"].num_rows}
    for batch in tables["concepts"].to_batches():
        connection.execute("COPY Concept FROM $rows", {"rows": _concepts(batch)})
    counts = ", ".join(f"{name} {kind}" for name, kind in _COUNTS.items())
    for predicate in PREDICATES:
        connection.execute(f"CREATE REL TABLE {predicate}(FROM Concept TO Concept, {counts})")
        expected[predicate] = 0
        for rows in _relationships(tables, predicate):
            connection.execute(f"COPY {predicate} FROM $rows", {"rows": rows})
            expected[predicate] += rows.num_rows
    return expected


def _concepts(batch: pa.RecordBatch) -> pa.Table:
    names = batch.column("names")
    texts = pc.struct_field(names.flatten(), "text")
    columns = {name: batch.column(name) for name in _CONCEPT if name != "names"}
    columns["names"] = pa.ListArray.from_arrays(
        pc.subtract(names.offsets, names.offsets[0]).cast(pa.int32()), texts
    )
    return pa.table({name: columns[name] for name in _CONCEPT})


def _relationships(tables: SnapshotTables, predicate: str) -> Iterator[pa.Table]:
    """Rows to load of one type, in bounded portions: edges that count, then the hierarchy."""
    code = PREDICATES.index(predicate)
    ids = tables.array("concepts", "id")
    for start in range(0, tables["edges"].num_rows, ROWS_AT_ONCE):
        part = tables["edges"].slice(start, ROWS_AT_ONCE)
        counted = pc.greater(pc.add(part["supporting"], part["refuting"]), 0)
        part = part.filter(pc.and_(counted, pc.equal(part["predicate"], code)))
        if part.num_rows:
            yield _joined(ids, part["subject"], part["object"], part)
    if predicate == "ISA":
        child, parent = hierarchy(tables)
        for start in range(0, len(child), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            yield _joined(ids, pa.array(child[some]), pa.array(parent[some]), None)


def _joined(ids: pa.Array, subject: Any, object_: Any, counts: pa.Table | None) -> pa.Table:
    size = len(subject)
    columns = {"from": ids.take(_one(subject)), "to": ids.take(_one(object_))}
    for name in _COUNTS:
        kind = pa.int16() if name.endswith("year") else pa.int32()
        columns[name] = pa.nulls(size, kind) if counts is None else _one(counts[name])
    return pa.table(columns)


def _one(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def verify(database: Path, expected: dict[str, int]) -> None:
    """Count what a database holds; raises `LoadMismatchError` where a count is another."""
    import ladybug

    opened = ladybug.Database(str(database), read_only=True, buffer_pool_size=POOL_BYTES)
    connection = ladybug.Connection(opened)
    try:
        for name, number in expected.items():
            pattern = "(n:Concept)" if name == "Concept" else f"()-[n:{name}]->()"
            found = connection.execute(f"MATCH {pattern} RETURN count(n)").get_all()[0][0]
            if found != number:
                raise LoadMismatchError(
                    f"{database} holds {found} {name}, the snapshot {number}; remove "
                    f"{database.name} and run the same `kg_build` again"
                )
    finally:
        connection.close()
        opened.close()
