"""Evaluation on graphs whose answers are known, and the commands over them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg_builder.demo.questions import corpus_files, demo_questions
from kg_builder.sources.pubmed import read
from kg_builder.update import cut_snapshot
from ray_jobs.cli import main
from retrieval.evaluate import SYSTEMS, evaluate_discovery, evaluate_questions
from retrieval.question_sets import Question
from retrieval.retriever import GraphRetriever
from tests.retrieval.worlds import article, build


def test_together_finds_what_its_parts_miss(tmp_path: Path) -> None:
    """The first question shares words with its article alone, the second a concept alone."""
    told = [
        article(1, "Gardening helped twelve widowers of the valley sleep."),
        article(2, "Hypertension was frequent in the valley."),
        article(3, "Metformin was given."),
    ]
    retriever = GraphRetriever.open(build(tmp_path, [told]))
    asked = [Question("Gardening for widowers?", (1,)), Question("High blood pressure?", (2,))]
    report = evaluate_questions(retriever, asked)
    recall = {name: found.measures["recall@1"].value for name, found in report.systems.items()}
    assert set(recall) == {*SYSTEMS, "random"}
    assert (recall["BM25"], recall["concepts"], recall["together"]) == (0.5, 0.5, 1.0)
    assert report.systems["together"].lead["MRR"] == (0.0, 0.0, 0.0)
    assert report.systems["BM25"].lead["MRR"].value == 0.5
    assert report.questions == 2


def test_discovery_sees_nothing_after_the_cut(tmp_path: Path) -> None:
    """Aspirin and stroke share neighbours by 2001 and meet in 2005; metformin shares none."""
    early = [
        *(article(n, "Aspirin prevents myocardial infarction.") for n in range(1, 4)),
        *(article(n, "Myocardial infarction and stroke were frequent.") for n in range(4, 7)),
        *(article(n, "Metformin causes lactic acidosis.") for n in range(7, 10)),
    ]
    late = [article(20, "Aspirin prevents stroke.", year=2005)]
    graph = build(tmp_path, [[*early, *late]])
    day = date(2001, 12, 31)
    cut_snapshot(graph, day)
    retriever = GraphRetriever.open(graph)
    before = retriever.view(day)
    report = evaluate_discovery(
        before.reader, retriever.view().reader, before.index.beliefs, day, least=1
    )
    assert (report.concepts, report.pairs) == (2, 2)  # the pair from either side
    assert report.auroc["pagerank"].value == report.auroc["common neighbours"].value == 1.0
    assert report.lead["pagerank"] == (0.0, 0.0, 0.0)


def test_ask_prints_sentences_with_their_pmids(demo_graph: Path) -> None:
    question = next(question for question in demo_questions() if question.demo)
    done = CliRunner().invoke(main, ["ask", question.text, "--graph", str(demo_graph)])
    assert done.exit_code == 0, done.output
    assert all(f"PMID {pmid}" in done.output for pmid in question.supporting)
    options = ["--graph", str(demo_graph), "--json", "--limit", "3"]
    rows = json.loads(CliRunner().invoke(main, ["ask", question.text, *options]).output)
    assert len(rows) == 3
    assert {"pmid", "sentence", "published", "score", "edges"} <= set(rows[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "aspirin", "--as-of", "1950"], "medweave cut"),
        (["evaluate", "retrieval", str(corpus_files()[0])], "withhold-titles"),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(
    demo_graph: Path, arguments: list[str], said: str
) -> None:
    done = CliRunner().invoke(main, [*arguments, "--graph", str(demo_graph)])
    assert done.exit_code == 1
    assert said in done.output.replace("\n", " ")


def test_withheld_titles_are_asked(tmp_path: Path) -> None:
    """The commands over the demo's update file, its titles withheld, among all other articles."""
    *others, source = corpus_files()
    bare = tmp_path / "bare.xml.gz"
    runner = CliRunner()
    done = runner.invoke(main, ["evaluate", "withhold-titles", str(source), str(bare)])
    assert done.exit_code == 0, done.output
    graph = build(tmp_path / "graph", [list(read(path)) for path in (*others, bare)])
    command = ["evaluate", "retrieval", str(source), "--graph", graph, "--json"]
    done = runner.invoke(main, command)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)["as asked"]["systems"]
    assert found["together"]["measures"]["recall@10"][0] > 0.7
    assert found["random"]["measures"]["recall@10"][0] < 0.3
