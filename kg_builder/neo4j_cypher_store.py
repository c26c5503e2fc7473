"""A user's Cypher on a Neo4j server: in a session that may only read, within a time limit.

The server refuses what would write, whatever the text says. It still lets `LOAD CSV` read files
and addresses unless its own settings forbid that (see docs/neo4j.md): never run a stranger's
query here.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import neo4j
from neo4j.exceptions import ClientError, Forbidden, Neo4jError, TransientError

from kg_builder.cypher_process import (
    MAX_ROWS,
    CypherError,
    CypherResultError,
    CypherTimeoutError,
)
from kg_builder.neo4j_session import database_name

_WRITES = ("Neo.ClientError.Statement.AccessMode", "Neo.ClientError.Security.Forbidden")
_TIMEOUTS = (
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
    "Neo.TransientError.Transaction.TransactionTimedOut",
)


def read_only(
    driver: neo4j.Driver, query: str, params: Mapping[str, Any], *, seconds: float
) -> list[dict[str, Any]]:
    """The rows of a query; column names are keys, dates ISO text, nodes plain properties.

    Raises `PermissionError` for a query that would write, `CypherTimeoutError`, `CypherError`
    for one that the server refuses, and `CypherResultError` for more than `MAX_ROWS` rows.
    """
    work = neo4j.unit_of_work(timeout=seconds)(_run)
    try:
        with driver.session(
            database=database_name(), default_access_mode=neo4j.READ_ACCESS
        ) as session:
            rows: list[dict[str, Any]] = session.execute_read(work, query, dict(params))
            return rows
    except (ClientError, TransientError, Forbidden) as error:
        raise _named(error, seconds) from error


def _run(tx: neo4j.ManagedTransaction, query: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    result = tx.run(query, params)
    names = result.keys()
    rows = [
        {name: plain(value) for name, value in zip(names, record.values(), strict=True)}
        for record in islice(result, MAX_ROWS + 1)
    ]
    if len(rows) > MAX_ROWS:
        raise CypherResultError(f"more than {MAX_ROWS} rows; add LIMIT")
    return rows


def _named(error: Neo4jError, seconds: float) -> Exception:
    if error.code in _WRITES:
        return PermissionError(f"only queries that read are run here: {error.message}")
    if error.code in _TIMEOUTS:
        return CypherTimeoutError(f"no answer within {seconds:g} s; narrow the query or add LIMIT")
    return CypherError(str(error.message))


def plain(value: Any) -> Any:
    """A value of the server as JSON knows it; of a node its label, of a relationship its type."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, dict | neo4j.graph.Entity):
        return {**_named_kind(value), **{name: plain(v) for name, v in value.items()}}
    if isinstance(value, neo4j.graph.Path):
        return {"nodes": plain(value.nodes), "relationships": plain(value.relationships)}
    if isinstance(value, list) or type(value) is tuple:
        return [plain(v) for v in value]
    return _text(value)


def _named_kind(value: Any) -> dict[str, str]:
    if isinstance(value, neo4j.graph.Node):
        return {"_LABEL": min(value.labels - {"Medweave"}, default="Medweave")}
    return {"_LABEL": value.type} if isinstance(value, neo4j.graph.Relationship) else {}


def _text(value: Any) -> str:
    """Dates and times in ISO format, bytes as digits, points as the driver writes them."""
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return str(value.iso_format()) if hasattr(value, "iso_format") else str(value)
