"""What a retriever promises, on the demo's invented literature and on a few articles."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from kg_builder.demo.questions import Question, demo_questions
from kg_builder.model import REFUTES, SUPPORTS
from kg_builder.snapshot import set_current
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.store import open_store
from kg_builder.update import cut_snapshot
from ontologies.linker import Seed
from retrieval import open_retriever
from retrieval.passages import Passage
from retrieval.retriever import GraphRetriever, MissingCutError
from tests.processes import said_with_other_seeds
from tests.retrieval.worlds import article, build, in_force_until

CUT = date(2015, 12, 31)
QUESTIONS = [question for question in demo_questions() if not question.as_of]


@pytest.fixture(scope="module")
def retriever(demo_graph: Path) -> GraphRetriever:
    return GraphRetriever.open(str(demo_graph))


def polarities(passages: list[Passage], pmid: int, predicate: str) -> set[str]:
    return {
        edge.polarity
        for passage in passages
        if passage.pmid == pmid
        for edge in passage.edges
        if edge.predicate == predicate
    }


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.text)
def test_questions_of_the_demo_find_their_articles(
    retriever: GraphRetriever, question: Question
) -> None:
    found = {passage.pmid for passage in retriever.retrieve(question.text)}
    missing = set(question.supporting + question.refuting) - found
    # One question goes by a way of three steps past articles that name both of its concepts.
    assert len(missing) <= (question.kind == "path")
    assert not found & set(question.retracted)


def test_both_sides_come_together(tmp_path: Path) -> None:
    """One article denies what nine state in words nearer to the question."""
    stated = [article(pmid, "Metformin causes lactic acidosis.") for pmid in range(1, 10)]
    denied = article(
        10,
        "Among many other things that were seen in a very large cohort of elderly people over "
        "several years of follow-up, metformin did not cause lactic acidosis.",
    )
    retriever = open_retriever(build(tmp_path, [[*stated, denied]]))
    passages = retriever.retrieve("Does metformin cause lactic acidosis?", k=4)
    assert len(passages) == 4
    assert polarities(passages, 10, "CAUSES") == {REFUTES}
    supporting = {p.pmid for p in passages if SUPPORTS in polarities([p], p.pmid, "CAUSES")}
    assert len(supporting) == 3


def test_passages_are_sentences_of_the_ledger(retriever: GraphRetriever, demo_graph: Path) -> None:
    store = open_store(str(demo_graph))
    for question in QUESTIONS:
        passages = retriever.retrieve(question.text)
        assert len({passage.pmid for passage in passages}) == len(passages)
        order = [(-passage.score, passage.pmid) for passage in passages]
        assert order == sorted(order)
        for passage in passages:
            for edge in passage.edges:
                cited = [
                    c
                    for c in store.evidence(_key(edge))
                    if (c.evidence.pmid, c.evidence.sentence_start) == (passage.pmid, passage.start)
                ]
                assert cited
                assert {c.sentence for c in cited} == {passage.sentence}
                assert edge.polarity in {c.evidence.polarity for c in cited}


def _key(edge: object) -> object:
    from kg_builder.model import EdgeKey

    return EdgeKey(edge.subject_id, edge.predicate, edge.object_id)  # type: ignore[attr-defined]


def test_a_path_is_told_where_no_article_names_both(retriever: GraphRetriever) -> None:
    question = next(q for q in QUESTIONS if q.kind == "path" and q.demo)
    passages = retriever.retrieve(question.text)
    told = {p.pmid: p.path for p in passages if p.path}
    assert set(question.supporting) <= set(told)
    for pmid in question.supporting:
        assert len(told[pmid]) == 3


def test_as_of_equals_a_graph_of_what_was_published_by_then(
    demo_graph: Path, tmp_path: Path
) -> None:
    cut_snapshot(demo_graph, CUT)
    early = open_retriever(build(tmp_path / "early", [in_force_until(CUT)]))
    whole = open_retriever(str(demo_graph))
    later = 0
    for question in demo_questions():
        then = whole.retrieve(question.text, as_of=CUT)
        assert then == early.retrieve(question.text)
        assert then == whole.retrieve(question.text, as_of=CUT + timedelta(days=90))
        later += then != whole.retrieve(question.text)
    assert later > len(QUESTIONS) / 2


def test_a_date_before_every_cut_is_refused(demo_graph: Path) -> None:
    cut_snapshot(demo_graph, CUT)
    whole = open_retriever(str(demo_graph))
    with pytest.raises(MissingCutError, match=r"2015-12-31.*medweave cut --graph .* --as-of 2001"):
        whole.retrieve("heart failure", as_of=date(2001, 1, 1))
    with pytest.raises(ValueError, match="future"):
        whole.retrieve("heart failure", as_of=date.today() + timedelta(days=1))


def test_same_answer_in_every_process(demo_graph: Path) -> None:
    code = (
        "import sys\n"
        "from retrieval import open_retriever\n"
        "from kg_builder.demo.questions import demo_questions\n"
        "retriever = open_retriever(sys.argv[1])\n"
        "for question in demo_questions(): print(repr(retriever.retrieve(question.text)))\n"
    )
    said = said_with_other_seeds(code, str(demo_graph))
    assert len(said) == 1
    assert next(iter(said))


def test_a_retracted_article_weighs_nothing(tmp_path: Path) -> None:
    """Neither is it cited, nor does it enter any frequency: the answer is as without it."""
    told = [
        article(1, "Aspirin prevents myocardial infarction."),
        article(2, "Aspirin did not prevent stroke."),
        article(3, "Metformin treats type 2 diabetes."),
    ]
    false = article(9, "Aspirin prevents myocardial infarction and stroke.", retracted=True)
    plain = open_retriever(build(tmp_path / "plain", [told]))
    with_it = open_retriever(build(tmp_path / "with", [[*told, false]]))
    for text in ("Does aspirin prevent stroke?", "aspirin", "myocardial infarction"):
        assert with_it.retrieve(text) == plain.retrieve(text)
        assert plain.retrieve(text)


def test_seeds_give_passages_and_their_part_of_the_graph(retriever: GraphRetriever) -> None:
    (seed, *_) = retriever.view().seeds("omeprazole")
    passages, subgraph = retriever.retrieve_for_seeds([seed, Seed("UMLS:C9999999")], k=5)
    assert len(passages) == 5
    assert {s.concept_id for s in subgraph.seeds} == {seed.concept_id, "UMLS:C9999999"}
    assert seed.concept_id in {concept.id for concept in subgraph.concepts}
    stated = {edge.key for edge in subgraph.edges}
    assert any(_key(edge) in stated for passage in passages for edge in passage.edges)


def test_codes_name_their_concepts(retriever: GraphRetriever) -> None:
    by_name = {seed.concept_id for seed in retriever.view().seeds("atrial fibrillation")}
    assert {seed.concept_id for seed in retriever.view().seeds("C0004238")} == by_name
    assert {seed.concept_id for seed in retriever.view().seeds("UMLS:C0004238")} == by_name


@pytest.mark.parametrize("text", ["", "?", "zzqx wvut"])
def test_nothing_known_finds_nothing(retriever: GraphRetriever, text: str) -> None:
    assert retriever.retrieve(text) == []


def test_an_empty_graph_answers_nothing(tmp_path: Path) -> None:
    assert open_retriever(build(tmp_path, [[]])).retrieve("aspirin") == []


def test_wrong_use_is_named(retriever: GraphRetriever, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="k is 0"):
        retriever.retrieve("aspirin", k=0)
    with pytest.raises(FileNotFoundError, match="kg_build"):
        open_retriever(str(tmp_path))
    with pytest.raises(ValueError, match="directory"):
        open_retriever("ftp://localhost")


def test_the_index_is_kept_and_opened_again(tmp_path: Path) -> None:
    graph = build(tmp_path, [[article(1, "Aspirin prevents myocardial infarction.")]])
    first = open_retriever(graph).retrieve("aspirin")
    (folder,) = find_snapshot(graph).glob("retrieval-*")
    made = folder.stat().st_mtime_ns
    assert open_retriever(graph).retrieve("aspirin") == first
    assert folder.stat().st_mtime_ns == made


def test_a_snapshot_can_be_opened_itself(demo_graph: Path) -> None:
    snapshot = find_snapshot(demo_graph)
    text = "What causes hyperkalemia?"
    assert open_retriever(str(snapshot)).retrieve(text) == open_retriever(str(demo_graph)).retrieve(
        text
    )
    set_current(demo_graph, snapshot.name)
