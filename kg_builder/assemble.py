"""From parts to the files of a snapshot: write parts, merge buckets, put buckets together.

The steps are functions of files in a working folder, so that a bucket can be merged anywhere
that sees the folder: `write_parts` once a shard, `merge_articles` and `merge_edges` once
a bucket, then `assemble`. Which step ran where leaves no trace in the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.aggregate import aggregate, incidence
from kg_builder.concepts_table import concept_table
from kg_builder.digest import Pairs
from kg_builder.durable import room_for
from kg_builder.gather import (
    PART_SCHEMAS,
    Part,
    Plan,
    by_article,
    split_articles,
    split_evidence,
)
from kg_builder.schema import (
    ARTICLE_ROWS,
    FIXED_ROWS,
    SNAPSHOT_OCCURRENCE,
    SNAPSHOT_TABLES,
)
from ontologies.concept import Vocabulary

Array = npt.NDArray[Any]

_BY_ARTICLE = ("articles", "sentences", "mentions")


def write_parts(folder: Path, part_name: str, part: Part, plan: Plan) -> None:
    """Write the rows of a shard, bucket by bucket; `part_name` is unique to the shard."""
    for name in _BY_ARTICLE:
        for bucket, rows in split_articles(getattr(part, name)):
            write_table(folder / f"{name}-{bucket}.{part_name}.part", rows)
    for bucket, rows in split_evidence(part.evidence, plan):
        write_table(folder / f"evidence-{bucket}.{part_name}.part", rows)


def merge_articles(folder: Path, bucket: int) -> None:
    """Merge the parts of one bucket of articles: their rows, sentences, mentions, occurrences."""
    for name in _BY_ARTICLE:
        merged = by_article(_joined(folder, f"{name}-{bucket}.*.part"))
        write_table(folder / f"{name}-{bucket}.bucket", merged)
        if name == "mentions":
            pairs = Pairs(np.asarray(merged["article"]), np.asarray(merged["concept"]))
            found = pa.table([pairs.minor, pairs.major], SNAPSHOT_OCCURRENCE.names)
            write_table(folder / f"occurrence-{bucket}.bucket", found.cast(SNAPSHOT_OCCURRENCE))


def merge_edges(folder: Path, bucket: int, plan: Plan) -> None:
    """Aggregate the parts of one bucket of edges."""
    evidence = by_article(_joined(folder, f"evidence-{bucket}.*.part"))
    merged = aggregate(evidence, plan.years, plan.retracted)
    write_table(folder / f"evidence-{bucket}.bucket", merged.evidence)
    write_table(folder / f"edges-{bucket}.bucket", merged.edges)


def assemble(folder: Path, out: Path, plan: Plan, vocabulary: Vocabulary) -> None:
    """Put merged buckets together as the tables of a snapshot in `out`; drops the buckets."""
    articles = range(plan.article_buckets)
    for name in _BY_ARTICLE:
        columns = SNAPSHOT_TABLES[name].names
        write_snapshot_table(
            out, name, (t.select(columns) for t in _buckets(folder, name, articles))
        )
    occurrence = _occurrence(list(_buckets(folder, "occurrence", articles)))
    write_snapshot_table(out, "occurrence", [occurrence])
    write_snapshot_table(
        out, "concepts", [concept_table(plan.concepts, vocabulary, occurrence, plan.retracted)]
    )
    edges = _numbered_edges(folder, plan)
    write_snapshot_table(out, "edges", [edges])
    write_snapshot_table(out, "incidence", [incidence(edges)])
    write_snapshot_table(out, "evidence", _numbered_evidence(folder, plan))


def _buckets(folder: Path, name: str, numbers: Iterable[int]) -> Iterator[pa.Table]:
    return (read_table(folder / f"{name}-{number}.bucket") for number in numbers)


def _joined(folder: Path, pattern: str) -> pa.Table:
    """All tables of the pattern as one; parts keep no trace of how many they were."""
    paths = sorted(folder.glob(pattern))
    name = pattern.partition("-")[0]
    empty = PART_SCHEMAS[name].empty_table()
    return pa.concat_tables([empty, *map(read_table, paths)]).combine_chunks()


def _occurrence(buckets: Iterable[pa.Table]) -> pa.Table:
    """Pairs in the order of articles, put in the order of concepts."""
    table = pa.concat_tables([SNAPSHOT_OCCURRENCE.empty_table(), *buckets]).combine_chunks()
    return table.take(pa.array(np.argsort(np.asarray(table["concept"]), kind="stable")))


def _numbered_edges(folder: Path, plan: Plan) -> pa.Table:
    """The edges of all buckets, their evidence counted through."""
    schema = SNAPSHOT_TABLES["edges"]
    buckets = _buckets(folder, "edges", range(plan.edge_buckets))
    edges = pa.concat_tables([schema.empty_table(), *buckets]).combine_chunks()
    sizes = np.asarray(edges["evidence_count"]).astype(np.int64)
    place = schema.get_field_index("evidence_start")
    return edges.set_column(place, schema.field(place), pa.array(np.cumsum(sizes) - sizes))


def _numbered_evidence(folder: Path, plan: Plan) -> Iterator[pa.Table]:
    """The evidence of all buckets, its edges counted through."""
    edges = 0
    for table in _buckets(folder, "evidence", range(plan.edge_buckets)):
        edge = np.asarray(table["edge"]) + np.int32(edges)
        yield evidence_table(edge, table.columns[1:], plan.extractors)
        edges = int(edge[-1]) + 1 if len(edge) else edges


def evidence_table(edge: Array, columns: list[Any], extractors: Sequence[str]) -> pa.Table:
    """The snapshot's evidence; the last of `columns` holds codes of `extractors`."""
    codes = pa.array(np.asarray(columns[-1]), pa.int32())
    signed = pa.DictionaryArray.from_arrays(codes, pa.array(extractors, pa.string()))
    arrays = [pa.array(edge, pa.int32()), *columns[:-1], signed]
    return pa.Table.from_arrays(arrays, schema=SNAPSHOT_TABLES["evidence"])


def write_snapshot_table(out: Path, name: str, tables: Iterable[pa.Table]) -> None:
    """Write `tables`, one after the other, as the snapshot's file `name`, in canonical batches."""
    schema = SNAPSHOT_TABLES[name]
    size = ARTICLE_ROWS if name in {"articles", "concepts"} else FIXED_ROWS
    path = out / f"{name}.arrow"
    with room_for(path), path.open("wb") as stream, pa.ipc.new_file(stream, schema) as writer:
        for table in _of_rows(tables, schema, size):
            writer.write_table(table, max_chunksize=size)


def _of_rows(tables: Iterable[pa.Table], schema: pa.Schema, size: int) -> Iterator[pa.Table]:
    """The same rows in tables of one chunk and `size` rows, but for the last."""
    held = schema.empty_table()
    for table in tables:
        held = pa.concat_tables([held, table]) if held.num_rows else table
        while held.num_rows >= size:
            yield held.slice(0, size).combine_chunks()
            held = held.slice(size)
    if held.num_rows:
        yield held.combine_chunks()


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table of the working folder as an uncompressed Arrow file."""
    schema = table.schema
    with room_for(path), path.open("wb") as stream, pa.ipc.new_file(stream, schema) as writer:
        writer.write_table(table)


def read_table(path: Path) -> pa.Table:
    """Map a table of the working folder into memory."""
    return pa.ipc.open_file(pa.memory_map(str(path), "r")).read_all()
