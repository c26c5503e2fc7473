"""Snapshots against a slow writer straight from the schema, and against other histories."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder import assemble, gather, merge, verify
from kg_builder.concepts_table import OtherVocabularyError
from kg_builder.memory_store import MinedArticle
from kg_builder.model import Article, Deletion
from kg_builder.schema import SNAPSHOT_TABLES
from kg_builder.sentences import sentence_spans
from kg_builder.snapshot import (
    CurrentSnapshotError,
    SnapshotInfo,
    build_snapshot,
    current_digest,
    list_snapshots,
    remove_snapshot,
    set_current,
    sweep_snapshots,
)
from kg_builder.snapshot_tables import SnapshotTables
from kg_builder.update import update_snapshot
from tests.contracts.graphs import World
from tests.contracts.snapshots import tables as slow_tables
from tests.kg_builder.histories import History, histories
from tests.kg_builder.shard_world import (
    CONCEPTS,
    WordExtractor,
    WordLinker,
    Words,
    add_file,
    article,
)

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")


def in_force(history: History) -> list[Article]:
    """The articles in force, one PMID at a time."""
    kept = []
    pmids = {r.pmid for _, records in history for r in records if isinstance(r, Article)}
    for pmid in sorted(pmids):
        own = [(o, r) for o, records in history for r in records if r.pmid == pmid]
        deaths = [order for order, r in own if isinstance(r, Deletion)]
        lives = [(order, r.version, r.revised, r) for order, r in own if isinstance(r, Article)]
        newest = max(life[:3] for life in lives)
        best = [life[3] for life in lives if life[:3] == newest]
        if not deaths or max(deaths) < newest[0]:
            kept.append(best if len(set(best)) > 1 else best[0])
    return kept


def mined(one: Article) -> MinedArticle:
    sentences = sentence_spans(one)
    mentions = WordLinker().link(one.text)
    found = WordExtractor().relate(one, sentences, mentions)
    return MinedArticle(one, tuple(sentences), tuple(mentions), tuple(found))


def rows(info: SnapshotInfo) -> dict[str, pa.Table]:
    """All rows of a snapshot, content hashes left out."""
    tables = SnapshotTables(info.path)
    return {name: unhashed(tables[name]) for name in SNAPSHOT_TABLES}


def unhashed(table: pa.Table) -> pa.Table:
    return table.select([name for name in table.column_names if name != "content_hash"])


def expected_rows(living: list[Article]) -> dict[str, pa.Table]:
    world = World(tuple(map(mined, living)), tuple(CONCEPTS.values()))
    return {
        name: unhashed(pa.Table.from_pylist(found, schema=SNAPSHOT_TABLES[name]))
        for name, found in slow_tables(world).items()
    }


def build(graph: Path, history: History, batch: int = 9) -> SnapshotInfo:
    for number, (order, records) in enumerate(history):
        add_file(graph, records, order=order, source=f"{number}{records!r}", batch=batch)
    return build_snapshot(graph, Words())


def files(info: SnapshotInfo) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(info.path.iterdir())}


@settings(max_examples=30, deadline=None)
@given(histories())
def test_tables_are_those_of_a_slow_writer(
    history: History,
) -> None:
    living = in_force(history)
    if any(isinstance(one, list) for one in living):
        return  # a tie that only the content hash decides
    with tempfile.TemporaryDirectory() as graph:
        info = build(Path(graph), history)
        expected = expected_rows(living)
        for name, table in rows(info).items():
            assert table.to_pylist() == expected[name].to_pylist(), name
        assert info.articles == len(living)
        assert info.retracted == sum(one.retracted for one in living)


@settings(max_examples=12, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_neither_order_of_files_nor_batches_show(
    history: History, rng: random.Random, batch: int
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = build(Path(one), history)
        numbered = list(enumerate(history))
        rng.shuffle(numbered)
        for number, (order, records) in [*numbered, *numbered[:2]]:
            add_file(Path(other), records, order=order, source=f"{number}{records!r}", batch=batch)
        second = build_snapshot(Path(other), Words())
        assert files(first) == files(second)


def test_snapshots_are_listed_chosen_and_removed(tmp_path: Path) -> None:
    first = build(tmp_path, [((26, 1), [article(1, "A > B it.")])])
    assert current_digest(tmp_path) is None
    set_current(tmp_path, first.digest)
    second = build(tmp_path, [((26, 2), [article(2, "A ! B it.")])])
    assert current_digest(tmp_path) == first.digest
    assert {info.digest for info in list_snapshots(tmp_path)} == {first.digest, second.digest}
    with pytest.raises(CurrentSnapshotError, match=first.digest):
        remove_snapshot(tmp_path, first.digest)
    set_current(tmp_path, second.digest[:8])
    remove_snapshot(tmp_path, first.digest)
    assert list_snapshots(tmp_path) == [second]
    with pytest.raises(FileNotFoundError, match="0 snapshots"):
        remove_snapshot(tmp_path, first.digest)


SMALL = [
    (gather, "EDGE_ROWS", 2),
    (gather, "ARTICLE_ROWS", 2),
    (assemble, "ARTICLE_ROWS", 2),
    (assemble, "FIXED_ROWS", 3),
    (merge, "ARTICLE_ROWS", 2),
    (merge, "FIXED_ROWS", 3),
    (verify, "ARTICLE_ROWS", 2),
]


@settings(max_examples=12, deadline=None)
@given(histories(), st.integers(0, 5))
def test_buckets_and_batches_do_not_show(history: History, pause: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        plain = build(Path(one), history)
        with pytest.MonkeyPatch.context() as patch:
            for module, name, value in SMALL:
                patch.setattr(module, name, value)
            begun = build(Path(other), history[:pause])
            set_current(other, begun.digest)
            info = build(Path(other), history)
            assert info.digest == plain.digest == verify.digest_of_snapshot(info.path)
            assert listed(info) == listed(plain)
            if info.digest != begun.digest:
                remove_snapshot(other, info.digest)
            assert listed(update_snapshot(other, Words())) == listed(plain)


def listed(info: SnapshotInfo) -> dict[str, list[dict[str, object]]]:
    return {name: table.to_pylist() for name, table in rows(info).items()}


def test_working_folders_of_dead_builders_are_swept(tmp_path: Path) -> None:
    info = build(tmp_path, [((26, 1), [article(1, "A > B it.")])])
    dead = info.path.parent / ".building.host.1.tmp"
    (dead / "snapshot").mkdir(parents=True)
    assert sweep_snapshots(tmp_path) == [dead.name]
    assert list_snapshots(tmp_path) == [info]


def test_other_vocabulary_is_refused(tmp_path: Path) -> None:
    class Others(Words):
        digest = "other letters"

    build(tmp_path, [((26, 1), [article(1, "A > B it.")])])
    for function in (build_snapshot, update_snapshot):
        with pytest.raises(OtherVocabularyError, match=r"file \(26, 1\)"):
            function(tmp_path, Others())
