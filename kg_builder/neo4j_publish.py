"""Bring a Neo4j database to a snapshot by its difference from what the database holds.

Constraints and indexes come first, then concepts, relationships, articles with their evidence,
and last what the snapshot no longer has. The database's digest is removed before the first change
and written after the last, so that a database says which snapshot it holds, or none. Nothing is
remembered of a publish that died: the next one compares again and writes what is missing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import neo4j
import numpy as np
import numpy.typing as npt
from neo4j.exceptions import ServiceUnavailable, SessionExpired

from kg_builder import neo4j_diff_store as held
from kg_builder import neo4j_write_store as write
from kg_builder.neo4j_rows import Neo4jRows, snapshot_values
from kg_builder.neo4j_session import connect, database_name, named_errors
from kg_builder.neo4j_write_store import Statement, Writer
from kg_builder.snapshot_tables import SnapshotTables, find_snapshot

Array = npt.NDArray[Any]
Progress = Callable[[str, int, int], None]
"""Told of each step's name, how much of it is done and how much there is."""

BATCH = 5000
"""Nodes and relationships a transaction writes, but for a single article with more."""
ARTICLES_AT_ONCE = 500
ATTEMPTS = 5
PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What a publish did. Numbers are of the difference: of rows written anew, changed, removed.

    `unchanged` is whether the database already held the snapshot. `counters` is what the server
    counts (`nodes_created`, `properties_set`); all absent where nothing was written.
    """

    digest: str
    unchanged: bool
    seconds: float
    concepts: int = 0
    edges: int = 0
    articles: int = 0
    removed: int = 0
    counters: dict[str, int] = field(default_factory=dict)


def publish(
    snapshot: Path, url: str, *, evidence: bool = True, progress: Progress | None = None
) -> PublishReport:
    """Bring the database at `url` to a snapshot (or to the current one of a graph directory).

    Without `evidence`, `:Evidence` nodes are left out, or removed where they are. A lost
    connection is taken up again, by comparing anew. Raises `CredentialsError`,
    `ServerUnavailableError` and `TakenOverError`.
    """
    start = time.monotonic()
    rows = Neo4jRows(SnapshotTables(find_snapshot(snapshot)), evidence=evidence)
    with connect(url) as driver, named_errors(url):
        for attempt in range(1, ATTEMPTS):
            with suppress(ServiceUnavailable, SessionExpired):
                return _attempt(driver, rows, progress or _silent, start)
            time.sleep(PAUSE_SECONDS * attempt)
        return _attempt(driver, rows, progress or _silent, start)


def clear(url: str) -> dict[str, int]:
    """Remove from a database all that was published to it; return what the server counts.

    Constraints and indexes stay, as do the nodes and relationships of others.
    """
    with (
        connect(url) as driver,
        named_errors(url),
        driver.session(database=database_name()) as session,
        Writer(session) as writer,
    ):
        writer.begin()
        writer.clear()
        return dict(writer.counters)


def _silent(_step: str, _done: int, _of: int) -> None:
    """Tell nobody."""


def _attempt(
    driver: neo4j.Driver, rows: Neo4jRows, progress: Progress, start: float
) -> PublishReport:
    sessions = partial(
        driver.session,
        database=database_name(),
        bookmark_manager=neo4j.GraphDatabase.bookmark_manager(),  # one reads what the other wrote
    )
    with sessions() as session:
        schema = write.make_schema(session)
        said = held.snapshot_said(session) or {}
        wanted = snapshot_values(rows)
        if {name: said.get(name) for name in wanted} == wanted:
            seconds = time.monotonic() - start
            return PublishReport(rows.digest, not schema, seconds, counters=dict(schema))
        with sessions() as writing, Writer(writing) as writer:
            writer.begin()
            done = _Publish(session, writer, rows, progress).run()
            writer.finish(wanted)
        return PublishReport(
            digest=rows.digest,
            unchanged=False,
            seconds=time.monotonic() - start,
            counters=dict(writer.counters + schema),
            **done,
        )


class _Batch:
    """Statements that wait until there are rows enough for a transaction."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._rows: dict[str, list[Any]] = {}
        self._waiting = 0

    def add(self, query: str, row: Any, weight: int = 1) -> None:
        self._rows.setdefault(query, []).append(row)
        self._waiting += weight
        if self._waiting >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, in the order in which its statements first came."""
        self._writer.write(Statement(query, rows) for query, rows in self._rows.items())
        self._rows, self._waiting = {}, 0


class _Publish:
    """One comparison and what follows from it."""

    def __init__(
        self, session: neo4j.Session, writer: Writer, rows: Neo4jRows, progress: Progress
    ) -> None:
        self._session = session
        self._writer = writer
        self._rows = rows
        self._progress = progress
        self._done: Counter[str] = Counter(concepts=0, edges=0, articles=0, removed=0)

    def run(self) -> Counter[str]:
        """Write the difference; return the numbers of the report."""
        stale, subjects = self._concepts()
        self._edges(subjects)
        self._articles()
        for query in (write.DROP_EDGES_OF, write.DROP_CONCEPTS):
            self._drop(query, stale)
        self._done["removed"] += len(stale)
        return self._done

    def _drop(self, query: str, keys: Iterable[Any]) -> None:
        batch = _Batch(self._writer)
        for key in keys:
            batch.add(query, key)
        batch.flush()

    def _concepts(self) -> tuple[list[str], Array]:
        """Write new and changed concepts; return ids to remove, and for each concept of the
        snapshot how many relationships to read: -1 where those held are the snapshot's.
        """
        rows = self._rows
        place = {concept_id: row for row, concept_id in enumerate(rows.ids)}
        number, total = _edge_sums(rows)
        write_anew = np.ones(len(rows.ids), bool)
        to_read = np.where(number > 0, 0, -1)
        stale = []
        for concept in held.held_concepts(self._session):
            row = place.get(concept.id)
            if row is None:
                stale.append(concept.id)
                continue
            write_anew[row] = concept.hash != rows.concept_hashes[row]
            same = (concept.edges, concept.total) == (number[row], total[row])
            to_read[row] = -1 if same else concept.edges
        self._put_concepts(np.flatnonzero(write_anew))
        return stale, to_read

    def _put_concepts(self, chosen: Array) -> None:
        batch = _Batch(self._writer)
        for start in range(0, len(chosen), BATCH):
            for row in self._rows.concepts(chosen[start : start + BATCH]):
                batch.add(write.PUT_CONCEPTS, row)
            self._progress("concepts", min(start + BATCH, len(chosen)), len(chosen))
        batch.flush()
        self._done["concepts"] += len(chosen)

    def _edges(self, to_read: Array) -> None:
        """Write the relationships of concepts whose relationships differ."""
        edges = self._rows.edges
        chosen = np.flatnonzero(to_read >= 0)
        starts = np.searchsorted(edges.subject, chosen, "left")
        ends = np.searchsorted(edges.subject, chosen, "right")
        batch = _Batch(self._writer)
        for some in _portions(to_read[chosen] + ends - starts, BATCH):
            slices = zip(starts[some].tolist(), ends[some].tolist(), strict=True)
            wanted = [row for start, end in slices for row in range(start, end)]
            ids = [self._rows.ids[row] for row in chosen[some][to_read[chosen[some]] > 0]]
            self._put_edges(batch, wanted, ids)
            self._progress("edges", some.stop, len(chosen))
        batch.flush()

    def _put_edges(self, batch: _Batch, wanted: list[int], ids: list[str]) -> None:
        """Make `wanted` of the relationships that these concepts hold."""
        numbers = self._rows.edges.edge[np.array(wanted, np.int64)].tolist()
        missing = dict(zip(numbers, wanted, strict=True))
        other = {}
        for found in held.held_edges(self._session, ids) if ids else ():
            row = missing.pop(found.edge, None)
            if row is None:
                batch.add(write.DROP_EDGES, [found.element, found.edge])
                self._done["removed"] += 1
            elif found.hash != self._rows.edges.hash[row]:
                other[row] = found
        changed = self._rows.edge_values(list(other))
        for (_, values), found in zip(changed, other.values(), strict=True):
            batch.add(write.CHANGE_EDGES, [found.element, found.edge, *values[2:]])
        for subject, edges in groupby(self._rows.edge_values(list(missing.values())), _subject):
            for some in _blocks(([o, name, *said] for name, (_, o, *said) in edges), BATCH):
                batch.add(write.PUT_EDGES, [subject, some], len(some))
        self._done["edges"] += len(missing) + len(other)

    def _articles(self) -> None:
        """Write articles that are new or changed, whole; remove those that are no more."""
        pmids = self._rows.tables.column("articles", "pmid")
        write_anew = np.ones(len(pmids), bool)
        known = np.zeros(len(pmids), bool)
        stale = []
        for page in _blocks(held.held_articles(self._session), held.PAGE):
            found = np.array(page, np.int64)
            row = np.searchsorted(pmids, found[:, 0])
            inside = np.minimum(row, max(len(pmids) - 1, 0))
            there = pmids[inside] == found[:, 0] if len(pmids) else np.zeros(len(found), bool)
            stale += found[~there, 0].tolist()
            row, number = row[there], found[there, 1]
            known[row] = True
            write_anew[row] = number != self._rows.article_hashes[row]
        for query in (write.DROP_EVIDENCE, write.DROP_MENTIONS, write.DROP_ARTICLES):
            self._drop(query, stale)
        self._done["removed"] += len(stale)
        self._put_articles(np.flatnonzero(write_anew), known)

    def _put_articles(self, chosen: Array, known: Array) -> None:
        weights = self._rows.weights()[chosen]
        for some in _portions(weights, BATCH, ARTICLES_AT_ONCE):
            rows = chosen[some]
            old = self._rows.tables.column("articles", "pmid")[rows[known[rows]]].tolist()
            self._writer.write(
                [
                    Statement(write.DROP_EVIDENCE, old),
                    Statement(write.DROP_MENTIONS, old),
                    Statement(write.PUT_ARTICLES, list(self._rows.articles(rows))),
                    Statement(write.PUT_MENTIONS, list(self._rows.mentions(rows))),
                    Statement(write.PUT_EVIDENCE, list(self._rows.evidence(rows))),
                ]
            )
            self._progress("articles", some.stop, len(chosen))
        self._done["articles"] += len(chosen)


def _edge_sums(rows: Neo4jRows) -> tuple[Array, Array]:
    """Number and sum of hashes of the relationships that go out from each concept."""
    edges = rows.edges
    number = np.bincount(edges.subject, minlength=len(rows.ids))
    sums = np.concatenate(([0], np.cumsum(edges.hash)))
    ends = np.cumsum(number)
    return number, sums[ends] - sums[ends - number]


def _portions(weights: Array, size: int, most: int | None = None) -> Iterator[slice]:
    """Slices of neighbours whose weights together come to `size`, or one that weighs more."""
    start, weight = 0, 0
    for at, more in enumerate(weights.tolist()):
        if at > start and (weight + more > size or at - start == most):
            yield slice(start, at)
            start, weight = at, 0
        weight += more
    if len(weights) > start:
        yield slice(start, len(weights))


def _subject(edge: tuple[str, list[Any]]) -> Any:
    return edge[1][0]


def _blocks(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    block = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
