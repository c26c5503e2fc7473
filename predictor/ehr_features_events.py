"""What tables beside a plain table tell of a row: values as they changed, and what was given.

Names with a value get its last, extremes, mean, slope and count up to the prediction time; names
without one how often they stand there. Which names get columns looks at no outcome: the commonest
that stand in enough rows, or, for a model that is there already, those that it was made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from predictor.ehr_features_windows import STATISTICS, family_part, windows_sql
from predictor.feature_parts import Part, part_of
from predictor.schema import Column
from predictor.sources.layout import Events
from predictor.sources.records import Records, column, quoted

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_ROWS: Final = 10
MOST_VALUES: Final = 100
MOST_ITEMS: Final = 200
"""Names in at least `LEAST_ROWS` rows get columns: so many of each table, the commonest first."""

TOTALS: Final = ("records", "kinds")
CHANGES: Final = {
    told: sql for told, sql in STATISTICS.items() if "24h" not in told and told != "measured"
}


def event_parts(
    records: Records, rows: pa.Table, events: Events, wanted: Sequence[Column] | None = None
) -> list[Part]:
    """The parts of one table beside. `wanted` are the features of a model that there is already."""
    seen = _seen_sql(events)
    names = _common(records, rows, seen, events) if wanted is None else _named(events, wanted)
    parts = [_counts(records, rows, seen, events, names)]
    if events.value:
        labelled = f"SELECT * REPLACE ({quoted(events.name + ' ')} || name AS name) FROM ({seen})"
        records.keep("windows", windows_sql(f"{labelled} WHERE value NOTNULL"), cohort_rows=rows)
        measured = [f"{events.name} {name}" for name in names]
        parts.append(family_part(records, rows, f"{events.name} values", measured, CHANGES))
        records.drop("windows")
    return parts


def _seen_sql(events: Events) -> str:
    """Records of a table beside that were known by each row's prediction."""
    return (
        "SELECT row, name, value, time, known, prediction_time FROM events JOIN cohort_rows "
        f"USING (subject_id, stay_id) WHERE family = {quoted(events.name)} AND "
        "time <= prediction_time AND known <= prediction_time"
    )


def _common(records: Records, rows: pa.Table, seen: str, events: Events) -> list[str]:
    which = "WHERE value NOTNULL" if events.value else ""
    found = records.query(
        f"SELECT name, count(DISTINCT row) AS n FROM ({seen}) {which} GROUP BY name "
        f"HAVING n >= {LEAST_ROWS} ORDER BY n DESC, name "
        f"LIMIT {MOST_VALUES if events.value else MOST_ITEMS}",
        cohort_rows=rows,
    )
    names: list[str] = found["name"].to_pylist()
    return names


def _named(events: Events, wanted: Sequence[Column]) -> list[str]:
    """The names behind the columns that a model has."""
    clock, end = (f"{events.name} values", " count") if events.value else (events.name, "")
    total = {f"{events.name} {one}" for one in TOTALS}
    begin = len(events.name) + 1
    return [
        column.name[begin : len(column.name) - len(end)]
        for column in wanted
        if column.clock == clock and column.name.endswith(end) and column.name not in total
    ]


def _counts(records: Records, rows: pa.Table, seen: str, events: Events, names: list[str]) -> Part:
    """How many records there are, and of each name where names have no values."""
    listed = [] if events.value else names
    each = "".join(
        f", count(*) FILTER (name = {quoted(name)}) AS {column(f'{events.name} {name}')}"
        for name in listed
    )
    answer = records.query(
        f"""SELECT row, count(name) AS {column(f"{events.name} records")}, count(DISTINCT name) AS
            {column(f"{events.name} kinds")}{each}, max(known) AS known
        FROM cohort_rows LEFT JOIN (SELECT row, name, known FROM ({seen})) USING (row)
        GROUP BY row ORDER BY row""",
        cohort_rows=rows,
    )  # fmt: skip
    total = [f"{events.name} {one}" for one in TOTALS] if events.value else []
    return part_of(answer, events.name, presence=total)
