"""The typed reads of `GraphStore` over a snapshot's memory-mapped tables.

Without `as_of` an edge's counts are those stored. With it they are counted again from the
evidence that is left: evidence is sorted by edge and article, so every (edge, article) is a run
of rows, and all counts are reductions over runs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.digest import PREDICATE_RANK
from kg_builder.model import (
    PREDICATES,
    REFUTES,
    SUPPORTS,
    SYMMETRIC,
    CitedEvidence,
    Edge,
    EdgeKey,
    Evidence,
)
from kg_builder.name_index import NameIndex
from kg_builder.search import rank
from kg_builder.snapshot_tables import SnapshotTables, Strings
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
from ontologies.concept import Concept, Name

Array = npt.NDArray[Any]

NEVER = np.iinfo(np.int32).max
"""The day of an unknown date: after every cut."""

_EPOCH = date(1970, 1, 1)
_ALL = NEVER - 1
_SYMMETRIC_CODES = np.array([code for code, p in enumerate(PREDICATES) if p in SYMMETRIC])
_EDGES_AT_ONCE = 200_000


class EdgeRows(NamedTuple):
    """Edges as columns: rows of the edges table and their counts. Years are 0 where unknown."""

    row: Array
    supporting: Array
    refuting: Array
    hedged: Array
    first_year: Array
    last_year: Array

    def where(self, chosen: Array) -> EdgeRows:
        """The edges at these positions, or where a mask is true."""
        return EdgeRows(*(column[chosen] for column in self))


def day_of(as_of: date | None) -> int:
    """A cut as days since 1970; without one every dated day lies before it."""
    return _ALL if as_of is None else (as_of - _EPOCH).days


def spread(starts: Array, counts: Array) -> Array:
    """The rows of many slices, one after the other.

    >>> spread(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    counts = counts.astype(np.int64)
    total = int(counts.sum())
    ends = np.cumsum(counts)
    rows: Array = np.arange(total) + np.repeat(starts.astype(np.int64) - (ends - counts), counts)
    return rows


class SnapshotReader:
    """Reads of one snapshot. Safe to use from several threads; holds the files it has opened."""

    def __init__(self, directory: Path) -> None:
        self.tables = SnapshotTables(directory)
        self.digest = str(self.tables.build["digest"])

    # Columns that most reads need, mapped once.

    @cached_property
    def _ids(self) -> Strings:
        return self.tables.strings("concepts", "id")

    @cached_property
    def _days(self) -> Array:
        return self.tables.column("articles", "published", null=NEVER)

    @cached_property
    def _years(self) -> Array:
        return self.tables.column("articles", "year", null=0)

    @cached_property
    def _retracted(self) -> Array:
        flags: Array = self.tables.array("articles", "retracted").to_numpy(zero_copy_only=False)
        return flags

    @cached_property
    def _names(self) -> NameIndex:
        return NameIndex.open(self.tables)

    def _edge(self, column: str) -> Array:
        return self.tables.column("edges", column, null=0)

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
        owner, edge = self._incident(asked, codes, direction)
        distinct, place = np.unique(edge, return_inverse=True)
        counted = self.counts(distinct, cut)
        enough = _shown(counted, min_articles)[place]
        owner, place = owner[enough], place[enough]
        if limit_per_concept is not None:
            place = place[_first_of_each(owner, place, counted.supporting, limit_per_concept)]
        chosen = counted.where(np.unique(place))
        order = np.lexsort((chosen.row, -chosen.supporting))
        return self._edges_of(chosen.where(order))

    def _incident(
        self, asked: Array, codes: Sequence[int] | None, direction: Direction
    ) -> tuple[Array, Array]:
        """(position in `asked`, edge) for each edge at each concept that passes the filters."""
        concept = self.tables.column("incidence", "concept")
        starts = np.searchsorted(concept, asked.astype(concept.dtype), "left")
        ends = np.searchsorted(concept, asked.astype(concept.dtype), "right")
        owner = np.repeat(np.arange(len(asked)), ends - starts)
        edge = self.tables.column("incidence", "edge")[spread(starts, ends - starts)]
        keep = np.ones(len(edge), bool)
        predicate = self._edge("predicate")[edge]
        if codes is not None:
            keep &= np.isin(predicate, codes)
        if direction != "both":
            end = "subject" if direction == "out" else "object"
            keep &= (self._edge(end)[edge] == asked[owner]) | np.isin(predicate, _SYMMETRIC_CODES)
        return owner[keep], edge[keep]

    def counts(self, rows: Array, as_of: date | None) -> EdgeRows:
        """The counts of edges as of a date, or as stored."""
        if as_of is None:
            names = ("supporting", "refuting", "hedged", "first_year", "last_year")
            return EdgeRows(rows, *(self._edge(name)[rows] for name in names))
        return self._counted_again(rows, day_of(as_of))

    def _counted_again(self, rows: Array, cut: int) -> EdgeRows:
        at, owner, article = self._left(rows, cut)
        if not len(at):
            return EdgeRows(rows, *(np.zeros(len(rows), np.int64) for _ in range(5)))
        refutes = self.tables.bits("evidence", "refutes")[at]
        hedged = self.tables.bits("evidence", "hedged")[at]
        run = np.flatnonzero(np.r_[True, (owner[1:] != owner[:-1]) | (article[1:] != article[:-1])])
        supports = np.logical_or.reduceat(~refutes, run)
        plainly = np.logical_or.reduceat(~refutes & ~hedged, run)
        whose, year = owner[run], self._years[article[run]]

        def articles(flags: Array) -> Array:
            return np.bincount(whose[flags], minlength=len(rows))

        first, last = _year_range(whose, year, len(rows))
        refuted = np.logical_or.reduceat(refutes, run)
        return EdgeRows(
            rows, articles(supports), articles(refuted), articles(supports & ~plainly), first, last
        )

    def evidence_left(self, rows: Array, as_of: date | None) -> tuple[Array, Array, Array]:
        """(row of evidence, position in `rows`, row of article) of what edges rest on as of a
        date: of every dated or undated article where that is `None`, never of a retracted one.
        """
        cut = check_as_of(as_of)
        return self._left(rows, NEVER if cut is None else day_of(cut))

    def _left(self, rows: Array, cut: int) -> tuple[Array, Array, Array]:
        """(evidence, position in `rows`, article) of what is left of edges at a cut."""
        number = self._edge("evidence_count")[rows]
        at = spread(self._edge("evidence_start")[rows], number)
        owner = np.repeat(np.arange(len(rows)), number)
        article = self.tables.column("evidence", "article")[at]
        left = (self._days[article] <= cut) & ~self._retracted[article]
        return at[left], owner[left], article[left]

    def _edges_of(self, edges: EdgeRows) -> list[Edge]:
        """Edge values; concept ids are read once each."""
        subject, object_ = self._edge("subject")[edges.row], self._edge("object")[edges.row]
        ends = np.unique(np.concatenate((subject, object_)))
        ids = self._ids.take(ends)
        columns = (
            [ids[at] for at in np.searchsorted(ends, subject).tolist()],
            [PREDICATES[code] for code in self._edge("predicate")[edges.row].tolist()],
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
        predicate, other = self._edge("predicate"), self._edge("object")
        first, last = _bounds(self._edge("subject"), subject)
        sought = (int(PREDICATE_RANK[PREDICATES.index(key.predicate)]), object_)
        row = first + bisect_left(
            range(first, last),
            sought,
            key=lambda at: (int(PREDICATE_RANK[predicate[at]]), int(other[at])),
        )
        there = row < last and (int(PREDICATE_RANK[predicate[row]]), int(other[row])) == sought
        return row if there else None

    def evidence(
        self, edge: EdgeKey, *, as_of: date | None = None, retracted: bool = False
    ) -> list[CitedEvidence]:
        check_predicates((edge.predicate,))
        cut = day_of(check_as_of(as_of))
        row = self.edge_row(edge)
        if row is None:
            return []
        start = int(self._edge("evidence_start")[row])
        count = int(self._edge("evidence_count")[row])
        article = self.tables.column("evidence", "article")[start : start + count]
        left = np.ones(count, bool) if as_of is None else self._days[article] <= cut
        if not retracted:
            left &= ~self._retracted[article]
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
            self._ids.take(self._edge("subject")[rows]),
            [PREDICATES[code] for code in self._edge("predicate")[rows].tolist()],
            self._ids.take(self._edge("object")[rows]),
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
        at, owner, article = self._left(rows, cut)
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
        left = (self._days[article] <= cut) & ~self._retracted[article]
        return np.bincount(owner[left], minlength=len(concepts))

    def article_total(self, *, as_of: date | None = None) -> int:
        """How many articles there are as of a date, retracted ones left out."""
        cut = check_as_of(as_of)
        there = ~self._retracted if cut is None else (self._days <= day_of(cut)) & ~self._retracted
        return int(there.sum())

    def pairs(self, *, as_of: date | None = None) -> tuple[Array, Array, Array]:
        """All pairs of concepts that a sentence names together, by any edge, sorted: rows of the
        smaller and the greater id, and the number of articles. Takes 24 bytes of memory for each
        row of evidence.
        """
        cut = NEVER if check_as_of(as_of) is None else day_of(as_of)
        rows = np.arange(self.tables["edges"].num_rows)
        ends = np.sort(np.stack((self._edge("subject"), self._edge("object"))), axis=0)
        size = np.int64(len(self._ids))
        _, owner, article = self._left(rows, cut)
        pair = ends[0].astype(np.int64) * size + ends[1]
        distinct, of_edge = np.unique(pair, return_inverse=True)
        stated = np.unique(of_edge[owner] * np.int64(len(self._days)) + article)
        number = np.bincount(stated // max(len(self._days), 1), minlength=len(distinct))
        shown = number > 0
        return distinct[shown] // size, distinct[shown] % size, number[shown]

    def stats(self, *, as_of: date | None = None) -> GraphStats:
        cut = check_as_of(as_of)
        there = np.ones(len(self._days), bool) if cut is None else self._days <= day_of(cut)
        edges, by_predicate = self._edge_totals(cut)
        occurring = there[self.tables.column("occurrence", "article")]
        concepts = np.unique(self.tables.column("occurrence", "concept")[occurring])
        return GraphStats(
            digest=self.digest,
            articles=int(there.sum()),
            retracted=int(self._retracted[there].sum()),
            undated=int((self._days[there] == NEVER).sum()),
            sentences=self._rows_of("sentences", there),
            mentions=self._rows_of("mentions", there),
            concepts=len(concepts),
            evidence=self._rows_of("evidence", there),
            edges=edges,
            edges_by_predicate=by_predicate,
        )

    def _rows_of(self, table: str, articles: Array) -> int:
        return int(np.count_nonzero(articles[self.tables.column(table, "article")]))

    def _edge_totals(self, cut: date | None) -> tuple[int, dict[str, int]]:
        total = np.zeros(len(PREDICATES), np.int64)
        for start in range(0, len(self._edge("predicate")), _EDGES_AT_ONCE):
            rows = np.arange(start, min(start + _EDGES_AT_ONCE, len(self._edge("predicate"))))
            shown = rows[_shown(self.counts(rows, cut), 0)]
            total += np.bincount(self._edge("predicate")[shown], minlength=len(PREDICATES))
        counted = zip(PREDICATES, total.tolist(), strict=True)
        return int(total.sum()), {name: number for name, number in counted if number}

    def close(self) -> None:
        self.tables.close()


def _shown(edges: EdgeRows, min_articles: int) -> Array:
    """Edges with enough articles; one that only retracted articles state is never shown."""
    return np.asarray(edges.supporting + edges.refuting >= max(min_articles, 1))


def _first_of_each(owner: Array, place: Array, supporting: Array, limit: int) -> Array:
    """Positions of the first `limit` edges of each owner: most supporting first, then key.

    `place` numbers the edges in the order of their keys.
    """
    order = np.lexsort((place, -supporting[place].astype(np.int64), owner))
    ranked = owner[order]
    starts = np.searchsorted(ranked, ranked, "left")
    first: Array = order[np.arange(len(order)) - starts < limit]
    return first


def _year_range(owner: Array, year: Array, size: int) -> tuple[Array, Array]:
    """First and last year of each owner, owners in order; every year is known."""
    first, last = np.zeros(size, np.int64), np.zeros(size, np.int64)
    run = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    first[owner[run]] = np.minimum.reduceat(year, run)
    last[owner[run]] = np.maximum.reduceat(year, run)
    return first, last


def _bounds(column: Array, value: int) -> tuple[int, int]:
    key = column.dtype.type(value)
    return int(np.searchsorted(column, key)), int(np.searchsorted(column, key, "right"))


def hierarchy(tables: SnapshotTables) -> tuple[Array, Array]:
    """(child, parent) rows of the vocabulary's hierarchy, both ends in the snapshot, sorted."""
    parents = tables.array("concepts", "parents")
    child = pc.list_parent_indices(parents).to_numpy(zero_copy_only=False)
    row = pc.index_in(pc.list_flatten(parents), tables.array("concepts", "id"))
    parent = row.fill_null(-1).to_numpy(zero_copy_only=False)
    pairs = np.unique(np.stack((child, parent), axis=1)[parent >= 0], axis=0)
    return pairs[:, 0], pairs[:, 1]


def concept_of(row: dict[str, Any]) -> Concept:
    """A concept from a row of the concepts table."""
    return Concept(
        id=row["id"],
        name=row["name"],
        names=tuple(Name(**name) for name in row["names"]),
        semantic_types=tuple(row["semantic_types"]),
        parents=tuple(row["parents"]),
        xrefs=tuple(row["xrefs"]),
        definition=row["definition"],
    )


def cited_of(key: EdgeKey, row: dict[str, Any], article: dict[str, Any]) -> CitedEvidence:
    """Cited evidence from a row of the evidence table and its article's."""
    text = "\n".join((article["title"], *article["section_texts"]))
    found = Evidence(
        subject_id=key.subject_id,
        predicate=key.predicate,
        object_id=key.object_id,
        pmid=article["pmid"],
        version=article["version"],
        sentence_start=row["sentence_start"],
        sentence_end=row["sentence_end"],
        subject_start=row["subject_start"],
        subject_end=row["subject_end"],
        object_start=row["object_start"],
        object_end=row["object_end"],
        cue_start=row["cue_start"],
        cue_end=row["cue_end"],
        polarity=REFUTES if row["refutes"] else SUPPORTS,
        hedged=row["hedged"],
        score=row["score"],
        published=article["published"],
        extractor=row["extractor"],
    )
    return CitedEvidence(
        evidence=found,
        sentence=text[found.sentence_start : found.sentence_end],
        subject_text=text[found.subject_start : found.subject_end],
        object_text=text[found.object_start : found.object_end],
        title=article["title"],
        retracted=article["retracted"],
    )
