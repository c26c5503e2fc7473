"""Publishing to a real Neo4j server through crashes of the client and of the server."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kg_builder import neo4j_publish
from kg_builder.export import export_graph
from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import EdgeKey
from kg_builder.neo4j_publish import clear, publish
from kg_builder.neo4j_store import (
    Neo4jStore,
)
from tests.kg_builder.neo4j_databases import forget_digest, held
from tools.neo4j_server import Neo4jServer

CLIENT = """
import sys
from pathlib import Path
from kg_builder import neo4j_publish
neo4j_publish.BATCH = 60  # many transactions, so that a kill meets the middle
neo4j_publish.publish(Path(sys.argv[1]), sys.argv[2])
"""


def start_client(snapshot: Path, url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CLIENT, str(snapshot), url])


@pytest.fixture(scope="module")
def whole(neo4j_server: Neo4jServer, base: Path, updated: Path) -> Iterator[dict[Path, Any]]:
    """What a database holds after each of two snapshots was published without a crash."""
    said = {}
    for snapshot in (base, updated):
        clear(neo4j_server.url)
        publish(snapshot, neo4j_server.url)
        said[snapshot] = held(neo4j_server.url)
    yield said


def seconds_of_a_publish(snapshot: Path, url: str) -> float:
    start = time.monotonic()
    assert start_client(snapshot, url).wait() == 0
    return time.monotonic() - start


def check_kills_of_the_client(url: str, whole: dict[Path, Any], kills: int) -> None:
    """Each of a row of publishes from nothing is killed, goes on with the other snapshot, and is
    completed in the end.
    """
    base, updated = whole
    clear(url)
    longest = seconds_of_a_publish(base, url)
    draw = random.Random(7)
    for number in range(kills):
        if number % 3 == 0:
            clear(url)
        client = start_client((updated, base)[number % 2], url)
        time.sleep(draw.uniform(0.1, 1.0) * longest)
        client.kill()
        client.wait()
        target = (base, updated)[draw.randrange(2)]
        publish(target, url)
        assert held(url) == whole[target]


def check_kills_of_the_server(server: Neo4jServer, whole: dict[Path, Any], kills: int) -> None:
    base, _ = whole
    clear(server.url)
    longest = seconds_of_a_publish(base, server.url)
    draw = random.Random(11)
    for _ in range(kills):
        clear(server.url)
        client = start_client(base, server.url)
        time.sleep(draw.uniform(0.3, 1.0) * longest)
        server.stop(signal.SIGKILL)
        client.kill()
        client.wait()
        server.start()
        publish(base, server.url)
        assert held(server.url) == whole[base]


def test_a_killed_client_costs_time_alone(url: str, whole: dict[Path, Any]) -> None:
    check_kills_of_the_client(url, whole, 2)


def test_a_killed_server_costs_time_alone(
    neo4j_server: Neo4jServer, whole: dict[Path, Any]
) -> None:
    check_kills_of_the_server(neo4j_server, whole, 1)


@pytest.mark.accept
def test_ten_killed_clients(url: str, whole: dict[Path, Any]) -> None:
    check_kills_of_the_client(url, whole, 10)


@pytest.mark.accept
def test_ten_killed_servers(neo4j_server: Neo4jServer, whole: dict[Path, Any]) -> None:
    check_kills_of_the_server(neo4j_server, whole, 10)


@pytest.mark.accept
def test_a_publish_outlives_a_restart_of_the_server(
    neo4j_server: Neo4jServer, whole: dict[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, _ = whole
    monkeypatch.setattr(neo4j_publish, "BATCH", 60)
    clear(neo4j_server.url)

    def restart() -> None:
        neo4j_server.stop(signal.SIGKILL)
        neo4j_server.start()

    restarting = threading.Timer(1.0, restart)
    restarting.start()
    publish(base, neo4j_server.url)
    restarting.join()
    publish(base, neo4j_server.url)
    assert held(neo4j_server.url) == whole[base]


@pytest.mark.accept
def test_imported_files_are_a_published_graph(
    neo4j_server: Neo4jServer, whole: dict[Path, Any], tmp_path: Path
) -> None:
    base, _ = whole
    export_graph(LadybugStore(base), "neo4j-import", tmp_path / "files")
    neo4j_server.stop()
    neo4j_server.import_files(tmp_path / "files")
    neo4j_server.start()
    report = publish(base, neo4j_server.url)
    assert report.counters == {"constraints_added": 2, "indexes_added": 3}
    assert held(neo4j_server.url) == whole[base]
    forget_digest(neo4j_server.url)
    assert publish(base, neo4j_server.url).counters == {}
    store = Neo4jStore.open(neo4j_server.url)
    assert [c.id for c in store.search("thing 3", 3)] == ["X:003", "X:010", "X:017"]
    assert store.evidence(EdgeKey("X:000", "TREATS", "X:001")) == []
    store.close()
