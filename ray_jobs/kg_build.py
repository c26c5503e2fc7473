"""`kg_build`: citations in, a concept graph out; alone, on a laptop's cores or on a Ray cluster."""

from __future__ import annotations

import sys

import click

from ray_jobs.build import build
from ray_jobs.build_figures import Built, summary
from ray_jobs.options import linker_option, told_plainly, workers_option
from ray_jobs.screen import bars, console, resumable, tell_figures


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--graph", required=True, metavar="DIR", help="Where the graph is kept.")
@click.option(
    "--vocabulary",
    metavar="DIR",
    help="What `medweave vocabulary build` made; the starter vocabulary unless given.",
)
@linker_option
@workers_option
@click.option(
    "--ledger",
    metavar="PATH|URI",
    help="Where evidence is kept if not in --graph: a folder, or an object store (s3://...).",
)
@click.option("--store", metavar="URL", help="Publish the graph there too: neo4j://HOST:7687.")
@click.option("--email", envvar="NCBI_EMAIL", help="Who asks NCBI, for pubmed:QUERY.")
@click.option("--json", "as_json", is_flag=True, help="Print the final figures as JSON.")
@resumable()
def command(
    inputs: tuple[str, ...],
    graph: str,
    vocabulary: str | None,
    linker: str,
    count: int | None,
    ledger: str | None,
    store: str | None,
    email: str | None,
    as_json: bool,
) -> None:
    """Build a concept graph from INPUT: PubMed XML files, folders of them, pubmed:QUERY.

    Run it again after an interruption, or with more files: what is complete is not done again.
    """
    with told_plainly():
        with bars() as shown:
            built = build(
                inputs,
                graph,
                vocabulary=vocabulary,
                linker=linker,
                count=count,
                email=email,
                ledger=ledger,
                progress=shown,
            )
        if store is not None:
            from ray_jobs.publishing import publish_to

            publish_to(graph, store)
    tell_figures(summary(built), as_json, "Graph built")
    report_failures(built, graph)


def report_failures(built: Built, graph: str) -> None:
    """Name what could not be read; exit with status 1 where a whole file could not."""
    for left in built.tally.left:
        console.print(f"[yellow]left:[/] {left.detail}")
    for failed in built.tally.failed_files:
        console.print(f"[red]failed:[/] {failed}")
    if any(entry.failures for entry in built.shards):
        console.print(f"What failed, record by record: medweave failures --graph {graph}")
    if built.tally.failed_files:
        sys.exit(1)


def main() -> None:
    """Entry point of the console script `kg_build`."""
    command(prog_name="kg_build")
