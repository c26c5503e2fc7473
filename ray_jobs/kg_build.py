"""`kg_build`: citations in, a concept graph out; alone, on a laptop's cores or on a Ray cluster."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from kg_builder.ledger import Ledger, ShardEntry, file_sha256
from kg_builder.lock import one_writer
from kg_builder.model import Failure
from kg_builder.snapshot import (
    SnapshotInfo,
    build_snapshot,
    current_digest,
    read_info,
    set_current,
    sweep_snapshots,
)
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.sources.entrez import fetch_query, missing_citations
from kg_builder.sources.inputs import expand_inputs, order_key, unrecognized_inputs
from kg_builder.update import update_snapshot
from ontologies.concept import Vocabulary
from ray_jobs.cluster import workers
from ray_jobs.config import vocabulary_directory
from ray_jobs.mining import (
    InputFile,
    Mined,
    Recipe,
    key_of,
    mine_files,
    open_tools,
    peak_memory,
    process_name,
)

if TYPE_CHECKING:
    from ray_jobs.cluster import Workers

QUERY = "pubmed:"
UPDATE_SHARE = 0.2
"""Up to this share of new citations the current snapshot is changed, beyond it made anew."""
console = Console(stderr=True, highlight=False)


@dataclass(slots=True)
class Tally:
    """What a build did, for its final table. Counts are of citations unless named otherwise."""

    files: int = 0
    reused: int = 0
    mined: int = 0
    abstracts: int = 0
    mining_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peaks: dict[str, int] = field(default_factory=dict)  # of other processes, by their names
    failed_files: list[str] = field(default_factory=list)
    left: list[Failure] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)

    def add(self, mined: Mined) -> None:
        """Count a file that was mined now."""
        self.abstracts += mined.abstracts
        self.mining_seconds += mined.seconds
        self.cpu_seconds += mined.cpu_seconds
        if mined.process != process_name():
            self.peaks[mined.process] = max(self.peaks.get(mined.process, 0), mined.peak_bytes)

    def lose(self, file: InputFile, died: Exception) -> None:
        """Leave out a file that killed its worker again and again."""
        self.failed_files.append(
            f"{file.path}: the worker died while mining it ({type(died).__name__}); "
            "run the same command again with fewer --workers"
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of the build by the wall clock."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.monotonic() - started


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build: the snapshot, the shards of its inputs, and what it took."""

    snapshot: SnapshotInfo
    shards: tuple[ShardEntry, ...]
    tally: Tally


def build(
    inputs: Sequence[str],
    graph: str,
    *,
    vocabulary: str | None = None,
    linker: str = "lexicon",
    count: int | None = None,
    email: str | None = None,
    ledger: str | None = None,
    progress: Progress | None = None,
) -> Built:
    """Mine the inputs into the graph's ledger, and make the snapshot of the ledger current.

    `inputs` are files, folders and `pubmed:QUERY`; `vocabulary` a folder (the starter vocabulary
    where it is `None`); `ledger` where shards are kept if not in the graph's folder: another
    folder, or an object store. Files whose shards are complete are not read again.

    `count` is how many workers. One is this process itself, and no Ray is started, unless a
    cluster is there. With `None`, one a core, as far as there are files for them.

    Raises `GraphLockedError` where another process writes to the graph, `DiskFullError`,
    `ValueError` for a vocabulary of another version. A file that kills its worker of Ray again and
    again is left out and told in `tally.failed_files`; one that kills this process ends the build.
    """
    tally = Tally()
    bars = progress or Progress(disable=True)
    Path(graph).mkdir(parents=True, exist_ok=True)
    with one_writer(graph):
        address = ledger or graph
        shelf = Ledger.open(address)
        shelf.sweep()
        sweep_snapshots(graph)
        with tally.stage("vocabulary"):
            recipe = recipe_of(vocabulary, linker)
        files = input_files(inputs, graph, email, tally)
        plan = _plan(files, recipe, shelf)
        with workers(_useful(count, plan, graph, shelf)) as crew:
            shards = _mine_all(plan, recipe, address, crew, tally, bars)
            info = _snapshot(graph, address, recipe, crew, tally, bars)
        with tally.stage("embedded database"):
            from kg_builder.ladybug_store import load_ladybug

            load_ladybug(info.path)
        set_current(graph, info.digest)
    return Built(info, shards, tally)


def recipe_of(vocabulary: str | None, linker: str) -> Recipe:
    """The recipe of a vocabulary folder, its linker opened once so that workers only map it."""
    directory = vocabulary_directory(vocabulary)
    recipe = Recipe(linker, str(directory), Vocabulary.load(directory).digest)
    open_tools(recipe)
    return recipe


def input_files(
    inputs: Sequence[str], graph: str, email: str | None, tally: Tally
) -> list[InputFile]:
    """The files to mine, in file order; queries are fetched into the graph's `inputs` folder."""
    paths: list[Path] = []
    for given in inputs:
        if given.startswith(QUERY):
            folder = Path(graph) / "inputs"
            paths += _fetched(given.removeprefix(QUERY), folder, email)
            tally.left += missing_citations(given.removeprefix(QUERY), folder)
        else:
            paths.append(Path(given))
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"no input at {path}: give a file of PubMed XML, a folder of them or {QUERY}QUERY"
            )
    tally.left += unrecognized_inputs(paths)
    return [
        InputFile(str(path.resolve()), order_key(path), file_sha256(path))
        for path in expand_inputs(paths)
    ]


def _fetched(query: str, folder: Path, email: str | None) -> list[Path]:
    """Fetch a query's citations, or what is missing of them, telling how many have come."""
    with console.status(f"asking PubMed for {query!r}") as status:
        return fetch_query(
            query,
            folder,
            email=email,
            api_key=os.environ.get("NCBI_API_KEY"),
            base_url=os.environ.get("MEDWEAVE_EUTILS"),
            progress=lambda fetched, found: status.update(f"{fetched:,} of {found:,} citations"),
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be mined, and the shards of the files that were mined before, by hash."""

    files: tuple[InputFile, ...]
    todo: tuple[InputFile, ...]
    held: dict[str, ShardEntry]


def _plan(files: Sequence[InputFile], recipe: Recipe, ledger: Ledger) -> _Plan:
    todo: list[InputFile] = []
    held: dict[str, ShardEntry] = {}
    for file in files:
        entry = ledger.find(key_of(recipe, file.sha256), file.order, file.name)
        if entry is None:
            todo.append(file)
        else:
            held[file.sha256] = entry
    return _Plan(tuple(files), tuple(todo), held)


def _useful(count: int | None, plan: _Plan, graph: str, ledger: Ledger) -> int | None:
    """How many workers to ask for: one, which is this process, where others have nothing to do.

    A number that was asked for is kept while anything is to be mined: what kills a worker of Ray
    leaves the build alive.
    """
    if current_digest(graph) is None and (plan.held or ledger.entries()):
        return count  # a snapshot of many files is made anew
    idle = not plan.todo or (count is None and len(plan.todo) == 1)
    return 1 if idle else count


def _mine_all(
    plan: _Plan, recipe: Recipe, address: str, crew: Workers, tally: Tally, bars: Progress
) -> tuple[ShardEntry, ...]:
    """Mine what has no shard yet and commit the manifest; the shards of all files, in order.

    Shards are complete as they come, so that an interrupted build has lost nothing but the files
    under way.
    """
    done = dict(plan.held)
    tally.files, tally.reused = len(plan.files), len(done)
    already = len(plan.files) - len(plan.todo)
    bar = bars.add_task("mining", total=len(plan.files), completed=already)
    with tally.stage("mining"):
        for file, entry, mined in mine_files(plan.todo, recipe, address, crew, tally.lose):
            tally.add(mined)
            tally.mined += entry.articles
            done[file.sha256] = entry
            bars.update(bar, advance=1, description=f"mining ({tally.abstracts:,} abstracts)")
        shards = [done[file.sha256] for file in plan.files if file.sha256 in done]
        Ledger.open(address).commit(shards)
    return tuple(shards)


def _snapshot(
    graph: str, address: str, recipe: Recipe, crew: Workers, tally: Tally, bars: Progress
) -> SnapshotInfo:
    bar = bars.add_task("snapshot", total=None)

    def tell(step: str, done: int, of: int) -> None:
        bars.update(bar, description=f"snapshot: {step}", completed=done, total=of)

    vocabulary = Vocabulary.load(recipe.vocabulary)
    with tally.stage("snapshot"):
        if _is_update(graph, tally.mined):
            tell("update", 0, 1)
            return update_snapshot(graph, vocabulary, ledger=Ledger.open(address))
        if crew.shared_disk and crew.count > 1:
            from ray_jobs.snapshot_job import build_in_parallel

            return build_in_parallel(graph, address, vocabulary, tell)
        return build_snapshot(graph, vocabulary, ledger=Ledger.open(address), progress=tell)


def _is_update(graph: str, mined: int) -> bool:
    """Whether so little was mined that the current snapshot is better changed than made anew."""
    if current_digest(graph) is None:
        return False
    return mined <= UPDATE_SHARE * read_info(find_snapshot(graph)).articles


def failures_of(shards: Sequence[ShardEntry]) -> Counter[str]:
    """Records and files that could not be read, by reason."""
    return sum((Counter(dict(entry.failures)) for entry in shards), Counter())


def summary(built: Built) -> dict[str, Any]:
    """The figures of a build, as the table and `--json` tell them."""
    shards, tally, snapshot = built.shards, built.tally, built.snapshot
    seconds = sum(
        tally.stages.get(name, 0.0) for name in ("mining", "snapshot", "embedded database")
    )
    return {
        "files": tally.files,
        "files_reused": tally.reused,
        "citations_kept": sum(entry.articles for entry in shards),
        "failed": dict(failures_of(shards)),
        "deletions": sum(entry.deletions for entry in shards),
        "articles_in_force": snapshot.articles,
        "superseded": snapshot.origin.superseded,
        "deleted": snapshot.origin.deleted,
        "retracted": snapshot.retracted,
        "undated": snapshot.undated,
        "sentences": snapshot.sentences,
        "mentions": snapshot.mentions,
        "evidence": snapshot.evidence,
        "concepts": snapshot.concepts,
        "edges": snapshot.edges,
        "edges_by_predicate": dict(snapshot.edges_by_predicate),
        "digest": snapshot.digest,
        "abstracts_mined": tally.abstracts,
        "abstracts_per_second": round(tally.abstracts / seconds, 1) if tally.abstracts else None,
        "mining_cpu_seconds": round(tally.cpu_seconds, 2),
        "seconds": {name: round(value, 2) for name, value in tally.stages.items()},
        "peak_memory_mb": round(max([peak_memory(), *tally.peaks.values()]) / 1e6),
        "processes": 1 + len(tally.peaks),
    }


def print_summary(figures: Mapping[str, Any], out: Console, title: str = "Graph built") -> None:
    """The final table, for people."""
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for key, part in value.items():
                shown = f"{part:,}" if isinstance(part, int) else str(part)
                table.add_row(f"{name.replace('_', ' ')}: {key}", shown)
        elif value is not None:
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
            table.add_row(name.replace("_", " "), shown)
    out.print(table)


def bars() -> Progress:
    """Progress bars with count, rate and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--graph", required=True, metavar="DIR", help="Where the graph is kept.")
@click.option(
    "--vocabulary",
    metavar="DIR",
    help="What `medweave vocabulary build` made; the starter vocabulary unless given.",
)
@click.option("--linker", default="lexicon", show_default=True)
@click.option("--workers", "count", type=click.IntRange(1), help="Processes; one a core.")
@click.option(
    "--ledger",
    metavar="PATH|URI",
    help="Where evidence is kept if not in --graph: a folder, or an object store (s3://...).",
)
@click.option("--store", metavar="URL", help="Publish the graph there too: neo4j://HOST:7687.")
@click.option("--email", envvar="NCBI_EMAIL", help="Who asks NCBI, for pubmed:QUERY.")
@click.option("--json", "as_json", is_flag=True, help="Print the final figures as JSON.")
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
    try:
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
    except KeyboardInterrupt:
        console.print("Interrupted. What is complete is kept; the same command goes on from there.")
        sys.exit(130)
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    figures = summary(built)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        print_summary(figures, Console(highlight=False))
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
