"""Publishing to a real Neo4j server: by difference, beside others' data, and through crashes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kg_builder import neo4j_publish
from kg_builder.cypher_process import CypherError, CypherTimeoutError
from kg_builder.export import export_graph
from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import EdgeKey
from kg_builder.neo4j_publish import clear, publish
from kg_builder.neo4j_session import (
    CredentialsError,
    ServerUnavailableError,
    ServerVersionError,
    UnknownDatabaseError,
    check_version,
    connect,
)
from kg_builder.neo4j_store import (
    EvidenceNotPublishedError,
    Neo4jStore,
    NoGraphError,
    PartialGraphError,
)
from kg_builder.neo4j_write_store import Statement, TakenOverError, Writer
from kg_builder.store import open_store
from tests.contracts.snapshots import write_hashed
from tests.kg_builder.neo4j_databases import CONCEPTS, forget_digest, many, run
from tools.neo4j_server import Neo4jServer

BASE = range(1, 121)
UPDATED = range(3, 124)  # two articles fewer, three more


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hashed(many(BASE), tmp_path_factory.mktemp("base") / "graph")


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hashed(many(UPDATED), tmp_path_factory.mktemp("updated") / "graph")


@pytest.fixture
def url(neo4j_server: Neo4jServer) -> str:
    return neo4j_server.url


def held(url: str) -> tuple[Any, ...]:
    """All that a database holds, however it came: its digest, and each relationship once."""
    rows = run(
        url,
        "MATCH (a:Medweave)-[r]->(b:Medweave) WHERE NOT a:Evidence RETURN coalesce(a.id, a.pmid), "
        "type(r), coalesce(b.id, b.pmid), r.edge, r.hash, r.supporting, r.refuting, r.hedged, "
        "r.first_year, r.last_year",
    )
    nodes = run(url, "MATCH (n:Medweave) UNWIND labels(n) AS label RETURN label, count(n)")
    store = Neo4jStore.open(url)
    try:
        return store.content_digest(), sorted(map(str, rows)), sorted(nodes)
    finally:
        store.close()


def digest_of(snapshot: Path) -> str:
    return LadybugStore(snapshot).digest


def test_a_second_publish_writes_nothing(url: str, base: Path) -> None:
    first = publish(base, url)
    assert first.digest == digest_of(base)
    second = publish(base, url)
    assert second.unchanged
    assert second.counters == {}
    forget_digest(url)  # so that all is compared
    third = publish(base, url)
    assert (third.concepts, third.edges, third.articles, third.removed) == (0, 0, 0, 0)
    assert third.counters == {}
    assert publish(base, url).unchanged


def test_what_is_held_says_the_digest_and_exports_the_same_bytes(
    url: str, base: Path, tmp_path: Path
) -> None:
    publish(base, url)
    embedded, store = LadybugStore(base), open_store(url)
    assert isinstance(store, Neo4jStore)
    assert store.content_digest() == store.stats().digest == embedded.digest
    for name in ("kgx", "networkx", "graphml"):
        ours = export_graph(embedded, name, tmp_path / "a" / name)
        theirs = export_graph(store, name, tmp_path / "b" / name)
        assert [p.read_bytes() for p in ours] == [p.read_bytes() for p in theirs]
    store.close()


def test_a_change_of_content_is_found(url: str, base: Path) -> None:
    publish(base, url)
    run(url, "MATCH (e:Evidence:Medweave) WITH e LIMIT 1 SET e.hedged = NOT e.hedged")
    store = Neo4jStore.open(url)
    assert store.content_digest() != store.stats().digest
    store.close()
    clear(url)


def test_an_update_writes_what_changed_and_equals_a_publish_anew(
    url: str, base: Path, updated: Path
) -> None:
    clear(url)
    whole = publish(updated, url)
    anew = held(url)
    publish(base, url)
    report = publish(updated, url)
    assert held(url) == anew
    assert anew[0] == digest_of(updated)
    assert report.articles == 3
    assert report.edges <= 5 * 4  # of five articles that came or went
    assert report.counters["nodes_created"] == 3 + 3 * 4
    assert sum(report.counters.values()) < sum(whole.counters.values()) / 10  # of 121 articles


def others(url: str) -> list[list[Any]]:
    """Nodes, relationships and properties that the tests put there as someone else."""
    return [
        *run(url, "MATCH (n:Concept) WHERE n.by = 'others' RETURN labels(n), properties(n)"),
        *run(url, "MATCH (n:Article) WHERE n.by = 'others' RETURN labels(n), properties(n)"),
        *run(url, "MATCH (n:Medweave) WHERE n.note IS NOT NULL RETURN n.id, n.note"),
        *run(url, "MATCH (a)-[r]->(b) WHERE r.by = 'others' RETURN a.id, type(r), b.id, r.by"),
    ]


def test_what_others_keep_there_is_not_touched(url: str, base: Path, updated: Path) -> None:
    clear(url)
    publish(base, url)
    run(
        url,
        """CREATE (p:Concept {id: 'X:001', by: 'others', hash: 7}),
          (a:Article {pmid: 3, by: 'others'}),
          (a)-[:MENTIONS {by: 'others'}]->(p), (p)-[:TREATS {by: 'others', supporting: 9}]->(p)
        WITH p MATCH (c:Medweave {id: 'X:001'}), (d:Medweave {id: 'X:002'})
        CREATE (p)-[:MEANS {by: 'others'}]->(c), (c)-[:TREATS {by: 'others'}]->(d)
        SET c.note = 'mine'""",
    )
    before = others(url)
    assert len(before) == 7
    publish(updated, url)
    assert others(url) == before
    store, embedded = Neo4jStore.open(url), LadybugStore(updated)
    ids = [concept.id for concept in CONCEPTS]
    assert store.edges(ids) == embedded.edges(ids)
    assert store.stats() == embedded.stats()
    store.close()
    clear(url)
    assert others(url)[:2] == before[:2]
    assert others(url)[-4:] == before[-4:]
    assert run(url, "MATCH (n:Medweave) RETURN count(n)") == [[0]]
    kept = run(url, "MATCH (n:Concept) WHERE n.note = 'mine' RETURN labels(n), n.id")
    assert kept == [[["Concept"], "X:001"]]  # released, for their relationships end there
    run(url, "MATCH (n) DETACH DELETE n")


def test_without_evidence_reads_that_need_it_say_so(url: str, base: Path) -> None:
    publish(base, url, evidence=False)
    assert run(url, "MATCH (e:Evidence) RETURN count(e)") == [[0]]
    store, embedded = Neo4jStore.open(url), LadybugStore(base)
    ids = [concept.id for concept in CONCEPTS]
    assert store.edges(ids) == embedded.edges(ids)
    cut = date(2005, 1, 1)
    assert store.article_counts(ids, as_of=cut) == embedded.article_counts(ids, as_of=cut)
    key = store.edges(ids)[0].key
    for read in (
        lambda: store.evidence(key),
        lambda: store.publications([key]),
        lambda: store.edges(ids, as_of=cut),
        lambda: store.stats(as_of=cut),
        store.content_digest,
    ):
        with pytest.raises(EvidenceNotPublishedError, match="--no-evidence"):
            read()
    store.close()
    assert not publish(base, url).unchanged
    assert held(url)[0] == digest_of(base)


def test_a_database_says_when_it_holds_no_whole_snapshot(url: str, base: Path) -> None:
    publish(base, url)
    store = Neo4jStore.open(url)
    forget_digest(url)
    with pytest.raises(PartialGraphError, match="publish"):
        store.stats()
    with pytest.raises(PartialGraphError, match="medweave publish"):
        open_store(url)
    clear(url)
    with pytest.raises(NoGraphError, match="no graph at"):
        open_store(url)
    store.close()


def test_the_later_of_two_writers_goes_on_alone(url: str, base: Path) -> None:
    lost = Statement("UNWIND $rows AS row CREATE (:Medweave {id: row})", ["lost"])
    with (
        connect(url) as driver,
        driver.session() as one,
        driver.session() as two,
        Writer(one) as first,
        Writer(two) as second,
    ):
        first.begin()
        second.begin()
        first.write([lost])
        with pytest.raises(TakenOverError, match="began while this one ran"):
            first.settle()
        with pytest.raises(TakenOverError, match="began while this one ran"):
            first.finish({"digest": "of the first"})
        second.finish({"digest": "of the second"})
    assert run(url, "MATCH (n:Medweave {id: 'lost'}) RETURN count(n)") == [[0]]
    publish(base, url)


def test_concepts_with_more_edges_than_a_transaction_holds(
    url: str, base: Path, updated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {}
    for size in (7, 5000):
        monkeypatch.setattr(neo4j_publish, "BATCH", size)
        clear(url)
        report = publish(base, url)
        assert report.edges > 2 * len(CONCEPTS)
        assert publish(updated, url).digest == digest_of(updated)
        whole[size] = held(url)
    assert whole[7] == whole[5000]


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
