"""The commands by which a graph follows the literature: fetch its updates, cut it at a date."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from kg_builder.ledger import Ledger
from kg_builder.lock import one_writer
from kg_builder.snapshot import (
    SnapshotInfo,
    current_digest,
    read_info,
    set_current,
    sweep_snapshots,
)
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.sources.nlm import NLM, UpdateSite, missing_names
from kg_builder.update import cut_snapshot, update_snapshot
from ontologies.concept import Vocabulary
from ray_jobs.build import build
from ray_jobs.build_figures import summary
from ray_jobs.config import AsOf, vocabulary_directory
from ray_jobs.kg_build import report_failures
from ray_jobs.options import (
    directory_option,
    emit,
    json_option,
    linker_option,
    told_plainly,
    workers_option,
)
from ray_jobs.screen import bars, print_figures

console = Console(highlight=False)
status = Console(stderr=True, highlight=False)


# -- update -----------------------------------------------------------------------------------


def fetch_missing(
    graph: str | Path, ledger: Ledger, site: UpdateSite, progress: Progress | None = None
) -> list[Path]:
    """Bring the update files that the ledger lacks into the graph's `inputs`, in their order.

    Whole files are kept whatever comes after them; raises what `missing_names` and
    `UpdateSite.fetch` raise.
    """
    held = [entry.order for entry in ledger.entries()]
    names = missing_names(held, site.updates(), site.baseline())
    shown = progress or Progress(disable=True)
    paths = []
    for name in names:
        bar = shown.add_task(name, total=None)

        def tell(_name: str, came: int, whole: int | None, bar: Any = bar) -> None:
            shown.update(bar, completed=came, total=whole)

        paths.append(site.fetch(name, Path(graph) / "inputs", tell))
        shown.remove_task(bar)
    return paths


def catch_up(graph: str | Path, vocabulary: str | None, ledger: Ledger) -> SnapshotInfo:
    """Publish the snapshot of what the ledger holds: an update may have died after mining.

    For the holder of the graph's lock. Costs a look at every article's hash where nothing changed.
    """
    from kg_builder.ladybug_store import load_ladybug

    sweep_snapshots(graph)
    directory = vocabulary_directory(vocabulary)
    info = update_snapshot(graph, Vocabulary.load(directory), ledger=ledger)
    load_ladybug(info.path)
    set_current(graph, info.digest)
    return info


def downloading() -> Progress:
    """Progress bars of downloads, in bytes."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    return Progress(*columns, TransferSpeedColumn(), console=status)


@click.command()
@directory_option
@click.option("--vocabulary", metavar="DIR", help="The vocabulary that the graph was built with.")
@linker_option
@workers_option
@click.option("--ledger", metavar="PATH|URI", help="Where evidence is kept if not in --graph.")
@click.option(
    "--base-url",
    default=NLM,
    show_default=True,
    envvar="MEDWEAVE_PUBMED_URL",
    help="The folder that holds updatefiles/: NLM's, or a mirror's.",
)
@json_option
def update(
    graph: str,
    vocabulary: str | None,
    linker: str,
    count: int | None,
    ledger: str | None,
    base_url: str,
    as_json: bool,
) -> None:
    """Fetch PubMed's daily update files that the graph lacks, apply them and publish the result.

    Run it again after an interruption: what is complete is not done again.
    """
    with told_plainly():
        shelf = Ledger.open(ledger or graph)
        find_snapshot(graph)
        with one_writer(graph), downloading() as shown:
            paths = fetch_missing(graph, shelf, UpdateSite(base_url), shown)
            info = None if paths else catch_up(graph, vocabulary, shelf)
        if info is not None:
            tell_nothing_new(info, as_json)
            return
        with bars() as mining:
            built = build(
                [str(path) for path in paths],
                graph,
                vocabulary=vocabulary,
                linker=linker,
                count=count,
                ledger=ledger,
                progress=mining,
            )
    figures = {"applied": [path.name for path in paths], **summary(built)}
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        console.print("Applied: " + ", ".join(figures.pop("applied")))
        print_figures(figures, console, "Graph built")
    report_failures(built, graph)


def tell_nothing_new(info: SnapshotInfo, as_json: bool) -> None:
    """Say that the graph has all that is published."""
    if as_json:
        emit({"applied": [], "digest": info.digest})
    else:
        console.print(f"Nothing new: all published files are in the graph ({info.digest[:16]}).")


# -- cut --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CutFigures:
    """A cut beside the snapshot it was cut from. Counts are of articles unless named otherwise.

    `later` and `undated` are left out; `retracted_by_today` are in the cut, set apart.
    `superseded_versions` and `deleted_by_today` are in no cut, whatever its date.
    """

    digest: str
    as_of: str
    snapshot: str
    articles: int
    later: int
    undated: int
    retracted_by_today: int
    superseded_versions: int
    deleted_by_today: int
    sentences: int
    mentions: int
    evidence: int
    concepts: int
    edges: int


def cut_figures(cut: SnapshotInfo, whole: SnapshotInfo, as_of: date) -> CutFigures:
    """What to tell of a cut."""
    return CutFigures(
        digest=cut.digest,
        as_of=as_of.isoformat(),
        snapshot=whole.digest,
        articles=cut.articles,
        later=whole.articles - whole.undated - cut.articles,
        undated=whole.undated,
        retracted_by_today=cut.retracted,
        superseded_versions=whole.origin.superseded,
        deleted_by_today=whole.origin.deleted,
        sentences=cut.sentences,
        mentions=cut.mentions,
        evidence=cut.evidence,
        concepts=cut.concepts,
        edges=cut.edges,
    )


@click.command()
@directory_option
@click.option(
    "--as-of", type=AsOf(), required=True, help="The last day (YYYY, YYYY-MM or YYYY-MM-DD)."
)
@json_option
def cut(graph: str, as_of: date, as_json: bool) -> None:
    """Keep the current snapshot as it was known on a date, as a snapshot of its own.

    Its folder, told at the end, can be given as --graph to every command that reads.
    """
    from kg_builder.ladybug_store import load_ladybug

    with told_plainly():
        if current_digest(graph) is None:
            raise FileNotFoundError(f"{graph} has no current snapshot: build one with kg_build")
        with one_writer(graph):
            sweep_snapshots(graph)
            whole = read_info(find_snapshot(graph))
            info = cut_snapshot(graph, as_of)
            load_ladybug(info.path)
    figures = cut_figures(info, whole, as_of)
    if as_json:
        emit({**asdict(figures), "path": str(info.path)})
        return
    table = Table(title=f"Cut at {as_of}", title_justify="left", show_header=False)
    for name, value in asdict(figures).items():
        table.add_row(
            name.replace("_", " "), f"{value:,}" if isinstance(value, int) else value[:16]
        )
    console.print(table)
    console.print(
        "Revisions, deletions and retractions known today apply at every date.\n"
        f"Read it with: --graph {info.path}",
        soft_wrap=True,
    )
