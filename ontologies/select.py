"""Many concepts of a vocabulary at once, as columns: no Python object for any of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ontologies.tables import Tables

Array = npt.NDArray[Any]

NAME: Final = pa.struct(
    [
        ("text", pa.string()),
        ("source", pa.string()),
        ("scope", pa.string()),
        ("notes_only", pa.bool_()),
    ]
)
SELECTED: Final = pa.schema(
    [
        ("id", pa.string()),
        ("name", pa.string()),
        ("names", pa.list_(NAME)),
        ("semantic_types", pa.list_(pa.string())),
        ("parents", pa.list_(pa.string())),
        ("xrefs", pa.list_(pa.string())),
        ("definition", pa.string()),
    ]
)
"""Concepts as rows: the fields of `Concept`, ids and cross-references as texts."""


def rows_of(tables: Tables, ids: pa.Array) -> Array:
    """The row of each id among the concepts; -1 for an id that is no concept's."""
    places = pc.index_in(ids.cast(pa.large_string()), value_set=tables.concepts["id"])
    rows: Array = np.asarray(places.fill_null(-1)).astype(np.int64)
    return rows


def select(tables: Tables, rows: Array) -> pa.Table:
    """The concepts of these rows, in that order, with the columns of `SELECTED`."""
    concepts = tables.concepts.take(pa.array(rows))
    columns = {name: _whole(concepts[name]) for name in concepts.column_names}
    arrays = [
        columns["id"].cast(pa.string()),
        columns["name"].cast(pa.string()),
        _names(tables, columns["name_start"], columns["name_count"]),
        columns["semantic_types"],
        _texts_of(columns["parents"], tables.concepts["id"]),
        _texts_of(columns["xrefs"], tables.xrefs["curie"]),
        columns["definition"].cast(pa.string()),
    ]
    return pa.Table.from_arrays(arrays, schema=SELECTED)


def _names(tables: Tables, start: pa.Array, count: pa.Array) -> pa.ListArray:
    first, counts = np.asarray(start), np.asarray(count).astype(np.int64)
    offsets = np.append(0, np.cumsum(counts))
    rows = np.repeat(first - offsets[:-1], counts) + np.arange(offsets[-1])
    names = tables.names.take(pa.array(rows))
    fields = [_whole(names[field.name]).cast(field.type) for field in NAME]
    values = pa.StructArray.from_arrays(fields, fields=list(NAME))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _texts_of(lists: pa.ListArray, texts: pa.ChunkedArray) -> pa.ListArray:
    """Lists of row numbers as lists of the texts that stand in those rows."""
    offsets = np.append(0, np.cumsum(np.asarray(lists.value_lengths()), dtype=np.int64))
    values = _whole(texts.take(lists.flatten())).cast(pa.string())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
