"""The current view of a ledger: which version of each article is in force.

The newest version of a PMID in file order is in force; within one place of the order the greater
PMID version, then the later revision, then the greater content hash. A deletion removes what came
at its place of the order or before; a later file may bring the PMID back. All of it is a function
of the set of shards, never of the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.ledger import Ledger, ShardEntry

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class CurrentView:
    """Articles in force, by PMID: number i is row `rows[i]` of `shards[shard[i]]`.

    `superseded` counts versions that a newer one replaced, `deleted` PMIDs that a deletion took.
    """

    shards: tuple[ShardEntry, ...]
    pmids: Array
    shard: Array
    rows: Array
    superseded: int
    deleted: int

    def __len__(self) -> int:
        return len(self.pmids)

    def of_shard(self, place: int) -> tuple[Array, Array]:
        """Rows of a shard that are in force, and the number of each among all articles."""
        numbers = np.flatnonzero(self.shard == place)
        return self.rows[numbers], numbers

    def only(self, keep: Array) -> CurrentView:
        """The view of the articles that the mask keeps; the counts stay those of the ledger."""
        return CurrentView(
            self.shards,
            self.pmids[keep],
            self.shard[keep],
            self.rows[keep],
            self.superseded,
            self.deleted,
        )


def current_view(ledger: Ledger, shards: Sequence[ShardEntry] | None = None) -> CurrentView:
    """Read what is in force; `shards` are the ledger's own unless given (in any order)."""
    entries = tuple(
        sorted(ledger.entries() if shards is None else shards, key=lambda e: (e.order, e.name))
    )
    places = _places(entries)
    pmid, version, shard, row = _all_articles(ledger, entries)
    order = np.lexsort((version, places[shard], pmid))
    pmid, version, shard, row = pmid[order], version[order], shard[order], row[order]
    last = np.append(pmid[1:] != pmid[:-1], True) if len(pmid) else np.zeros(0, bool)
    chosen = np.flatnonzero(last)
    chosen = _break_ties(ledger, entries, chosen, pmid, places[shard], version, shard, row)
    dead_until = _deletions(ledger, entries, places, pmid[chosen])
    alive = places[shard[chosen]] > dead_until
    kept = chosen[alive]
    return CurrentView(
        entries, pmid[kept], shard[kept], row[kept], len(pmid) - len(chosen), int((~alive).sum())
    )


def _places(entries: Sequence[ShardEntry]) -> Array:
    """The place of each shard's file in the order: equal for files that nothing tells apart."""
    orders = sorted({entry.order for entry in entries})
    return np.array([orders.index(entry.order) for entry in entries], np.int32)


def _all_articles(
    ledger: Ledger, entries: Sequence[ShardEntry]
) -> tuple[Array, Array, Array, Array]:
    """PMID, version, shard and row of every article of the ledger."""
    pmids, versions = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for entry in entries:
        table = ledger.read(entry, "articles", ["pmid", "version"])
        pmids.append(np.asarray(table["pmid"]))
        versions.append(np.asarray(table["version"]))
    sizes = [len(part) for part in pmids[1:]]
    shard = np.repeat(np.arange(len(entries), dtype=np.int32), sizes)
    rows = np.concatenate([np.zeros(0, np.int32), *(np.arange(n, dtype=np.int32) for n in sizes)])
    return np.concatenate(pmids), np.concatenate(versions), shard, rows


def _break_ties(
    ledger: Ledger,
    entries: Sequence[ShardEntry],
    chosen: Array,
    pmid: Array,
    place: Array,
    version: Array,
    shard: Array,
    row: Array,
) -> Array:
    """Of versions equal in place and number, take the later revised, then the greater hash."""
    same = (pmid[1:] == pmid[:-1]) & (place[1:] == place[:-1]) & (version[1:] == version[:-1])
    tied = chosen[np.isin(chosen, np.flatnonzero(same) + 1)]
    if not len(tied):
        return chosen
    facts: dict[int, pa.Table] = {}
    best = chosen.copy()
    for end in tied.tolist():
        start = end
        while start and same[start - 1]:
            start -= 1
        rivals = []
        for at in range(start, end + 1):
            own = int(shard[at])
            if own not in facts:
                facts[own] = ledger.read(entries[own], "articles", ["revised", "content_hash"])
            revised, content = (facts[own][c][int(row[at])].as_py() for c in (0, 1))
            rivals.append((revised, content, at))
        best[np.searchsorted(chosen, end)] = max(rivals)[2]
    return best


def _deletions(ledger: Ledger, entries: Sequence[ShardEntry], places: Array, pmids: Array) -> Array:
    """For each PMID (ascending) the last place of the order that deletes it; -1 for none."""
    until = np.full(len(pmids), -1, np.int32)
    for place, entry in zip(places, entries, strict=True):
        if entry.deletions:
            gone = np.asarray(ledger.read(entry, "deletions")["pmid"])
            until[np.isin(pmids, gone)] = place  # places ascend
    return until
