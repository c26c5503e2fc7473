"""The command that brings a server to a snapshot."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from ray_jobs.options import emit, json_option, told_plainly
from ray_jobs.screen import bars

if TYPE_CHECKING:
    from kg_builder.neo4j_publish import PublishReport

console = Console(highlight=False)


def publish_to(graph: str | Path, url: str, *, evidence: bool = True) -> PublishReport:
    """Bring the database at `url` to the graph's current snapshot, with progress bars.

    Raises what `kg_builder.neo4j_publish.publish` raises.
    """
    from kg_builder.neo4j_publish import publish as publish_snapshot

    with bars() as shown:
        steps: dict[str, object] = {}

        def tell(step: str, done: int, of: int) -> None:
            if step not in steps:
                steps[step] = shown.add_task(f"publish: {step}", total=of)
            shown.update(steps[step], completed=done, total=of)  # type: ignore[arg-type]

        return publish_snapshot(Path(graph), url, evidence=evidence, progress=tell)


@click.command()
@click.option("--graph", required=True, metavar="DIR", help="A directory that kg_build made.")
@click.option("--store", "url", required=True, metavar="URL", help="neo4j://HOST:7687, bolt://...")
@click.option("--no-evidence", is_flag=True, help="Publish concepts and edges alone.")
@json_option
def publish(graph: str, url: str, no_evidence: bool, as_json: bool) -> None:
    """Bring a Neo4j database to the graph's current snapshot, by the difference.

    User and password come from NEO4J_USERNAME and NEO4J_PASSWORD. Data of others in the same
    database are never touched. A publish that died is completed by running it again.
    """
    with told_plainly():
        report = publish_to(graph, url, evidence=not no_evidence)
    figures = dataclasses.asdict(report)
    if as_json:
        emit(figures)
        return
    title = "Nothing to publish: it holds this snapshot" if report.unchanged else "Published"
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in figures.items():
        if isinstance(value, dict):
            for key, part in value.items():
                table.add_row(key.replace("_", " "), f"{part:,}")
        else:
            shown = f"{value:,}" if isinstance(value, int) else str(value)
            table.add_row(name, f"{value:.1f}" if isinstance(value, float) else shown)
    console.print(table)
