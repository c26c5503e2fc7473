"""Communities of a snapshot's concepts: what the literature treats together, at two levels.

Leiden (Traag, Waltman and van Eck, 'From Louvain to Leiden', Sci Rep 9:5233, 2019) maximizes
modularity over concepts joined by

    w(u, v) = Σ belief × log2(1 + supporting articles)    over the edges between u and v,

so that what is believed and often stated binds, and hundreds of articles do not bind hundreds of
times as much. The first level is the partition of the whole graph. The second divides each of its
communities of more than `MOST_MEMBERS` concepts by the same method until none is greater that
divides at all; smaller ones stand at both levels. Nodes and edges are given in the order of ids
and the seed is fixed: the same graph has the same communities. Concepts without a believed edge
are in none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import numpy as np

from retrieval.beside import kept_beside
from retrieval.expand import Array, Floats
from retrieval.view import View

COMMUNITIES_VERSION = 1
"""Raised when the same snapshot gets other communities: they are found anew."""

RESOLUTION = 1.0
MOST_MEMBERS = 50
RANDOMNESS = 0.001
ITERATIONS = 2
SEED = 20260101

TOP, FINE = 0, 1
_FILE = "communities.json"


@dataclass(frozen=True, slots=True)
class Community:
    """Concepts that belong together; `level` is `TOP` or `FINE`.

    `members` are concept ids, sorted; `parent` is the community of the top level that a fine one
    is a part of (of the same id where it was small enough to be left whole).
    """

    id: str
    level: int
    parent: str | None
    members: tuple[str, ...]


def community_id(members: Iterable[str]) -> str:
    """Names a community by its members alone.

    >>> community_id(["B:1", "A:1"]) == community_id(["A:1", "B:1"])
    True
    """
    return sha256("\n".join(sorted(members)).encode()).hexdigest()[:16]


def pair_weights(view: View) -> tuple[Array, Array, Floats]:
    """(row, row, weight) of the pairs of concepts that a believed edge joins, sorted."""
    tables = view.reader.tables
    edges = view.edges(np.arange(tables["edges"].num_rows))
    weight = edges.belief * np.log2(1.0 + view.supporting(edges.row))
    low = np.minimum(edges.subject, edges.object).astype(np.int64)
    high = np.maximum(edges.subject, edges.object).astype(np.int64)
    pairs, place = np.unique(low << 32 | high, return_inverse=True)
    total = np.bincount(place, weight, len(pairs)).astype(np.float64)
    bound = (total > 0.0) & (pairs >> 32 != pairs & 0xFFFFFFFF)
    return pairs[bound] >> 32, pairs[bound] & 0xFFFFFFFF, total[bound]


def find_communities(
    ids: Sequence[str], low: Array, high: Array, weight: Floats
) -> tuple[Community, ...]:
    """The communities of a weighted graph, both levels, the greatest first, ties by id.

    `low` and `high` are positions in `ids`, which is sorted.
    """
    if not len(low):
        return ()
    from graspologic_native import hierarchical_leiden

    ends = (low.tolist(), high.tolist(), weight.tolist())
    found = hierarchical_leiden(
        [(ids[one], ids[other], value) for one, other, value in zip(*ends, strict=True)],
        resolution=RESOLUTION,
        randomness=RANDOMNESS,
        iterations=ITERATIONS,
        max_cluster_size=MOST_MEMBERS,
        seed=SEED,
    )
    top = {entry.node: entry.cluster for entry in found if entry.level == 0}
    fine = [(top[e.node], e.cluster, e.node) for e in found if e.is_final_cluster]
    wholes = {
        cluster: _community(own)
        for (cluster, _), own in _groups((cluster, 0, node) for node, cluster in top.items())
    }
    parts = [_community(own, wholes[cluster].id) for (cluster, _), own in _groups(fine)]
    return tuple(sorted((*wholes.values(), *parts), key=_greatest_first))


def _groups(
    placed: Iterable[tuple[int, int, str]],
) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """The nodes of each (cluster, cluster within it)."""
    for cluster, rows in groupby(sorted(placed), key=lambda row: row[:2]):
        yield cluster, [node for _, _, node in rows]


def _community(members: list[str], parent: str | None = None) -> Community:
    level = TOP if parent is None else FINE
    return Community(community_id(members), level, parent, tuple(sorted(members)))


def _greatest_first(community: Community) -> tuple[int, int, str]:
    return community.level, -len(community.members), community.id


class Communities:
    """The communities of a snapshot, and where each concept is among them."""

    def __init__(self, communities: Sequence[Community], view: View) -> None:
        self._all = tuple(communities)
        self._view = view

    @classmethod
    def of(cls, view: View) -> Communities:
        """Those kept beside the snapshot, or found and kept now (a second for 100,000 edges)."""
        name = f"communities-{COMMUNITIES_VERSION}"
        folder = kept_beside(view.reader.tables, name, lambda empty: _write(view, empty))
        rows = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        found = (Community(**{**row, "members": tuple(row["members"])}) for row in rows)
        return cls(tuple(found), view)

    def at(self, level: int) -> tuple[Community, ...]:
        """The communities of a level, the greatest first."""
        return tuple(one for one in self._all if one.level == level)

    def of_concept(self, concept_id: str) -> list[Community]:
        """The community of a concept at each level that it has one at, the top first."""
        return [one for one in self._all if concept_id in set(one.members)]

    def named(self, community_id: str) -> list[Community]:
        """Those whose id begins so; one that stands at both levels is given at the top."""
        found = {one.id: one for one in reversed(self._all) if one.id.startswith(community_id)}
        return list(found.values())[::-1]

    @cached_property
    def places(self) -> tuple[Array, Array]:
        """By level: for each concept row its place in `at(level)`, -1 where it is in none."""
        top, fine = (self._places(level) for level in (TOP, FINE))
        return top, fine

    def _places(self, level: int) -> Array:
        place = np.full(self._view.concept_count, -1, np.int64)
        for number, community in enumerate(self.at(level)):
            place[self._view.rows(community.members)] = number
        return place


def _write(view: View, folder: Path) -> None:
    ids = view.concept_ids(np.arange(view.concept_count))
    rows = [asdict(one) for one in find_communities(ids, *pair_weights(view))]
    (folder / _FILE).write_text(json.dumps(rows), encoding="utf-8")
