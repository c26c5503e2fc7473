"""The demo: from the abstracts that medweave ships to a graph, answers and a risk report."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from rich.console import Console

from kg_builder.belief import edge_beliefs
from kg_builder.demo.questions import Question, corpus_files, demo_questions
from kg_builder.draw import draw_neighbourhood
from kg_builder.model import EdgeKey
from kg_builder.paths import find_paths
from kg_builder.search import resolve
from kg_builder.store import GraphStore, open_store
from ray_jobs.asking import edges_between
from ray_jobs.build import build
from ray_jobs.build_figures import summary
from ray_jobs.demo_risk import risk_demo
from ray_jobs.graph_tables import edges_table, names_of, print_evidence, print_path
from ray_jobs.retrieving import print_passages, retriever_over
from ray_jobs.screen import bars, print_figures

console = Console(highlight=False)
PICTURE_OF = "Hyperkalemia"
IN_WORDS = "My patient takes simvastatin: is clarithromycin safe for the muscles?"
ANSWERS = 6


@click.command()
@click.option(
    "--out",
    default="demo-out",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo writes; what it wrote there before is replaced.",
)
def demo(out: Path) -> None:
    """From the invented abstracts that medweave ships to a graph, answers and a risk report."""
    graph = out / "graph"
    if graph.exists():
        shutil.rmtree(graph)
    console.rule("1. Build a graph from invented abstracts (no medical evidence)")
    with bars() as shown:
        built = build([str(path) for path in corpus_files()], str(graph), count=1, progress=shown)
    print_figures(summary(built), console, "Graph built")
    store = open_store(str(graph))
    try:
        console.rule("2. Ask it: every answer opens to its sentences")
        for question in demo_questions():
            if question.demo:
                answer(store, question)
        console.rule("3. Ask it in your own words")
        console.print(f"\n[bold yellow]{IN_WORDS}[/]")
        with retriever_over(str(graph)) as retriever:
            print_passages(retriever, retriever.retrieve(IN_WORDS, ANSWERS))
        console.rule("4. Look at it")
        centre = resolve(store, PICTURE_OF)
        for path in draw_neighbourhood(store, centre.id, out / "hyperkalemia"):
            console.print(f"wrote {path}")
    finally:
        store.close()
    risk_demo(out, graph)
    console.rule("Go on")
    for line in (
        f"medweave ask 'does vitamin D prevent falls?' --graph {graph}",
        f"medweave search potassium --graph {graph}",
        f"medweave neighbors Digoxin --graph {graph}",
        f"medweave evidence Omeprazole Clopidogrel --graph {graph}",
        f"medweave path Omeprazole 'Atrial fibrillation' --graph {graph}",
        f"medweave audit --data {out / 'hospital'} --task in_hospital_mortality",
        f"medweave train --data {out / 'hospital'} --task in_hospital_mortality --out my-run",
        "kg_build FILE.xml.gz ... --graph my-graph     # PubMed's own files",
        "kg_build 'pubmed:heart failure readmission' --graph my-graph --email YOU@HOSPITAL",
    ):
        console.print(f"  {line}", soft_wrap=True)


def answer(store: GraphStore, question: Question) -> None:
    """Answer a question by the edges it asks for, each with sentences and PMIDs."""
    console.print(f"\n[bold yellow]{question.text}[/]")
    concepts = [resolve(store, name) for name in question.concepts]
    if question.kind == "path":
        for found in find_paths(store, concepts[0].id, concepts[1].id, k=3):
            print_path(store, found, None)
    elif len(concepts) == 2:
        keys = edges_between(store, concepts[0].id, concepts[1].id, [question.predicate], None)
        _print_sentences(store, keys)
    else:
        edges = store.edges([concepts[0].id], predicates=[question.predicate])[:ANSWERS]
        beliefs = edge_beliefs(store, [edge.key for edge in edges])
        console.print(edges_table(edges, names_of(store, edges), "", beliefs))
        _print_sentences(store, [edge.key for edge in edges], each=1)


def _print_sentences(store: GraphStore, keys: list[EdgeKey], each: int = 6) -> None:
    for key in keys:
        print_evidence(store.evidence(key)[:each])
