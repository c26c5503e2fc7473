"""What a Neo4j database holds, as hashes, page by page: what a publish compares with a snapshot.

Pages follow the order of an index, each read by a query of its own, so that neither the server
sorts nor a transaction lasts. Of a concept's relationships the server gives number and sum of
hashes; only where these differ from the snapshot's are the relationships themselves read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import neo4j

from kg_builder.neo4j_rows import SNAPSHOT_ID
from kg_builder.neo4j_write_store import TYPES

PAGE = 5000

_SNAPSHOT = "MATCH (m:Medweave {id: $id}) RETURN properties(m) AS said"
_CONCEPTS = f"""
MATCH (c:Concept:Medweave) USING INDEX c:Medweave(id) WHERE c.id > $after
WITH c ORDER BY c.id LIMIT $page
CALL (c) {{
  MATCH (c)-[r:{TYPES}]->(:Medweave) WHERE r.edge IS NOT NULL
  RETURN count(r) AS edges, sum(r.hash) AS total
}}
RETURN c.id, coalesce(c.hash, -1), edges, total ORDER BY c.id
"""
_ARTICLES = """
MATCH (a:Article:Medweave) USING INDEX a:Medweave(pmid) WHERE a.pmid > $after
RETURN a.pmid, coalesce(a.hash, -1) ORDER BY a.pmid LIMIT $page
"""
_EDGES = f"""
UNWIND $ids AS id
MATCH (:Medweave {{id: id}})-[r:{TYPES}]->(:Medweave) WHERE r.edge IS NOT NULL
RETURN elementId(r), r.edge, coalesce(r.hash, -1)
"""


class HeldConcept(NamedTuple):
    """A concept with the number of its outgoing relationships and the sum of their hashes."""

    id: str
    hash: int
    edges: int
    total: int


class HeldEdge(NamedTuple):
    """A relationship by the server's name for it."""

    element: str
    edge: int
    hash: int


def snapshot_said(session: neo4j.Session) -> dict[str, Any] | None:
    """The properties of the one `:Snapshot` node, `None` where a database has none."""
    found = session.execute_read(lambda tx: tx.run(_SNAPSHOT, id=SNAPSHOT_ID).single())
    return None if found is None else dict(found["said"])


def held_concepts(session: neo4j.Session) -> Iterator[HeldConcept]:
    """All concepts of a database, in the order of ids."""
    return map(HeldConcept._make, _pages(session, _CONCEPTS, ""))


def held_articles(session: neo4j.Session) -> Iterator[tuple[int, int]]:
    """(PMID, hash) of all articles of a database, in order."""
    return ((pmid, number) for pmid, number in _pages(session, _ARTICLES, -1))


def held_edges(session: neo4j.Session, ids: Sequence[str]) -> list[HeldEdge]:
    """The outgoing relationships of some concepts."""
    rows = session.execute_read(lambda tx: tx.run(_EDGES, ids=ids).values())
    return list(map(HeldEdge._make, rows))


def _pages(session: neo4j.Session, query: str, after: Any) -> Iterator[list[Any]]:
    while True:
        rows = session.execute_read(_values, query, after)
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _values(tx: neo4j.ManagedTransaction, query: str, after: Any) -> list[list[Any]]:
    return list(tx.run(query, after=after, page=PAGE).values())
