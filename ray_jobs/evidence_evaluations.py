"""The evaluations of evidence: for a pair of concepts, and between two that nothing joins."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ray_jobs.options import as_of_option, emit, existing, graph_option, json_option, number_option
from ray_jobs.retrieving import print_measures, retriever_over, shown
from retrieval.evaluate import evaluate_questions
from retrieval.evidence_sets import evaluate_bridging, pair_questions

console = Console(highlight=False)


@click.command("pairs")
@click.argument("source", type=existing, metavar="FILE.pubtator")
@graph_option
@as_of_option
@json_option
def pairs(source: Path, graph: str, as_of: date | None, as_json: bool) -> None:
    """Find the articles that state the chemical-disease relations marked in FILE, by their names.

    The graph has to hold the articles of FILE.
    """
    with retriever_over(graph) as retriever:
        questions = pair_questions(source)
        held = set(retriever.view(as_of).pmids.tolist())
        missing = {pmid for question in questions for pmid in question.pmids} - held
        if missing:
            raise click.ClickException(
                f"{len(missing)} articles of {source} are not in the graph, first {min(missing)}: "
                "build it from them too"
            )
        report = evaluate_questions(retriever, questions, as_of)
    if as_json:
        emit(dataclasses.asdict(report))
    else:
        print_measures("of a pair", report)


@click.command("bridging")
@graph_option
@number_option("--number", default=200, text="Questions, drawn from the graph.")
@as_of_option
@json_option
def bridging(graph: str, number: int, as_of: date | None, as_json: bool) -> None:
    """Ask how two concepts are connected that no article names together."""
    with retriever_over(graph) as retriever:
        report = evaluate_bridging(retriever, as_of, most=number)
    if as_json:
        emit(dataclasses.asdict(report))
        return
    title = f"Answers that bridge two concepts, of {report.questions:,} questions"
    table = Table("", "share (95 % interval)", "lead of all parts", title=title)
    for name, measure in report.bridged.items():
        table.add_row(name, shown(measure), shown(report.lead[name]))
    console.print(table)


EVALUATIONS = (pairs, bridging)
