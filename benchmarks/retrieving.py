"""Latency and memory of retrieval over a graph: CPU and wall time of a query, linking included.

    python benchmarks/retrieving.py GRAPH QUESTIONS.xml.gz --as-of 2003-12-31

Asks the titles of a PubMed XML file, every other one as of the cut where one is given.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date
from pathlib import Path

import numpy as np

from retrieval.question_sets import title_questions
from retrieval.retriever import GraphRetriever


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--number", type=int, default=200)
    arguments = parser.parse_args()
    started = time.process_time()
    retriever = GraphRetriever.open(arguments.graph)
    questions = [question.text for question in title_questions(arguments.questions)]
    cuts = (None, arguments.as_of)
    for cut in cuts:
        retriever.retrieve(questions[0], as_of=cut)
    print(f"opening, indexes included where they were not there: {since(started):.0f} ms")
    spent, lasted, linking = [], [], []
    for number, text in enumerate(questions[: arguments.number]):
        view = retriever.view(cuts[number % 2])
        started, clock = time.process_time(), time.perf_counter()
        retriever.retrieve(text, as_of=cuts[number % 2])
        spent.append(since(started))
        lasted.append(1000.0 * (time.perf_counter() - clock))
        started = time.process_time()
        view.seeds(text)
        linking.append(since(started))
    stats = retriever.view().reader.stats()
    print(f"{stats.edges:,} edges, {stats.sentences:,} sentences, {len(spent)} queries")
    for name, values in (("CPU", spent), ("wall", lasted), ("linking alone, CPU", linking)):
        high = np.quantile(values, 0.95)
        print(f"{name}: median {np.median(values):.1f} ms, 95th percentile {high:.1f} ms")
    print(f"resident memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def since(started: float) -> float:
    """Milliseconds of CPU time since then."""
    return 1000.0 * (time.process_time() - started)


if __name__ == "__main__":
    main()
