"""Publishing to Neo4j beside a naive loader and `neo4j-admin database import`, in one run.

    python benchmarks/neo4j_publish.py [--articles 1000] [--naive 1000] [--jars .neo4j]

makes a graph from made-up shards (`snapshot.py`: forty mentions and forty pieces of evidence an
article), starts a server of its own, and measures: a first publish, the same again, an update by
one article in a hundred, a first publish without evidence, the naive loader (one MERGE an edge,
each in a transaction of its own) on the first so many edges, and the import of the exported files.
Needs Java and Maven.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from snapshot import MadeUp, made_up_shard

from kg_builder.export import export_graph
from kg_builder.ladybug_store import LadybugStore
from kg_builder.ledger import Ledger, ShardKey
from kg_builder.neo4j_publish import PublishReport, clear, publish
from kg_builder.neo4j_rows import Neo4jRows
from kg_builder.neo4j_session import connect
from kg_builder.snapshot import build_snapshot
from kg_builder.snapshot_tables import SnapshotTables

if TYPE_CHECKING:
    from tools.neo4j_server import Neo4jServer

NAIVE = (
    "MERGE (s:Naive {{id: $s}}) MERGE (o:Naive {{id: $o}}) MERGE (s)-[r:{predicate}]->(o) "
    "SET r.supporting = $supporting, r.refuting = $refuting, r.hedged = $hedged, "
    "r.first_year = $first_year, r.last_year = $last_year"
)


def add(graph: Path, first: int, articles: int, number: int) -> Path:
    """Mine a made-up file into a graph; the snapshot that follows."""
    ledger = Ledger.open(graph)
    rng = np.random.default_rng(number)
    tables = made_up_shard(np.arange(first, first + articles).tolist(), rng)
    key = ShardKey(f"file {number}", "made up", "made up 1", "made up")
    ledger.commit([ledger.write(key, (26, number), str(number), tables)])
    return build_snapshot(graph, MadeUp()).path


class Steps:
    """Seconds by step of a publish."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def __call__(self, step: str, _done: int, _of: int) -> None:
        now = time.monotonic()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now


def measured(name: str, snapshot: Path, url: str, *, evidence: bool = True) -> PublishReport:
    """Publish and print what it cost."""
    steps, cpu = Steps(), time.process_time()
    report = publish(snapshot, url, evidence=evidence, progress=steps)
    cpu = time.process_time() - cpu
    counters = report.counters
    written = counters.get("nodes_created", 0) + counters.get("relationships_created", 0)
    parts = ", ".join(f"{step} {value:.1f} s" for step, value in steps.seconds.items())
    print(
        f"{name}: {report.seconds:.1f} s ({parts or 'nothing to do'}; client CPU {cpu:.1f} s), "
        f"{report.edges:,} edges, {report.articles:,} articles; {written:,} nodes and "
        f"relationships made, {written / report.seconds:,.0f}/s",
        flush=True,
    )
    if edges := steps.seconds.get("edges"):
        print(f"  edges alone: {report.edges / edges:,.0f}/s", flush=True)
    return report


def naive(rows: Neo4jRows, url: str, limit: int) -> None:
    """One MERGE an edge, each in a transaction of its own, with an index on the id."""
    limit = min(limit, len(rows.edges.subject))
    names = ("s", "o", "supporting", "refuting", "hedged", "first_year", "last_year")
    with connect(url) as driver:
        driver.execute_query("CREATE CONSTRAINT naive FOR (n:Naive) REQUIRE n.id IS UNIQUE")
        start = time.monotonic()
        with driver.session() as session:
            for predicate, values in rows.edge_values(np.arange(limit)):
                query = NAIVE.format(predicate=predicate)
                session.run(query, dict(zip(names, values, strict=False))).consume()
        seconds = time.monotonic() - start
        print(f"one MERGE an edge: {limit / seconds:,.0f} edges/s", flush=True)
        driver.execute_query("MATCH (n:Naive) DETACH DELETE n")


def imported(snapshot: Path, server: Neo4jServer, out: Path) -> None:
    """Export the files, import them into the server's folder, publish after it."""
    reader = LadybugStore(snapshot)
    seconds = timed(lambda: export_graph(reader, "neo4j-import", out))
    server.stop()
    took = timed(lambda: server.import_files(out))
    server.start()
    total = len(Neo4jRows(reader.tables).edges.subject)
    print(
        f"neo4j-admin import: {took:.1f} s, export before it {seconds:.1f} s: "
        f"{total / took:,.0f} edges/s, {total / (took + seconds):,.0f} with the export"
    )
    measured("  publish after the import", snapshot, server.url)


def timed(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure all on one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--naive", type=int, default=1000, help="edges of the naive loader")
    parser.add_argument("--jars", type=Path, default=Path(".neo4j"))
    arguments = parser.parse_args()
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from tools.neo4j_server import USERNAME, Neo4jServer, resolve_jars

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        base = add(work / "graph", 1, arguments.articles, 0)
        update = add(work / "graph", arguments.articles + 1, max(arguments.articles // 100, 1), 1)
        rows = Neo4jRows(SnapshotTables(base))
        evidence = SnapshotTables(base)["evidence"].num_rows
        print(f"{len(rows.edges.subject):,} edges, {evidence:,} pieces of evidence", flush=True)
        server = Neo4jServer(resolve_jars(arguments.jars), work / "server")
        server.start()
        os.environ |= {"NEO4J_USERNAME": USERNAME, "NEO4J_PASSWORD": server.password}
        try:
            measured("first publish, cold server", base, server.url)
            measured("the same again", base, server.url)
            measured("update by one article in a hundred", update, server.url)
            clear(server.url)
            measured("first publish without evidence", base, server.url, evidence=False)
            clear(server.url)
            print(f"client peak memory, made-up build included: {peak_megabytes():,.0f} MB")
            naive(rows, server.url, arguments.naive)
            imported(base, server, work / "files")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
