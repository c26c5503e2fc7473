"""How two concepts of a snapshot are connected, in steps that are rows of its tables.

The paths, their scores and their order are those of `kg_builder.paths.find_paths` with at most
three edges; here they are found in columns, all at once, in a fraction of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from retrieval.expand import Array, Edges, Floats
from retrieval.view import View

DIGITS = 12
"""Costs are rounded to so many, so that sums in another order tie, and ids decide."""


class Connection(NamedTuple):
    """A way from one concept to another: rows of its concepts, of each step's best supported edge,
    and a score above 0 and at most 1.
    """

    concepts: tuple[int, ...]
    edges: tuple[int, ...]
    score: float


class _Pairs(NamedTuple):
    """Pairs of concepts with an edge, sorted: ends, least cost of a step, best supported edge."""

    low: Array
    high: Array
    cost: Floats
    edge: Array

    def at(self, concept: int) -> tuple[Array, Floats]:
        """The neighbours of a concept, sorted, and the cost of the step to each."""
        here = (self.low == concept) | (self.high == concept)
        other = np.where(self.low[here] == concept, self.high[here], self.low[here])
        order = np.argsort(other)
        return other[order], self.cost[here][order]

    def step(self, one: int, other: int) -> int:
        """The best supported edge between two neighbours."""
        low, high = min(one, other), max(one, other)
        (at,) = np.flatnonzero((self.low == low) & (self.high == high))
        return int(self.edge[at])


_Way = tuple[float, tuple[int, ...]]
"""Rounded cost and concepts of a path; sorts as paths do."""


def connections(view: View, start: int, end: int, *, number: int, fanout: int) -> list[Connection]:
    """The `number` best paths without loops of at most three edges, best first, ties by ids.

    Two steps are taken from the start and one from the end, over the `fanout` best supported
    edges of each concept.
    """
    pairs = _pairs(view, _around(view, start, end, fanout))
    found = sorted(_ways(view, pairs, start, end, number))
    return [
        Connection(
            concepts,
            tuple(pairs.step(*step) for step in pairwise(concepts)),
            math.exp(-cost),
        )
        for cost, concepts in found[:number]
    ]


def _around(view: View, start: int, end: int, fanout: int) -> Edges:
    """The supported edges in which the paths lie, each once."""
    first, last = (view.edges_at(np.array([row]), fanout) for row in (start, end))
    ends = np.concatenate((first.subject, first.object))
    second = view.edges_at(np.setdiff1d(ends, [start]), fanout)
    rows = np.unique(np.concatenate((first.row, second.row, last.row)))
    return view.edges(rows[view.supporting(rows) > 0])


def _pairs(view: View, edges: Edges) -> _Pairs:
    low, high = np.minimum(edges.subject, edges.object), np.maximum(edges.subject, edges.object)
    order = np.lexsort((edges.row, -view.supporting(edges.row).astype(np.int64), high, low))
    low, high, row = low[order], high[order], edges.row[order]
    first = np.flatnonzero(np.r_[True, (low[1:] != low[:-1]) | (high[1:] != high[:-1])][: len(low)])
    cost = np.minimum.reduceat(view.step_costs(row), first) if len(row) else np.zeros(0)
    return _Pairs(low[first], high[first], cost, row[first])


def _ways(view: View, pairs: _Pairs, start: int, end: int, number: int) -> Iterator[_Way]:
    """Paths of one and two edges, and the `number` best of three."""
    near, near_cost = pairs.at(start)
    far, far_cost = pairs.at(end)
    for cost in near_cost[near == end].tolist():
        yield round(cost, DIGITS), (start, end)
    near_cost = near_cost + view.passing_costs(near)
    both, at, to = np.intersect1d(near, far, assume_unique=True, return_indices=True)
    for concept, cost in zip(both.tolist(), (near_cost[at] + far_cost[to]).tolist(), strict=True):
        yield round(cost, DIGITS), (start, concept, end)
    far_cost = far_cost + view.passing_costs(far)
    ends = np.array([start, end])
    one = np.concatenate((pairs.low, pairs.high))
    other = np.concatenate((pairs.high, pairs.low))
    there = np.isin(one, np.setdiff1d(near, ends)) & np.isin(other, np.setdiff1d(far, ends))
    one, other, cost = one[there], other[there], np.tile(pairs.cost, 2)[there]
    cost = near_cost[np.searchsorted(near, one)] + cost + far_cost[np.searchsorted(far, other)]
    cost = np.round(cost, DIGITS)
    for at in np.lexsort((other, one, cost))[:number].tolist():
        yield float(cost[at]), (start, int(one[at]), int(other[at]), end)
