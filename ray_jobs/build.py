"""The build: inputs to shards, shards to a snapshot, the snapshot made current."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from kg_builder.ledger import Ledger, ShardEntry, file_sha256
from kg_builder.lock import one_writer
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
from ray_jobs.build_figures import Built, Tally
from ray_jobs.cluster import Workers, workers
from ray_jobs.config import vocabulary_directory
from ray_jobs.mining import InputFile, Recipe, key_of, mine_files, open_tools
from ray_jobs.screen import console

QUERY = "pubmed:"
UPDATE_SHARE = 0.2
"""Up to this share of new citations the current snapshot is changed, beyond it made anew."""


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
