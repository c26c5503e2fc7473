"""What tests share: where the development data lie, and a Neo4j server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from tools.neo4j_server import USERNAME, Neo4jServer, missing_tools, resolve_jars

# Examples are not timed: on a busy machine any of them may be slow.
settings.register_profile("medweave", deadline=None)
settings.load_profile("medweave")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of this run's own: what an earlier version left in the user's plays no part."""
    os.environ["MEDWEAVE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of public data sets that `MEDWEAVE_DATA` names; skips where it is not set."""
    value = os.environ.get("MEDWEAVE_DATA")
    if not value:
        pytest.skip("MEDWEAVE_DATA is not set: the public data sets are not at hand")
    path = Path(value).resolve()
    if not path.is_dir():
        raise FileNotFoundError(f"MEDWEAVE_DATA names {path}, which is not a folder")
    return path


@pytest.fixture(scope="module")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Files are written without waiting until they are on the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@contextmanager
def running(server: Neo4jServer) -> Iterator[Neo4jServer]:
    """A server while it is needed, its user and password in the environment."""
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NEO4J_USERNAME", USERNAME)
            patch.setenv("NEO4J_PASSWORD", server.password)
            yield server
    finally:
        server.stop(signal.SIGKILL)


QUICK_TO_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


@pytest.fixture(scope="session")
def neo4j_jars() -> Path:
    """The folder of a Neo4j server's jars.

    Skips where Java or Maven are missing, but in continuous integration (`CI` is set).
    """
    if missing := missing_tools():
        reason = f"no Neo4j server without {' and '.join(missing)} (apt: openjdk-17-jre, maven)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return resolve_jars(Path(__file__).resolve().parents[1] / ".neo4j")


@pytest.fixture(scope="session")
def neo4j_server(
    neo4j_jars: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Neo4jServer]:
    """A Neo4j server of its own, its user and password in the environment."""
    home = tmp_path_factory.mktemp("neo4j")
    with running(Neo4jServer(neo4j_jars, home, java_options=QUICK_TO_START)) as server:
        yield server
