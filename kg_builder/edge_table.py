"""The edges table as columns: whose edges there are, and what they rest on as of a date.

Evidence is sorted by edge and article, so every (edge, article) is a run of rows, and all counts
are reductions over runs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kg_builder.digest import PREDICATE_RANK
from kg_builder.model import PREDICATES, SYMMETRIC
from kg_builder.snapshot_tables import SnapshotTables
from kg_builder.store import Direction

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


class EdgeTable:
    """Edges by row, with the days, years and retractions of the articles behind them."""

    def __init__(self, tables: SnapshotTables) -> None:
        self._tables = tables

    def __len__(self) -> int:
        return len(self.column("predicate"))

    def column(self, name: str) -> Array:
        """A column of the edges table, 0 where it is null."""
        return self._tables.column("edges", name, null=0)

    @cached_property
    def days(self) -> Array:
        """The day of each article, counted from 1970; `NEVER` where it is unknown."""
        return self._tables.column("articles", "published", null=NEVER)

    @cached_property
    def years(self) -> Array:
        """The year of each article, 0 where it is unknown."""
        return self._tables.column("articles", "year", null=0)

    @cached_property
    def retracted(self) -> Array:
        """Whether each article was retracted."""
        flags: Array = self._tables.array("articles", "retracted").to_numpy(zero_copy_only=False)
        return flags

    def incident(
        self, asked: Array, codes: Sequence[int] | None, direction: Direction
    ) -> tuple[Array, Array]:
        """(position in `asked`, edge) for each edge at each concept that passes the filters."""
        concept = self._tables.column("incidence", "concept")
        starts = np.searchsorted(concept, asked.astype(concept.dtype), "left")
        ends = np.searchsorted(concept, asked.astype(concept.dtype), "right")
        owner = np.repeat(np.arange(len(asked)), ends - starts)
        edge = self._tables.column("incidence", "edge")[spread(starts, ends - starts)]
        keep = np.ones(len(edge), bool)
        predicate = self.column("predicate")[edge]
        if codes is not None:
            keep &= np.isin(predicate, codes)
        if direction != "both":
            end = "subject" if direction == "out" else "object"
            keep &= (self.column(end)[edge] == asked[owner]) | np.isin(predicate, _SYMMETRIC_CODES)
        return owner[keep], edge[keep]

    def counts(self, rows: Array, as_of: date | None) -> EdgeRows:
        """The counts of edges as of a date, or as stored."""
        if as_of is None:
            names = ("supporting", "refuting", "hedged", "first_year", "last_year")
            return EdgeRows(rows, *(self.column(name)[rows] for name in names))
        return self._counted_again(rows, day_of(as_of))

    def _counted_again(self, rows: Array, cut: int) -> EdgeRows:
        at, owner, article = self.left(rows, cut)
        if not len(at):
            return EdgeRows(rows, *(np.zeros(len(rows), np.int64) for _ in range(5)))
        refutes = self._tables.bits("evidence", "refutes")[at]
        hedged = self._tables.bits("evidence", "hedged")[at]
        run = np.flatnonzero(np.r_[True, (owner[1:] != owner[:-1]) | (article[1:] != article[:-1])])
        supports = np.logical_or.reduceat(~refutes, run)
        plainly = np.logical_or.reduceat(~refutes & ~hedged, run)
        whose, year = owner[run], self.years[article[run]]

        def articles(flags: Array) -> Array:
            return np.bincount(whose[flags], minlength=len(rows))

        first, last = _year_range(whose, year, len(rows))
        refuted = np.logical_or.reduceat(refutes, run)
        return EdgeRows(
            rows, articles(supports), articles(refuted), articles(supports & ~plainly), first, last
        )

    def left(self, rows: Array, cut: int) -> tuple[Array, Array, Array]:
        """(evidence, position in `rows`, article) of what is left of edges at a cut."""
        number = self.column("evidence_count")[rows]
        at = spread(self.column("evidence_start")[rows], number)
        owner = np.repeat(np.arange(len(rows)), number)
        article = self._tables.column("evidence", "article")[at]
        left = (self.days[article] <= cut) & ~self.retracted[article]
        return at[left], owner[left], article[left]

    def row(self, subject: int, predicate: int, object_: int) -> int | None:
        """The row of the edge between two rows of concepts; `predicate` is its place in the set."""
        predicates, objects = self.column("predicate"), self.column("object")
        first, last = _bounds(self.column("subject"), subject)
        sought = (int(PREDICATE_RANK[predicate]), object_)

        def key(at: int) -> tuple[int, int]:
            return int(PREDICATE_RANK[predicates[at]]), int(objects[at])

        row = first + bisect_left(range(first, last), sought, key=key)
        return row if row < last and key(row) == sought else None

    def by_predicate(self, as_of: date | None) -> dict[str, int]:
        """How many edges there are as of a date, by predicate; none that rest on nothing."""
        total = np.zeros(len(PREDICATES), np.int64)
        predicate = self.column("predicate")
        for start in range(0, len(self), _EDGES_AT_ONCE):
            rows = np.arange(start, min(start + _EDGES_AT_ONCE, len(self)))
            shown = rows[stated_by(self.counts(rows, as_of), 0)]
            total += np.bincount(predicate[shown], minlength=len(PREDICATES))
        counted = zip(PREDICATES, total.tolist(), strict=True)
        return {name: number for name, number in counted if number}

    def pairs(self, concepts: int, cut: int) -> tuple[Array, Array, Array]:
        """Pairs of rows of concepts, of which there are `concepts`; see `SnapshotReader.pairs`."""
        ends = np.sort(np.stack((self.column("subject"), self.column("object"))), axis=0)
        size = np.int64(concepts)
        _, owner, article = self.left(np.arange(len(self)), cut)
        pair = ends[0].astype(np.int64) * size + ends[1]
        distinct, of_edge = np.unique(pair, return_inverse=True)
        stated = np.unique(of_edge[owner] * np.int64(len(self.days)) + article)
        number = np.bincount(stated // max(len(self.days), 1), minlength=len(distinct))
        shown = number > 0
        return distinct[shown] // size, distinct[shown] % size, number[shown]


def stated_by(edges: EdgeRows, min_articles: int) -> Array:
    """Whether so many articles state an edge; one that only retracted ones state is never shown."""
    return np.asarray(edges.supporting + edges.refuting >= max(min_articles, 1))


def first_of_each(owner: Array, place: Array, supporting: Array, limit: int) -> Array:
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
