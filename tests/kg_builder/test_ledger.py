"""Shards are named by content, complete or not there, and counted by the manifest."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from kg_builder.durable import DiskFullError
from kg_builder.ledger import (
    Ledger,
    LedgerVersionError,
    ShardDamagedError,
    ShardKey,
    file_sha256,
)
from kg_builder.mine import ShardTables, mine
from kg_builder.model import Deletion, Failure
from kg_builder.schema import LEDGER_TABLES
from kg_builder.snapshot import build_snapshot
from tests.kg_builder.shard_world import WordExtractor, WordLinker, Words, add_file, article
from tests.processes import python

KEY = ShardKey("0" * 64, "words 1", "signs 1", "letters")


def some_tables(count: int = 3) -> ShardTables:
    records = [
        *(article(n, "A > B it. C and x it.") for n in range(count)),
        Deletion(99),
        Failure("f:1", 98, "no-pmid", "expected a PMID"),
    ]
    return mine(records, WordLinker(), WordExtractor())


@pytest.fixture(params=["local", "objects"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """A ledger on a local disk, and on a file system that is not known to rename."""
    if request.param == "local":
        return Ledger.open(tmp_path)
    return Ledger(pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), "bucket/ledger")


def test_what_is_written_is_read(ledger: Ledger) -> None:
    tables = some_tables()
    entry = ledger.write(KEY, (26, 1), "pubmed26n0001.xml.gz", tables)
    for name, table in tables.by_name().items():
        assert ledger.read(entry, name).to_pylist() == table.to_pylist()
        assert ledger.read(entry, name).schema == LEDGER_TABLES[name]
    assert ledger.read(entry, "mentions", ["concept"]).column_names == ["concept"]
    counts = (entry.articles, entry.sentences, entry.mentions, entry.linked, entry.evidence)
    assert counts == (3, 9, 12, 9, 3)
    assert (entry.deletions, entry.failures) == (1, {"no-pmid": 1})


def test_complete_shard_is_found_at_the_place_of_the_file_now(ledger: Ledger) -> None:
    assert ledger.find(KEY, (26, 1), "a") is None
    written = ledger.write(KEY, (26, 1), "a", some_tables())
    assert ledger.find(KEY, (26, 1), "a") == written
    assert ledger.find(KEY, (26, 5), "b") == replace(written, order=(26, 5), file="b")
    assert ledger.find(replace(KEY, linker="words 2"), (26, 1), "a") is None


def test_shard_counts_once_the_manifest_names_it(ledger: Ledger) -> None:
    assert ledger.entries() == ()
    second = ledger.write(KEY, (26, 2), "b", some_tables())
    assert ledger.entries() == ()
    first = ledger.write(replace(KEY, source="1" * 64), (26, 1), "a", some_tables(1))
    assert ledger.commit([second]) == (second,)
    assert ledger.commit([first]) == ledger.entries() == (first, second)


def test_same_bytes_are_one_shard_at_the_later_place(ledger: Ledger) -> None:
    one = ledger.write(KEY, (26, 1), "a", some_tables())
    for given in ([(26, 3), (26, 1)], [(26, 1), (26, 3)]):
        for order in given:
            ledger.commit([replace(one, order=order)])
        assert ledger.entries() == (replace(one, order=(26, 3)),)


def test_newly_mined_file_replaces_what_other_versions_mined(ledger: Ledger) -> None:
    old = ledger.write(KEY, (26, 1), "a", some_tables())
    new = ledger.write(replace(KEY, extractor="signs 2"), (26, 1), "a", some_tables())
    ledger.commit([old])
    assert ledger.commit([new]) == (new,)


def test_key_keeps_its_parts_apart() -> None:
    parts = ("source", "linker", "extractor", "vocabulary")
    names = {KEY.name, *(replace(KEY, **{part: "other"}).name for part in parts)}
    names.add(ShardKey("a", "bc", "d", "e").name)
    names.add(ShardKey("ab", "c", "d", "e").name)
    assert len(names) == 7


def test_source_is_the_hash_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_sha256(tmp_path / "f").startswith("ba7816bf8f01cfea")


def test_address_of_a_local_folder_is_that_folder(tmp_path: Path) -> None:
    entry = Ledger.open(tmp_path.as_uri()).write(KEY, (26, 1), "a", some_tables())
    assert Ledger.open(tmp_path).find(KEY, (26, 1), "a") == entry


def test_snapshot_of_a_ledger_of_objects_is_that_of_a_local_one(tmp_path: Path) -> None:
    local = Ledger.open(tmp_path / "graph")
    objects = Ledger(pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem()), "b/ledger")
    for ledger in (local, objects):
        ledger.commit([ledger.write(KEY, (26, 1), "a", some_tables())])
    one = build_snapshot(tmp_path / "graph", Words())
    other = build_snapshot(tmp_path / "other", Words(), ledger=objects)
    assert one.digest == other.digest


def test_other_versions_of_the_layout_are_named(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    ledger.commit([])
    manifest = tmp_path / "ledger" / "manifest.json"
    manifest.write_text(json.dumps({"version": 0, "shards": []}))
    with pytest.raises(LedgerVersionError, match="version 0"):
        ledger.entries()


def test_damaged_shard_is_named_with_its_file(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    entry = ledger.write(KEY, (26, 1), "pubmed26n0001.xml", some_tables())
    (tmp_path / "ledger" / entry.name / "mentions.parquet").write_bytes(b"nothing")
    with pytest.raises(ShardDamagedError, match=r"pubmed26n0001\.xml"):
        ledger.read(entry, "mentions")


KILLED = """
    import os, sys
    from pathlib import Path
    import kg_builder.ledger as module
    from tests.kg_builder.shard_world import add_file, article
    step, graph = int(sys.argv[1]), Path(sys.argv[2])
    seen = 0
    def traced(frame, event, arg):
        global seen
        if frame.f_code.co_filename.endswith(("ledger.py", "durable.py")) and event == "line":
            seen += 1
            if seen == step:
                os.kill(os.getpid(), 9)
        return traced
    records = [article(n, "A > B it.") for n in range(3)]
    from kg_builder.mine import mine
    sys.settrace(traced)
    add_file(graph, records, order=(26, 1))
    sys.settrace(None)
    print(seen)
"""


def test_killed_writer_leaves_a_whole_shard_or_none(tmp_path: Path) -> None:
    def run(step: int, graph: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(step), str(graph)],
            capture_output=True,
            text=True,
            check=False,
        )

    whole = run(-1, tmp_path / "whole")
    steps = int(whole.stdout)
    expected = build_snapshot(tmp_path / "whole", Words()).digest
    for number, step in enumerate(range(7, steps, max(1, steps // 4))):
        graph = tmp_path / str(number)
        assert run(step, graph).returncode == -signal.SIGKILL
        ledger = Ledger.open(graph)
        for entry in ledger.entries():
            assert all(ledger.read(entry, name).num_rows >= 0 for name in LEDGER_TABLES)
        ledger.sweep()
        add_file(graph, [article(n, "A > B it.") for n in range(3)], order=(26, 1))
        assert build_snapshot(graph, Words()).digest == expected
        assert not list((graph / "ledger").glob(".*"))


FULL = """
    import resource, signal, sys
    from pathlib import Path
    from kg_builder.durable import DiskFullError
    from kg_builder.snapshot import build_snapshot
    from tests.kg_builder.shard_world import Words, add_file, article
    what, limit, graph = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    def room(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    records = [article(n, f"A > B it. {n:04d} C ! D it.") for n in range(400)]
    try:
        if what == "ledger":
            room(limit)
        add_file(graph, records, order=(26, 1))
        room(limit)
        build_snapshot(graph, Words())
    except DiskFullError as error:
        print(error)
"""


@pytest.mark.parametrize(("what", "limit"), [("ledger", 2000), ("snapshot", 30000)])
def test_full_disk_is_told_and_leaves_nothing_half_done(
    tmp_path: Path, what: str, limit: int
) -> None:
    said = python(textwrap.dedent(FULL), what, limit, tmp_path)
    assert "no room to write" in said
    assert "run the same command again" in said
    ledger = Ledger.open(tmp_path)
    assert len(ledger.entries()) == (what == "snapshot")
    left = {path.name for path in tmp_path.rglob("*") if path.is_dir()}
    assert left <= {"ledger", "snapshots", *(entry.name for entry in ledger.entries())}


def test_disk_full_error_is_an_os_error_with_its_number() -> None:
    error = DiskFullError(errno.ENOSPC, "no room")
    assert isinstance(error, OSError)
    assert error.errno == errno.ENOSPC
