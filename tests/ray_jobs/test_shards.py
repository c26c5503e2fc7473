"""Shards: each item once, results that outlive an interruption, and no worker without work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import ray_jobs.shards as shards_of_work
from ray_jobs.cluster import ALONE, workers
from ray_jobs.shards import Parts, Shard, cut_shards, spread, spread_over

LINES = ["a\n", "b\u2028c\n", "d\n", "e\n", "f\n"]


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def upper(shard: Shard[str]) -> str:
    return "".join(shard.records).upper()


def shards(size: int = 2, version: str = "1") -> Iterator[Shard[str]]:
    return cut_shards(LINES, size, version, str)


def test_shards_are_in_order_and_named_by_all_that_goes_in() -> None:
    cut = list(shards())
    assert [line for shard in cut for line in shard.records] == LINES
    assert [len(shard.records) for shard in cut] == [2, 2, 1]
    names = {shard.name for shard in (*cut, *shards(version="2"), *shards(size=5))}
    assert len(names) == 3 + 3 + 1
    assert cut == list(shards())


def test_what_is_complete_is_not_made_again(tmp_path: Path) -> None:
    out, asked = tmp_path / "out.jsonl", []

    def stumbling(shard: Shard[str]) -> str:
        asked.append(shard.records[0])
        if len(asked) == 2:
            raise KeyboardInterrupt
        return upper(shard)

    with pytest.raises(KeyboardInterrupt):
        Parts(out, shards()).make(stumbling, 1, None, "lines")
    again = Parts(out, shards())
    assert (again.total, again.reused) == (5, 2)
    again.make(stumbling, 1, None, "lines")
    assert asked == ["a\n", "d\n", "d\n", "f\n"]
    assert list(again.lines()) == [line.upper() for line in LINES]
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_another_version_reuses_nothing(tmp_path: Path) -> None:
    Parts(tmp_path / "out", shards()).make(upper, 1, None, "lines")
    assert Parts(tmp_path / "out", shards(version="2")).reused == 0


def test_one_worker_or_one_item_is_this_process() -> None:
    def process(_item: int) -> int:
        return os.getpid()

    assert list(spread_over(1, process, [1, 2])) == [(1, os.getpid()), (2, os.getpid())]
    assert list(spread_over(8, process, [1])) == [(1, os.getpid())]
    assert list(spread_over(8, process, [])) == []
    with workers(1) as crew:
        assert crew is ALONE


@pytest.mark.accept
def test_workers_of_ray_do_every_item_and_the_lost_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Items are taken as workers come free; what a worker raises is raised as it is."""
    monkeypatch.setattr(shards_of_work, "MAX_RETRIES", 1)

    def work(item: int) -> tuple[int, int]:
        if item == 3:
            os._exit(1)
        if item == 99:
            raise LookupError("no ninety-nine")
        return item * item, os.getpid()

    with workers(2) as crew:
        lost: list[int] = []
        done = dict(spread(work, iter(range(8)), crew, lambda item, _error: lost.append(item)))
        assert lost == [3]
        assert {item: square for item, (square, _) in done.items()} == {
            item: item * item for item in range(8) if item != 3
        }
        assert os.getpid() not in {process for _, process in done.values()}
        with pytest.raises(LookupError, match="no ninety-nine"):
            list(spread(work, [1, 99], crew))
