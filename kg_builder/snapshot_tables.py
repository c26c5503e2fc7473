"""A snapshot's tables, mapped into memory: columns as numpy arrays, sorted strings, bits.

Opening reads headers only. What is asked for is paged in by the operating system, shared by all
processes that map the same snapshot. Columns of a table written as one record batch are views of
the file; of a table in several batches they are joined in memory on first use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder import schema

SCHEMAS: Mapping[str, pa.Schema] = {
    "articles": schema.SNAPSHOT_ARTICLES,
    "sentences": schema.SNAPSHOT_SENTENCES,
    "mentions": schema.SNAPSHOT_MENTIONS,
    "concepts": schema.SNAPSHOT_CONCEPTS,
    "edges": schema.SNAPSHOT_EDGES,
    "evidence": schema.SNAPSHOT_EVIDENCE,
    "incidence": schema.SNAPSHOT_INCIDENCE,
    "occurrence": schema.SNAPSHOT_OCCURRENCE,
}

Array = npt.NDArray[Any]


class SnapshotVersionError(ValueError):
    """A snapshot was written by a version of the code that lays its tables out otherwise."""


class SnapshotDamagedError(ValueError):
    """A snapshot's file is missing, or is not the table that its name says."""


def find_snapshot(directory: str | Path) -> Path:
    """The folder of a graph's current snapshot, or of the snapshot given itself.

    Raises `FileNotFoundError` where there is neither, naming the command that builds one.
    """
    path = Path(directory)
    if (path / "BUILD.json").is_file():
        return path
    current = path / "CURRENT"
    if not current.is_file():
        raise FileNotFoundError(
            f"no graph at {path}: expected CURRENT or BUILD.json in it; "
            f"build one with `kg_build INPUT... --graph {path}`"
        )
    name = current.read_text(encoding="utf-8").strip()
    snapshot = path / "snapshots" / name
    if not (snapshot / "BUILD.json").is_file():
        raise FileNotFoundError(
            f"{current} names the snapshot {name!r}, which is not in {path / 'snapshots'}; "
            f"build it again with `kg_build INPUT... --graph {path}`"
        )
    return snapshot


def read_build(snapshot: Path) -> Mapping[str, Any]:
    """What BUILD.json says; raises `SnapshotVersionError` for another layout of the tables."""
    build: Mapping[str, Any] = json.loads((snapshot / "BUILD.json").read_text(encoding="utf-8"))
    version = build.get("snapshot_version")
    if version != schema.SNAPSHOT_VERSION:
        raise SnapshotVersionError(
            f"{snapshot} has snapshot version {version!r}, this medweave reads version "
            f"{schema.SNAPSHOT_VERSION}: build the graph again with `kg_build`, which keeps "
            "what the ledger already holds"
        )
    return build


class Bits:
    """A boolean column read bit by bit, so that a flag of a row costs no byte of memory."""

    def __init__(self, column: pa.BooleanArray) -> None:
        if column.null_count:
            raise SnapshotDamagedError("a boolean column holds nulls, expected none")
        self._offset = column.offset
        size = len(column)
        data = column.buffers()[1] if size else None
        self._bytes = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)

    def __getitem__(self, rows: Array) -> npt.NDArray[np.bool_]:
        at = rows.astype(np.int64, copy=False) + self._offset
        bits: npt.NDArray[np.bool_] = (self._bytes[at >> 3] >> (at & 7).astype(np.uint8)) & 1 == 1
        return bits


class Strings:
    """A column of strings in code point order (which is the order of their UTF-8 bytes)."""

    def __init__(self, column: pa.StringArray) -> None:
        self._column = column
        _, offsets, data = column.buffers() if len(column) else (None, None, None)
        width = np.int64 if pa.types.is_large_string(column.type) else np.int32
        first = column.offset
        last = first + len(column) + 1
        self._ends = np.frombuffer(offsets, width)[first:last] if offsets else np.zeros(1, width)
        self._data = memoryview(data) if data else memoryview(b"")

    def __len__(self) -> int:
        return len(self._column)

    def take(self, rows: Array) -> list[str]:
        """The strings of these rows, in the order asked."""
        texts: list[str] = self._column.take(pa.array(rows, pa.int64())).to_pylist()
        return texts

    def at(self, row: int) -> bytes:
        """The string of a row, in UTF-8."""
        return bytes(self._data[self._ends[row] : self._ends[row + 1]])

    def left(self, text: bytes) -> int:
        """The first row whose string is not before `text`."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.at(middle) < text:
                low = middle + 1
            else:
                high = middle
        return low

    def row(self, text: str) -> int | None:
        """The row of a string, or `None` where it is not in the column."""
        key = text.encode("utf-8", "surrogatepass")
        row = self.left(key)
        return row if row < len(self) and self.at(row) == key else None

    def prefixed(self, text: str) -> tuple[int, int]:
        """Rows (start, end) of the strings that begin with `text`."""
        key = text.encode("utf-8", "surrogatepass")
        return self.left(key), self.left(key + b"\xff")  # no UTF-8 text holds this byte


class SnapshotTables:
    """The tables of one snapshot. `column` gives numpy arrays, `strings` and `bits` the rest."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.build = read_build(directory)
        self._tables: dict[str, pa.Table] = {}
        self._columns: dict[tuple[str, str], pa.Array] = {}
        self._arrays: dict[tuple[str, str], Array] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = map_table(self.directory / f"{name}.arrow", SCHEMAS[name])
        return self._tables[name]

    def take(self, name: str, rows: Array, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a table, in the order asked, repeats allowed.

        Only the batches that hold them are read: Arrow's own `take` joins all batches of texts
        first, which for ten articles of a large graph takes longer than all else.
        """
        table = self[name] if columns is None else self[name].select(columns)
        batches = table.to_batches()
        if len(batches) < 2:
            return table.take(pa.array(rows, pa.int64()))
        ends = np.cumsum([batch.num_rows for batch in batches])
        batch_of = np.searchsorted(ends, rows, "right")
        parts, places = [table.slice(0, 0)], [np.zeros(0, np.int64)]
        for number in np.unique(batch_of).tolist():
            own = np.flatnonzero(batch_of == number)
            start = int(ends[number]) - batches[number].num_rows
            part = batches[number].take(pa.array(rows[own] - start, pa.int64()))
            parts.append(pa.Table.from_batches([part]))
            places.append(own)
        order = np.argsort(np.concatenate(places), kind="stable")
        return pa.concat_tables(parts).combine_chunks().take(pa.array(order))

    def array(self, table: str, column: str) -> pa.Array:
        """A column as one Arrow array, for types that numpy does not know."""
        key = (table, column)
        if key not in self._columns:
            chunked = self[table].column(column)
            joined = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
            self._columns[key] = joined
        return self._columns[key]

    def column(self, table: str, column: str, null: int | None = None) -> Array:
        """A column of integers (dates are days since 1970); nulls become `null`."""
        key = (table, column)
        if key not in self._arrays:
            array = self.array(table, column)
            if pa.types.is_date32(array.type):
                array = array.cast(pa.int32())
            if array.null_count:
                if null is None:
                    raise SnapshotDamagedError(
                        f"{self.directory}: column {column} of {table} holds nulls, expected none"
                    )
                array = array.fill_null(null)
            self._arrays[key] = array.to_numpy(zero_copy_only=False)
        return self._arrays[key]

    def bits(self, table: str, column: str) -> Bits:
        """A column of booleans."""
        return Bits(self.array(table, column))

    def strings(self, table: str, column: str) -> Strings:
        """A column of strings, sorted where `row` is asked of it."""
        return Strings(self.array(table, column))

    def close(self) -> None:
        """Let the tables go; arrays already handed out stay valid."""
        self._tables.clear()
        self._columns.clear()
        self._arrays.clear()


def map_table(path: Path, expected: pa.Schema) -> pa.Table:
    """Map an Arrow IPC file; raises `SnapshotDamagedError` where it is not such a table."""
    try:
        source = pa.memory_map(str(path), "r")
        table = pa.ipc.open_file(source).read_all()
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise SnapshotDamagedError(
            f"{path} cannot be read as an Arrow file ({error}); build the graph again"
        ) from error
    if not table.schema.equals(expected, check_metadata=False):
        raise SnapshotDamagedError(
            f"{path} holds the columns {table.schema.names}, expected {expected.names} with "
            "the types of this version; build the graph again"
        )
    return table
