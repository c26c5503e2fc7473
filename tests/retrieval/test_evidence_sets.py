"""Question sets about evidence, on a file of a few lines and on the demo's literature."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_builder.demo.questions import demo_questions
from retrieval.evidence_sets import bridges, bridging_pairs, evaluate_bridging, pair_questions
from retrieval.question_sets import Question
from retrieval.retriever import GraphRetriever

PUBTATOR = """\
7|t|Lithium and goitre.
7|a|Lithium caused a goiter. No goiter without lithium.
7\t0\t7\tLithium\tChemical\tD008094
7\t12\t18\tgoitre\tDisease\tD006042
7\t20\t27\tLithium\tChemical\tD008094
7\t37\t43\tgoiter\tDisease\tD006042
7\t48\t54\tgoiter\tDisease\tD006042
7\tCID\tD008094\tD006042

9|t|Goiter after Lithium.
9|a|
9\t0\t6\tGoiter\tDisease\tD006042
9\t13\t20\tLithium\tChemical\tD008094
9\tCID\tD008094\tD006042
9\tCID\tD000001\tD006042
"""


@pytest.fixture(scope="module")
def retriever(demo_graph: Path) -> GraphRetriever:
    return GraphRetriever.open(str(demo_graph))


def test_a_pair_is_asked_by_the_names_that_its_file_gives(tmp_path: Path) -> None:
    path = tmp_path / "pairs.pubtator"
    path.write_text(PUBTATOR)
    assert pair_questions(path) == [Question("Lithium goiter", (7, 9))]


def test_pairs_to_bridge_are_apart_and_have_a_third(retriever: GraphRetriever) -> None:
    view = retriever.view()
    pairs = bridging_pairs(view, 30)
    assert len(pairs) == 30
    assert pairs[:10] == bridging_pairs(view, 10)
    for pair in pairs:
        one, other = view.concept_ids(pair)
        assert not view.together(*pair)
        around = [
            {e.subject_id for e in view.reader.edges([end])}
            | {e.object_id for e in view.reader.edges([end])}
            for end in (one, other)
        ]
        assert around[0] & around[1] - {one, other}


def test_an_answer_bridges_by_two_sentences(retriever: GraphRetriever) -> None:
    question = next(q for q in demo_questions() if q.kind == "path" and q.demo)
    passages = retriever.retrieve(question.text)
    view = retriever.view()
    ends = next(p.path for p in passages if p.path)
    rows = view.known((ends[0], ends[-1]))
    one, other = rows[ends[0]], rows[ends[-1]]
    assert bridges(view, passages, one, other)
    first = [
        p for p in passages if ends[0] in {i for e in p.edges for i in (e.subject_id, e.object_id)}
    ]
    assert not bridges(view, first[:1], one, other)
    assert not bridges(view, [], one, other)


def test_bridging_is_measured_beside_bm25(retriever: GraphRetriever) -> None:
    report = evaluate_bridging(retriever, most=12)
    assert report.questions == 12
    assert report.bridged["together"].value >= report.bridged["BM25"].value
    assert report.lead["together"].value == 0.0
