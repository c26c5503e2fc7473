"""What a snapshot and its update by 1 % cost: CPU time and peak memory, on made-up shards.

Articles have twelve sentences, forty mentions and forty evidence rows, over concepts that are
drawn as names are in the literature (few are common, most are rare). Each corpus doubles the one
before, so that a cost which grows with the corpus shows. Run it with

    python benchmarks/snapshot.py [ARTICLES ...]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.digest import contents
from kg_builder.ledger import Ledger, ShardKey
from kg_builder.mine import ShardTables
from kg_builder.model import PREDICATES
from kg_builder.schema import LEDGER_TABLES
from kg_builder.snapshot import build_snapshot, set_current
from kg_builder.update import update_snapshot
from ontologies.concept import Concept, Name, Vocabulary
from ontologies.select import SELECTED

Array = npt.NDArray[Any]

CONCEPTS = 100_000
ARTICLES_PER_FILE = 10_000
SENTENCES, MENTIONS, EVIDENCE = 12, 40, 40
TEXT = "A sentence of an abstract that is about as long as sentences are there, it seems. "


class MadeUp(Vocabulary):
    """Concepts of ten names each, made when asked for."""

    digest = "made up"

    def __init__(self) -> None:
        pass

    def __getitem__(self, concept_id: str) -> Concept:
        names = tuple(Name(f"{concept_id} {n}", "X", "exact") for n in range(10))
        return Concept(concept_id, names[0].text, names, ("T047",), (), (concept_id,))

    def select(self, ids: pa.Array) -> pa.Table:
        rows = (asdict(self[concept_id]) for concept_id in ids.to_pylist())
        return pa.Table.from_pylist(list(rows), SELECTED)


def made_up_shard(pmids: Sequence[int], rng: np.random.Generator) -> ShardTables:
    """One file's tables with articles of these PMIDs."""
    count = len(pmids)
    common = np.minimum(rng.zipf(1.2, (count, MENTIONS)), CONCEPTS) - 1
    words = pa.array([f"UMLS:C{n:07d}" for n in range(CONCEPTS)])
    mentions = _table(
        "mentions",
        _owner(count, MENTIONS),
        *_spans(count, MENTIONS),
        _words(common.ravel(), words),
        np.full(count * MENTIONS, 9000),
    )
    evidence = _evidence(common, words, rng)
    articles = _articles(pmids, rng)
    hashed = contents(articles, mentions, evidence)
    place = articles.schema.get_field_index("content_hash")
    column = pa.array(hashed.hashes, pa.binary(32))
    return ShardTables(
        articles.set_column(place, articles.schema.field(place), column),
        _table("sentences", _owner(count, SENTENCES), *_spans(count, SENTENCES)),
        mentions,
        evidence.take(hashed.order),
        LEDGER_TABLES["deletions"].empty_table(),
        LEDGER_TABLES["failures"].empty_table(),
    )


def _articles(pmids: Sequence[int], rng: np.random.Generator) -> pa.Table:
    rows = []
    for pmid in pmids:
        row: dict[str, Any] = dict.fromkeys(LEDGER_TABLES["articles"].names, "")
        row |= {"pmid": pmid, "version": 1, "title": f"Article {pmid}"}
        row |= {"section_labels": [""], "section_texts": [TEXT * SENTENCES]}
        row |= {"year": int(rng.integers(1990, 2025)), "month": None, "day": None}
        row |= {"published": None, "retracted": False, "content_hash": None}
        row |= {"types": ["Journal Article"], "mesh": ["Humans"], "languages": ["eng"]}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=LEDGER_TABLES["articles"])


def _evidence(common: Array, words: pa.Array, rng: np.random.Generator) -> pa.Table:
    """Neighbours in the list of mentions, related; equal ones are told apart by their spans."""
    count = len(common)
    rows = count * EVIDENCE
    start, end = _spans(count, EVIDENCE)
    return _table(
        "evidence",
        _owner(count, EVIDENCE),
        _words(common.ravel(), words),
        rng.choice(len(PREDICATES), rows, p=_mostly_co_occurrence()),
        _words(np.roll(common, 1, axis=1).ravel(), words),
        *(start, end) * 4,
        rng.random(rows) < 0.05,
        rng.random(rows) < 0.1,
        np.full(rows, 5000),
        pa.array(["made up 1"] * rows).dictionary_encode(),
    )


def _mostly_co_occurrence() -> Array:
    weights = np.ones(len(PREDICATES))
    weights[-1] = 40
    shares: Array = weights / weights.sum()
    return shares


def _owner(count: int, each: int) -> Array:
    return np.repeat(np.arange(count), each)


def _spans(count: int, each: int) -> tuple[Array, Array]:
    start = np.tile(np.arange(each) * 20, count)
    return start, start + 12


def _words(codes: Array, words: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), words)


def _table(name: str, *columns: object) -> pa.Table:
    schema = LEDGER_TABLES[name]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column).cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def add_file(ledger: Ledger, number: int, pmids: Sequence[int], rng: np.random.Generator) -> None:
    """Add one made-up file to the ledger."""
    key = ShardKey(f"file {number}", "made up", "made up 1", MadeUp.digest)
    ledger.commit([ledger.write(key, (26, number), str(number), made_up_shard(pmids, rng))])


def measure(articles: int, graph: Path) -> None:
    """Build one corpus's snapshot, then one after an update, and print what they cost."""
    rng = np.random.default_rng(1)
    ledger = Ledger.open(graph)
    for number in range(articles // ARTICLES_PER_FILE):
        first = 1 + number * ARTICLES_PER_FILE
        add_file(ledger, number, range(first, first + ARTICLES_PER_FILE), rng)
    seconds: dict[str, float] = {}
    last = [time.process_time()]

    def spent(step: str, _done: int, _of: int) -> None:
        now = time.process_time()
        seconds[step] = seconds.get(step, 0.0) + now - last[0]
        last[0] = now

    info = build_snapshot(graph, MadeUp(), progress=spent)
    total = sum(seconds.values())
    steps = ", ".join(f"{step} {value:.1f}" for step, value in seconds.items())
    print(
        f"{articles:,} articles, {info.evidence:,} evidence, {info.edges:,} edges: "
        f"{total:.1f} s CPU ({steps}), {1e6 * total / articles:.0f} us an article, {_peak()}"
    )
    set_current(graph, info.digest)
    half = articles // 200
    revised = range(1, articles, articles // half)[:half]
    add_file(ledger, 9999, [*revised, *range(articles + 1, articles + half + 1)], rng)
    start = time.process_time()
    update_snapshot(graph, MadeUp())
    spent_on_update = time.process_time() - start
    print(f"  1 % revised or added: {spent_on_update:.1f} s CPU, {_peak()}")


def _peak() -> str:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"peak memory {kilobytes / 1024:,.0f} MB"


def main() -> None:
    """Measure corpora of the sizes given."""
    for size in map(int, sys.argv[1:] or ["10000", "20000", "40000", "100000"]):
        with tempfile.TemporaryDirectory() as graph:
            measure(size, Path(graph))


if __name__ == "__main__":
    main()
