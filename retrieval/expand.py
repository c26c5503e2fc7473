"""The neighbourhood of the seeds, and how near each part of it is: personalized PageRank.

Haveliwala, 'Topic-sensitive PageRank', 2002: p = (1 - d) r + d Tᵀp with the restart r in
proportion to the seeds' weights and d = 0.5, as HippoRAG 2 takes it (2025). A step from u to v
is taken in proportion to the belief in the edges between them, divided by log2(2 + n) for the n
articles that mention v: of two neighbours believed alike the rarer is nearer, so that hubs such as
`Patients` gather little (Adamic and Adar, 'Friends and neighbors on the web', 2003).

Concepts and edges are rows of the snapshot's tables, which are in the order of ids and keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

DAMPING = 0.5
TOLERANCE = 1e-12
MOST_ITERATIONS = 100
MOST_SEEDS = 24
FANOUT = (80, 12)
"""Edges followed at each concept of the first and of the second step: the best supported."""

FRONTIER = 40
"""Neighbours from which a second step is taken: those believed most."""


class Edges(NamedTuple):
    """Edges as columns: their rows, the rows of their ends, and the belief in each."""

    row: Array
    subject: Array
    object: Array
    belief: Floats

    def where(self, chosen: Array) -> Edges:
        """The edges at these positions, or where a mask is true."""
        return Edges(*(column[chosen] for column in self))


class Neighbourhood(NamedTuple):
    """Concepts (rows, sorted) with their share of PageRank, edges with what flows over them.

    The flow of an edge between u and v is p(u) T(u,v) + p(v) T(v,u), of T the part that the edge
    adds: how much of the walk goes over it.
    """

    concepts: Array
    nearness: Floats
    edges: Edges
    flow: Floats


EdgesAt = Callable[[Array, int], Edges]
"""The edges at some concepts, of each so many that are supported best; an edge may come twice."""


def expand(seeds: Mapping[int, float], edges_at: EdgesAt, articles: Array) -> Neighbourhood:
    """The bounded neighbourhood of weighted seeds (the heaviest `MOST_SEEDS` of them).

    `articles` is, by concept row, the number of articles that mention it.
    """
    heaviest = sorted(seeds, key=lambda row: (-seeds[row], row))[:MOST_SEEDS]
    start = np.array(sorted(heaviest), np.int64)
    edges = _reach(start, edges_at)
    concepts = np.unique(np.concatenate((start, edges.subject, edges.object)))
    restart = np.zeros(len(concepts))
    restart[np.searchsorted(concepts, start)] = [seeds[row] for row in start.tolist()]
    damped = 1.0 / np.log2(2.0 + articles[concepts])
    subject, object_ = (np.searchsorted(concepts, end) for end in edges[1:3])
    forth, back = steps(subject, object_, edges.belief, damped)
    nearness = personalized_pagerank(subject, object_, forth, back, restart)
    flow = nearness[subject] * forth + nearness[object_] * back
    return Neighbourhood(concepts, nearness, edges, flow)


def _reach(start: Array, edges_at: EdgesAt) -> Edges:
    found = []
    seen = frontier = start
    for limit in FANOUT:
        edges = edges_at(frontier, limit)
        found.append(edges)
        ends = np.concatenate((edges.subject, edges.object))
        belief = np.concatenate((edges.belief, edges.belief))
        new = ~np.isin(ends, seen)
        reached, place = np.unique(ends[new], return_inverse=True)
        believed = np.bincount(place, belief[new], len(reached))
        frontier = np.sort(reached[np.lexsort((reached, -believed))[:FRONTIER]])
        seen = np.union1d(seen, frontier)
    joined = Edges(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    _, first = np.unique(joined.row, return_index=True)
    return joined.where(first)


def steps(subject: Array, object_: Array, belief: Floats, damped: Floats) -> tuple[Floats, Floats]:
    """The chance of the step over each edge from subject to object, and back.

    Ends are positions in `damped`, the damping of each concept. The chances at a concept sum to 1
    where it has an edge that is believed at all.
    """
    forth, back = belief * damped[object_], belief * damped[subject]
    total = np.bincount(subject, forth, len(damped)) + np.bincount(object_, back, len(damped))
    share = np.divide(1.0, total, out=np.zeros(len(damped)), where=total > 0)
    return forth * share[subject], back * share[object_]


def personalized_pagerank(
    subject: Array, object_: Array, forth: Floats, back: Floats, restart: Floats
) -> Floats:
    """The stationary share of each concept; `forth` and `back` are the chances of `steps`.

    A walk at a concept without steps restarts. Zeros where there is nothing to restart from.
    """
    size = len(restart)
    if not restart.sum():
        return np.zeros(size)
    start = restart / restart.sum()
    rows, columns = np.concatenate((object_, subject)), np.concatenate((subject, object_))
    order = np.argsort(rows, kind="stable")  # so that sums have one order
    rows, columns = rows[order], columns[order]
    chance = np.concatenate((forth, back))[order]
    rank: Floats = start
    for _ in range(MOST_ITERATIONS):
        walked = np.bincount(rows, chance * rank[columns], size)
        following: Floats = (1.0 - DAMPING) * start + DAMPING * (
            walked + (1.0 - walked.sum()) * start
        )
        if np.abs(following - rank).sum() < TOLERANCE:
            return following
        rank = following
    return rank
