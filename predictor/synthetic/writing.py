"""Writing the hospital's files: gzip CSV as PhysioNet ships it, the same bytes every time."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

LEVEL = 4


def write_csv(path: Path, columns: Mapping[str, Any], rows: int) -> int:
    """Write columns to a `.csv.gz`; `None` for a column is one of nulls. Returns the rows.

    Null cells are empty; a time is written as `2150-01-31 23:59:00`.
    """
    arrays = [_array(values, rows) for values in columns.values()]
    table = pa.table(arrays, names=list(columns))
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed:
        packed.write((",".join(columns) + "\n").encode())
        pa.csv.write_csv(table, packed, options)
    return int(table.num_rows)


def write_lines(path: Path, values: Iterable[Mapping[str, object]]) -> int:
    """Write one JSON object a line; returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for value in values:
            lines.write(json.dumps(value, ensure_ascii=False) + "\n")
            count += 1
    return count


def seconds(values: npt.NDArray[np.int64]) -> pa.Array:
    """Seconds as times without a zone; negative ones are null."""
    return pa.array(values.astype("datetime64[s]"), mask=values < 0)


def stamp(second: int) -> str:
    """A second as text.

    >>> stamp(0)
    '1970-01-01 00:00:00'
    """
    return str(np.datetime64(second, "s")).replace("T", " ")


def _array(values: Any, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, pa.string())
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return pa.array(values, mask=np.isnan(values))
    if isinstance(values, str | int):
        return pa.array([values] * rows)
    return pa.array(values)
