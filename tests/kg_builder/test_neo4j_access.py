"""Who may read what of a Neo4j server: Cypher that only reads, addresses, passwords, versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_builder.cypher_process import CypherError, CypherTimeoutError
from kg_builder.neo4j_publish import publish
from kg_builder.neo4j_session import (
    CredentialsError,
    ServerUnavailableError,
    ServerVersionError,
    UnknownDatabaseError,
    check_version,
    connect,
)
from kg_builder.neo4j_store import (
    Neo4jStore,
)
from kg_builder.store import open_store


def test_cypher_only_reads(url: str, base: Path) -> None:
    publish(base, url)
    store = Neo4jStore(url, cypher_seconds=1.0)
    (row,) = store.cypher(
        "MATCH (a:Concept {id: $id}) RETURN a, date('2001-02-03') AS d", {"id": "X:003"}
    )
    assert (row["a"]["_LABEL"], row["a"]["name"], row["d"]) == (
        "Concept",
        "Concept 3",
        "2001-02-03",
    )
    for query in (
        "CREATE (:Concept {id: 'x'})",
        "MATCH (a:Concept) SET a.name = 'x'",
        "MATCH (a:Concept) DETACH DELETE a",
        "CREATE INDEX x FOR (n:X) ON (n.x)",
        "CALL { CREATE (n:X) RETURN n } RETURN n",
    ):
        with pytest.raises(PermissionError, match="only queries that read"):
            store.cypher(query)
    with pytest.raises(CypherError):
        store.cypher("MATCH (a RETURN a")
    with pytest.raises(CypherError, match="id"):
        store.cypher("RETURN $id")
    with pytest.raises(CypherTimeoutError, match="LIMIT"):
        store.cypher("UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b)")
    assert store.cypher("RETURN 1 AS one") == [{"one": 1}]
    store.close()


@pytest.mark.parametrize(
    "source", ["file:///etc/hostname", "http://127.0.0.1:9/x", "http://[::1]:9/x"]
)
def test_the_server_reads_no_files_and_no_addresses(url: str, base: Path, source: str) -> None:
    publish(base, url)
    store = Neo4jStore.open(url)
    with pytest.raises(CypherError, match=r"configuration property|[Bb]locked|blocklist|denied"):
        store.cypher(f"LOAD CSV FROM '{source}' AS row RETURN row")
    store.close()


def test_addresses_and_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_USERNAME", "neo4j")
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)
    with pytest.raises(CredentialsError, match="NEO4J_PASSWORD is not set"):
        open_store("bolt://127.0.0.1:1")
    with pytest.raises(CredentialsError, match="set NEO4J_USERNAME"):
        open_store("bolt://neo4j:secret@127.0.0.1:1")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")
    with pytest.raises(ServerUnavailableError, match=r"no Neo4j server answers at bolt://127"):
        open_store("bolt://127.0.0.1:1")
    with pytest.raises(ValueError, match="HOST"):
        connect("bolt://")


def test_a_wrong_password_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong")
    with pytest.raises(CredentialsError, match="refuses the user and password"):
        open_store(url)


def test_an_unknown_database_is_named(
    url: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_DATABASE", "elsewhere")
    for use in (open_store, lambda address: publish(base, address)):
        with pytest.raises(UnknownDatabaseError, match=r"'elsewhere'.*NEO4J_DATABASE"):
            use(url)


def test_servers_older_than_the_cypher_are_refused() -> None:
    for agent in ("Neo4j/5.26.0", "Neo4j/5.26.12", "Neo4j/2025.10.1", "Neo4j/6.0", "Memgraph"):
        check_version("bolt://there:1", agent)
    for agent in ("Neo4j/5.25.1", "Neo4j/5.9.0", "Neo4j/4.4.40"):
        with pytest.raises(ServerVersionError, match=rf"there:1 is {agent}; .* 5\.26 or later"):
            check_version("bolt://there:1", agent)
