"""What is written to a Neo4j database: statements over batches of rows, and who may write.

A `Writer` writes in one session, one transaction after the other, each of which first takes the
lock of the one `:Snapshot` node and looks whether the writer's mark still stands there. So a
writer never meets itself in a deadlock, and one that another has replaced stops. The transactions
run in a thread of their own, so that the next rows are made while the server works.

Only nodes with the label `:Medweave`, and relationships between two of them that are ours, are
matched, changed or deleted. A node that someone else's relationship ends in is not deleted but
released: it loses `:Medweave` and stays.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import neo4j

from kg_builder.model import PREDICATES
from kg_builder.neo4j_rows import ARTICLE, CONCEPT, EDGE, EVIDENCE, SNAPSHOT_ID, Columns

TYPES = "|".join(PREDICATES)
INDEX_SECONDS = 3600
CLEARED_AT_ONCE = 20_000
AHEAD = 2
"""Transactions whose rows are made before they are needed: what a writer holds in memory."""

_KEYWORD = "OPTIONS {indexConfig: {`fulltext.analyzer`: 'keyword'}}"
_WORDS = "OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}"
SCHEMA = (
    "CREATE CONSTRAINT medweave_id IF NOT EXISTS FOR (n:Medweave) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT medweave_pmid IF NOT EXISTS FOR (n:Medweave) REQUIRE n.pmid IS UNIQUE",
    "CREATE INDEX medweave_edge IF NOT EXISTS FOR (n:Medweave) ON (n.edge)",
    "CREATE FULLTEXT INDEX medweave_keys IF NOT EXISTS FOR (n:Medweave) "
    f"ON EACH [n.search_names, n.search_codes] {_KEYWORD}",
    "CREATE FULLTEXT INDEX medweave_words IF NOT EXISTS FOR (n:Medweave) "
    f"ON EACH [n.search_names] {_WORDS}",
)
COUNTERS = (
    "nodes_created", "nodes_deleted", "relationships_created", "relationships_deleted",
    "properties_set", "labels_added", "labels_removed", "indexes_added", "constraints_added",
)  # fmt: skip


class TakenOverError(RuntimeError):
    """Another publish to the same database began while this one ran."""


class Statement(NamedTuple):
    """A query and the rows that it goes through."""

    query: str
    rows: Sequence[Any]


def _map(columns: Columns, first: int = 0) -> str:
    """The properties of a row: `{id: row[0], name: row[1]}`."""
    return "{" + ", ".join(f"{n}: row[{at}]" for at, (n, _) in enumerate(columns, first)) + "}"


_RELEASE = """
FOREACH (_ IN CASE WHEN mine THEN [n] ELSE [] END | DELETE n)
FOREACH (_ IN CASE WHEN mine THEN [] ELSE [n] END | REMOVE n:Medweave)
"""

PUT_CONCEPTS = "UNWIND $rows AS row MERGE (n:Medweave {id: row[0]}) SET n:Concept, n += " + _map(
    CONCEPT
)
PUT_ARTICLES = "UNWIND $rows AS row MERGE (n:Medweave {pmid: row[0]}) SET n:Article, n += " + _map(
    ARTICLE
)
PUT_MENTIONS = (
    "UNWIND $rows AS row MATCH (a:Medweave {pmid: row[0]}) USING INDEX a:Medweave(pmid) "
    "UNWIND row[1] AS id MATCH (c:Medweave {id: id}) USING INDEX c:Medweave(id) "
    "CREATE (a)-[:MENTIONS]->(c)"
)
PUT_EVIDENCE = (
    "UNWIND $rows AS said MATCH (a:Medweave {pmid: said[0]}) USING INDEX a:Medweave(pmid) "
    f"UNWIND said[1] AS row CREATE (:Evidence:Medweave {_map(EVIDENCE)})-[:FROM_ARTICLE]->(a)"
)
DROP_EVIDENCE = f"""
UNWIND $rows AS pmid
MATCH (:Medweave {{pmid: pmid}})<-[r:FROM_ARTICLE]-(n:Evidence:Medweave)
WITH r, n, COUNT {{ (n)--() }} = 1 AS mine
DELETE r {_RELEASE}
"""
DROP_MENTIONS = (
    "UNWIND $rows AS pmid MATCH (:Medweave {pmid: pmid})-[r:MENTIONS]->(:Medweave) DELETE r"
)
DROP_ARTICLES = f"""
UNWIND $rows AS pmid
MATCH (n:Medweave {{pmid: pmid}})
WITH n, NOT EXISTS {{ (n)--() }} AS mine
{_RELEASE}
"""
DROP_EDGES_OF = f"""
UNWIND $rows AS id
MATCH (:Medweave {{id: id}})-[r:{TYPES}|MENTIONS]-(:Medweave)
WHERE r.edge IS NOT NULL OR type(r) = 'MENTIONS'
WITH DISTINCT r DELETE r
"""
DROP_CONCEPTS = f"""
UNWIND $rows AS id
MATCH (n:Medweave {{id: id}})
WITH n, NOT EXISTS {{ (n)--() }} AS mine
{_RELEASE}
"""
CLEAR_RELATIONSHIPS = f"""
MATCH (:Medweave)-[r:{TYPES}|MENTIONS|FROM_ARTICLE]->(:Medweave)
WHERE r.edge IS NOT NULL OR type(r) IN ['MENTIONS', 'FROM_ARTICLE']
WITH r LIMIT $rows[0] DELETE r
"""
CLEAR_NODES = f"""
MATCH (n:Medweave) WHERE NOT n:Snapshot
WITH n, NOT EXISTS {{ (n)--() }} AS mine LIMIT $rows[0]
{_RELEASE}
"""
PUT_EDGES = (
    "UNWIND $rows AS said MATCH (s:Medweave {id: said[0]}) USING INDEX s:Medweave(id) "
    "UNWIND said[1] AS row MATCH (o:Medweave {id: row[0]}) USING INDEX o:Medweave(id) "
    f"CREATE (s)-[:$(row[1]) {_map(EDGE, 2)}]->(o)"
)
_THIS_EDGE = "UNWIND $rows AS row MATCH ()-[r]->() WHERE elementId(r) = row[0] AND r.edge = row[1] "
CHANGE_EDGES = _THIS_EDGE + "SET r += " + _map(EDGE, 2)
DROP_EDGES = _THIS_EDGE + "DELETE r"


_BEGIN = """
MERGE (m:Medweave {id: $id}) SET m:Snapshot, m.writer = $writer REMOVE m.digest
"""
_HELD = """
MATCH (m:Medweave {id: $id}) WHERE m.writer = $writer SET m.writer = $writer RETURN m.id
"""
_GONE = "MATCH (m:Medweave {id: $id}) WHERE m.writer = $writer DETACH DELETE m"
_END = "MATCH (m:Medweave {id: $id}) SET m += $values REMOVE m.writer"


def make_schema(session: neo4j.Session) -> Counter[str]:
    """Make the constraints and indexes that are missing, and wait until they can be used."""
    counters: Counter[str] = Counter()
    for statement in SCHEMA:
        counters += counted(session.run(statement).consume())
    session.run("CALL db.awaitIndexes($seconds)", seconds=INDEX_SECONDS).consume()
    return counters


def counted(summary: Any) -> Counter[str]:
    """What a statement changed, by the server's count."""
    numbers = {name: getattr(summary.counters, name) for name in COUNTERS}
    return Counter({name: number for name, number in numbers.items() if number})


class Writer:
    """Writes batches to a database that says it holds no whole snapshot, until `finish`.

    A context manager: leaving it waits for the transaction that runs, and drops what waits.
    """

    def __init__(self, session: neo4j.Session) -> None:
        self._session = session
        self._mark = secrets.token_hex(8)
        self._thread = ThreadPoolExecutor(1, "medweave-writer")
        self._begun: deque[Future[Counter[str]]] = deque()
        self.counters: Counter[str] = Counter()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def begin(self) -> None:
        """Remove the digest and put this writer's mark."""
        self._session.execute_write(
            lambda tx: tx.run(_BEGIN, id=SNAPSHOT_ID, writer=self._mark).consume()
        )

    def write(self, statements: Iterable[Statement]) -> None:
        """Run statements that have rows in one transaction, again after a transient error.

        Returns before it is done. What goes wrong is raised by a later call, or by `settle`.
        """
        wanted = [statement for statement in statements if statement.rows]
        if wanted:
            self._settle(AHEAD - 1)
            run = self._thread.submit(self._session.execute_write, self._run, wanted)
            self._begun.append(run)

    def settle(self) -> None:
        """Wait until all that was written is in the database."""
        self._settle(0)

    def _settle(self, left: int) -> None:
        while len(self._begun) > left:
            self.counters += self._begun.popleft().result()

    def _run(self, tx: neo4j.ManagedTransaction, statements: list[Statement]) -> Counter[str]:
        if tx.run(_HELD, id=SNAPSHOT_ID, writer=self._mark).single() is None:
            raise TakenOverError(
                "another publish to this database began while this one ran; it goes on alone, "
                "and this one may be run again after it"
            )
        counters: Counter[str] = Counter()
        for query, rows in statements:
            counters += counted(tx.run(query, rows=rows).consume())
        return counters

    def clear(self) -> None:
        """Remove all that is ours, a portion a transaction, and the `:Snapshot` node last."""
        for query in (CLEAR_RELATIONSHIPS, CLEAR_NODES):
            before = None
            while before != self.counters.total():
                before = self.counters.total()
                self.write([Statement(query, [CLEARED_AT_ONCE])])
                self.settle()
        self._session.execute_write(
            lambda tx: tx.run(_GONE, id=SNAPSHOT_ID, writer=self._mark).consume()
        )

    def finish(self, values: dict[str, Any]) -> None:
        """Say which snapshot the database holds now."""
        self.settle()

        def end(tx: neo4j.ManagedTransaction) -> None:
            self._run(tx, [])
            tx.run(_END, id=SNAPSHOT_ID, values=values).consume()

        self._session.execute_write(end)
