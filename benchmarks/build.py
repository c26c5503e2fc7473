"""Speed of a build, from PubMed XML to the opened snapshot, by stage and as the corpus grows.

    python benchmarks/build.py --data FOLDER --vocabulary DIR [--citations 100000] [--workers 1]

Figures are citations with abstract per second of wall time and worker, Ray's start excluded, and
per second of CPU time of driver and workers together, which other processes disturb less. One
worker is the driver itself, without Ray. First comes the CPU time of each stage, from one file in
one process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from corpus import articles_with_abstract, write_corpus
from stages import profile, tell

from kg_builder.store import open_store
from ontologies.concept import Vocabulary
from ontologies.linker import open_linker
from ray_jobs.build import build, recipe_of
from ray_jobs.build_figures import summary


def main() -> None:
    """Build graphs of growing size and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MEDWEAVE_DATA", ".")))
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--citations", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    vocabulary = Vocabulary.load(given.vocabulary)
    articles = articles_with_abstract(given.data / "pubmed")
    folder = Path(tempfile.mkdtemp(prefix="medweave-bench-"))
    try:
        linker = open_linker("lexicon", vocabulary)
        files = write_corpus(articles, linker, vocabulary, given.citations, folder / "in")
        print(f"{given.citations:,} citations in {len(files)} files, {given.workers} workers")
        tell(*profile(files[:1], recipe_of(given.vocabulary, "lexicon")))
        for share in (0.25, 0.5, 1.0):
            some = files[: max(1, round(share * len(files)))]
            measure(some, folder / f"graph-{share}", given.vocabulary, given.workers)
    finally:
        shutil.rmtree(folder)


def measure(files: list[Path], graph: Path, vocabulary: str, workers: int) -> None:
    """Build one graph and print its rate and stages."""
    started = time.process_time()
    built = build([str(path) for path in files], str(graph), vocabulary=vocabulary, count=workers)
    figures = summary(built)
    cpu = time.process_time() - started
    if figures["processes"] > 1:
        cpu += figures["mining_cpu_seconds"]
    stages = figures["seconds"]
    seconds = stages["mining"] + stages["snapshot"] + stages["embedded database"]
    store = open_store(str(graph))
    edges = store.stats().edges
    store.close()
    count = figures["abstracts_mined"]
    print(
        f"{count:>9,} abstracts  {count / seconds / workers:7.0f} a second and worker  "
        f"(mining {count / stages['mining'] / workers:.0f}, "
        f"mining by CPU time {count / figures['mining_cpu_seconds']:.0f}; "
        f"{count / cpu:.0f} a second of CPU time in all)  "
        f"{edges:,} edges, {figures['evidence']:,} evidence, {stages}, "
        f"peak {figures['peak_memory_mb']} MB a process"
    )


if __name__ == "__main__":
    main()
