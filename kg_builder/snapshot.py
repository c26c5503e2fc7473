"""Snapshots of a graph: build one from the ledger, name the current one, list and remove.

A snapshot is a folder `snapshots/<digest>` that never changes once it has that name. `CURRENT`
names the one that readers open; it is set apart from building, once a store was loaded too.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg_builder.assemble import assemble, merge_articles, merge_edges, read_table, write_parts
from kg_builder.concepts_table import check_vocabulary
from kg_builder.current import CurrentView, current_view
from kg_builder.digest import hash_matrix, snapshot_digest
from kg_builder.durable import json_text, replace_text, room_for, sync_file, sync_folder
from kg_builder.gather import Plan, number, plan, survey
from kg_builder.ledger import Ledger, ShardEntry
from kg_builder.model import PREDICATES
from kg_builder.schema import SNAPSHOT_VERSION
from kg_builder.snapshot_tables import read_build
from ontologies.concept import Vocabulary

Array = npt.NDArray[Any]

STEPS = ("survey", "number", "merge", "assemble")
Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a snapshot was made from, beyond its articles: told in BUILD.json, never hashed.

    `failures` are the records of the ledger that were not read, by reason; `superseded` and
    `deleted` count versions and PMIDs that are in the ledger and not in force. `as_of` is the
    ISO date of a cut.
    """

    linkers: tuple[str, ...] = ()
    extractors: tuple[str, ...] = ()
    vocabularies: tuple[str, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    superseded: int = 0
    deleted: int = 0
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot's counts. `articles`, `sentences`, `mentions`, `concepts` and `evidence` are rows
    of its tables, retracted articles included; `edges` are those that count an article.
    """

    digest: str
    path: Path
    articles: int
    retracted: int
    undated: int
    sentences: int
    mentions: int
    concepts: int
    evidence: int
    edges: int
    edges_by_predicate: Mapping[str, int]
    origin: Origin


class CurrentSnapshotError(ValueError):
    """The snapshot that readers open cannot be removed."""


# -- building ---------------------------------------------------------------------------------


def build_snapshot(
    graph: str | Path,
    vocabulary: Vocabulary,
    *,
    ledger: Ledger | None = None,
    progress: Progress | None = None,
) -> SnapshotInfo:
    """Build the snapshot of what is in force in the ledger; does not make it current.

    `graph` is a local folder; `ledger` is the one in it unless given. A snapshot that is there
    already is left as it is. Memory: about 24 bytes an article of the ledger, 45 bytes an edge,
    8 bytes for each concept of each article, and one bucket (`EDGE_ROWS` rows of evidence).
    Raises `OtherVocabularyError` where files were mined with another vocabulary.
    """
    tell = progress or _silent
    source = ledger or Ledger.open(graph)
    view = current_view(source)
    check_vocabulary(view.shards, vocabulary)
    with working_folder(graph) as folder:
        fixed = plan_parts(source, view, tell)
        shards = [place for place in range(len(view.shards)) if len(view.of_shard(place)[0])]
        for done, place in enumerate(shards, 1):
            partition(source, view, place, fixed, folder)
            tell("number", done, len(shards))
        steps = fixed.article_buckets + fixed.edge_buckets
        for bucket in range(fixed.article_buckets):
            merge_articles(folder, bucket)
            tell("merge", bucket + 1, steps)
        for bucket in range(fixed.edge_buckets):
            merge_edges(folder, bucket, fixed)
            tell("merge", fixed.article_buckets + bucket + 1, steps)
        tell("assemble", 0, 1)
        info = finish(graph, folder, fixed, vocabulary, origin_of(view))
        tell("assemble", 1, 1)
    return info


def plan_parts(ledger: Ledger, view: CurrentView, progress: Progress) -> Plan:
    """Survey every shard with an article in force, and fix the numbers of the snapshot."""
    surveys = []
    for place in range(len(view.shards)):
        surveys.append(survey(ledger, view, place) if (view.shard == place).any() else None)
        progress("survey", place + 1, len(view.shards))
    return plan(view, surveys)


def partition(ledger: Ledger, view: CurrentView, place: int, fixed: Plan, folder: Path) -> None:
    """Write the rows of one shard of the view as parts in the working folder."""
    entry = view.shards[place]
    write_parts(folder, entry.name, number(ledger, entry, *view.of_shard(place), fixed), fixed)


def finish(
    graph: str | Path, folder: Path, fixed: Plan, vocabulary: Vocabulary, origin: Origin
) -> SnapshotInfo:
    """Assemble the merged buckets of a working folder into the snapshot's own folder."""
    out = folder / "snapshot"
    out.mkdir()
    assemble(folder, out, fixed, vocabulary)
    return publish_folder(graph, out, origin)


def publish_folder(graph: str | Path, out: Path, origin: Origin) -> SnapshotInfo:
    """Count and hash the finished tables in `out`, and give them the snapshot's name.

    Where a snapshot of that name and with these counts is there, it stays: readers may hold it.
    """
    info = describe(out, origin)
    final = Path(graph) / "snapshots" / info.digest
    info = replace(info, path=final)
    if _holds(final, info):
        if origin.as_of is not None:
            return read_info(final)
        replace_text(final / "BUILD.json", json_text(_build_json(info)))
        return info
    replace_text(out / "BUILD.json", json_text(_build_json(info)))
    with room_for(final):
        sync_folder(out)
    if final.exists():  # of the same content, read by another version of the linker
        final.rename(out.with_name("replaced"))
    out.rename(final)
    sync_file(final.parent)
    return info


def restate(path: Path, origin: Origin) -> SnapshotInfo:
    """Say of a snapshot that it stands as it is for what `origin` tells."""
    info = replace(read_info(path), origin=origin)
    replace_text(path / "BUILD.json", json_text(_build_json(info)))
    return info


def _holds(path: Path, info: SnapshotInfo) -> bool:
    """Whether the folder holds this snapshot, made by the same linkers and extractors."""
    if not (path / "BUILD.json").is_file():
        return False
    held = read_info(path)
    facts = ("linkers", "extractors", "vocabularies")
    same = all(getattr(held.origin, name) == getattr(info.origin, name) for name in facts)
    return same and replace(held, origin=info.origin) == info


def describe(out: Path, origin: Origin) -> SnapshotInfo:
    """Counts and digest of the tables in a folder."""
    tables = {name: read_table(out / f"{name}.arrow") for name in _COUNTED}
    articles, edges = tables["articles"], tables["edges"]
    alive = (np.asarray(edges["supporting"]) + np.asarray(edges["refuting"])) > 0
    by_code = np.bincount(np.asarray(edges["predicate"])[alive], minlength=len(PREDICATES))
    digest = snapshot_digest(
        np.asarray(articles["pmid"]),
        hash_matrix(articles["content_hash"]),
        hash_matrix(tables["concepts"]["content_hash"]),
    )
    return SnapshotInfo(
        digest=digest,
        path=out,
        articles=articles.num_rows,
        retracted=int(np.asarray(articles["retracted"]).sum()),
        undated=articles["published"].null_count,
        sentences=tables["sentences"].num_rows,
        mentions=tables["mentions"].num_rows,
        concepts=tables["concepts"].num_rows,
        evidence=tables["evidence"].num_rows,
        edges=int(alive.sum()),
        edges_by_predicate={
            name: int(count) for name, count in zip(PREDICATES, by_code, strict=True) if count
        },
        origin=origin,
    )


_COUNTED = ("articles", "sentences", "mentions", "concepts", "evidence", "edges")


def origin_of(view: CurrentView) -> Origin:
    """What a snapshot of the whole view is made from."""
    shards = view.shards
    failures: dict[str, int] = {}
    for entry in shards:
        for reason, count in entry.failures.items():
            failures[reason] = failures.get(reason, 0) + count
    return Origin(
        linkers=_distinct(shards, "linker"),
        extractors=_distinct(shards, "extractor"),
        vocabularies=_distinct(shards, "vocabulary"),
        failures=failures,
        superseded=view.superseded,
        deleted=view.deleted,
    )


def _distinct(shards: Sequence[ShardEntry], name: str) -> tuple[str, ...]:
    return tuple(sorted({str(getattr(entry.key, name)) for entry in shards}))


@contextmanager
def working_folder(graph: str | Path) -> Iterator[Path]:
    """A folder for parts and buckets beside the snapshots; gone when the block ends."""
    root = Path(graph) / "snapshots"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f".building.{socket.gethostname()}.{os.getpid()}.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _silent(_step: str, _done: int, _of: int) -> None:
    return None


# -- what is there ----------------------------------------------------------------------------


def set_current(graph: str | Path, digest: str) -> None:
    """Make a snapshot the one that readers open, in one step."""
    path = find_by_digest(graph, digest)
    replace_text(Path(graph) / "CURRENT", path.name + "\n")


def current_digest(graph: str | Path) -> str | None:
    """The digest that `CURRENT` names; `None` where no snapshot is current yet."""
    path = Path(graph) / "CURRENT"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def list_snapshots(graph: str | Path) -> list[SnapshotInfo]:
    """The snapshots of a graph, ordered by digest."""
    root = Path(graph) / "snapshots"
    paths = sorted(path.parent for path in root.glob("*/BUILD.json"))
    return [read_info(path) for path in paths if not path.name.startswith(".")]


def remove_snapshot(graph: str | Path, digest: str) -> None:
    """Remove a snapshot; `digest` may be shortened where one snapshot alone begins so.

    Raises `CurrentSnapshotError` for the one that readers open.
    """
    path = find_by_digest(graph, digest)
    if path.name == current_digest(graph):
        raise CurrentSnapshotError(
            f"{path.name} is the current snapshot of {graph}: readers open it; build or choose "
            "another before removing it"
        )
    doomed = path.with_name(f".{path.name}.tmp")
    path.rename(doomed)
    shutil.rmtree(doomed)


def sweep_snapshots(graph: str | Path) -> list[str]:
    """Remove what dead builders left; only for the holder of the graph's lock."""
    leftovers = sorted((Path(graph) / "snapshots").glob(".*.tmp"))
    for path in leftovers:
        shutil.rmtree(path)
    return [path.name for path in leftovers]


def read_info(path: Path) -> SnapshotInfo:
    """What a snapshot's BUILD.json says; `SnapshotVersionError` for another version."""
    build = dict(read_build(path))
    build.pop("snapshot_version")
    origin = build.pop("origin")
    for name in ("linkers", "extractors", "vocabularies"):
        origin[name] = tuple(origin[name])
    return SnapshotInfo(path=path, origin=Origin(**origin), **build)


def find_by_digest(graph: str | Path, digest: str) -> Path:
    """The folder of the one snapshot whose digest begins so; else `FileNotFoundError`."""
    root = Path(graph) / "snapshots"
    found = sorted(path.parent for path in root.glob(f"{digest}*/BUILD.json"))
    if len(found) != 1 or not digest:
        known = ", ".join(sorted(path.parent.name[:12] for path in root.glob("*/BUILD.json")))
        raise FileNotFoundError(
            f"{len(found)} snapshots of {graph} begin with {digest!r}, expected one; "
            f"there are: {known or 'none'}"
        )
    return found[0]


def _build_json(info: SnapshotInfo) -> dict[str, Any]:
    value = asdict(info)
    del value["path"]
    return value | {"snapshot_version": SNAPSHOT_VERSION}
