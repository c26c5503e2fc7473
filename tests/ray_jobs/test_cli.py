"""The commands, as a person types them, on the demo's graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import networkx
import pytest
from click.testing import CliRunner, Result

import kg_builder.demo
from kg_builder.demo.questions import demo_questions
from ray_jobs.cli import main
from tests.ray_jobs.builds import run

DEMO = sorted(Path(kg_builder.demo.__file__).parent.glob("*.xml"))


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cli") / "graph"
    run(DEMO, folder)
    return str(folder)


def said(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == status, result.output
    return result


def rows(*arguments: str) -> Any:
    return json.loads(said(*arguments, "--json").output)


def test_a_concept_is_found_by_name_cui_and_code(graph: str) -> None:
    by_name = rows("neighbors", "heart failure", "--graph", graph)
    assert by_name
    for other in ("C0018801", "UMLS:C0018801", "ICD10CM:I50.9", "MESH:D006333"):
        assert rows("neighbors", other, "--graph", graph) == by_name


def test_an_unknown_concept_is_an_error_with_what_is_near(graph: str) -> None:
    assert "hyperkalemia" in said("neighbors", "hyperkalemi", "--graph", graph, status=1).output


def test_search_ranks_the_exact_name_first(graph: str) -> None:
    assert rows("search", "digoxin", "--graph", graph)[0]["name"].casefold() == "digoxin"


def test_evidence_tells_both_sides_and_its_sentences_name_both(graph: str) -> None:
    found = rows("evidence", "omeprazole", "clopidogrel", "--graph", graph)
    assert {row["polarity"] for row in found} == {"supports", "refutes"}
    for row in found:
        assert row["subject_text"] in row["sentence"]
        assert row["object_text"] in row["sentence"]


def test_as_of_leaves_out_what_came_later(graph: str) -> None:
    all_ = rows("evidence", "omeprazole", "clopidogrel", "--graph", graph)
    early = rows("evidence", "omeprazole", "clopidogrel", "--graph", graph, "--as-of", "2009")
    assert early
    assert early == [row for row in all_ if row["published"] <= "2009-12-31"]
    assert len(early) < len(all_)


def test_a_cut_in_the_future_is_refused(graph: str) -> None:
    assert "future" in said("stats", "--graph", graph, "--as-of", "2999", status=2).output


def test_retracted_articles_show_when_asked_and_support_nothing(graph: str) -> None:
    question = next(q for q in demo_questions() if q.kind == "retraction")
    asked = ["evidence", *question.concepts, "--graph", graph]
    shown = {row["pmid"]: row["retracted"] for row in rows(*asked, "--retracted")}
    counted = {row["pmid"] for row in rows(*asked)}
    assert not counted & set(question.retracted)
    assert all(shown[pmid] for pmid in question.retracted if pmid in shown)


@pytest.mark.parametrize("question", [q for q in demo_questions() if q.demo], ids=lambda q: q.text)
def test_the_demo_answers_its_questions(graph: str, question: Any) -> None:
    """Of the PMIDs that ought to be cited each one is, on the side that it takes."""
    if question.kind == "path":
        found = rows("path", *question.concepts, "--graph", graph)
        names = {
            row["id"]: row["name"].casefold()
            for name in question.expected
            for row in rows("search", name, "--graph", graph)
        }
        through = {names.get(concept) for path in found for concept in path["concepts"]}
        assert {name.casefold() for name in question.expected} <= through
        return
    if len(question.concepts) == 2:
        cited = rows(
            "evidence", *question.concepts, "--graph", graph, "--predicate", question.predicate
        )
    else:
        edges = rows(
            "neighbors", *question.concepts, "--graph", graph, "--predicate", question.predicate
        )
        cited = [
            row
            for edge in edges
            for row in rows("evidence", edge["subject_id"], edge["object_id"], "--graph", graph)
        ]
    supporting = {row["pmid"] for row in cited if row["polarity"] == "supports"}
    refuting = {row["pmid"] for row in cited if row["polarity"] == "refutes"}
    assert set(question.supporting) <= supporting
    assert set(question.refuting) <= refuting


def test_digest_is_that_of_the_content(graph: str) -> None:
    stated = said("digest", "--graph", graph).output
    assert said("digest", "--verify", "--graph", graph).output == stated


def test_cypher_reads_and_does_not_write(graph: str) -> None:
    query = "MATCH (a:Concept)-[r:CAUSES]->(b:Concept) RETURN count(r) AS n"
    edges = rows("stats", "--graph", graph)["edges_by_predicate"]["CAUSES"]
    assert rows("cypher", query, "--graph", graph) == [{"n": edges}]
    said("cypher", "CREATE (:Concept {id: 'X:1'})", "--graph", graph, status=1)


@pytest.mark.parametrize("format_", ["kgx", "graphml", "networkx", "neo4j-import"])
def test_exports_are_the_same_each_time(graph: str, format_: str, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        out = tmp_path / name / "graph.out"
        out.parent.mkdir()
        said("export", "--format", format_, "--graph", graph, "--out", str(out))
        files = sorted(out.rglob("*")) if out.is_dir() else [out]
        written.append([path.read_bytes() for path in files if path.is_file()])
    assert written[0]
    assert written[0] == written[1]
    if format_ == "graphml":
        read = networkx.read_graphml(tmp_path / "one" / "graph.out")
        assert read.number_of_edges() == rows("stats", "--graph", graph)["edges"]


def test_draw_leaves_a_page_and_a_picture(graph: str, tmp_path: Path) -> None:
    said("draw", "hyperkalemia", "--graph", graph, "--out", str(tmp_path / "picture"))
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "picture.html").read_text(encoding="utf-8")
    assert "90001002" in page
    assert "https://" not in page.replace("https://pubmed.ncbi.nlm.nih.gov", "")


def test_snapshots_are_listed_and_the_current_one_stays(graph: str) -> None:
    (only,) = rows("snapshots", "list", "--graph", graph)
    said("snapshots", "remove", only["digest"], "--graph", graph, status=1)
    assert rows("snapshots", "list", "--graph", graph) == [only]


def test_a_directory_without_a_graph_names_the_remedy(tmp_path: Path) -> None:
    assert "kg_build" in said("stats", "--graph", str(tmp_path), status=1).output


def commands(group: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """All commands, with the words that call them."""
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from commands(command, (*words, name))
    else:
        yield " ".join(words), group


@pytest.mark.parametrize(("words", "command"), [pytest.param(*c, id=c[0]) for c in commands(main)])
def test_every_command_and_option_says_what_it_does(words: str, command: click.Command) -> None:
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert command.help
    assert [option.opts for option in options if not option.help] == []


def test_a_folder_without_a_vocabulary_is_told_plainly(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.pubtator"
    corpus.write_text("1|t|Gout.\n1|a|\n", encoding="utf-8")
    for measure in ("linking", "relations"):
        failed = said("evaluate", measure, str(corpus), "--vocabulary", str(tmp_path), status=1)
        assert failed.output.startswith("Error: ")
        assert str(tmp_path) in failed.output
