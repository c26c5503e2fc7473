"""The command that makes a graph's vectors."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from kg_builder.snapshot import list_snapshots
from kg_builder.snapshot_tables import find_snapshot
from ray_jobs.options import emit, graph_option, json_option, told_plainly
from ray_jobs.screen import bars
from retrieval.embed import embed_snapshot
from retrieval.embedding import Embedder, open_embedder

console = Console(highlight=False)

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
embedding_option = click.option(
    "--embedding",
    type=_folder,
    metavar="FOLDER",
    help="Let the vectors of `medweave embed` rank too: the model that made them.",
)


def load_quietly() -> None:
    """Let models be read from this disk alone, and without bars of their own between ours."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


@click.command()
@graph_option
@click.option(
    "--embedding",
    required=True,
    type=_folder,
    metavar="FOLDER",
    help="A model of sentence-transformers on this disk.",
)
@json_option
def embed(graph: str, embedding: Path, as_json: bool) -> None:
    """Make the vectors of the graph's articles: of its current snapshot and of every cut.

    Run it again after an update, or an interruption: no text is embedded twice.
    """
    load_quietly()
    with told_plainly():
        embedder = open_embedder(embedding)
        current = find_snapshot(graph)
        cuts = [info.path for info in list_snapshots(current.parent.parent) if info.origin.as_of]
        rows = [embedded(path, embedder) for path in dict.fromkeys([current, *cuts])]
    if as_json:
        emit(rows)
    else:
        print_rows(rows)


def embedded(snapshot: Path, embedder: Embedder) -> Mapping[str, object]:
    """Embed a snapshot behind a progress bar; return what was done as data."""
    started = time.monotonic()
    with bars() as bar:
        task = bar.add_task(f"embed {snapshot.name[:12]}", total=None)
        report = embed_snapshot(
            snapshot, embedder, lambda done, of: bar.update(task, completed=done, total=of)
        )
    return {"snapshot": snapshot.name, **asdict(report), "seconds": time.monotonic() - started}


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print what was done for each snapshot."""
    table = Table("snapshot", "articles", "without text", "windows", "embedded", "known", "seconds")
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("articles", "empty", "windows")]
        table.add_row(
            str(row["snapshot"])[:16],
            *counts,
            f"{row['computed']:,}",
            f"{row['reused']:,}",
            f"{row['seconds']:.1f}",
        )
    console.print(table)
