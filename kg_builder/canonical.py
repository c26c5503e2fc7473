"""Canonical bytes of table rows, hashed in bulk.

The bytes of a row are integers of 64 bits, little endian: how many numbers it has, the numbers,
and the length in UTF-8 of each of its texts; then the texts themselves, one after the other. They
are cut from Arrow's buffers, where the texts of a row lie side by side, so that no text of a
million becomes a Python object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from hashlib import _Hash

Array = npt.NDArray[Any]


class NullTextError(ValueError):
    """A column of texts holds nulls, for which there are no canonical bytes."""


class Texts(NamedTuple):
    """Texts of rows: `data[ends[i]:ends[i+1]]` is text i, row r has the texts from `starts[r]`.

    `starts` has one more entry than there are rows, `ends` one more than there are texts.
    """

    data: memoryview
    ends: Array
    starts: Array

    @property
    def counts(self) -> Array:
        """How many texts each row has."""
        counts: Array = np.diff(self.starts)
        return counts

    def borders(self) -> list[int]:
        """Where the bytes of each row begin, and where the last one's end."""
        borders: list[int] = self.ends[self.starts].tolist()
        return borders


def one_text(column: pa.ChunkedArray | pa.Array) -> Texts:
    """A column of texts, one for each row."""
    data, ends = _strings(_whole(column))
    return Texts(data, ends, np.arange(len(ends)))


def many_texts(column: pa.ChunkedArray | pa.Array) -> Texts:
    """A column of lists of texts."""
    lists = _whole(column)
    data, ends = _strings(lists.flatten())
    return Texts(data, ends, list_starts(lists))


def list_starts(lists: pa.ListArray) -> Array:
    """Where the values of each list begin in `lists.flatten()`, and where the last ends."""
    if lists.null_count:
        raise NullTextError("a column of lists holds nulls, expected none")
    return np.append(0, np.cumsum(np.asarray(lists.value_lengths()), dtype=np.int64))


def row_hashes(numbers: Sequence[Array], columns: Sequence[Texts]) -> Iterator[_Hash]:
    """SHA-256 of the canonical bytes of each row, as hash objects that more can be added to.

    `numbers` are columns of integers of all rows, `columns` the texts in the order of the bytes.
    """
    head, at = _heads(numbers, columns)
    parts = [(memoryview(head), at.tolist()), *((c.data, c.borders()) for c in columns)]
    for row in range(len(at) - 1):
        sha = hashlib.sha256()
        for data, borders in parts:
            sha.update(data[borders[row] : borders[row + 1]])
        yield sha


def _heads(numbers: Sequence[Array], columns: Sequence[Texts]) -> tuple[bytes, Array]:
    """The integers of all rows as bytes, and where those of each row begin."""
    counts = [column.counts for column in columns]
    width = 1 + len(numbers)
    sizes = np.sum([np.full(len(counts[0]), width), *counts], axis=0)
    at = np.append(0, np.cumsum(sizes))
    heads = np.empty(at[-1], "<i8")
    heads[at[:-1]] = len(numbers)
    for place, values in enumerate(numbers, 1):
        heads[at[:-1] + place] = values
    free = at[:-1] + width
    for column, count in zip(columns, counts, strict=True):
        own = np.arange(len(column.ends) - 1) - np.repeat(column.starts[:-1], count)
        heads[np.repeat(free, count) + own] = np.diff(column.ends)
        free += count
    return heads.tobytes(), at * 8


def _strings(array: pa.Array) -> tuple[memoryview, Array]:
    if array.null_count:
        raise NullTextError("a column of texts holds nulls, expected none")
    wide = array.cast(pa.large_binary())
    if not len(wide):
        return memoryview(b""), np.zeros(1, np.int64)
    _, offsets, data = wide.buffers()
    ends = np.frombuffer(offsets, np.int64)[wide.offset : wide.offset + len(wide) + 1]
    return memoryview(data) if data is not None else memoryview(b""), ends


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    joined = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
