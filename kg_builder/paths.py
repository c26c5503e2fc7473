"""How two concepts are connected: the best paths between them, over any store.

A path's score is a product: of its steps, s / (s + r + 1) for the s supporting and r refuting
articles of the step's best edge, and of the concepts it passes through, 1 / log2(2 + n) for the n
articles that mention one (the damping of Adamic and Adar, 'Friends and neighbors on the web',
2003), so that a path through `Patients` costs more than one through what few articles name.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from kg_builder.model import Edge
from kg_builder.store import GraphStore, strongest_first

FANOUT = 200


class GraphPath(NamedTuple):
    """A way from one concept to another. `steps[i]` are the edges, in either direction, between
    `concepts[i]` and `concepts[i + 1]`, the strongest first. `score` is above 0 and at most 1.
    """

    concepts: tuple[str, ...]
    steps: tuple[tuple[Edge, ...], ...]
    score: float


class _Neighbourhood(NamedTuple):
    """The part of a graph in which all paths lie that are looked for."""

    between: Mapping[tuple[str, str], list[Edge]]
    neighbours: Mapping[str, list[str]]
    passing: Mapping[str, float]

    def cost(self, one: str, other: str) -> float:
        return min(step_cost(edge) for edge in self.between[_pair(one, other)])


_Partial = tuple[float, tuple[str, ...], float]
"""A path begun: the least cost it can end with, its concepts, its cost so far."""


def step_cost(edge: Edge) -> float:
    """What a step along an edge costs: -ln(s / (s + r + 1)); infinite without support."""
    if not edge.supporting:
        return math.inf
    return -math.log(edge.supporting / (edge.supporting + edge.refuting + 1))


def passing_cost(articles: int) -> float:
    """What it costs to pass through a concept that so many articles mention."""
    return math.log(math.log2(2 + articles))


def find_paths(
    store: GraphStore,
    start: str,
    end: str,
    *,
    k: int = 5,
    max_edges: int = 4,
    fanout: int | None = FANOUT,
    predicates: Iterable[str] | None = None,
    as_of: date | None = None,
    min_articles: int = 1,
) -> list[GraphPath]:
    """The `k` best paths without loops of at most `max_edges` edges, best first, ties by ids.

    Of a concept with more edges than `fanout` only its best supported are followed (`None`: all;
    a path beside a hub can then cost much). Refuted edges count as far as they are supported too.
    """
    if start == end:
        raise ValueError(f"a path needs two concepts, got {start} twice")
    if k < 1 or max_edges < 1:
        raise ValueError(f"k is {k} and max_edges is {max_edges}, expected 1 or more")
    chosen = None if predicates is None else list(predicates)
    found: set[Edge] = set()
    for origin, radius in ((start, (max_edges + 1) // 2), (end, max_edges // 2)):
        frontier, seen = {origin}, {origin}
        for _ in range(radius):
            edges = store.edges(
                sorted(frontier),
                predicates=chosen,
                as_of=as_of,
                min_articles=min_articles,
                limit_per_concept=fanout,
            )
            found.update(edge for edge in edges if edge.supporting)
            reached = {e for edge in edges for e in (edge.subject_id, edge.object_id)}
            frontier, seen = reached - seen, seen | reached
    near = _neighbourhood(store, found, as_of)
    return _best(near, start, end, k, max_edges)


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _neighbourhood(store: GraphStore, edges: set[Edge], as_of: date | None) -> _Neighbourhood:
    between: dict[tuple[str, str], list[Edge]] = {}
    neighbours: dict[str, list[str]] = {}
    for edge in sorted(edges, key=strongest_first):
        pair = _pair(edge.subject_id, edge.object_id)
        if pair not in between:
            neighbours.setdefault(pair[0], []).append(pair[1])
            neighbours.setdefault(pair[1], []).append(pair[0])
        between.setdefault(pair, []).append(edge)
    ids = sorted(neighbours)
    counts = store.article_counts(ids, as_of=as_of)
    passing = {i: passing_cost(n) for i, n in zip(ids, counts, strict=True)}
    return _Neighbourhood(between, neighbours, passing)


def _remaining(near: _Neighbourhood, end: str, max_edges: int) -> list[dict[str, float]]:
    """[n][concept]: the least cost from a concept to the end within n edges, loops allowed."""
    layers = [{end: 0.0}]
    for _ in range(max_edges):
        last = layers[-1]
        layer = dict(last)
        for concept, cost in last.items():
            on = cost + (near.passing.get(concept, 0.0) if concept != end else 0.0)
            for neighbour in near.neighbours.get(concept, ()):
                total = near.cost(neighbour, concept) + on
                if total < layer.get(neighbour, math.inf):
                    layer[neighbour] = total
        layers.append(layer)
    return layers


def _best(near: _Neighbourhood, start: str, end: str, k: int, max_edges: int) -> list[GraphPath]:
    """Best first: a path's cost so far and the least that remains never exceed its true cost."""
    remaining = _remaining(near, end, max_edges)
    if start not in remaining[max_edges]:
        return []
    # Rounded, so that costs equal but for the order of their sums tie and ids decide.
    queue: list[_Partial] = [(round(remaining[max_edges][start], 12), (start,), 0.0)]
    paths: list[GraphPath] = []
    while queue and len(paths) < k:
        _, concepts, cost = heapq.heappop(queue)
        here, left = concepts[-1], max_edges - len(concepts) + 1
        if here == end:
            paths.append(_path(near, concepts, cost))
            continue
        if not left:
            continue
        through = near.passing[here] if here != start else 0.0
        for neighbour in near.neighbours[here]:
            rest = remaining[left - 1].get(neighbour)
            if rest is None or neighbour in concepts:
                continue
            so_far = cost + through + near.cost(here, neighbour)
            beyond = near.passing[neighbour] if neighbour != end else 0.0
            heapq.heappush(
                queue, (round(so_far + beyond + rest, 12), (*concepts, neighbour), so_far)
            )
    return paths


def _path(near: _Neighbourhood, concepts: tuple[str, ...], cost: float) -> GraphPath:
    steps = tuple(tuple(near.between[_pair(one, other)]) for one, other in pairwise(concepts))
    return GraphPath(concepts, steps, math.exp(-cost))
