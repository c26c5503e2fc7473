"""From evidence to edges: sort, count articles, find the first and last year."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.digest import PREDICATE_RANK
from kg_builder.gather import NO_YEAR
from kg_builder.schema import SNAPSHOT_EDGES, SNAPSHOT_EVIDENCE, SNAPSHOT_INCIDENCE

Array = npt.NDArray[Any]

CODE_OF_RANK: Array = np.argsort(PREDICATE_RANK).astype(np.int8)


class Aggregate(NamedTuple):
    """Edges and their evidence, numbered from 0; `evidence` has the codes of extractors."""

    edges: pa.Table
    evidence: pa.Table


class Counts(NamedTuple):
    """By edge: articles that support, refute, support with hedges alone; years, or `NO_YEAR`."""

    supporting: Array
    refuting: Array
    hedged: Array
    first_year: Array
    last_year: Array


def edge_keys(subject: Array, rank: Array, target: Array) -> Array:
    """One integer an assertion, in the order of subject, predicate's name, object."""
    wide = (subject.astype(np.int64) << 33) | (rank.astype(np.int64) << 28)
    return wide | target.astype(np.int64)


def split_keys(keys: Array) -> tuple[Array, Array, Array]:
    """Subject, rank of the predicate, and object of each key."""
    return keys >> 33, (keys >> 28) & 31, keys & ((1 << 28) - 1)


def aggregate(evidence: pa.Table, years: Array, retracted: Array) -> Aggregate:
    """Sort evidence (schema `PART_EVIDENCE`) into edges and count them.

    Rows of one article must come in their canonical order. `years` and `retracted` are by number
    of article; a retracted article's rows are kept, and count nowhere.
    """
    article = np.asarray(evidence["article"])
    keys = edge_keys(*(np.asarray(evidence[name]) for name in ("subject", "rank", "object")))
    order = np.lexsort((article, keys))
    keys, article = keys[order], article[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    edge = np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(starts, append=len(keys)))
    refutes, hedged = (np.asarray(evidence[name])[order] for name in ("refutes", "hedged"))
    counts = count_edges(edge, article, refutes, hedged, years, retracted)
    rows = evidence.select(evidence.column_names[4:]).take(pa.array(order))
    sizes = np.diff(starts, append=len(keys))
    return Aggregate(
        edge_table(keys[starts], counts, sizes),
        pa.table([pa.array(edge), pa.array(article), *rows.columns], SNAPSHOT_EVIDENCE.names),
    )


def count_edges(
    edge: Array, article: Array, refutes: Array, hedged: Array, years: Array, retracted: Array
) -> Counts:
    """Count the articles of each edge; rows are sorted by edge and article, edges from 0 up."""
    if not len(edge):
        none = np.zeros(0, np.int32)
        return Counts(none, none, none, none.astype(np.int16), none.astype(np.int16))
    new_edge = np.diff(edge, prepend=-1) != 0
    groups = np.flatnonzero(new_edge | (np.diff(article, prepend=-1) != 0))
    of_edge = np.flatnonzero(new_edge[groups])
    member = article[groups]
    alive = ~retracted[member]
    supports = np.logical_or.reduceat(~refutes, groups) & alive
    refuted = np.logical_or.reduceat(refutes, groups) & alive
    outright = np.logical_or.reduceat(~refutes & ~hedged, groups) & alive
    year = years[member]
    dated = alive & (year != NO_YEAR)
    first = np.minimum.reduceat(np.where(dated, year, np.iinfo(np.int16).max), of_edge)
    last = np.maximum.reduceat(np.where(dated, year, NO_YEAR), of_edge)
    return Counts(
        _sum(supports, of_edge),
        _sum(refuted, of_edge),
        _sum(supports & ~outright, of_edge),
        np.where(last == NO_YEAR, NO_YEAR, first).astype(np.int16),
        last.astype(np.int16),
    )


def _sum(flags: Array, starts: Array) -> Array:
    sums: Array = np.add.reduceat(flags.astype(np.int32), starts)
    return sums


def edge_table(keys: Array, counts: Counts, sizes: Array) -> pa.Table:
    """The table of edges whose evidence rows follow each other, `sizes` many for each."""
    subject, rank, target = split_keys(keys)
    undated = counts.last_year == NO_YEAR
    columns = [
        subject,
        CODE_OF_RANK[rank],
        target,
        *counts[:3],
        *(pa.array(np.where(undated, 0, year), pa.int16(), mask=undated) for year in counts[3:]),
        np.cumsum(sizes) - sizes,
        sizes,
    ]
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, SNAPSHOT_EDGES, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SNAPSHOT_EDGES)


def incidence(edges: pa.Table) -> pa.Table:
    """For each concept its edges: most supporting first, then in the order of edges."""
    ends = np.column_stack((np.asarray(edges["subject"]), np.asarray(edges["object"])))
    edge = np.repeat(np.arange(len(ends), dtype=np.int32), 2)
    supporting = np.repeat(np.asarray(edges["supporting"]), 2)
    concept = ends.reshape(-1)
    order = np.argsort((concept.astype(np.int64) << 32) - supporting, kind="stable")
    return pa.table([concept[order], edge[order]], schema=SNAPSHOT_INCIDENCE)
