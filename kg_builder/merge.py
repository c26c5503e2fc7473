"""A snapshot with some articles taken out and others put in, without counting the rest again.

The tables of a snapshot are in order, and taking out articles or giving them other numbers keeps
that order. So the new tables are the old rows that stay, renumbered, with the new rows merged in
between. Only edges that lost or gained evidence are counted again. The result equals, byte for
byte, the snapshot built from all articles anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.aggregate import (
    Counts,
    count_edges,
    edge_keys,
    edge_table,
    incidence,
)
from kg_builder.assemble import evidence_table, write_snapshot_table
from kg_builder.concepts_table import Concepts, concept_table, with_article_counts
from kg_builder.digest import PREDICATE_RANK, SPANS, Pairs
from kg_builder.gather import NO_YEAR, Part, Plan, places_in, sorted_words
from kg_builder.schema import (
    ARTICLE_ROWS,
    FIXED_ROWS,
    SNAPSHOT_CONCEPTS,
    SNAPSHOT_OCCURRENCE,
    SNAPSHOT_TABLES,
)
from kg_builder.snapshot_tables import SnapshotTables

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Renumbering:
    """New numbers of a snapshot's old articles and concepts; -1 for those that go.

    `articles` is ascending where it is not -1, and so is `concepts`.
    """

    plan: Plan
    articles: Array
    concepts: Array


def renumber(
    old: SnapshotTables,
    articles: Array,
    pmids: Array,
    facts: tuple[Array, Array, Array],
    added: Sequence[pa.StringArray],
    extractors: Sequence[str],
) -> Renumbering:
    """Number articles, concepts and extractors that stay or come.

    `articles` gives the new number of each old article, -1 for one that goes; `pmids` are all of
    the new; `facts` are number, year and retraction of those that come, `added` the concepts
    they mention, `extractors` what made their evidence.
    """
    stays = articles >= 0
    years, retracted = np.zeros(len(pmids), np.int16), np.zeros(len(pmids), bool)
    years[articles[stays]] = old.column("articles", "year", NO_YEAR)[stays]
    retracted[articles[stays]] = old.column("articles", "retracted")[stays]
    years[facts[0]], retracted[facts[0]] = facts[1], facts[2]
    occurrence = old.column("occurrence", "concept")[stays[old.column("occurrence", "article")]]
    ids = old.array("concepts", "id")
    left = np.flatnonzero(np.bincount(occurrence, minlength=len(ids)))
    kept_ids = ids.take(pa.array(left))
    concepts = sorted_words([kept_ids, *added])
    mapping = np.full(len(ids), -1, np.int32)
    mapping[left] = places_in(concepts, kept_ids)
    words = sorted({*_extractors_left(old, stays), *extractors})
    nothing = np.zeros(0, np.int64)
    plan = Plan(pmids, years, retracted, concepts, tuple(words), nothing)
    return Renumbering(plan, articles, mapping)


def _extractors_left(old: SnapshotTables, stays: Array) -> list[str]:
    column = old.array("evidence", "extractor")
    codes = np.asarray(column.indices)[stays[old.column("evidence", "article")]]
    used = np.flatnonzero(np.bincount(codes, minlength=len(column.dictionary)))
    words: list[str] = column.dictionary.take(pa.array(used)).to_pylist()
    return words


class Interleaving:
    """Rows of an old table that stay, and new rows, in the order of their keys."""

    def __init__(self, kept: Array, old_keys: Array, new_keys: Array) -> None:
        """`kept` are old rows, `old_keys` theirs, both ascending; so is `new_keys`."""
        count = len(new_keys)
        self._places = np.searchsorted(old_keys, new_keys, side="right") + np.arange(count)
        stays = np.ones(len(kept) + count, bool)
        stays[self._places] = False
        self._rows = np.zeros(len(stays), np.int64)
        self._rows[stays] = kept

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, old: Array, new: Array, start: int = 0, end: int | None = None) -> Array:
        """Rows `start` to `end` of a merged column."""
        rows = self._rows[start:end]
        merged: Array = old.take(rows) if len(old) else np.empty(len(rows), old.dtype)
        first, last = np.searchsorted(self._places, (start, start + len(rows)))
        merged[self._places[first:last] - start] = new[first:last]
        return merged


def write_merged(
    old: SnapshotTables, change: Renumbering, part: Part, vocabulary: Concepts | None, out: Path
) -> None:
    """Write all tables of the new snapshot to `out`; `part` holds the rows that come.

    `vocabulary` may be `None` where no concept comes.
    """
    write_snapshot_table(out, "articles", _articles(old, change, part))
    for name, columns in (("sentences", ()), ("mentions", ("concept",))):
        write_snapshot_table(out, name, _by_article(old, change, part, name, columns))
    occurrence = _occurrence(old, change, part)
    write_snapshot_table(out, "occurrence", [occurrence])
    write_snapshot_table(out, "concepts", [_concepts(old, change, occurrence, vocabulary)])
    _write_edges(old, change, part.evidence, out)


def _articles(old: SnapshotTables, change: Renumbering, part: Part) -> Iterator[pa.Table]:
    """Articles in batches: old and new rows of each batch are put together and sorted."""
    table, columns = old["articles"], SNAPSHOT_TABLES["articles"].names
    kept = np.flatnonzero(change.articles >= 0)
    numbers = change.articles[kept]
    coming = np.asarray(part.articles["article"])
    for start in range(0, len(change.plan.pmids), ARTICLE_ROWS):
        ends = (start, start + ARTICLE_ROWS)
        first, last = np.searchsorted(numbers, ends)
        new_first, new_last = np.searchsorted(coming, ends)
        rows = kept[first:last]
        low = int(rows[0]) if len(rows) else 0
        span = table.slice(low, int(rows[-1]) - low + 1 if len(rows) else 0)
        new = part.articles.slice(new_first, new_last - new_first).select(columns)
        both = pa.concat_tables([span, new]).combine_chunks()
        places = np.concatenate((rows - low, span.num_rows + np.arange(new.num_rows)))
        order = np.argsort(np.concatenate((numbers[first:last], coming[new_first:new_last])))
        yield both.take(pa.array(places[order]))


def _by_article(
    old: SnapshotTables, change: Renumbering, part: Part, name: str, coded: Sequence[str]
) -> Iterator[pa.Table]:
    """A table ordered by article; `coded` columns hold concepts."""
    new: pa.Table = getattr(part, name)
    numbers = change.articles[old.column(name, "article")]
    kept = np.flatnonzero(numbers >= 0)
    columns = {"article": numbers} | {c: change.concepts[old.column(name, c)] for c in coded}
    merged = Interleaving(kept, numbers[kept], np.asarray(new["article"]))
    schema = SNAPSHOT_TABLES[name]
    for start in range(0, len(merged), FIXED_ROWS):
        arrays = [
            merged.column(
                columns.get(field.name, old.column(name, field.name)),
                np.asarray(new[field.name]),
                start,
                start + FIXED_ROWS,
            )
            for field in schema
        ]
        yield pa.table(arrays, schema=schema)


def _occurrence(old: SnapshotTables, change: Renumbering, part: Part) -> pa.Table:
    pairs = Pairs(np.asarray(part.mentions["concept"]), np.asarray(part.mentions["article"]))
    concept = change.concepts[old.column("occurrence", "concept")]
    article = change.articles[old.column("occurrence", "article")]
    kept = np.flatnonzero(article >= 0)
    keys = (concept[kept].astype(np.int64) << 32) | article[kept]
    merged = Interleaving(kept, keys, (pairs.major << 32) | pairs.minor)
    columns = [merged.column(concept, pairs.major), merged.column(article, pairs.minor)]
    return pa.table(columns, schema=SNAPSHOT_OCCURRENCE)


def _concepts(
    old: SnapshotTables, change: Renumbering, occurrence: pa.Table, vocabulary: Concepts | None
) -> pa.Table:
    """Rows of concepts that stay, and of those that come from the vocabulary."""
    ids = change.plan.concepts
    left = np.flatnonzero(change.concepts >= 0)
    known = np.zeros(len(ids), bool)
    known[change.concepts[left]] = True
    coming = np.flatnonzero(~known)
    retracted = change.plan.retracted
    rows = old["concepts"].take(pa.array(left))
    if vocabulary is not None and len(coming):
        no_occurrence = SNAPSHOT_OCCURRENCE.empty_table()
        new = concept_table(ids.take(pa.array(coming)), vocabulary, no_occurrence, retracted)
        both = pa.concat_tables([rows, new]).combine_chunks()
        order = np.argsort(np.concatenate((change.concepts[left], coming)))
        rows = both.take(pa.array(order)).cast(SNAPSHOT_CONCEPTS)
    return with_article_counts(rows, occurrence, retracted)


# -- edges and evidence -----------------------------------------------------------------------


def _write_edges(old: SnapshotTables, change: Renumbering, evidence: pa.Table, out: Path) -> None:
    """Edges, incidence and evidence; `evidence` are the rows that come."""
    old_keys = _old_keys(old, change)
    article = change.articles[old.column("evidence", "article")]
    old_edge = old.column("evidence", "edge")
    kept = np.flatnonzero(article >= 0)
    left = np.bincount(old_edge[kept], minlength=len(old_keys))
    new_keys = edge_keys(*(np.asarray(evidence[name]) for name in ("subject", "rank", "object")))
    coming = np.asarray(evidence["article"])
    order = np.lexsort((coming, new_keys))
    evidence, new_keys, coming = evidence.take(pa.array(order)), new_keys[order], coming[order]
    keys = np.union1d(old_keys[left > 0], new_keys)
    edge = np.searchsorted(keys, old_keys).astype(np.int32)[old_edge]
    new_edge = np.searchsorted(keys, new_keys).astype(np.int32)
    merged = Interleaving(
        kept,
        (edge[kept].astype(np.int64) << 32) | article[kept],
        (new_edge.astype(np.int64) << 32) | coming,
    )
    rows = _Rows(old, change, evidence, merged, (edge, new_edge), (article, coming))
    sizes = np.bincount(merged.column(edge, new_edge), minlength=len(keys))
    touched = np.zeros(len(keys), bool)
    touched[new_edge] = True
    lost = (left < old.column("edges", "evidence_count")) & (left > 0)
    touched[np.searchsorted(keys, old_keys[lost])] = True
    counts = _counts(old, rows, np.searchsorted(keys, old_keys[left > 0]), left > 0, touched)
    edges = edge_table(keys, counts, sizes)
    write_snapshot_table(out, "edges", [edges])
    write_snapshot_table(out, "incidence", [incidence(edges)])
    write_snapshot_table(out, "evidence", rows.tables())


def _old_keys(old: SnapshotTables, change: Renumbering) -> Array:
    """The old edges under new codes; meaningless, and not used, for an edge that goes."""
    return edge_keys(
        change.concepts[old.column("edges", "subject")],
        PREDICATE_RANK[old.column("edges", "predicate")],
        change.concepts[old.column("edges", "object")],
    )


class _Rows:
    """The merged evidence, column by column."""

    def __init__(
        self,
        old: SnapshotTables,
        change: Renumbering,
        new: pa.Table,
        merged: Interleaving,
        edge: tuple[Array, Array],
        article: tuple[Array, Array],
    ) -> None:
        self.plan = change.plan
        self._merged = merged
        self._columns = {"edge": edge, "article": article}
        for name in (*SPANS, "refutes", "hedged", "score"):
            self._columns[name] = (old.column("evidence", name), np.asarray(new[name]))
        signed = old.array("evidence", "extractor")
        words = pa.array(change.plan.extractors, pa.string())
        codes = places_in(words, signed.dictionary)[np.asarray(signed.indices)]
        self._columns["extractor"] = (codes, np.asarray(new["extractor"]))

    def column(self, name: str, start: int = 0, end: int | None = None) -> Array:
        return self._merged.column(*self._columns[name], start, end)

    def tables(self) -> Iterator[pa.Table]:
        for start in range(0, len(self._merged), FIXED_ROWS):
            edge, *rest = (self.column(n, start, start + FIXED_ROWS) for n in self._columns)
            yield evidence_table(edge, list(map(pa.array, rest)), self.plan.extractors)


def _counts(old: SnapshotTables, rows: _Rows, stayed: Array, left: Array, touched: Array) -> Counts:
    """Counts of all edges: those of untouched ones as they were, the others counted anew."""
    edge = rows.column("edge")
    again = np.flatnonzero(touched[edge])
    place = np.cumsum(touched) - 1
    article, refutes, hedged = (rows.column(n)[again] for n in ("article", "refutes", "hedged"))
    fresh = count_edges(
        place[edge[again]],
        article,
        refutes,
        hedged,
        rows.plan.years,
        rows.plan.retracted,
    )
    merged = []
    for name, new in zip(Counts._fields, fresh, strict=True):
        column = np.empty(len(touched), new.dtype)
        column[stayed] = old.column("edges", name, NO_YEAR)[left]
        column[touched] = new
        merged.append(column)
    return Counts(*merged)
