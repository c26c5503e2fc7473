"""Snapshots that the tests of Neo4j publish, and the server's address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.snapshots import write_hashed
from tests.kg_builder.neo4j_databases import many
from tools.neo4j_server import Neo4jServer

BASE = range(1, 121)
UPDATED = range(3, 124)  # two articles fewer, three more


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of 120 articles."""
    return write_hashed(many(BASE), tmp_path_factory.mktemp("base") / "graph")


@pytest.fixture(scope="session")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same snapshot with two articles fewer, three more."""
    return write_hashed(many(UPDATED), tmp_path_factory.mktemp("updated") / "graph")


@pytest.fixture
def url(neo4j_server: Neo4jServer) -> str:
    """The address of a Neo4j server."""
    return neo4j_server.url
