"""Updates and cuts against the build that starts anew."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.current import current_view
from kg_builder.ledger import Ledger
from kg_builder.model import Article, Deletion
from kg_builder.snapshot import SnapshotInfo, build_snapshot, read_info, set_current
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.update import cut_snapshot, update_snapshot
from tests.kg_builder.histories import PLACES, History, articles, histories
from tests.kg_builder.readings import answers
from tests.kg_builder.shard_world import Words, add_file, article

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")


def tables(info: SnapshotInfo) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(info.path.glob("*.arrow"))}


@settings(max_examples=20, deadline=None)
@given(histories(), st.lists(st.booleans(), min_size=5, max_size=5))
def test_update_equals_rebuild(history: History, pauses: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for number, (order, records) in enumerate(history):
            for graph in (one, other):
                add_file(Path(graph), records, order=order, source=str(number))
            if pauses[number]:
                set_current(one, update_snapshot(one, Words()).digest)
        updated, built = update_snapshot(one, Words()), build_snapshot(other, Words())
        assert updated.digest == built.digest
        assert tables(updated) == tables(built)
        assert (updated.path / "BUILD.json").read_text() == (built.path / "BUILD.json").read_text()


@settings(max_examples=20, deadline=None)
@given(histories(), st.sampled_from([date(1999, 12, 30), date(1999, 12, 31), date(2010, 1, 1)]))
def test_cut_equals_build_of_what_was_published(history: History, as_of: date) -> None:
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as early:
        for number, (order, records) in enumerate(history):
            add_file(Path(whole), records, order=order, source=str(number))
        info = build_snapshot(whole, Words())
        set_current(whole, info.digest)
        add_file(Path(early), published(Path(whole), history, as_of))
        cut, built = cut_snapshot(whole, as_of), build_snapshot(early, Words())
        assert cut.digest == built.digest
        assert tables(cut) == tables(built)
        assert cut.origin.as_of == (as_of.isoformat() if cut.digest != info.digest else None)


def published(graph: Path, history: History, as_of: date) -> list[Article]:
    """Articles in force of the graph that were published by then."""
    ledger = Ledger.open(graph)
    view = current_view(ledger)
    by_source = {str(number): records for number, (_, records) in enumerate(history)}
    found = []
    for place, row in zip(view.shard, view.rows, strict=True):
        records = by_source[view.shards[place].key.source]
        found.append([r for r in records if isinstance(r, Article)][row])
    return [a for a in found if a.published and a.published.last_day() <= as_of]


@settings(max_examples=25, deadline=None)
@given(histories(), st.sampled_from([date(1999, 12, 30), date(1999, 12, 31), date(2010, 1, 1)]))
def test_reads_as_of_a_date_are_those_of_the_cut(history: History, as_of: date) -> None:
    with tempfile.TemporaryDirectory() as graph:
        for number, (order, records) in enumerate(history):
            add_file(Path(graph), records, order=order, source=str(number))
        whole = build_snapshot(graph, Words())
        set_current(graph, whole.digest)
        cut = cut_snapshot(graph, as_of)
        one, other = SnapshotReader(whole.path), SnapshotReader(cut.path)
        ids = list(one.concept_ids())
        keys = [edge.key for edge in one.edges(ids, min_articles=0)]
        assert answers(one, ids, keys, as_of) == answers(other, ids, keys, None)
        assert other.stats().undated == 0


PMIDS_APART = 10_000


@settings(max_examples=20, deadline=None)
@given(histories(), st.lists(articles(), min_size=1, max_size=5), st.sampled_from(PLACES))
def test_deleting_a_files_articles_equals_building_without_it(
    history: History, records: list[Article], place: tuple[int, int]
) -> None:
    gone = [replace(record, pmid=record.pmid + PMIDS_APART) for record in records]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for number, (order, records_) in enumerate(history):
            for graph in (one, other):
                add_file(Path(graph), records_, order=order, source=str(number))
        add_file(Path(one), gone, order=place)
        first = build_snapshot(one, Words())
        set_current(one, first.digest)
        add_file(Path(one), [Deletion(record.pmid) for record in gone], order=(26, 99))
        updated, built = update_snapshot(one, Words()), build_snapshot(other, Words())
        assert first.digest != updated.digest == built.digest
        assert tables(updated) == tables(built)


def test_an_update_that_changes_nothing_leaves_the_snapshot(tmp_path: Path) -> None:
    add_file(tmp_path, [article(1, "A > B it.")], order=(26, 1))
    first = build_snapshot(tmp_path, Words())
    set_current(tmp_path, first.digest)
    before = {path.name: path.stat().st_ino for path in first.path.glob("*.arrow")}
    add_file(tmp_path, [Deletion(7), article(1, "A > B it.")], order=(26, 2))
    again = update_snapshot(tmp_path, Words())
    assert again.digest == first.digest
    assert (first.origin.superseded, again.origin.superseded) == (0, 1)
    assert read_info(again.path) == again
    assert {path.name: path.stat().st_ino for path in again.path.glob("*.arrow")} == before


def test_future_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in the future"):
        cut_snapshot(tmp_path, date(2030, 1, 1), today=date(2029, 12, 31))
