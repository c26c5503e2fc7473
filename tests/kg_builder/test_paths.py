"""Paths against networkx, which lists them all."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.memory_store import MemoryStore
from kg_builder.model import REFUTES, Edge
from kg_builder.paths import find_paths, passing_cost, step_cost
from ontologies.concept import Concept
from tests.contracts.graphs import Statement, World, written

MANY = tuple(Concept(f"C:{at}", f"concept {at}") for at in range(8))


@st.composite
def webs(draw: st.DrawFn) -> World:
    """Articles that connect eight concepts at random, some denying."""
    said = st.builds(
        Statement,
        st.integers(0, 7),
        st.integers(0, 7),
        st.sampled_from(("TREATS", "CO_OCCURS_WITH")),
        st.sampled_from(("supports", "supports", REFUTES)),
    )
    articles = draw(st.lists(st.lists(said, min_size=1, max_size=4), max_size=9))
    mined = [written(pmid, some, concepts=MANY) for pmid, some in enumerate(articles, 1)]
    return World(tuple(mined), MANY)


@settings(max_examples=50, deadline=None)
@given(world=webs(), k=st.integers(1, 6), longest=st.integers(1, 4))
def test_paths_are_the_best_of_all(world: World, k: int, longest: int) -> None:
    store = MemoryStore(*world)
    expected = all_paths(store, "C:0", "C:1", longest)[:k]
    found = find_paths(store, "C:0", "C:1", k=k, max_edges=longest, fanout=None)
    assert [path.concepts for path in found] == [concepts for _, concepts in expected]
    for path, (cost, _) in zip(found, expected, strict=True):
        assert path.score == pytest.approx(math.exp(-cost))
        assert 0 < path.score <= 1
        for at, step in enumerate(path.steps):
            for edge in step:
                assert {edge.subject_id, edge.object_id} == set(path.concepts[at : at + 2])


def all_paths(
    store: MemoryStore, start: str, end: str, longest: int
) -> list[tuple[float, tuple[str, ...]]]:
    graph: nx.Graph[str] = nx.Graph()
    for edge in store.edges([c.id for c in MANY]):
        if edge.supporting:
            known = graph.get_edge_data(edge.subject_id, edge.object_id, {"cost": math.inf})
            cost = min(known["cost"], step_cost(edge))
            graph.add_edge(edge.subject_id, edge.object_id, cost=cost)
    if start not in graph or end not in graph:
        return []
    passing = {c.id: passing_cost(n) for c in MANY for n in store.article_counts([c.id])}
    costed = []
    for path in nx.all_simple_paths(graph, start, end, cutoff=longest):
        steps = sum(graph.edges[pair]["cost"] for pair in itertools.pairwise(path))
        costed.append((round(steps + sum(passing[i] for i in path[1:-1]), 12), tuple(path)))
    return sorted(costed)


def test_a_hub_is_passed_by() -> None:
    """0 and 1 meet in 2, which every article names, and in 3, which two name."""
    hub = [written(pmid, [Statement(2, 4, "TREATS")], concepts=MANY) for pmid in range(10, 60)]
    ways = [
        written(1, [Statement(0, 2, "CAUSES")], concepts=MANY),
        written(2, [Statement(2, 1, "CAUSES")], concepts=MANY),
        written(3, [Statement(0, 3, "CAUSES")], concepts=MANY),
        written(4, [Statement(3, 1, "CAUSES")], concepts=MANY),
    ]
    paths = find_paths(MemoryStore([*hub, *ways], MANY), "C:0", "C:1")
    assert [path.concepts for path in paths] == [("C:0", "C:3", "C:1"), ("C:0", "C:2", "C:1")]
    assert paths[1].score < paths[0].score


def test_denied_steps_cost_more() -> None:
    def edge(supporting: int, refuting: int) -> Edge:
        return Edge("C:0", "TREATS", "C:1", supporting, refuting, 0, None, None)

    assert step_cost(edge(3, 0)) < step_cost(edge(3, 2)) < step_cost(edge(1, 2))
    assert step_cost(edge(0, 2)) == math.inf


def test_nothing_connects_strangers() -> None:
    store = MemoryStore([written(1, [Statement(0, 2, "TREATS")], concepts=MANY)], MANY)
    assert find_paths(store, "C:0", "C:1") == []
    with pytest.raises(ValueError, match="two concepts"):
        find_paths(store, "C:0", "C:0")
