"""Vital signs, laboratory values and outputs: the stay so far and its last 24 hours.

Means and slopes are made of exact sums of integers, so that the order in which records are read
plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from predictor.feature_parts import Part
from predictor.schema import Column
from predictor.sources.measurements import FAMILIES, names
from predictor.sources.records import Records, quoted

if TYPE_CHECKING:
    import pyarrow as pa

EARLY_HOURS: Final = 6
"""Values from this long before the arrival belong to the stay: drawn on the way in."""

STATISTICS: Final = {
    "last": "last",
    "min": "lowest",
    "max": "highest",
    "mean": "sum_v::DOUBLE / n / 1e6",
    "slope": "CASE WHEN n * sum_tt > sum_t * sum_t THEN (n * sum_tv - sum_t * sum_v)::DOUBLE "
    "/ (n * sum_tt - sum_t * sum_t)::DOUBLE / 1e6 * 1440 END",
    "count": "n",
    "hours since": "-last_t / 60.0",
    "min 24h": "lowest_24h",
    "max 24h": "highest_24h",
    "mean 24h": "sum_v_24h::DOUBLE / n_24h / 1e6",
    "count 24h": "coalesce(n_24h, 0)",
    "measured": "1",
}
"""Features of each measurement. `slope` is per day, by least squares; null for one moment."""

OUTPUTS: Final = {
    "total": "sum_v::DOUBLE / 1e6",
    "total 24h": "sum_v_24h::DOUBLE / 1e6",
    "measured": "1",
}
"""Features of what is collected: it is summed."""

PRESENCE: Final = frozenset({"count", "count 24h", "hours since", "measured"})


def window_parts(records: Records, rows: pa.Table) -> list[Part]:
    """A part for each family; of every measurement that medweave knows, measured or not."""
    records.keep("windows", windows_sql(_SEEN), cohort_rows=rows)
    parts = [
        family_part(
            records, rows, family, names(family), OUTPUTS if family == "outputs" else STATISTICS
        )
        for family in FAMILIES
    ]
    records.drop("windows")
    return parts


_SEEN: Final = f"""SELECT row, name, value, time, known, prediction_time FROM measurements
    JOIN (SELECT row, cohort_rows.subject_id, prediction_time,
        least(stays.admitted, ed_arrived) - INTERVAL {EARLY_HOURS} HOUR AS since
        FROM cohort_rows JOIN stays USING (stay_id)) USING (subject_id)
    WHERE time >= since AND time <= prediction_time AND known <= prediction_time"""


def windows_sql(records_sql: str) -> str:
    """One row for each row of the cohort and measurement; t is in minutes before the cut (<= 0).

    `records_sql` gives row, name, value, time, known and prediction_time of what was known by it.
    """
    recent = "FILTER (t >= -1440)"
    return f"""WITH seen AS (SELECT row, name, value, round(value * 1e6)::HUGEINT AS v, known,
            -date_diff('minute', time, prediction_time)::HUGEINT AS t FROM ({records_sql}))
        SELECT row, name, count(*)::HUGEINT AS n, min(value) AS lowest, max(value) AS highest,
            arg_max(value, t * 1000000000000000 + v) AS last, max(t) AS last_t,
            sum(t) AS sum_t, sum(v) AS sum_v, sum(t * t) AS sum_tt, sum(t * v) AS sum_tv,
            nullif(count(*) {recent}, 0) AS n_24h, min(value) {recent} AS lowest_24h,
            max(value) {recent} AS highest_24h, sum(v) {recent} AS sum_v_24h, max(known) AS known
        FROM seen GROUP BY row, name"""


def family_part(
    records: Records,
    rows: pa.Table,
    family: str,
    measured: Sequence[str],
    statistics: Mapping[str, str],
) -> Part:
    """The statistics of some measurements of the table `windows`, under one clock."""
    import pyarrow as pa

    columns: list[Column] = []
    values: list[pa.ChunkedArray] = []
    known = np.full(rows.num_rows, np.datetime64("NaT", "us"))
    for name in measured:
        found = _measurement(records, name, statistics)
        at = found["row"].to_numpy()
        known[at] = np.fmax(known[at], found["known"].to_numpy().astype("datetime64[us]"))
        for told in statistics:
            missing = 0.0 if told in ("count", "count 24h", "measured") else np.nan
            column = np.full(rows.num_rows, missing)
            column[at] = found[told].to_numpy()
            columns.append(Column(f"{name} {told}", "structured", "number", family,
                                  presence=told in PRESENCE))  # fmt: skip
            values.append(pa.chunked_array([pa.array(column, from_pandas=True)]))
    clock = pa.chunked_array([pa.array(known, pa.timestamp("us"), from_pandas=True)])
    return Part(tuple(columns), tuple(values), {family: clock})


def _measurement(records: Records, name: str, statistics: Mapping[str, str]) -> pa.Table:
    """The statistics of one measurement for the rows in which it was seen."""
    chosen = ", ".join(f'({sql})::DOUBLE AS "{told}"' for told, sql in statistics.items())
    return records.query(
        f"SELECT row, known, {chosen} FROM windows WHERE name = {quoted(name)} ORDER BY row"
    )
