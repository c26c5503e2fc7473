"""What changed between two states of the literature, edge by edge, and which articles did it.

A state is a snapshot, whole or as of a date. Of every edge it knows the articles, retracted ones
left out, that support it plainly, that support it with hedges alone, and that refute it. An edge
changed where one of these sets did; what kinds of change these are follows from the sets:

- `gained`: no article stated the edge before; `lost`: none does any more.
- `strengthened`: an article supports it that did not, or does so plainly that hedged before.
- `weakened`: an article supports it no more, or with hedges alone that did so plainly.
- `contradicted`: an article refutes it that did not; `cleared`: one refutes it no more.

An edge that is gained or lost is nothing else; the others may have several kinds at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.aggregate import CODE_OF_RANK, edge_keys, split_keys
from kg_builder.digest import PREDICATE_RANK
from kg_builder.gather import places_in, sorted_words
from kg_builder.model import PREDICATES, EdgeKey
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.store import check_predicates

Array = npt.NDArray[Any]

KINDS = ("gained", "lost", "strengthened", "weakened", "contradicted", "cleared")

_SUPPORTS, _PLAINLY, _REFUTES = 1, 2, 4


class ArticleCounts(NamedTuple):
    """Articles that support an edge, that refute it, that support it with hedges alone."""

    supporting: int
    refuting: int
    hedged: int


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """How one edge changed, and the PMIDs (sorted) that did it.

    `firmed` are articles whose support was hedged and is plain, `softened` the other way round.
    """

    key: EdgeKey
    kinds: tuple[str, ...]
    before: ArticleCounts
    after: ArticleCounts
    supporting_gained: tuple[int, ...]
    supporting_lost: tuple[int, ...]
    refuting_gained: tuple[int, ...]
    refuting_lost: tuple[int, ...]
    firmed: tuple[int, ...]
    softened: tuple[int, ...]


class State(NamedTuple):
    """A snapshot as of a date, or whole."""

    reader: SnapshotReader
    as_of: date | None = None


class _Stances(NamedTuple):
    """What each article says of each edge, sorted by both: `said` are bits, never none."""

    edge: Array
    pmid: Array
    said: Array


def compare(before: State, after: State, *, predicates: Iterable[str] | None = None) -> EdgeHistory:
    """The changes from one state to another, of edges of these predicates or of all.

    Holds some 60 bytes for each row of evidence of both states while it compares.
    """
    codes = check_predicates(predicates)
    ids = sorted_words([state.reader.tables.array("concepts", "id") for state in (before, after)])
    one, other = (_stances(state, ids, codes) for state in (before, after))
    keys = np.union1d(one.edge, other.edge)
    pmids = np.union1d(one.pmid, other.pmid)
    meetings = [
        (np.searchsorted(keys, s.edge) << 32) | np.searchsorted(pmids, s.pmid) for s in (one, other)
    ]
    every = np.union1d(*meetings)
    edge, said = every >> 32, []
    for meeting, stances in zip(meetings, (one, other), strict=True):
        found = np.zeros(len(every), np.uint8)
        found[np.searchsorted(every, meeting)] = stances.said
        said.append(found)
    return EdgeHistory(ids, keys, edge, pmids[every & 0xFFFFFFFF], said[0], said[1])


def _stances(state: State, ids: pa.StringArray, codes: Sequence[int] | None) -> _Stances:
    tables = state.reader.tables
    predicate = tables.column("edges", "predicate")
    rows = np.flatnonzero(np.isin(predicate, codes)) if codes is not None else None
    rows = np.arange(len(predicate)) if rows is None else rows
    at, owner, article = state.reader.evidence_left(rows, state.as_of)
    refutes = tables.bits("evidence", "refutes")[at]
    hedged = tables.bits("evidence", "hedged")[at]
    bits = np.where(refutes, _REFUTES, np.where(hedged, _SUPPORTS, _SUPPORTS | _PLAINLY))
    new = np.ones(len(at), bool)
    new[1:] = (owner[1:] != owner[:-1]) | (article[1:] != article[:-1])
    runs = np.flatnonzero(new)
    said = np.bitwise_or.reduceat(bits, runs) if len(runs) else bits
    place = places_in(ids, tables.array("concepts", "id"))
    keys = edge_keys(
        place[tables.column("edges", "subject")[rows]],
        PREDICATE_RANK[predicate[rows]],
        place[tables.column("edges", "object")[rows]],
    )
    pmid = tables.column("articles", "pmid")[article[runs]]
    return _Stances(keys[owner[runs]], pmid, said.astype(np.uint8))


@dataclass(eq=False)
class EdgeHistory:
    """All edges of two states, and what each article says of each in both, as columns.

    `before` and `after` are bits by (edge, article), sorted by both; 0 where it says nothing.
    """

    ids: pa.StringArray
    keys: Array
    edge: Array
    pmid: Array
    before: Array
    after: Array

    @cached_property
    def _kinds(self) -> Mapping[str, Array]:
        """By kind, whether each edge changed so."""
        was, now = (
            _any(bits != 0, self.edge, len(self.keys)) for bits in (self.before, self.after)
        )
        both = was & now
        moved = {
            "strengthened": (self.after & ~self.before) & (_SUPPORTS | _PLAINLY),
            "weakened": (self.before & ~self.after) & (_SUPPORTS | _PLAINLY),
            "contradicted": (self.after & ~self.before) & _REFUTES,
            "cleared": (self.before & ~self.after) & _REFUTES,
        }
        kinds = {
            name: both & _any(bits != 0, self.edge, len(self.keys)) for name, bits in moved.items()
        }
        return {"gained": now & ~was, "lost": was & ~now, **kinds}

    def count(self) -> dict[str, int]:
        """How many edges changed in each way, and `unchanged`; an edge may count in several."""
        found = {kind: int(self._kinds[kind].sum()) for kind in KINDS}
        changed = np.logical_or.reduce([self._kinds[kind] for kind in KINDS])
        return {**found, "unchanged": int((~changed).sum())}

    def changes(self, kind: str, limit: int | None = None) -> list[EdgeChange]:
        """Edges that changed in one way: by number of articles that did it, most first, then key.

        Raises `ValueError` for a kind that there is not.
        """
        if kind not in KINDS:
            raise ValueError(f"no kind of change {kind!r}; known: {', '.join(KINDS)}")
        edges = np.flatnonzero(self._kinds[kind])
        weight = np.bincount(self.edge[self.before != self.after], minlength=len(self.keys))[edges]
        return [self._at(int(edge)) for edge in edges[np.lexsort((edges, -weight))][:limit]]

    def _at(self, edge: int) -> EdgeChange:
        first, last = np.searchsorted(self.edge, (edge, edge + 1))
        pmid = self.pmid[first:last]
        before, after = self.before[first:last], self.after[first:last]
        come, gone = after & ~before, before & ~after
        stayed = before & after & _SUPPORTS != 0

        def those(chosen: Array) -> tuple[int, ...]:
            return tuple(pmid[chosen].tolist())

        return EdgeChange(
            key=self._key(edge),
            kinds=tuple(kind for kind in KINDS if self._kinds[kind][edge]),
            before=_counts(before),
            after=_counts(after),
            supporting_gained=those(come & _SUPPORTS != 0),
            supporting_lost=those(gone & _SUPPORTS != 0),
            refuting_gained=those(come & _REFUTES != 0),
            refuting_lost=those(gone & _REFUTES != 0),
            firmed=those(stayed & (come & _PLAINLY != 0)),
            softened=those(stayed & (gone & _PLAINLY != 0)),
        )

    def _key(self, edge: int) -> EdgeKey:
        subject, rank, target = (int(part) for part in split_keys(self.keys[edge]))
        predicate = PREDICATES[CODE_OF_RANK[rank]]
        return EdgeKey(self.ids[subject].as_py(), predicate, self.ids[target].as_py())


def _any(flags: Array, edge: Array, size: int) -> Array:
    """Whether any row of each edge has the flag."""
    found = np.zeros(size, bool)
    found[edge[flags]] = True
    return found


def _counts(said: Array) -> ArticleCounts:
    supports = said & _SUPPORTS != 0
    plainly = said & _PLAINLY != 0
    return ArticleCounts(
        int(supports.sum()), int((said & _REFUTES != 0).sum()), int((supports & ~plainly).sum())
    )
