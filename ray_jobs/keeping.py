"""The commands that look after a graph: digests, snapshots, exports, pictures, failures."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from kg_builder.ledger import Ledger
from kg_builder.search import resolve
from kg_builder.snapshot import current_digest, list_snapshots, remove_snapshot
from kg_builder.store import Verifiable
from ray_jobs.options import (
    as_of_option,
    directory_option,
    emit,
    graph_option,
    json_option,
    number_option,
    opened,
    out_folder_option,
    told_plainly,
)

console = Console(highlight=False)
FORMATS = ("kgx", "graphml", "networkx", "neo4j-import")


@click.command()
@graph_option
@click.option("--verify", is_flag=True, help="Compute it again from the content.")
def digest(graph: str, verify: bool) -> None:
    """Print the digest that names the graph's content."""
    with opened(graph) as store:
        stated = store.stats().digest
        if verify and isinstance(store, Verifiable) and (found := store.content_digest()) != stated:
            raise click.ClickException(
                f"{graph} says {stated}, its content is {found}: it was changed; build or publish "
                "it again"
            )
    click.echo(stated)


def check_graph(graph: str) -> None:
    """Raises a usage error for a place that holds neither evidence nor snapshots of a graph."""
    if not any((Path(graph) / name).is_dir() for name in ("ledger", "snapshots")):
        raise click.ClickException(
            f"no graph at {graph}: build one with `kg_build INPUT... --graph {graph}`"
        )


@click.group()
def snapshots() -> None:
    """List and remove snapshots."""


@snapshots.command("list")
@directory_option
@json_option
def list_(graph: str, as_json: bool) -> None:
    """The snapshots of the graph; the current one is marked."""
    check_graph(graph)
    current = current_digest(graph)
    found = list_snapshots(graph)
    if as_json:
        emit(
            [
                {
                    "digest": s.digest,
                    "articles": s.articles,
                    "edges": s.edges,
                    "as_of": s.origin.as_of,
                }
                for s in found
            ]
        )
        return
    table = Table("", "digest", "articles", "concepts", "edges", "as of")
    for snapshot in found:
        table.add_row(
            "*" if snapshot.digest == current else "",
            snapshot.digest[:16],
            f"{snapshot.articles:,}",
            f"{snapshot.concepts:,}",
            f"{snapshot.edges:,}",
            snapshot.origin.as_of or "",
        )
    console.print(table)


@snapshots.command("remove")
@click.argument("digest_", metavar="DIGEST")
@directory_option
def remove(digest_: str, graph: str) -> None:
    """Remove a snapshot that is not the current one."""
    with told_plainly():
        remove_snapshot(graph, digest_)


@click.command()
@graph_option
@click.option(
    "--format",
    "format_",
    required=True,
    type=click.Choice(FORMATS),
    help="For whom: tools of KGX, Neo4j's import, Gephi and the like (GraphML), NetworkX.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The folder or file to write."
)
def export(graph: str, format_: str, out: Path) -> None:
    """Write the graph for other tools; the same graph gives the same bytes."""
    from kg_builder.export import export_graph

    with opened(graph) as store:
        for path in export_graph(store, format_, out):
            console.print(f"wrote {path}")


@click.command()
@click.argument("concept")
@graph_option
@out_folder_option("The folder to write both to.")
@number_option("--limit", default=25, text="Neighbours at the most.")
@as_of_option
def draw(concept: str, graph: str, out: Path, limit: int, as_of: date | None) -> None:
    """Draw the neighbourhood of CONCEPT: a page whose edges open to sentences, and a PNG."""
    from kg_builder.draw import draw_neighbourhood

    with opened(graph) as store:
        centre = resolve(store, concept)
        for path in draw_neighbourhood(store, centre.id, out, limit=limit, as_of=as_of):
            console.print(f"wrote {path}")


@click.command()
@directory_option
@json_option
def failures(graph: str, as_json: bool) -> None:
    """Every record that could not be read: where it is, why, and what to do."""
    check_graph(graph)
    ledger = Ledger.open(graph)
    rows = [
        {"file": entry.file, **row}
        for entry in ledger.entries()
        if entry.failures
        for row in ledger.read(entry, "failures").to_pylist()
    ]
    if as_json:
        emit(rows)
        return
    table = Table("file", "PMID", "reason", "detail")
    for row in rows:
        table.add_row(row["file"], str(row["pmid"] or ""), row["reason"], row["detail"])
    console.print(table)
