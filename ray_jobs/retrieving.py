"""The commands that ask a graph in words, and measure how well it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg_builder.model import REFUTES
from ray_jobs.answering import LanguageModel, answer_row, model_options, print_answer, written
from ray_jobs.config import AsOf
from ray_jobs.embedding import embedding_option, load_quietly
from ray_jobs.options import (
    as_of_option,
    emit,
    existing,
    graph_option,
    json_option,
    number_option,
    told_plainly,
)
from retrieval.evaluate import RetrievalReport, evaluate_discovery, evaluate_questions
from retrieval.metrics import Measure
from retrieval.passages import Passage, PassageEdge, concepts_of
from retrieval.question_sets import Question, in_other_words, title_questions, withhold_titles
from retrieval.retriever import GraphRetriever

console = Console(highlight=False)
CITED_EDGES = 4
LEADS = ("recall@1", "MRR")


@contextmanager
def retriever_over(graph: str, embedding: Path | None = None) -> Iterator[GraphRetriever]:
    """The retriever of this address; what is wrong with it, or with a date, is a usage error."""
    load_quietly()
    with told_plainly(), closing(GraphRetriever.open(graph, embedding=embedding)) as retriever:
        yield retriever


@click.command()
@click.argument("question")
@graph_option
@number_option("-k", "--limit", default=10, text="Sentences at the most.")
@as_of_option
@embedding_option
@model_options
@json_option
def ask(
    question: str,
    graph: str,
    limit: int,
    as_of: date | None,
    embedding: Path | None,
    model: LanguageModel,
    as_json: bool,
) -> None:
    """Answer QUESTION by sentences of the literature, the best first, each with its PMID.

    QUESTION may also be a clinical note, a list of problems, or codes (ICD, CUI). With a language
    model, of this disk or behind a local server, an answer is written from these sentences, and
    what it says without citing one of them is marked.
    """
    with retriever_over(graph, embedding) as retriever:
        passages = retriever.retrieve(question, limit, as_of)
        if model.asked_for and passages:
            answer = written(model, retriever, question, passages, as_of)
            if as_json:
                emit({**answer_row(answer), "passages": [asdict(one) for one in passages]})
            else:
                print_answer(answer)
                print_passages(retriever, passages, as_of)
        elif as_json:
            emit([asdict(passage) for passage in passages])
        else:
            print_passages(retriever, passages, as_of)


def print_passages(
    retriever: GraphRetriever, passages: Sequence[Passage], as_of: date | None = None
) -> None:
    """Print an answer, or that there is none."""
    if not passages:
        console.print("The graph holds no sentence about this; try other words, or codes.")
    names = retriever.names(concepts_of(passages), as_of)
    for number, passage in enumerate(passages, 1):
        print_passage(number, passage, names)


def print_passage(number: int, passage: Passage, names: Mapping[str, str]) -> None:
    """Print a passage: the sentence, its source, the way to it, and what it states."""
    year = passage.published.year if passage.published else "undated"
    console.print(Text(f"{number:>2}. {passage.sentence}"), soft_wrap=True)
    console.print(f"    PMID {passage.pmid} ({year})", style="dim")
    if passage.path:
        way = " – ".join(names[concept_id] for concept_id in passage.path)
        console.print(Text(f"    on the way {way}"), soft_wrap=True)
    related = [edge for edge in passage.edges if edge.predicate != "CO_OCCURS_WITH"]
    for edge in related[:CITED_EDGES]:
        console.print(_edge_text(edge, names), soft_wrap=True)


def _edge_text(edge: PassageEdge, names: Mapping[str, str]) -> Text:
    against = edge.polarity == REFUTES
    text = Text("    ").append("against" if against else "for", "red" if against else "green")
    if edge.hedged:
        text.append(" (hedged)", "yellow")
    stated = f"{names[edge.subject_id]} {edge.predicate} {names[edge.object_id]}"
    return text.append(f" {stated}, belief {edge.belief:.2f}")


# -- evaluation -------------------------------------------------------------------------------


@click.command("withhold-titles")
@click.argument("source", type=existing, metavar="FILE.xml[.gz]")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.xml.gz")
def withhold(source: Path, target: Path) -> None:
    """Copy PubMed XML without titles, to build the graph that `evaluate retrieval` asks."""
    with told_plainly():
        console.print(f"withheld {withhold_titles(source, target)} titles in {target}")


@click.command("retrieval")
@click.argument("source", type=existing, metavar="FILE.xml[.gz]")
@graph_option
@click.option("--vocabulary", type=existing, help="Where synonyms come from; else the graph.")
@as_of_option
@embedding_option
@json_option
def retrieval(
    source: Path,
    graph: str,
    vocabulary: Path | None,
    as_of: date | None,
    embedding: Path | None,
    as_json: bool,
) -> None:
    """Find each article of FILE by its title, as it is and with a disease in other words.

    The graph has to be built from a copy of FILE that `evaluate withhold-titles` made.
    """
    from ontologies.concept import Vocabulary

    with retriever_over(graph, embedding) as retriever:
        asked = title_questions(source)
        view = retriever.view(as_of)
        check_withheld(retriever, asked, as_of)
        words = Vocabulary.load(vocabulary) if vocabulary else view.index.vocabulary()
        sets = {"as asked": asked, "in other words": in_other_words(asked, words)}
        reports = {
            name: evaluate_questions(retriever, questions, as_of)
            for name, questions in sets.items()
            if questions
        }
    if as_json:
        emit({name: asdict(report) for name, report in reports.items()})
        return
    for name, report in reports.items():
        print_measures(name, report)


def check_withheld(
    retriever: GraphRetriever, questions: Sequence[Question], as_of: date | None
) -> None:
    """Raises a usage error where the graph holds a title that is asked."""
    view = retriever.view(as_of)
    asked = {pmid for question in questions for pmid in question.pmids}
    documents = [at for at, pmid in enumerate(view.pmids.tolist()) if pmid in asked]
    titled = sum(bool(title) for title, _ in view.texts(documents))
    if titled or not documents:
        raise click.ClickException(
            f"of the {len(asked)} articles asked for the graph holds {len(documents)}, and of "
            f"{titled} the title too, which is the question: build it from copies that "
            "`medweave evaluate withhold-titles` makes"
        )


@click.command("discovery")
@graph_option
@click.option("--as-of", type=AsOf(), required=True, help="The cut on which pairs are ranked.")
@json_option
def discovery(graph: str, as_of: date, as_json: bool) -> None:
    """Rank, as of a cut, which concepts will first be named together after it."""
    with retriever_over(graph) as retriever:
        before = retriever.view(as_of)
        report = evaluate_discovery(
            before.reader,
            retriever.view().reader,
            before.index.beliefs,
            retriever.cut_at(as_of).as_of,
        )
    if as_json:
        emit(asdict(report))
        return
    table = Table("method", "AUROC", "PageRank's lead", title=f"Discovery after {report.as_of}")
    for name, measure in report.auroc.items():
        table.add_row(name, shown(measure), shown(report.lead[name]))
    console.print(table)
    console.print(f"{report.pairs:,} pairs to come of {report.concepts:,} concepts")


EVALUATIONS = (withhold, retrieval, discovery)
"""What the group `evaluate` holds of retrieval."""


def print_measures(name: str, report: RetrievalReport) -> None:
    """Print measures by system with their intervals, and the paired lead of all parts together."""
    measures = list(next(iter(report.systems.values())).measures)
    title = f"{report.questions:,} questions {name} (95 % intervals)"
    leads = [f"lead in {name}" for name in LEADS]
    table = Table("", *measures, *leads, title=title, title_justify="left")
    for system, found in report.systems.items():
        values = [shown(found.measures[measure]) for measure in measures]
        table.add_row(system, *values, *(shown(found.lead[name]) for name in LEADS))
    console.print(table)


def shown(measure: Measure) -> str:
    """A measure with its interval."""
    return f"{measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f})"
