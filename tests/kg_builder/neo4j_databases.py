"""What the tests of Neo4j do to a database beside publishing to it."""

from __future__ import annotations

from typing import Any

from kg_builder.neo4j_session import connect


def run(url: str, query: str, **params: Any) -> list[list[Any]]:
    """The rows of a query that may write."""
    with connect(url) as driver:
        records, _, _ = driver.execute_query(query, params)
        return [list(record.values()) for record in records]


def forget_digest(url: str) -> None:
    """Leave the database as a publish does that died before its end."""
    run(url, "MATCH (m:Snapshot:Medweave) REMOVE m.digest")
