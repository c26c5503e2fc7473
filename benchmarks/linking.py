"""Linking: abstracts per second of one core, and what a worker costs in memory.

Run `python benchmarks/linking.py VOCABULARY PUBTATOR...`. Time is CPU time of this process, the
median of several rounds over all texts; the first round, which fills the memo of tokens, is apart.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from ontologies import Vocabulary, open_linker
from ontologies.pubtator import read_pubtator


def private_memory_mb() -> float:
    """Memory of this process that no mapped file backs (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status has no RssAnon: run this on Linux 4.5 or later")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("pubtator", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    texts = [a.text for path in options.pubtator for a in read_pubtator(path)]
    vocabulary = Vocabulary.load(options.vocabulary)
    linker = open_linker("lexicon", vocabulary)
    rates, mentions = [], 0
    for _ in range(options.rounds + 1):
        start = time.process_time()
        mentions = sum(map(len, linker.link_many(texts)))
        rates.append(len(texts) / (time.process_time() - start))
    print(f"{len(texts)} texts of {sum(map(len, texts)) / len(texts):.0f} characters")
    print(f"{mentions / len(texts):.1f} mentions a text, {linker.version}")
    median = statistics.median(rates[1:])
    print(f"first round {rates[0]:.0f}/s, then median {median:.0f}/s: {1e6 / median:.0f} µs a text")
    print(f"private memory {private_memory_mb():.0f} MB over {vocabulary.name_count:,} names")


if __name__ == "__main__":
    main()
