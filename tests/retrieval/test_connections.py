"""Paths found in columns against those that the graph's own search finds, on the demo's graph."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kg_builder.paths import find_paths
from retrieval.connections import connections
from retrieval.view import View


@pytest.fixture(scope="module")
def view(demo_graph: Path) -> View:
    from kg_builder.snapshot_tables import find_snapshot

    return View(find_snapshot(demo_graph))


@pytest.mark.parametrize("fanout", [3, 40])
def test_connections_are_the_paths_of_the_graph(view: View, fanout: int) -> None:
    ids = [one for one in view.reader.concept_ids() if view.reader.edges([one])]
    dice = random.Random(3)
    lengths = set()
    for neighbours in [True, False] * 15:
        start, end = dice.sample(ids, 2)
        if neighbours:
            edge = dice.choice(view.reader.edges([start]))
            end = edge.object_id if edge.subject_id == start else edge.subject_id
        rows = view.known([start, end])
        expected = find_paths(view.reader, start, end, k=3, max_edges=3, fanout=fanout)
        found = connections(view, rows[start], rows[end], number=3, fanout=fanout)
        assert [tuple(view.concept_ids(way.concepts)) for way in found] == [
            path.concepts for path in expected
        ]
        for way, path in zip(found, expected, strict=True):
            assert way.score == pytest.approx(path.score)
            assert way.edges == tuple(
                view.reader.edge_row(strongest.key) for strongest, *_ in path.steps
            )
            lengths.add(len(way.edges))
    assert lengths == {1, 2, 3}
