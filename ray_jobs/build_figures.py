"""What a build did, counted while it runs and told as figures when it is done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kg_builder.ledger import ShardEntry
from kg_builder.model import Failure
from kg_builder.snapshot import SnapshotInfo
from ray_jobs.mining import InputFile, Mined, peak_memory, process_name


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
