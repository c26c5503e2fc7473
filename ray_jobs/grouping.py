"""`medweave communities`: what the literature treats together, with cited summaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg_builder.model import REFUTES
from kg_builder.search import resolve
from ray_jobs.options import (
    as_of_option,
    emit,
    graph_option,
    json_option,
    limit_option,
    told_plainly,
)
from ray_jobs.retrieving import retriever_over
from retrieval.communities import FINE, TOP, Communities, Community
from retrieval.summaries import CommunitySummary, Statement, summarize
from retrieval.view import View

console = Console(highlight=False)
LEVELS = {"top": TOP, "fine": FINE}


@click.command("communities")
@click.argument("concept", required=False)
@graph_option
@click.option(
    "--level",
    type=click.Choice(list(LEVELS)),
    default="top",
    show_default=True,
    help="Few large communities, or the many that they consist of.",
)
@limit_option
@as_of_option
@json_option
def communities(
    concept: str | None, graph: str, level: str, limit: int, as_of: date | None, as_json: bool
) -> None:
    """List the communities of the graph, or tell of those that CONCEPT is in.

    CONCEPT may also be the id of a community, or its beginning.
    """
    with retriever_over(graph) as retriever:
        view = retriever.view(as_of)
        found = Communities.of(view)
        if concept is None:
            chosen = list(found.at(LEVELS[level])[:limit])
        else:
            chosen = _asked(view, found, concept)
        summaries = summaries_of(view, found, chosen)
    if as_json:
        emit([row(*one) for one in zip(chosen, summaries, strict=True)])
    elif concept is None:
        print_list(level, len(found.at(LEVELS[level])), chosen, summaries)
    else:
        for community, summary in zip(chosen, summaries, strict=True):
            print_summary(community, summary)


def _asked(view: View, found: Communities, text: str) -> list[Community]:
    """The communities that a person names: by their own id, or by a concept."""
    if named := found.named(text):
        return named
    with told_plainly():
        concept = resolve(view.reader, text)
    chosen = found.of_concept(concept.id)
    if not chosen:
        raise click.ClickException(
            f"{concept.name} ({concept.id}) is in no community: no edge of it is believed"
        )
    return list({one.id: one for one in reversed(chosen)}.values())[::-1]


def summaries_of(
    view: View, found: Communities, chosen: Sequence[Community]
) -> list[CommunitySummary]:
    """Summaries of communities of any level, in order."""
    made = {
        (level, summary.id): summary
        for level in LEVELS.values()
        for summary in summarize(view, found, [one for one in chosen if one.level == level])
    }
    return [made[one.level, one.id] for one in chosen]


def row(community: Community, summary: CommunitySummary) -> dict[str, object]:
    """A community as data: where it stands, who is in it, what is said of it."""
    return {
        "level": next(name for name, level in LEVELS.items() if level == community.level),
        "parent": community.parent,
        **dataclasses.asdict(summary),
        "members": list(community.members),
    }


def print_list(
    level: str, total: int, chosen: Sequence[Community], summaries: Sequence[CommunitySummary]
) -> None:
    """A line a community, the greatest first."""
    title = f"{len(chosen)} of {total} communities, level {level}"
    table = Table("id", "concepts", "edges", "most central", "contested", title=title)
    for community, summary in zip(chosen, summaries, strict=True):
        names = ", ".join(concept.name for concept in summary.central[:5])
        contested = str(len(summary.contradictions) or "")
        table.add_row(community.id, f"{summary.members:,}", f"{summary.edges:,}", names, contested)
    console.print(table)


def print_summary(community: Community, summary: CommunitySummary) -> None:
    """A community in words, each sentence with its PMID."""
    level = next(name for name, value in LEVELS.items() if value == community.level)
    console.print(Text(summary.title, style="bold"))
    console.print(
        f"  {community.id}, level {level}: {summary.members:,} concepts, {summary.edges:,} edges",
        style="dim",
    )
    named = ", ".join(f"{concept.name} {concept.share:.0%}" for concept in summary.central)
    console.print(Text(f"  central: {named}"), soft_wrap=True)
    for title, statements in (
        ("strongest", summary.statements),
        ("contested", summary.contradictions),
    ):
        if statements:
            console.print(f"  {title}:")
        for statement in statements:
            _print_statement(statement)
    console.print()


def _print_statement(statement: Statement) -> None:
    counts = f"{statement.supporting} for, {statement.refuting} against"
    console.print(
        f"    {statement.key.predicate}, belief {statement.belief:.2f} ({counts})", style="dim"
    )
    for said in statement.sentences:
        against = said.polarity == REFUTES
        text = Text("    against " if against else "    for ", "red" if against else "green")
        text.append(f"{said.sentence} ", "default").append(f"[PMID {said.pmid}]", "dim")
        console.print(text, soft_wrap=True)
