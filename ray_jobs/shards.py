"""Work in shards: done in this process, or spread over Ray's workers.

A shard holds some of a job's records; the file of its result is named by all that went into it, so
that an interrupted job goes on where it was and never takes an old result for a new one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.progress import Progress

from kg_builder.durable import replace_text
from ray_jobs.cluster import ALONE, Workers, workers

if TYPE_CHECKING:
    import ray

AHEAD = 2
"""Items under way for each worker: what waits beyond them takes no memory of the cluster."""
MAX_RETRIES = 5
"""How often an item is given to another worker after its own, or its node, died."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Record = TypeVar("Record")


# -- spreading --------------------------------------------------------------------------------


def spread(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    crew: Workers,
    lost: Callable[[Item, Exception], None] | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Each item with what `work` makes of it: in order in this process, as they come from Ray.

    For Ray, `work` and items have to be picklable, and items are taken from `items` only as
    workers come free. What `work` raises is raised here. `lost` is told of an item that killed its
    worker again and again, and the others go on; without it that is raised too. In this process
    such an item ends the process.
    """
    if crew.alone:
        for item in items:
            yield item, work(item)
    else:
        yield from _spread_on_ray(work, items, crew, lost)


def spread_over(
    count: int, work: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[tuple[Item, Result]]:
    """`spread` over at most `count` workers, connected for these items alone.

    One worker is this process, on a cluster too, and one item needs no other.
    """
    needed = min(count, len(items))
    if needed <= 1:
        yield from spread(work, items, ALONE)
        return
    with workers(needed) as crew:
        yield from spread(work, items, crew)


def _spread_on_ray(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    crew: Workers,
    lost: Callable[[Item, Exception], None] | None,
) -> Iterator[tuple[Item, Result]]:
    import ray

    task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_apply)
    shared, waiting = ray.put(work), iter(items)
    running: dict[ray.ObjectRef[Result], Item] = {}
    while True:
        for item in islice(waiting, max(AHEAD * crew.count - len(running), 0)):
            running[task.remote(shared, item)] = item
        if not running:
            return
        ready, _ = ray.wait(list(running))
        for reference in ready:
            item = running.pop(reference)
            try:
                result: Result = ray.get(reference)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as died:
                if lost is None:
                    raise
                lost(item, died)
                continue
            except ray.exceptions.RayTaskError as failed:
                raise failed.cause from failed
            yield item, result


def _apply(work: Callable[[Item], Result], item: Item) -> Result:
    return work(item)


# -- results that outlive an interruption -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shard(Generic[Record]):
    """Some records that are worked on at one time, and the name of the file of their result."""

    name: str
    records: tuple[Record, ...]


def cut_shards(
    records: Iterable[Record], size: int, version: str, text_of: Callable[[Record], str]
) -> Iterator[Shard[Record]]:
    """Shards of `size` records, in order; the last may be smaller.

    `version` names all besides the records that a result depends on, `text_of` a record's content.
    """
    waiting = iter(records)
    while part := tuple(islice(waiting, size)):
        content = version + "".join(map(text_of, part))
        yield Shard(f"{hashlib.sha256(content.encode()).hexdigest()}.jsonl", part)


class Parts(Generic[Record]):
    """The results of a job's shards, in a hidden folder beside `out` until they are joined."""

    def __init__(self, out: Path, shards: Iterable[Shard[Record]]) -> None:
        self.shards = tuple(shards)
        self.folder = out.with_name(f".{out.name}.parts")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lacking = tuple(shard for shard in self.shards if not self._path(shard).exists())

    @property
    def total(self) -> int:
        """How many records there are."""
        return sum(len(shard.records) for shard in self.shards)

    @property
    def reused(self) -> int:
        """How many records had their result when this was opened."""
        return self.total - sum(len(shard.records) for shard in self.lacking)

    def make(
        self,
        work: Callable[[Shard[Record]], str],
        count: int,
        progress: Progress | None,
        description: str,
    ) -> None:
        """Make the results that are lacking with `count` workers; each is kept once it is there."""
        shown = progress or Progress(disable=True)
        bar = shown.add_task(description, total=self.total, completed=self.reused)
        for shard, text in spread_over(count, work, self.lacking):
            replace_text(self._path(shard), text)
            shown.advance(bar, len(shard.records))

    def lines(self) -> Iterator[str]:
        """The lines of all results, in the order of the records, each with its end."""
        for shard in self.shards:
            with self._path(shard).open(encoding="utf-8", newline="\n") as lines:
                yield from lines

    def remove(self) -> None:
        """Remove the folder; what was joined stays."""
        shutil.rmtree(self.folder)

    def _path(self, shard: Shard[Record]) -> Path:
        return self.folder / shard.name
