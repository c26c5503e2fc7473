"""From the shards of a ledger to parts of a snapshot: numbering, and splitting into buckets.

A snapshot numbers its articles by PMID and its concepts by id. A `survey` of each shard finds
what there is to number, a `Plan` fixes the numbers and the borders of the buckets, and `number`
gives the rows of a shard under those numbers. Buckets are ranges: of articles, and of the
subjects of edges, so that the finished buckets, one after the other, are the table in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.current import CurrentView
from kg_builder.digest import PREDICATE_RANK, SPANS
from kg_builder.ledger import Ledger, ShardEntry
from kg_builder.schema import (
    ARTICLE_ROWS,
    LEDGER_EVIDENCE,
    SNAPSHOT_ARTICLES,
    SNAPSHOT_MENTIONS,
    SNAPSHOT_SENTENCES,
)

Array = npt.NDArray[Any]

NO_YEAR = -1
EDGE_ROWS = 1 << 21
"""Rows of evidence that a bucket of edges aims at: what is sorted in memory at once."""

PART_ARTICLES = SNAPSHOT_ARTICLES.insert(0, pa.field("article", pa.int32()))
PART_EVIDENCE = pa.schema(
    [
        ("subject", pa.int32()),
        ("rank", pa.int8()),  # of the predicate's name
        ("object", pa.int32()),
        ("article", pa.int32()),
        *(LEDGER_EVIDENCE.field(name) for name in (*SPANS, "refutes", "hedged", "score")),
        ("extractor", pa.int32()),
    ]
)

PART_SCHEMAS = {
    "articles": PART_ARTICLES,
    "sentences": SNAPSHOT_SENTENCES,
    "mentions": SNAPSHOT_MENTIONS,
    "evidence": PART_EVIDENCE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What a shard holds in force: concepts mentioned, evidence rows by subject, extractors."""

    concepts: pa.StringArray
    subjects: pa.StringArray
    rows: Array
    extractors: tuple[str, ...]
    years: Array
    retracted: Array


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The numbers of a snapshot. `years` and `retracted` are by article number.

    `subject_borders` are the first subjects of each bucket of edges but the first.
    """

    pmids: Array
    years: Array
    retracted: Array
    concepts: pa.StringArray
    extractors: tuple[str, ...]
    subject_borders: Array

    @property
    def article_buckets(self) -> int:
        """How many parts the articles are written in."""
        return -(-len(self.pmids) // ARTICLE_ROWS)

    @property
    def edge_buckets(self) -> int:
        """How many parts the edges are written in, by their subjects."""
        return len(self.subject_borders) + 1


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of articles in force under the numbers of a plan, ordered by article."""

    articles: pa.Table
    sentences: pa.Table
    mentions: pa.Table
    evidence: pa.Table


def survey(ledger: Ledger, view: CurrentView, place: int) -> Survey:
    """Look through one shard of a view; reads a few columns only."""
    rows, _ = view.of_shard(place)
    entry = view.shards[place]
    inside = np.zeros(entry.articles, bool)
    inside[rows] = True
    mentions = ledger.read(entry, "mentions", ["article", "concept"])
    concepts, _ = _tally(mentions["concept"], inside[np.asarray(mentions["article"])])
    evidence = ledger.read(entry, "evidence", ["article", "subject", "extractor"])
    kept = inside[np.asarray(evidence["article"])]
    subjects, by_subject = _tally(evidence["subject"], kept)
    extractors, _ = _tally(evidence["extractor"], kept)
    facts = ledger.read(entry, "articles", ["year", "retracted"])
    return Survey(
        concepts,
        subjects,
        by_subject,
        tuple(extractors.to_pylist()),
        np.asarray(facts["year"].fill_null(NO_YEAR))[rows],
        np.asarray(facts["retracted"])[rows],
    )


def _tally(column: pa.ChunkedArray, inside: Array) -> tuple[pa.StringArray, Array]:
    """The distinct words of the rows inside, in no order, and how often each occurs."""
    words = whole_dictionary(column)
    codes = np.asarray(words.indices.fill_null(-1))[inside]
    counts = np.bincount(codes[codes >= 0], minlength=len(words.dictionary))
    used = np.flatnonzero(counts)
    return words.dictionary.take(pa.array(used)), counts[used]


def plan(view: CurrentView, surveys: Sequence[Survey | None]) -> Plan:
    """Fix the numbers; `surveys` are by shard, `None` for a shard with nothing in force."""
    years, retracted = np.zeros(len(view), np.int16), np.zeros(len(view), bool)
    for place, found in enumerate(surveys):
        if found is not None:
            _, numbers = view.of_shard(place)
            years[numbers], retracted[numbers] = found.years, found.retracted
    present = [found for found in surveys if found is not None]
    concepts = sorted_words(found.concepts for found in present)
    rows = np.zeros(len(concepts), np.int64)
    for found in present:
        rows[places_in(concepts, found.subjects)] += found.rows
    extractors = tuple(sorted({name for found in present for name in found.extractors}))
    return Plan(view.pmids, years, retracted, concepts, extractors, _borders(rows))


def sorted_words(arrays: Iterable[pa.StringArray]) -> pa.StringArray:
    """The distinct words of all arrays, in code point order."""
    joined = pa.chunked_array([pa.array([], pa.string()), *arrays]).unique()
    return joined.take(pc.array_sort_indices(joined))


def places_in(words: pa.StringArray, wanted: pa.StringArray) -> Array:
    """Where each word wanted stands in `words`; -1 where it does not."""
    places = pc.index_in(wanted, value_set=words).fill_null(-1)
    result: Array = np.asarray(places)
    return result


def _borders(rows_by_subject: Array) -> Array:
    """Subjects at which a new bucket begins, so that each holds about `EDGE_ROWS` rows."""
    bucket = np.cumsum(rows_by_subject) // EDGE_ROWS
    return np.flatnonzero(np.diff(bucket)).astype(np.int64) + 1


def number(ledger: Ledger, entry: ShardEntry, rows: Array, numbers: Array, chosen: Plan) -> Part:
    """The given rows of one shard, as the articles of these numbers, under a plan's codes."""
    lookup = np.full(entry.articles, -1, np.int32)
    lookup[rows] = numbers
    order = np.argsort(numbers, kind="stable")
    articles = ledger.read(entry, "articles").take(pa.array(rows[order]))
    return Part(
        articles.add_column(0, PART_ARTICLES.field(0), pa.array(numbers[order], pa.int32())),
        _renumbered(ledger.read(entry, "sentences"), lookup),
        _mentions(_renumbered(ledger.read(entry, "mentions"), lookup), chosen),
        _evidence(_renumbered(ledger.read(entry, "evidence"), lookup), chosen),
    )


def _renumbered(table: pa.Table, lookup: Array) -> pa.Table:
    """Rows of articles in force, their `article` replaced, in its order."""
    numbers = lookup[np.asarray(table["article"])]
    table = table.set_column(0, table.schema.field(0), pa.array(numbers))
    if len(numbers) and numbers.min() < 0:
        table = table.filter(pa.array(numbers >= 0))
    return by_article(table)


def by_article(table: pa.Table) -> pa.Table:
    """Sort by article, keeping the order within each."""
    numbers = np.asarray(table["article"])
    if (numbers[1:] >= numbers[:-1]).all():
        return table
    return table.take(pa.array(np.argsort(numbers, kind="stable")))


def _mentions(table: pa.Table, chosen: Plan) -> pa.Table:
    linked = table.filter(table["concept"].is_valid())
    codes = _codes(linked["concept"], chosen.concepts)
    return pa.Table.from_arrays(
        [*linked.columns[:3], pa.array(codes, pa.int32()), linked["score"]],
        schema=SNAPSHOT_MENTIONS,
    )


def _evidence(table: pa.Table, chosen: Plan) -> pa.Table:
    columns = {
        "subject": _codes(table["subject"], chosen.concepts),
        "rank": PREDICATE_RANK[np.asarray(table["predicate"])],
        "object": _codes(table["object"], chosen.concepts),
        "extractor": _codes(table["extractor"], pa.array(chosen.extractors, pa.string())),
    }
    arrays = [
        pa.array(columns[f.name], f.type) if f.name in columns else table[f.name]
        for f in PART_EVIDENCE
    ]
    return pa.Table.from_arrays(arrays, schema=PART_EVIDENCE)


def _codes(column: pa.ChunkedArray, words: pa.StringArray) -> Array:
    own = whole_dictionary(column)
    codes: Array = places_in(words, own.dictionary)[np.asarray(own.indices)]
    return codes


def whole_dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of words as one array with one dictionary."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def split_articles(table: pa.Table) -> list[tuple[int, pa.Table]]:
    """A table ordered by article in buckets of articles: (bucket, rows)."""
    return _runs(table, np.asarray(table["article"]) // ARTICLE_ROWS)


def split_evidence(table: pa.Table, chosen: Plan) -> list[tuple[int, pa.Table]]:
    """Evidence in buckets of edges: (bucket, rows), the order of rows kept."""
    bucket = np.searchsorted(chosen.subject_borders, np.asarray(table["subject"]), side="right")
    bucket = bucket.astype(np.uint16)
    if len(chosen.subject_borders):
        order = np.argsort(bucket, kind="stable")
        table, bucket = table.take(pa.array(order)), bucket[order]
    return _runs(table, bucket)


def _runs(table: pa.Table, bucket: Array) -> list[tuple[int, pa.Table]]:
    starts = np.flatnonzero(np.diff(bucket.astype(np.int64), prepend=-1))
    ends = np.append(starts, len(bucket))[1:]
    return [
        (int(bucket[start]), table.slice(start, end - start))
        for start, end in zip(starts, ends, strict=True)
    ]
