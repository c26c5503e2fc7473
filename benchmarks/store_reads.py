"""Reads of the embedded store on a made-up graph with a hub, and its bulk load.

    python benchmarks/store_reads.py --edges 1000000 --out build/store_reads

makes the snapshot where it is not there yet, then prints medians of CPU time.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.ladybug_store import LadybugStore, load_ladybug
from kg_builder.name_index import save_name_index
from kg_builder.schema import SNAPSHOT_VERSION
from kg_builder.snapshot_tables import SCHEMAS

Array = npt.NDArray[Any]
HUB_EDGES = 100_000
CUT = date(2005, 6, 30)


def write(path: Path, name: str, columns: dict[str, Any]) -> None:
    table = pa.table(columns).select(SCHEMAS[name].names).cast(SCHEMAS[name])
    with pa.ipc.new_file(str(path / f"{name}.arrow"), table.schema) as writer:
        writer.write_table(table.combine_chunks())


def pairs(edges: int, concepts: int, rng: np.random.Generator) -> Array:
    """Distinct (subject, predicate, object), degrees falling as a power law, one hub (row 0)."""
    weight = 1.0 / np.arange(1, concepts + 1) ** 0.6
    ends = rng.choice(concepts, (int(edges * 1.3), 2), p=weight / weight.sum())
    hub = np.stack((np.zeros(HUB_EDGES, np.int64), np.arange(1, HUB_EDGES + 1) % concepts), 1)
    ends = np.concatenate((hub, ends))
    ends = np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1)
    predicate = rng.choice([0, 2, 13], (len(ends), 1), p=[0.1, 0.1, 0.8])
    keys = np.concatenate((ends[:, :1], predicate, ends[:, 1:]), axis=1)
    keys = np.unique(keys, axis=0)
    others = np.flatnonzero(keys[:, 0] != 0)
    spare = max(len(keys) - edges, 0)
    return np.delete(keys, rng.choice(others, min(spare, len(others)), replace=False), axis=0)


def make(path: Path, edges: int) -> None:
    """Write the tables of a snapshot of so many edges."""
    rng = np.random.default_rng(7)
    concepts, articles = max(edges // 5, HUB_EDGES + 1), max(edges // 3, 1000)
    path.mkdir(parents=True)
    keys = pairs(edges, concepts, rng)
    number = rng.geometric(0.6, len(keys)).astype(np.int64)
    edge = np.repeat(np.arange(len(keys)), number)
    article = rng.integers(0, articles, len(edge))
    order = np.lexsort((article, edge))
    article = article[order]
    year = rng.integers(1975, 2024, articles)
    write_articles(path, year)
    write_concepts(path, concepts)
    starts = np.cumsum(number) - number
    first = np.minimum.reduceat(year[article], starts)
    last = np.maximum.reduceat(year[article], starts)
    new = np.r_[True, (edge[1:] != edge[:-1]) | (article[1:] != article[:-1])]
    supporting = np.bincount(edge[new], minlength=len(keys))
    flat = np.zeros(len(edge), np.int32)
    write(path, "edges", {
        "subject": keys[:, 0], "predicate": keys[:, 1], "object": keys[:, 2],
        "supporting": supporting, "refuting": flat[: len(keys)], "hedged": flat[: len(keys)],
        "first_year": first, "last_year": last,
        "evidence_start": starts, "evidence_count": number,
    })  # fmt: skip
    write(path, "evidence", {
        "edge": edge, "article": article,
        "sentence_start": flat, "sentence_end": flat + 40, "subject_start": flat,
        "subject_end": flat + 8, "object_start": flat + 20, "object_end": flat + 28,
        "cue_start": flat, "cue_end": flat,
        "refutes": flat > 0, "hedged": flat > 0, "score": flat,
        "extractor": pa.array(["made up"]).take(pa.array(flat)),
    })  # fmt: skip
    write_incidence(path, keys, supporting)
    seen = np.unique(
        np.concatenate((
            np.stack((keys[edge, 0], article), 1), np.stack((keys[edge, 2], article), 1)
        )), axis=0
    )  # fmt: skip
    write(path, "occurrence", {"concept": seen[:, 0], "article": seen[:, 1]})
    write(path, "sentences", {"article": np.arange(articles), "start": flat[:articles],
                              "end": flat[:articles] + 40})  # fmt: skip
    mentions = flat[: len(seen)] if len(seen) <= len(flat) else np.zeros(len(seen), np.int32)
    write(path, "mentions", {"article": np.sort(seen[:, 1]), "start": mentions,
                             "end": mentions + 8, "concept": seen[:, 0],
                             "score": mentions})  # fmt: skip
    build = {"snapshot_version": SNAPSHOT_VERSION, "digest": path.name}
    (path / "BUILD.json").write_text(json.dumps(build))


def write_incidence(path: Path, keys: Array, supporting: Array) -> None:
    concept = np.concatenate((keys[:, 0], keys[:, 2]))
    edge = np.tile(np.arange(len(keys)), 2)
    order = np.lexsort((edge, -supporting[edge], concept))
    write(path, "incidence", {"concept": concept[order], "edge": edge[order]})


def write_articles(path: Path, year: Array) -> None:
    size = len(year)
    empty = pa.array([[]] * size, pa.list_(pa.string()))
    days = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 364
    text = ["A sentence of forty characters in all. It goes on."]
    write(path, "articles", {
        "pmid": np.arange(1, size + 1), "version": np.ones(size, np.int32),
        "title": [f"Title {at}" for at in range(size)],
        "section_labels": pa.array([[""]] * size), "section_texts": pa.array([text] * size),
        "year": year, "month": pa.nulls(size, pa.int8()), "day": pa.nulls(size, pa.int8()),
        "published": pa.array(days), "types": empty, "mesh": empty, "languages": empty,
        "retracted": np.arange(size) % 500 == 0, "revised": [""] * size, "journal": [""] * size,
        "doi": [""] * size, "vernacular_title": [""] * size,
        "content_hash": pa.array([bytes(32)] * size, pa.binary(32)),
    })  # fmt: skip


def write_concepts(path: Path, size: int) -> None:
    words = [f"{a}{b}{c}" for a in "bcdfglmnprst" for b in "aeiou" for c in ("lin", "rosis", "mab")]
    draw = random.Random(3)
    names = [
        [" ".join(draw.choices(words, k=2)) + f" {at}" for _ in range(3)] for at in range(size)
    ]
    empty = pa.array([[]] * size, pa.list_(pa.string()))
    write(path, "concepts", {
        "id": [f"UMLS:C{at:07d}" for at in range(size)], "name": [n[0] for n in names],
        "names": pa.array(
            [[{"text": t, "source": "X", "scope": "exact", "notes_only": False} for t in n]
             for n in names], SCHEMAS["concepts"].field("names").type),
        "semantic_types": pa.array([["T047"]] * size), "parents": empty,
        "xrefs": empty, "definition": [""] * size, "articles": np.ones(size, np.int32),
        "content_hash": pa.array([bytes(32)] * size, pa.binary(32)),
    })  # fmt: skip


def median_ms(call: Callable[[], Any], times: int = 9) -> float:
    """Median CPU time of a call in milliseconds, after one call that is not counted."""
    call()
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, required=True, help="folder for the made-up snapshot")
    arguments = parser.parse_args()
    snapshot = arguments.out / f"made-{arguments.edges}"
    if not snapshot.is_dir():
        make(snapshot, arguments.edges)
    start, cpu = time.perf_counter(), time.process_time()
    if loaded := load_ladybug(snapshot):
        wall = time.perf_counter() - start
        print(f"bulk load: {loaded / wall:,.0f} edges/s, {wall:.1f} s of wall time, "
              f"{time.process_time() - cpu:.1f} s of CPU, concepts and check included")  # fmt: skip
    start = time.perf_counter()
    save_name_index(snapshot)
    print(f"name index: {time.perf_counter() - start:.1f} s")
    reads(snapshot)


def reads(snapshot: Path) -> None:
    start = time.process_time()
    store = LadybugStore.open(snapshot)
    hub = ["UMLS:C0000000"]
    store.edges(hub, limit_per_concept=1, as_of=CUT)
    print(f"open and first read of the hub: {(time.process_time() - start) * 1000:.0f} ms")
    some = [f"UMLS:C{at:07d}" for at in random.Random(5).sample(range(HUB_EDGES), 200)]
    key = store.edges(hub, limit_per_concept=1)[0].key
    calls: dict[str, Callable[[], Any]] = {
        "hub, 25 best": lambda: store.edges(hub, limit_per_concept=25),
        "hub, 25 best, as of": lambda: store.edges(hub, limit_per_concept=25, as_of=CUT),
        "hub, all edges": lambda: store.edges(hub),
        "hub, all edges, as of": lambda: store.edges(hub, as_of=CUT),
        "200 concepts, 25 best": lambda: store.edges(some, limit_per_concept=25),
        "200 concepts, 25 best, as of": lambda: store.edges(some, limit_per_concept=25, as_of=CUT),
        "evidence of an edge": lambda: store.evidence(key),
        "article counts of 200, as of": lambda: store.article_counts(some, as_of=CUT),
        "200 concepts": lambda: store.concepts(some),
        "search, exact": lambda: store.search("balin beblin 17"),
        "search, a common word": lambda: store.search("balin"),
        "search, a common prefix": lambda: store.search("b"),
        "stats": store.stats,
        "stats, as of": lambda: store.stats(as_of=CUT),
    }
    print(f"hub: {len(store.edges(hub)):,} edges, {len(store.edges(hub, as_of=CUT)):,} as of {CUT}")
    for name, call in calls.items():
        print(f"{name:32} {median_ms(call):9.2f} ms")
    start = time.perf_counter()
    store.cypher("RETURN 1")
    print(f"cypher, first query: {(time.perf_counter() - start) * 1000:.0f} ms of wall time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory, mapped pages included: {peak:.0f} MB")
    store.close()


if __name__ == "__main__":
    main()
