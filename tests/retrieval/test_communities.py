"""Communities on graphs whose parts are known, and on the demo's literature."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from kg_builder.model import REFUTES, SUPPORTS
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.update import cut_snapshot
from retrieval.communities import (
    FINE,
    TOP,
    Communities,
    community_id,
    find_communities,
    pair_weights,
)
from retrieval.summaries import described, summarize
from retrieval.view import View
from tests.processes import said_with_other_seeds
from tests.retrieval.worlds import article, build, in_force_until


@pytest.fixture(scope="module")
def view(demo_graph: Path) -> View:
    return View(find_snapshot(demo_graph))


@pytest.fixture(scope="module")
def communities(view: View) -> Communities:
    return Communities.of(view)


def test_planted_parts_are_found_whatever_the_order() -> None:
    """Six cliques of eight, each joined to the next by one weak edge."""
    ids = [f"C:{at:02}" for at in range(48)]
    edges = [
        (8 * part + one, 8 * part + other, 1.0)
        for part in range(6)
        for one in range(8)
        for other in range(one + 1, 8)
    ]
    edges += [(8 * part + 7, 8 * part + 8, 0.1) for part in range(5)]
    low, high, weight = (np.array(column) for column in zip(*sorted(edges), strict=True))
    found = find_communities(ids, low, high, weight)
    planted = {tuple(ids[8 * part : 8 * part + 8]) for part in range(6)}
    assert {one.members for one in found if one.level == TOP} == planted
    assert {one.members for one in found if one.level == FINE} == planted
    assert all(one.id == community_id(one.members) for one in found)
    assert {one.parent for one in found if one.level == FINE} == {
        one.id for one in found if one.level == TOP
    }
    assert find_communities(ids, low[:0], high[:0], weight[:0]) == ()


def test_both_levels_part_the_connected_concepts(view: View, communities: Communities) -> None:
    low, high, _ = pair_weights(view)
    connected = set(view.concept_ids(np.unique(np.concatenate((low, high)))))
    tops = {one.id: set(one.members) for one in communities.at(TOP)}
    for level in (TOP, FINE):
        members = [concept for one in communities.at(level) for concept in one.members]
        assert len(members) == len(set(members))
        assert set(members) == connected
    for one in communities.at(FINE):
        assert one.parent is not None
        assert set(one.members) <= tops[one.parent]
    assert len(communities.at(FINE)) > len(communities.at(TOP)) > 1


def test_the_partition_is_better_than_chance_by_another_measure(
    view: View, communities: Communities
) -> None:
    graph: nx.Graph[int] = nx.Graph()
    rows = zip(*(column.tolist() for column in pair_weights(view)), strict=True)
    graph.add_weighted_edges_from(rows)
    parts = [set(view.rows(one.members).tolist()) for one in communities.at(TOP)]
    ours = nx.community.modularity(graph, parts)
    theirs = nx.community.modularity(graph, nx.community.louvain_communities(graph, seed=1))
    assert ours > theirs - 0.02


def test_a_concept_finds_its_communities(view: View, communities: Communities) -> None:
    some = communities.at(FINE)[0]
    found = communities.of_concept(some.members[0])
    assert [one.level for one in found] == [TOP, FINE]
    assert found[1] == some
    assert some in communities.named(some.id[:8]) or some.id == some.parent
    top, fine = communities.places
    row = view.rows([some.members[0]])
    assert communities.at(FINE)[int(fine[row][0])] == some
    assert communities.at(TOP)[int(top[row][0])].id == some.parent
    assert communities.of_concept("X:none") == []


def test_same_communities_in_every_process(demo_graph: Path) -> None:
    code = (
        "import sys\n"
        "from kg_builder.snapshot_tables import find_snapshot\n"
        "from retrieval.communities import find_communities, pair_weights\n"
        "from retrieval.view import View\n"
        "view = View(find_snapshot(sys.argv[1]))\n"
        "ids = view.concept_ids(range(view.concept_count))\n"
        "print([one.id for one in find_communities(ids, *pair_weights(view))])\n"
    )
    said = said_with_other_seeds(code, str(demo_graph))
    assert len(said) == 1


def test_a_cut_has_the_communities_and_summaries_of_its_day(
    demo_graph: Path, tmp_path: Path
) -> None:
    day = date(2015, 12, 31)
    cut = View(cut_snapshot(demo_graph, day).path)
    early = View(find_snapshot(build(tmp_path / "early", [in_force_until(day)])))
    for level in (TOP, FINE):
        then, fresh = Communities.of(cut), Communities.of(early)
        assert then.at(level) == fresh.at(level)
        said = summarize(cut, then, then.at(level))
        assert said == summarize(early, fresh, fresh.at(level))
        published = [
            sentence.published
            for summary in said
            for statement in (*summary.statements, *summary.contradictions)
            for sentence in statement.sentences
        ]
        assert published
        assert all(one is not None and one <= day for one in published)


def test_a_summary_cites_what_its_edges_rest_on(view: View, communities: Communities) -> None:
    summaries = summarize(view, communities, communities.at(TOP))
    for community, summary in zip(communities.at(TOP), summaries, strict=True):
        assert (summary.id, summary.members) == (community.id, len(community.members))
        shares = [concept.share for concept in summary.central]
        assert shares == sorted(shares, reverse=True)
        for statement in (*summary.statements, *summary.contradictions):
            assert {statement.key.subject_id, statement.key.object_id} <= set(community.members)
            cited = {
                (c.evidence.pmid, c.sentence, c.evidence.polarity)
                for c in view.reader.evidence(statement.key)
            }
            said = [(s.pmid, s.sentence, s.polarity) for s in statement.sentences]
            assert said
            assert set(said) <= cited
        assert all(len(said.sentences) == 2 for said in summary.contradictions)
        assert all(f"[PMID {pmid}]" in described(summary) for pmid in summary.pmids)
    assert any(summary.contradictions for summary in summaries)
    assert summarize(view, communities, []) == []


def test_contradictions_show_both_sides_and_retracted_articles_none(tmp_path: Path) -> None:
    graph = build(
        tmp_path,
        [
            [
                article(1, "Metformin causes lactic acidosis."),
                article(2, "Metformin did not cause lactic acidosis."),
                article(3, "Aspirin prevents stroke.", retracted=True),
                article(4, "Aspirin prevents myocardial infarction."),
            ]
        ],
    )
    view = View(find_snapshot(graph))
    communities = Communities.of(view)
    summaries = summarize(view, communities, communities.at(TOP))
    (disputed,) = [said for summary in summaries for said in summary.contradictions]
    assert [(one.pmid, one.polarity) for one in disputed.sentences] == [(1, SUPPORTS), (2, REFUTES)]
    assert {pmid for summary in summaries for pmid in summary.pmids} == {1, 2, 4}
