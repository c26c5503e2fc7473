"""The typed reads of `GraphStore` over a snapshot's memory-mapped tables.

Without `as_of` an edge's counts are those stored. With it they are counted again from the
evidence that is left (see `kg_builder.edge_table`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from kg_builder.edge_table import (
    NEVER,
    Array,
    EdgeRows,
    EdgeTable,
    day_of,
    first_of_each,
    spread,
    stated_by,
)
from kg_builder.model import PREDICATES, CitedEvidence, Edge, EdgeKey
from kg_builder.name_index import NameIndex
from kg_builder.search import rank
from kg_builder.snapshot_tables import SnapshotTables, Strings
from kg_builder.snapshot_values import cited_of, concept_of
from kg_builder.store import (
    Direction,
    EdgePublications,
    GraphStats,
    canonical,
    check_as_of,
    check_limits,
    check_predicates,
    newest_first,
)
from ontologies.concept import Concept


class SnapshotReader:
    """Reads of one snapshot. Safe to use from several threads; holds the files it has opened."""

    def __init__(self, directory: Path) -> None:
        self.tables = SnapshotTables(directory)
        self.digest = str(self.tables.build["digest"])
        self._edges = EdgeTable(self.tables)

    # Columns that most reads need, mapped once.

    @cached_property
    def _ids(self) -> Strings:
        return self.tables.strings("concepts", "id")

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex.open(self.tables)

    def concepts(self, ids: Iterable[str]) -> list[Concept]:
        rows = [row for concept_id in ids if (row := self._ids.row(concept_id)) is not None]
        return self._concepts_at(np.array(rows, np.int64))

    def _concepts_at(self, rows: Array) -> list[Concept]:
        if not len(rows):
            return []
        return [concept_of(row) for row in self.tables.take("concepts", rows).to_pylist()]

    def search(self, text: str, limit: int = 10) -> list[Concept]:
        found = self._names.candidates(text, max(limit, 0))
        return rank(text, self._concepts_at(found), limit)

    def concept_ids(self) -> Iterator[str]:
        for batch in self.tables["concepts"].column("id").chunks:
            yield from batch.to_pylist()

    def edges(
        self,
        ids: Iterable[str],
        *,
        predicates: Iterable[str] | None = None,
        direction: Direction = "both",
        as_of: date | None = None,
        min_articles: int = 1,
        limit_per_concept: int | None = None,
    ) -> list[Edge]:
        codes = check_predicates(predicates)
        check_limits(direction, min_articles, limit_per_concept)
        cut = check_as_of(as_of)
        rows = [row for concept_id in ids if (row := self._ids.row(concept_id)) is not None]
        asked = np.unique(np.array(rows, np.int64))
        owner, edge = self._edges.incident(asked, codes, direction)
        distinct, place = np.unique(edge, return_inverse=True)
        counted = self._edges.counts(distinct, cut)
        enough = stated_by(counted, min_articles)[place]
        owner, place = owner[enough], place[enough]
        if limit_per_concept is not None:
            place = place[first_of_each(owner, place, counted.supporting, limit_per_concept)]
        chosen = counted.where(np.unique(place))
        order = np.lexsort((chosen.row, -chosen.supporting))
        return self._edges_of(chosen.where(order))

    def counts(self, rows: Array, as_of: date | None) -> EdgeRows:
        """The counts of edges as of a date, or as stored."""
        return self._edges.counts(rows, as_of)

    def evidence_left(self, rows: Array, as_of: date | None) -> tuple[Array, Array, Array]:
        """(row of evidence, position in `rows`, row of article) of what edges rest on as of a
        date: of every dated or undated article where that is `None`, never of a retracted one.
        """
        cut = check_as_of(as_of)
        return self._edges.left(rows, NEVER if cut is None else day_of(cut))

    def _edges_of(self, edges: EdgeRows) -> list[Edge]:
        """Edge values; concept ids are read once each."""
        subject, object_ = (self._edges.column(end)[edges.row] for end in ("subject", "object"))
        ends = np.unique(np.concatenate((subject, object_)))
        ids = self._ids.take(ends)
        columns = (
            [ids[at] for at in np.searchsorted(ends, subject).tolist()],
            [PREDICATES[code] for code in self._edges.column("predicate")[edges.row].tolist()],
            [ids[at] for at in np.searchsorted(ends, object_).tolist()],
            edges.supporting.tolist(),
            edges.refuting.tolist(),
            edges.hedged.tolist(),
            [year or None for year in edges.first_year.tolist()],
            [year or None for year in edges.last_year.tolist()],
        )
        return [Edge(*values) for values in zip(*columns, strict=True)]

    def edge_row(self, edge: EdgeKey) -> int | None:
        """The row of an edge, or `None` where the graph has no such edge."""
        key = canonical(edge)
        subject, object_ = self._ids.row(key.subject_id), self._ids.row(key.object_id)
        if subject is None or object_ is None:
            return None
        return self._edges.row(subject, PREDICATES.index(key.predicate), object_)

    def evidence(
        self, edge: EdgeKey, *, as_of: date | None = None, retracted: bool = False
    ) -> list[CitedEvidence]:
        check_predicates((edge.predicate,))
        cut = day_of(check_as_of(as_of))
        row = self.edge_row(edge)
        if row is None:
            return []
        start = int(self._edges.column("evidence_start")[row])
        count = int(self._edges.column("evidence_count")[row])
        article = self.tables.column("evidence", "article")[start : start + count]
        left = np.ones(count, bool) if as_of is None else self._edges.days[article] <= cut
        if not retracted:
            left &= ~self._edges.retracted[article]
        return sorted(self.cited(start + np.flatnonzero(left)), key=newest_first)

    def cited(self, rows: Array) -> list[CitedEvidence]:
        """Rows of the evidence table with the words they point to, in the order asked."""
        records = self.tables["evidence"].take(pa.array(rows, pa.int64())).to_pylist()
        columns = ["pmid", "version", "title", "section_texts", "published", "retracted"]
        articles = sorted({record["article"] for record in records})
        table = self.tables.take("articles", np.array(articles, np.int64), columns)
        by_row = dict(zip(articles, table.to_pylist(), strict=True))
        keys = self._keys({record["edge"] for record in records})
        return [cited_of(keys[r["edge"]], r, by_row[r["article"]]) for r in records]

    def _keys(self, edges: Iterable[int]) -> dict[int, EdgeKey]:
        rows = np.array(sorted(edges), np.int64)
        keys = zip(
            self._ids.take(self._edges.column("subject")[rows]),
            [PREDICATES[code] for code in self._edges.column("predicate")[rows].tolist()],
            self._ids.take(self._edges.column("object")[rows]),
            strict=True,
        )
        return {row: EdgeKey(*key) for row, key in zip(rows.tolist(), keys, strict=True)}

    def publications(
        self, edges: Iterable[EdgeKey], *, as_of: date | None = None
    ) -> list[EdgePublications]:
        cut = day_of(check_as_of(as_of)) if as_of else NEVER
        rows = [self.edge_row(key) for key in edges]
        known = np.array([row for row in rows if row is not None], np.int64)
        stated = iter(self._stated(known, cut))
        return [EdgePublications((), ()) if row is None else next(stated) for row in rows]

    def _stated(self, rows: Array, cut: int) -> Iterator[EdgePublications]:
        at, owner, article = self._edges.left(rows, cut)
        refutes = self.tables.bits("evidence", "refutes")[at]
        pmid = self.tables.column("articles", "pmid")[article].tolist()
        starts = np.searchsorted(owner, np.arange(len(rows) + 1)).tolist()
        for start, end in pairwise(starts):
            said = list(zip(pmid[start:end], refutes[start:end].tolist(), strict=True))
            yield EdgePublications(
                tuple(sorted({p for p, refuted in said if not refuted})),
                tuple(sorted({p for p, refuted in said if refuted})),
            )

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        cut = check_as_of(as_of)
        rows = [self._ids.row(concept_id) for concept_id in ids]
        if cut is None:
            stored = self.tables.column("concepts", "articles")
            return [0 if row is None else int(stored[row]) for row in rows]
        known = np.array([row for row in rows if row is not None], np.int64)
        counted = iter(self._occurrences(known, day_of(cut)).tolist())
        return [0 if row is None else next(counted) for row in rows]

    def _occurrences(self, concepts: Array, cut: int) -> Array:
        concept = self.tables.column("occurrence", "concept")
        starts = np.searchsorted(concept, concepts.astype(concept.dtype), "left")
        ends = np.searchsorted(concept, concepts.astype(concept.dtype), "right")
        owner = np.repeat(np.arange(len(concepts)), ends - starts)
        article = self.tables.column("occurrence", "article")[spread(starts, ends - starts)]
        left = (self._edges.days[article] <= cut) & ~self._edges.retracted[article]
        return np.bincount(owner[left], minlength=len(concepts))

    def article_total(self, *, as_of: date | None = None) -> int:
        """How many articles there are as of a date, retracted ones left out."""
        cut = check_as_of(as_of)
        there = np.True_ if cut is None else self._edges.days <= day_of(cut)
        return int((there & ~self._edges.retracted).sum())

    def pairs(self, *, as_of: date | None = None) -> tuple[Array, Array, Array]:
        """All pairs of concepts that a sentence names together, by any edge, sorted: rows of the
        smaller and the greater id, and the number of articles. Takes 24 bytes of memory for each
        row of evidence.
        """
        cut = NEVER if check_as_of(as_of) is None else day_of(as_of)
        return self._edges.pairs(len(self._ids), cut)

    def stats(self, *, as_of: date | None = None) -> GraphStats:
        cut = check_as_of(as_of)
        days = self._edges.days
        there = np.ones(len(days), bool) if cut is None else days <= day_of(cut)
        edges = self._edges.by_predicate(cut)
        occurring = there[self.tables.column("occurrence", "article")]
        concepts = np.unique(self.tables.column("occurrence", "concept")[occurring])
        return GraphStats(
            digest=self.digest,
            articles=int(there.sum()),
            retracted=int(self._edges.retracted[there].sum()),
            undated=int((days[there] == NEVER).sum()),
            sentences=self._rows_of("sentences", there),
            mentions=self._rows_of("mentions", there),
            concepts=len(concepts),
            evidence=self._rows_of("evidence", there),
            edges=sum(edges.values()),
            edges_by_predicate=edges,
        )

    def _rows_of(self, table: str, articles: Array) -> int:
        return int(np.count_nonzero(articles[self.tables.column(table, "article")]))

    def close(self) -> None:
        self.tables.close()
