"""Bring a snapshot up to its ledger, or cut it at a date, at the cost of what changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.concepts_table import check_vocabulary
from kg_builder.current import CurrentView, current_view
from kg_builder.digest import hash_matrix
from kg_builder.gather import PART_SCHEMAS, Part, by_article, number, survey
from kg_builder.ledger import Ledger
from kg_builder.merge import Renumbering, renumber, write_merged
from kg_builder.snapshot import (
    Origin,
    SnapshotInfo,
    build_snapshot,
    current_digest,
    origin_of,
    publish_folder,
    read_info,
    restate,
    working_folder,
)
from kg_builder.snapshot_tables import SnapshotTables, find_snapshot
from ontologies.concept import Vocabulary

Array = npt.NDArray[Any]


def update_snapshot(
    graph: str | Path, vocabulary: Vocabulary, *, ledger: Ledger | None = None
) -> SnapshotInfo:
    """The snapshot of what is in force in the ledger, made from the current one.

    Equal, byte for byte, to what `build_snapshot` makes; does not make it current. Falls back to
    `build_snapshot` where there is no current snapshot, where that one is a cut, or where it was
    made by other versions or of another vocabulary. Where nothing changed in what is in force,
    nothing but the account of the ledger is written. Memory: that of the largest table.
    """
    source = ledger or Ledger.open(graph)
    view = current_view(source)
    check_vocabulary(view.shards, vocabulary)
    origin = origin_of(view)
    if current_digest(graph) is None:
        return build_snapshot(graph, vocabulary, ledger=source)
    path = find_snapshot(graph)
    if not _comparable(read_info(path).origin, origin):
        return build_snapshot(graph, vocabulary, ledger=source)
    old = SnapshotTables(path)
    stays = _unchanged(old, source, view)
    coming = np.ones(len(view), bool)
    coming[stays[stays >= 0]] = False
    if not coming.any() and (stays >= 0).all():
        return restate(path, origin)
    change, part = _change(old, source, view, stays, coming)
    with working_folder(graph) as folder:
        out = folder / "snapshot"
        out.mkdir()
        write_merged(old, change, part, vocabulary, out)
        return publish_folder(graph, out, origin)


def cut_snapshot(graph: str | Path, as_of: date, *, today: date | None = None) -> SnapshotInfo:
    """The current snapshot cut at a date: a snapshot of its own, of articles published by then.

    `as_of` is inclusive; an article of unknown date is left out. Equal to a snapshot built from
    those articles alone. `today` is this day unless given; a later `as_of` raises `ValueError`.
    """
    if as_of > (today or date.today()):
        raise ValueError(f"as_of {as_of} is in the future: expected a date until today")
    path = find_snapshot(graph)
    old = SnapshotTables(path)
    published = old["articles"]["published"]
    keep = np.asarray(pc.less_equal(published, pa.scalar(as_of)).fill_null(False))
    numbers = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    pmids = old.column("articles", "pmid")[keep]
    nobody = (np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0, bool))
    change = renumber(old, numbers, pmids, nobody, (), ())
    origin = replace(read_info(path).origin, as_of=as_of.isoformat())
    with working_folder(graph) as folder:
        out = folder / "snapshot"
        out.mkdir()
        write_merged(old, change, _no_part(), None, out)
        return publish_folder(graph, out, origin)


def _comparable(old: Origin, new: Origin) -> bool:
    facts = ("linkers", "extractors", "vocabularies")
    same = all(getattr(old, name) == getattr(new, name) for name in facts)
    return same and old.as_of is None


def _unchanged(old: SnapshotTables, ledger: Ledger, view: CurrentView) -> Array:
    """The number in the view of each old article whose content is the same; -1 for others."""
    pmids = old.column("articles", "pmid")
    if not len(view):
        return np.full(len(pmids), -1, np.int32)
    at = np.minimum(np.searchsorted(view.pmids, pmids), len(view) - 1)
    held = hash_matrix(old["articles"]["content_hash"])
    same = (view.pmids[at] == pmids) & (_hashes(ledger, view)[at] == held).all(axis=1)
    return np.where(same, at, -1).astype(np.int32)


def _hashes(ledger: Ledger, view: CurrentView) -> Array:
    """Content hashes of all articles in force."""
    hashes = np.empty((len(view), 32), np.uint8)
    for place, entry in enumerate(view.shards):
        rows, numbers = view.of_shard(place)
        if len(rows):
            column = ledger.read(entry, "articles", ["content_hash"])["content_hash"]
            hashes[numbers] = hash_matrix(column)[rows]
    return hashes


def _change(
    old: SnapshotTables, ledger: Ledger, view: CurrentView, stays: Array, coming: Array
) -> tuple[Renumbering, Part]:
    """Numbers of the new snapshot, and the rows that come, read from their shards."""
    news = view.only(coming)
    numbers = np.flatnonzero(coming)
    places = np.unique(news.shard).tolist()
    surveys = {place: survey(ledger, news, place) for place in places}
    years, retracted = np.zeros(len(news), np.int16), np.zeros(len(news), bool)
    for place, found in surveys.items():
        _, own = news.of_shard(place)
        years[own], retracted[own] = found.years, found.retracted
    change = renumber(
        old,
        stays,
        view.pmids,
        (numbers, years, retracted),
        [found.concepts for found in surveys.values()],
        [name for found in surveys.values() for name in found.extractors],
    )
    parts = [_no_part()]
    for place in places:
        rows, own = news.of_shard(place)
        parts.append(number(ledger, view.shards[place], rows, numbers[own], change.plan))
    return change, _joined(parts)


def _no_part() -> Part:
    return Part(**{name: schema.empty_table() for name, schema in PART_SCHEMAS.items()})


def _joined(parts: list[Part]) -> Part:
    """Rows of many shards as one part, in the order of articles."""
    return Part(
        **{
            name: by_article(
                pa.concat_tables([getattr(part, name) for part in parts]).combine_chunks()
            )
            for name in PART_SCHEMAS
        }
    )
