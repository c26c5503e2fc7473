"""Candidates for `search`: names of a snapshot sorted, and which names hold a word.

The index is three Arrow files in `search/` beside the snapshot's tables, mapped into memory. They
hold nothing that the concepts table does not say, and are no part of the digest.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.search import code_key, normalize, overlap_distance, prefix_distance
from kg_builder.snapshot_tables import SnapshotTables, Strings, map_table

Array = npt.NDArray[Any]

_NAMES = pa.schema([("name", pa.string()), ("concept", pa.int32()), ("words", pa.int16())])
_CODES = pa.schema([("code", pa.string()), ("concept", pa.int32())])
_WORDS = pa.schema([("word", pa.string()), ("names", pa.list_(pa.int32()))])


class _Tables(NamedTuple):
    names: pa.Table
    codes: pa.Table
    words: pa.Table


class NameIndex:
    """Proposes concept rows for a text: all of its exact fits, and the nearest others."""

    def __init__(self, tables: _Tables) -> None:
        one = [table.combine_chunks() for table in tables]
        names, codes, words = one
        self._names = Strings(_single(names, "name"))
        self._name_concept = _single(names, "concept").to_numpy()
        self._name_words = _single(names, "words").to_numpy()
        self._name_length = pc.utf8_length(_single(names, "name")).to_numpy()
        self._codes = Strings(_single(codes, "code"))
        self._code_concept = _single(codes, "concept").to_numpy()
        self._words = Strings(_single(words, "word"))
        self._postings = _single(words, "names")

    @classmethod
    def open(cls, tables: SnapshotTables) -> NameIndex:
        """The index saved beside a snapshot, or one made now where none was saved."""
        folder = tables.directory / "search"
        if not folder.is_dir():
            return cls(make_tables(tables))
        return cls(
            _Tables(
                map_table(folder / "names.arrow", _NAMES),
                map_table(folder / "codes.arrow", _CODES),
                map_table(folder / "words.arrow", _WORDS),
            )
        )

    def candidates(self, text: str, limit: int) -> Array:
        """Concept rows that hold the first `limit` of the ranking of `text`, and some more."""
        query = normalize(text)
        rows = [self._rows(self._codes, self._code_concept, code_key(text))]
        if query:
            rows.append(self._rows(self._names, self._name_concept, query))
            rows.append(self._prefixed(query, limit))
            rows.append(self._sharing(query, limit))
        distinct: Array = np.unique(np.concatenate(rows))
        return distinct

    @staticmethod
    def _rows(keys: Strings, concepts: Array, text: str) -> Array:
        start = keys.left(text.encode("utf-8", "surrogatepass"))
        end = keys.left(text.encode("utf-8", "surrogatepass") + b"\0")
        found: Array = concepts[start:end]
        return found

    def _prefixed(self, query: str, limit: int) -> Array:
        start, end = self._names.prefixed(query)
        distance = prefix_distance(len(query), self._name_length[start:end].astype(np.float64))
        return nearest(self._name_concept[start:end], distance, limit)

    def _sharing(self, query: str, limit: int) -> Array:
        asked = sorted(set(query.split(" ")))
        found = [row for word in asked if (row := self._words.row(word)) is not None]
        if not found:
            return np.zeros(0, np.int32)
        names = np.concatenate([self._postings[row].values.to_numpy() for row in found])
        names, shared = np.unique(names, return_counts=True)
        sizes = self._name_words[names].astype(np.float64)
        distance = overlap_distance(shared.astype(np.float64), len(asked), sizes)
        return nearest(self._name_concept[names], distance, limit)


def nearest(concepts: Array, distance: Array, limit: int) -> Array:
    """The `limit` distinct concepts with the least distance, ties to the smaller row.

    >>> nearest(np.array([4, 2, 4]), np.array([0.5, 0.5, 0.1]), 1).tolist()
    [4]
    """
    order = np.lexsort((concepts, distance))
    ranked = concepts[order]
    _, first = np.unique(ranked, return_index=True)
    chosen: Array = ranked[np.sort(first)[:limit]]
    return chosen


def _single(table: pa.Table, name: str) -> pa.Array:
    chunked = table.column(name)
    return chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()


def make_tables(tables: SnapshotTables) -> _Tables:
    """The index of a snapshot's names, synonyms and cross-references."""
    names = _normalized_names(tables)
    return _Tables(names, _codes(tables), _words(names))


def _normalized_names(tables: SnapshotTables) -> pa.Table:
    """Every distinct (normalized name, concept), sorted."""
    preferred = tables.array("concepts", "name")
    names = tables.array("concepts", "names")
    owner = np.concatenate(
        (np.arange(len(preferred)), pc.list_parent_indices(names).to_numpy(zero_copy_only=False))
    )
    others = pc.struct_field(pc.list_flatten(names), "text")
    texts = pa.concat_arrays([preferred, others]).to_pylist()
    table = _sorted_pairs([normalize(text) for text in texts], owner, _NAMES.names[:2])
    table = table.filter(pc.not_equal(table["name"], ""))
    words = _word_codes(table["name"].combine_chunks())
    number = np.bincount(words.name, minlength=table.num_rows)
    return table.append_column("words", pa.array(number, pa.int16())).cast(_NAMES)


def _sorted_pairs(keys: list[str], owner: Array, names: list[str]) -> pa.Table:
    pairs = pa.table([pa.array(keys, pa.string()), pa.array(owner, pa.int32())], names=names)
    distinct = pairs.group_by(names).aggregate([])
    return distinct.select(names).sort_by([(name, "ascending") for name in names])


def _codes(tables: SnapshotTables) -> pa.Table:
    ids, xrefs = tables.array("concepts", "id"), tables.array("concepts", "xrefs")
    owner = np.concatenate(
        (np.arange(len(ids)), pc.list_parent_indices(xrefs).to_numpy(zero_copy_only=False))
    )
    codes = pa.concat_arrays([ids, pc.list_flatten(xrefs)]).to_pylist()
    return _sorted_pairs([code.casefold() for code in codes], owner, _CODES.names).cast(_CODES)


class _WordCodes(NamedTuple):
    """Which distinct words stand in which names: sorted by word code, then name."""

    words: pa.StringArray
    code: Array
    name: Array


def _word_codes(names: pa.StringArray) -> _WordCodes:
    split = pc.split_pattern(names, " ")
    coded = pc.list_flatten(split).dictionary_encode()
    name = pc.list_parent_indices(split).to_numpy(zero_copy_only=False).astype(np.int64)
    size = max(len(names), 1)
    pairs = np.unique(coded.indices.to_numpy().astype(np.int64) * size + name)
    return _WordCodes(coded.dictionary, pairs // size, pairs % size)


def _words(names: pa.Table) -> pa.Table:
    found = _word_codes(names["name"].combine_chunks())
    ends = np.searchsorted(found.code, np.arange(len(found.words) + 1))
    postings = pa.ListArray.from_arrays(
        pa.array(ends, pa.int32()), pa.array(found.name, pa.int32())
    )
    table = pa.table({"word": found.words, "names": postings})
    return table.sort_by("word").cast(_WORDS)


def save_name_index(snapshot: Path) -> None:
    """Write the index into `search/` of a snapshot folder, all or nothing; done once."""
    target = snapshot / "search"
    if target.is_dir():
        return
    folder = Path(tempfile.mkdtemp(prefix=".search-", dir=snapshot))
    try:
        for name, table in make_tables(SnapshotTables(snapshot))._asdict().items():
            with (
                pa.OSFile(str(folder / f"{name}.arrow"), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as writer,
            ):
                writer.write_table(table.combine_chunks())
        folder.chmod(0o755)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
