"""Whether a build that is killed, wherever it stands, ends in the same graph.

    python benchmarks/kills.py --data FOLDER [--vocabulary DIR] [--kills 10] [--workers 2]

First the graph of all PubMed files of the data is built without interruption: with one worker,
and with the given number and the files in reverse. Then, for each kill, a build of a graph of its
own gets `kill -9` with all its processes, and the same command is run again to its end. The moments
are drawn from equal parts of the way, one from each: how many files are mined, and in the last
fifth of it the time after the last. A busy machine does not move them. What each kill left is told;
the status is 1 where a digest differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

NOT_STARTED = "Ray did not start"
"""What a busy machine can make of any build; the message says to run the same command again."""

MINING = 0.8
"""The share of the way that is mining; the rest is the snapshot and its database."""

SECONDS_AFTER = 3.0
"""About how long these take for the files of the data."""


class Builds:
    """Builds of the same files by the command line, as a user runs it."""

    def __init__(self, files: list[Path], vocabulary: str | None) -> None:
        self.files = files
        self._vocabulary = ["--vocabulary", vocabulary] if vocabulary else []

    def command(self, graph: Path, workers: int, *, backwards: bool = False) -> list[str]:
        """The command line of a build."""
        files = self.files[::-1] if backwards else self.files
        script = str(Path(sys.executable).parent / "kg_build")
        inputs = [str(path) for path in files]
        given = ["--graph", str(graph), "--json", "--workers", str(workers), *self._vocabulary]
        return [script, *inputs, *given]

    def run(self, graph: Path, workers: int, *, backwards: bool = False) -> str:
        """Build to the end; return the digest."""
        command = self.command(graph, workers, backwards=backwards)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        while NOT_STARTED in done.stderr:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:3])} ... ended with {done.stderr[-2000:]}")
        return str(json.loads(done.stdout)["digest"])

    def kill(self, graph: Path, workers: int, share: float) -> bool:
        """Start a build and kill it so far on its way (0 to 1); whether it was still running."""
        process = subprocess.Popen(
            self.command(graph, workers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        mined = min(1.0, share / MINING) * len(self.files)
        while process.poll() is None and shards_of(graph) < mined:
            time.sleep(0.02)
        time.sleep(max(0.0, share - MINING) / (1 - MINING) * SECONDS_AFTER)
        running = process.poll() is None
        with contextlib.suppress(ProcessLookupError):  # it has ended, and its workers with it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return running


def shards_of(graph: Path) -> int:
    """How many files are mined and kept."""
    return sum(1 for _ in graph.glob("ledger/*/SHARD.json"))


def left_by(graph: Path) -> str:
    """How far a build had come, in words."""
    if (graph / "CURRENT").is_file():
        return "finished"
    told = f"{shards_of(graph)} shards complete"
    if not (graph / "ledger" / "manifest.json").is_file():
        return told
    if any(graph.glob("snapshots/*/BUILD.json")):
        return f"{told}, snapshot complete, database not loaded"
    return f"{told}, all mined, in the snapshot"


def main() -> int:
    """Build, kill, resume and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MEDWEAVE_DATA", ".")))
    parser.add_argument("--vocabulary", help="A folder; the starter vocabulary unless given.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pubmed = given.data / "pubmed"
    builds = Builds([p for p in sorted(pubmed.rglob("*")) if p.is_file()], given.vocabulary)
    folder = Path(tempfile.mkdtemp(prefix="medweave-kills-"))
    dice, digests = random.Random(given.seed), Counter[str]()
    try:
        digests[builds.run(folder / "one", 1)] += 1
        digests[builds.run(folder / "backwards", given.workers, backwards=True)] += 1
        print(f"{len(builds.files)} files: {dict(digests)}", flush=True)
        for part in range(given.kills):
            graph = folder / f"killed-{part}"
            share = (part + dice.random()) / given.kills
            running = builds.kill(graph, given.workers, share)
            left = left_by(graph)
            digest = builds.run(graph, given.workers)
            digests[digest] += 1
            told = "killed" if running else "over before it was killed"
            print(f"  {share:4.0%} of the way: {told} with {left}; then {digest[:16]}", flush=True)
            shutil.rmtree(graph)
    finally:
        shutil.rmtree(folder)
    print("all the same" if len(digests) == 1 else f"DIGESTS DIFFER: {dict(digests)}")
    return int(len(digests) > 1)


if __name__ == "__main__":
    sys.exit(main())
