"""Features made by families and put together: every part has one row for each row of the cohort."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from predictor.comorbidity import charlson_index, present
from predictor.schema import CLOCK, KEYS, Column, FeatureTable, Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from predictor.cohort import Cohort
    from predictor.sources.records import Records


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Columns with their values in the order of the cohort's rows; `clocks` by their names."""

    columns: tuple[Column, ...]
    values: tuple[pa.ChunkedArray, ...]
    clocks: Mapping[str, pa.ChunkedArray]


def put_together(cohort: Cohort, parts: Sequence[Part]) -> FeatureTable:
    """One table of all parts, checked; `LaterThanPredictionError` where a clock is late."""
    table = cohort.rows.select([*KEYS, "label"])
    columns: list[Column] = []
    for part in parts:
        for column, value in zip(part.columns, part.values, strict=True):
            table = table.append_column(column.name, value)
            columns.append(column)
        for name, clock in part.clocks.items():
            if any(column.clock == name for column in part.columns):
                table = table.append_column(CLOCK + name, clock)
    return FeatureTable.make(cohort.task.name, columns, table)


def numbered(cohort: Cohort) -> pa.Table:
    """The cohort's rows with their position `row`, to join records on."""
    import pyarrow as pa

    return cohort.rows.append_column("row", pa.array(np.arange(len(cohort)), pa.int64()))


def part_of(
    answer: pa.Table,
    clock: str = "",
    *,
    from_codes: bool = False,
    presence: Sequence[str] = (),
) -> Part:
    """A part of an answer that is ordered by `row` and holds one row for each of the cohort's.

    Its columns are the features (text is a category, everything else a number); a column `known`
    is the clock.
    """
    import pyarrow as pa

    names = [name for name in answer.column_names if name not in ("row", "known")]
    columns, values = [], []
    for name in names:
        value = answer[name]
        kind: Kind = "category" if pa.types.is_string(value.type) else "number"
        columns.append(Column(feature_name(name), "structured", kind, clock, from_codes,
                              name in presence))  # fmt: skip
        values.append(value if kind == "category" else value.cast(pa.float64()))
    clocks = {clock: answer["known"]} if clock else {}
    return Part(tuple(columns), tuple(values), clocks)


def feature_name(name: str) -> str:
    """A name that every model takes: without the signs that LightGBM refuses."""
    return re.sub(r'[:"\[\]{},]', " ", name).strip()


def comorbidity_part(
    found: pa.ChunkedArray, known: pa.ChunkedArray | None, clock: str, prefix: str
) -> Part:
    """Flags of both indices and the Charlson index from bits; null where there were no codes."""
    import pyarrow as pa

    unknown = found.is_null().to_numpy(zero_copy_only=False)
    joined = np.asarray(found.fill_null(0).cast(pa.uint64()).to_numpy(), dtype=np.uint64)
    features = {"charlson index": charlson_index(joined)}
    for index in ("charlson", "elixhauser"):
        flags = present(joined, index)
        features |= {f"{index} {name}": flag.astype(float) for name, flag in flags.items()}
    columns = tuple(
        Column(f"{prefix} {name}".strip(), "structured", "number", clock, from_codes=True)
        for name in features
    )
    values = tuple(pa.chunked_array([pa.array(v, mask=unknown)]) for v in features.values())
    return Part(columns, values, {clock: known} if known is not None and clock else {})


def code_bits(records: Records, codes_sql: str, **tables: pa.Table) -> pa.Table:
    """The distinct (code, system) of a query with their comorbidity bits."""
    import pyarrow as pa

    from predictor.comorbidity import bits

    found = records.query(f"SELECT DISTINCT code, system FROM ({codes_sql}) WHERE code NOTNULL "
                          "ORDER BY ALL", **tables)  # fmt: skip
    pairs = zip(found["code"].to_pylist(), found["system"].to_pylist(), strict=True)
    return found.append_column("bits", pa.array([bits(*pair) for pair in pairs], pa.uint64()))
