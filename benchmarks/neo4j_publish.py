"""Publishing to Neo4j beside a naive loader and `neo4j-admin database import`, in one run.

    python benchmarks/neo4j_publish.py [--articles 1000 | --graph DIR] [--naive 2000] [--heap 1g]

starts a server of its own and measures: a first publish into the empty database of a server that
has just started, the same again, an update by one article in a hundred (of a made-up graph), a
first publish by a server that is warm, with evidence and without, the naive loader (one MERGE an
edge, each in a transaction of its own) on the first so many edges, and the import of the exported
files. Every publish is a process of its own, whose peak memory is the client's. Wall time depends
on what else the machine does: CPU seconds of client and server stand beside it. A graph is made up
by `snapshot.py` (forty mentions and forty pieces of evidence an article; 26,000 articles are a
million edges), or is a directory that `kg_build` made. Needs Java and Maven.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from snapshot import CONCEPTS, MadeUp, made_up_shard

from kg_builder.export import export_graph
from kg_builder.ladybug_store import LadybugStore
from kg_builder.neo4j_publish import clear, publish
from kg_builder.neo4j_rows import Neo4jRows
from kg_builder.neo4j_session import connect
from kg_builder.snapshot_tables import SnapshotTables, find_snapshot

if TYPE_CHECKING:
    from tools.neo4j_server import Neo4jServer

NAIVE = (
    "MERGE (s:Naive {{id: $s}}) MERGE (o:Naive {{id: $o}}) MERGE (s)-[r:{predicate}]->(o) "
    "SET r.supporting = $supporting, r.refuting = $refuting, r.hedged = $hedged, "
    "r.first_year = $first_year, r.last_year = $last_year"
)


class Flatter(np.random.Generator):
    """Draws the rank of a concept by the law of Zipf and Mandelbrot: the degrees of the graph that
    follows (median 6, most 2,600 at a million edges) are near those of a real one (7 and 2,000).
    """

    def zipf(self, _exponent: float, size: Any = None) -> Any:  # type: ignore[override]
        """Ranks from 1 on, more of the smaller."""
        weights = np.cumsum(1 / (np.arange(CONCEPTS) + 100))
        return np.searchsorted(weights / weights[-1], self.random(size)) + 1


def add(graph: Path, first: int, articles: int, number: int) -> Path:
    """Mine a made-up file into a graph; the snapshot that follows."""
    from kg_builder.ledger import Ledger, ShardKey
    from kg_builder.snapshot import build_snapshot

    ledger = Ledger.open(graph)
    rng = Flatter(np.random.PCG64(number))
    tables = made_up_shard(np.arange(first, first + articles).tolist(), rng)
    key = ShardKey(f"file {number}", "made up", "made up 1", "made up")
    ledger.commit([ledger.write(key, (26, number), str(number), tables)])
    return build_snapshot(graph, MadeUp()).path


@dataclass(frozen=True, slots=True)
class Cost:
    """What a publish wrote, and what it took: seconds of wall time and of CPU, megabytes."""

    edges: int
    articles: int
    written: int
    seconds: float
    by_step: dict[str, float]
    client: float
    peak: float
    server: float = 0.0


def publish_here(snapshot: Path, url: str, evidence: bool) -> Cost:
    """Publish from this process, which must have done nothing else."""
    by_step: dict[str, float] = {}
    last = [time.monotonic()]

    def step(name: str, _done: int, _of: int) -> None:
        now = time.monotonic()
        by_step[name] = by_step.get(name, 0.0) + now - last[0]
        last[0] = now

    report = publish(snapshot, url, evidence=evidence, progress=step)
    made = ("nodes_created", "relationships_created")
    return Cost(
        edges=report.edges,
        articles=report.articles,
        written=sum(report.counters.get(name, 0) for name in made),
        seconds=report.seconds,
        by_step=by_step,
        client=time.process_time(),
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


class Bench:
    """One server, and what is measured on it."""

    def __init__(self, server: Neo4jServer) -> None:
        self.server = server

    def cpu(self) -> float:
        """CPU seconds that the server has spent so far."""
        spent = psutil.Process(self.server.pid).cpu_times()
        return float(spent.user + spent.system)

    def publish(self, name: str, snapshot: Path, *, evidence: bool = True) -> Cost:
        """Publish from a process of its own, and print what it cost."""
        before = self.cpu()
        child = [sys.executable, __file__, "--child", str(snapshot), self.server.url]
        done = subprocess.run(
            [*child, *([] if evidence else ["--no-evidence"])], check=True, stdout=subprocess.PIPE
        )
        cost = Cost(**{**json.loads(done.stdout), "server": self.cpu() - before})
        parts = ", ".join(f"{step} {value:.1f} s" for step, value in cost.by_step.items())
        print(
            f"{name}: {cost.seconds:.1f} s ({parts or 'nothing to do'}); {cost.edges:,} edges, "
            f"{cost.articles:,} articles; {cost.written:,} nodes and relationships made, "
            f"{cost.written / cost.seconds:,.0f}/s; CPU of client {cost.client:.1f} s, of server "
            f"{cost.server:.1f} s; client's peak memory {cost.peak:,.0f} MB",
            flush=True,
        )
        return cost

    def naive(self, rows: Neo4jRows, limit: int) -> tuple[float, float]:
        """One MERGE an edge, each in a transaction of its own, with an index on the id: seconds
        of wall time and of the server's CPU for an edge.
        """
        limit = min(limit, len(rows.edges.subject))
        names = ("s", "o", "supporting", "refuting", "hedged", "first_year", "last_year")
        with connect(self.server.url) as driver:
            driver.execute_query("CREATE CONSTRAINT naive FOR (n:Naive) REQUIRE n.id IS UNIQUE")
            before, start = self.cpu(), time.monotonic()
            with driver.session() as session:
                for predicate, values in rows.edge_values(np.arange(limit)):
                    query = NAIVE.format(predicate=predicate)
                    session.run(query, dict(zip(names, values, strict=False))).consume()
            seconds, spent = time.monotonic() - start, self.cpu() - before
            print(
                f"one MERGE an edge, {limit:,} edges: {limit / seconds:,.0f} edges/s, "
                f"{limit / spent:,.0f} for each CPU second of the server",
                flush=True,
            )
            driver.execute_query("MATCH (n:Naive) DETACH DELETE n")
        return seconds / limit, spent / limit

    def imported(self, snapshot: Path, out: Path) -> None:
        """Export the files, import them into the server's folder, publish after it."""
        reader = LadybugStore(snapshot)
        seconds = timed(lambda: export_graph(reader, "neo4j-import", out))
        self.server.stop()
        took = timed(lambda: self.server.import_files(out))
        self.server.start()
        total = len(Neo4jRows(reader.tables).edges.subject)
        print(
            f"neo4j-admin import: {took:.1f} s, export before it {seconds:.1f} s: "
            f"{total / took:,.0f} edges/s, {total / (took + seconds):,.0f} with the export"
        )
        self.publish("  publish after the import", snapshot)


def compare(name: str, cost: Cost, naive: tuple[float, float]) -> None:
    """Print how many times as fast as the naive loader a publish wrote its edges."""
    edges = cost.by_step.get("edges", cost.seconds)
    whole = cost.edges / cost.seconds
    print(
        f"{name}: {cost.edges / edges:,.0f} edges/s, {naive[0] * cost.edges / edges:,.0f} times "
        f"the naive loader; over the whole publish, concepts, articles and evidence included: "
        f"{whole:,.0f} edges/s, {naive[0] * whole:,.0f} times; per node and relationship: "
        f"{naive[0] * cost.written / cost.seconds:,.0f} times, by the server's CPU alone "
        f"{naive[1] * cost.written / cost.server:,.0f} times"
    )


def timed(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def measure(
    base: Path, update: Path | None, server: Neo4jServer, naive: int, files: Path | None
) -> None:
    """Measure all of one graph on one server; the import where there is a folder for its files."""
    tables = SnapshotTables(base)
    rows = Neo4jRows(tables)
    print(f"{len(rows.edges.subject):,} edges, {tables['evidence'].num_rows:,} pieces of evidence")
    packed = "Rust" if importlib.util.find_spec("neo4j._rust") else "Python"
    print(f"the driver packs in {packed}")
    bench = Bench(server)
    cold = bench.publish("first publish, cold server", base)
    bench.publish("the same again", base)
    if update is not None:
        bench.publish("update by one article in a hundred", update)
    clear(server.url)
    warm = bench.publish("first publish, warm server", base)
    clear(server.url)
    bare = bench.publish("first publish without evidence, warm server", base, evidence=False)
    clear(server.url)
    each = bench.naive(rows, naive)
    compare("cold, with evidence", cold, each)
    compare("warm, with evidence", warm, each)
    compare("warm, without evidence", bare, each)
    if files is not None:
        bench.imported(base, files)


def main() -> None:
    """Measure all on one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1000, help="of the made-up graph")
    parser.add_argument("--graph", type=Path, help="publish this one instead")
    parser.add_argument("--naive", type=int, default=2000, help="edges of the naive loader")
    parser.add_argument("--jars", type=Path, default=Path(".neo4j"))
    parser.add_argument("--heap", default="1g", help="the server's")
    parser.add_argument("--java", default="", help="further options of the server's Java")
    parser.add_argument("--no-import", action="store_true", help="leave the import out")
    parser.add_argument("--child", nargs=2, metavar=("SNAPSHOT", "URL"), help=argparse.SUPPRESS)
    parser.add_argument("--no-evidence", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        snapshot, url = given.child
        print(json.dumps(asdict(publish_here(Path(snapshot), url, not given.no_evidence))))
        return
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from tools.neo4j_server import USERNAME, Neo4jServer, resolve_jars

    with tempfile.TemporaryDirectory() as folder:
        work, update = Path(folder), None
        if given.graph:
            base = find_snapshot(given.graph)
        else:
            base = add(work / "graph", 1, given.articles, 0)
            update = add(work / "graph", given.articles + 1, max(given.articles // 100, 1), 1)
        server = Neo4jServer(
            resolve_jars(given.jars),
            work / "server",
            heap=given.heap,
            java_options=tuple(given.java.split()),
        )
        server.start()
        os.environ |= {"NEO4J_USERNAME": USERNAME, "NEO4J_PASSWORD": server.password}
        try:
            files = None if given.no_import else work / "files"
            measure(base, update, server, given.naive, files)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
