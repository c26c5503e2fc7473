"""The commands that read a graph: readable tables by default, JSON lines of data with `--json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kg_builder.belief import edge_beliefs
from kg_builder.model import PREDICATES, EdgeKey
from kg_builder.paths import find_paths
from kg_builder.search import resolve
from kg_builder.snapshot import read_info
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.store import GraphStats, GraphStore
from ray_jobs.graph_tables import (
    edge_row,
    edges_table,
    evidence_row,
    names_of,
    path_row,
    print_evidence,
    print_path,
)
from ray_jobs.options import (
    as_of_option,
    emit,
    graph_option,
    json_option,
    limit_option,
    min_articles_option,
    number_option,
    opened,
    predicate_option,
)

console = Console(highlight=False)


@click.command()
@click.argument("text")
@graph_option
@number_option("--limit", default=10, text="Concepts at the most.")
@json_option
def search(text: str, graph: str, limit: int, as_json: bool) -> None:
    """Find concepts of the graph by name."""
    with opened(graph) as store:
        found = store.search(text, limit=limit)
        counts = store.article_counts([concept.id for concept in found])
    if as_json:
        emit(
            [
                {**dataclasses.asdict(concept), "articles": count}
                for concept, count in zip(found, counts, strict=True)
            ]
        )
        return
    table = Table("id", "name", "articles", "also called", title=f"Concepts for {text!r}")
    for concept, count in zip(found, counts, strict=True):
        table.add_row(concept.id, concept.name, str(count), "; ".join(concept.synonyms[:4]))
    console.print(table)


@click.command()
@click.argument("concept")
@graph_option
@predicate_option
@click.option(
    "--direction",
    default="both",
    show_default=True,
    type=click.Choice(["out", "in", "both"]),
    help="Edges of which CONCEPT is the subject, the object, or either.",
)
@min_articles_option
@as_of_option
@limit_option
@json_option
def neighbors(
    concept: str,
    graph: str,
    predicates: tuple[str, ...],
    direction: Any,
    min_articles: int,
    as_of: date | None,
    limit: int,
    as_json: bool,
) -> None:
    """The edges at CONCEPT, those with most supporting articles first."""
    with opened(graph) as store:
        centre = resolve(store, concept)
        edges = store.edges(
            [centre.id],
            predicates=predicates or None,
            direction=direction,
            as_of=as_of,
            min_articles=min_articles,
            limit_per_concept=limit,
        )
        names = names_of(store, edges)
        beliefs = edge_beliefs(store, [edge.key for edge in edges], as_of=as_of)
    if as_json:
        believed = zip(edges, beliefs, strict=True)
        emit([{**edge_row(edge, names), "belief": round(value, 6)} for edge, value in believed])
        return
    console.print(edges_table(edges, names, f"{centre.name} ({centre.id})", beliefs))


@click.command()
@click.argument("subject")
@click.argument("object_", metavar="OBJECT")
@graph_option
@predicate_option
@click.option("--retracted", is_flag=True, help="Show the sentences of retracted articles too.")
@as_of_option
@limit_option
@json_option
def evidence(
    subject: str,
    object_: str,
    graph: str,
    predicates: tuple[str, ...],
    retracted: bool,
    as_of: date | None,
    limit: int,
    as_json: bool,
) -> None:
    """The sentences in which articles relate SUBJECT and OBJECT, for and against."""
    with opened(graph) as store:
        first, second = resolve(store, subject), resolve(store, object_)
        edges = edges_between(store, first.id, second.id, predicates, as_of, retracted)
        names = {first.id: first.name, second.id: second.name}
        cited = [
            (key, store.evidence(key, as_of=as_of, retracted=retracted)[:limit]) for key in edges
        ]
    if as_json:
        emit([evidence_row(one) for _, found in cited for one in found])
        return
    if not any(found for _, found in cited):
        console.print(f"No sentence of this graph relates {first.name} and {second.name}.")
    for key, found in cited:
        if found:
            console.print(
                f"[bold]{names[key.subject_id]} {key.predicate} {names[key.object_id]}[/]"
            )
            print_evidence(found)


def edges_between(
    store: GraphStore,
    first: str,
    second: str,
    predicates: Sequence[str],
    as_of: date | None,
    retracted: bool = False,
) -> list[EdgeKey]:
    """The assertions between two concepts, most supported first.

    Where retracted articles are asked for, assertions that only they make are looked up too:
    no edge stands for those.
    """
    wanted = list(predicates) or list(PREDICATES)
    keys = [
        edge.key
        for edge in store.edges([first], predicates=wanted, as_of=as_of)
        if {edge.subject_id, edge.object_id} == {first, second}
    ]
    if retracted:
        possible = (
            EdgeKey(one, predicate, other)
            for predicate in wanted
            for one, other in ((first, second), (second, first))
        )
        keys += [key for key in possible if key not in keys]
    return keys


@click.command()
@graph_option
@as_of_option
@json_option
def stats(graph: str, as_of: date | None, as_json: bool) -> None:
    """What the graph holds."""
    with opened(graph) as store:
        found = store.stats(as_of=as_of)
        today = todays_ledger(store, found) if as_of else {}
    if as_json:
        by_predicate = {"edges_by_predicate": dict(found.edges_by_predicate)}
        emit({**dataclasses.asdict(found), **by_predicate, **today})
        return
    table = Table(title=f"Snapshot {found.digest[:12]}", show_header=False)
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        if isinstance(value, int):
            table.add_row(field.name, f"{value:,}")
    for predicate, count in found.edges_by_predicate.items():
        table.add_row(f"  {predicate}", f"{count:,}")
    for name, count in today.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    console.print(table)
    if today:
        console.print("Revisions, deletions and retractions known today apply at every date.")


def todays_ledger(store: GraphStore, cut: GraphStats) -> dict[str, int]:
    """What a cut leaves out, and what of today's ledger applies at every date, as counts.

    Versions and deletions are those that the snapshot was made from; a server is not told them.
    """
    whole = store.stats()
    counts = {
        "later_articles_left_out": whole.articles - whole.undated - cut.articles,
        "undated_articles_left_out": whole.undated,
        "retracted_by_today": cut.retracted,
    }
    if isinstance(store, SnapshotReader):
        origin = read_info(store.tables.directory).origin
        counts |= {
            "superseded_versions": origin.superseded,
            "deleted_by_today": origin.deleted,
        }
    return counts


@click.command()
@click.argument("query")
@graph_option
@json_option
def cypher(query: str, graph: str, as_json: bool) -> None:
    """Run a read-only Cypher QUERY on the graph."""
    with opened(graph) as store:
        rows = store.cypher(query)
    if as_json:
        emit(rows)
        return
    table = Table(*(rows[0] if rows else ("no rows",)))
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


@click.command()
@click.argument("start", metavar="A")
@click.argument("end", metavar="B")
@graph_option
@number_option("--limit", "k", default=5, text="Paths at the most.")
@click.option(
    "--max-edges",
    default=4,
    show_default=True,
    type=click.IntRange(1, 6),
    help="Steps of a path at the most.",
)
@min_articles_option
@as_of_option
@json_option
def path(
    start: str,
    end: str,
    graph: str,
    k: int,
    max_edges: int,
    min_articles: int,
    as_of: date | None,
    as_json: bool,
) -> None:
    """How A and B are connected: the best paths, with a sentence for each step."""
    with opened(graph) as store:
        first, last = resolve(store, start), resolve(store, end)
        paths = find_paths(
            store,
            first.id,
            last.id,
            k=k,
            max_edges=max_edges,
            as_of=as_of,
            min_articles=min_articles,
        )
        if as_json:
            emit([path_row(one) for one in paths])
            return
        if not paths:
            console.print(
                f"No path of {max_edges} edges or fewer joins {first.name} and {last.name}."
            )
        for one in paths:
            print_path(store, one, as_of)
