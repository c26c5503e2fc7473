"""Features of plain tables: the columns as they are, and what earlier rows of a patient tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from predictor.cohort import Cohort
from predictor.ehr_features_events import event_parts
from predictor.feature_parts import (
    Part,
    code_bits,
    comorbidity_part,
    feature_name,
    numbered,
    part_of,
)
from predictor.given import GivenError
from predictor.schema import Column
from predictor.sources.layout import Kind, Layout
from predictor.sources.records import Records, RecordsError, column, quoted
from predictor.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

OWN = ("subject_id", "stay_id", "row_time", "literature_shift")
HISTORY = "history"
EARLIER = (
    "OVER (PARTITION BY subject_id ORDER BY epoch_us(row_time) "
    "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
)
"""All rows of the patient before this one; rows of the same moment are not earlier."""

LATEST = "{'time': row_time, 'stay': stay_id}"
"""What is latest of rows of the same moment is told by their names, so that it is always one."""


def table_parts(
    records: Records, cohort: Cohort, task: Task, wanted: Sequence[Column] | None = None
) -> list[Part]:
    """The parts of a plain table; codes of the row itself only where the task allows them."""
    layout = records.layout
    assert layout is not None, "plain tables have a layout"
    _check_outcome(layout, task)
    rows = numbered(cohort)
    kinds = feature_kinds(records, layout, task)
    parts = [_columns_part(records, rows, kinds, layout)]
    if layout.codes and task.allow_index_codes:
        parts += _code_parts(records, rows, layout)
    if layout.order or layout.time:
        parts.append(_history_part(records, rows, task, layout, kinds))
        if layout.codes:
            parts.append(_earlier_codes_part(records, rows, layout))
    for events in layout.events:
        parts += event_parts(records, rows, events, wanted)
    return parts


def feature_kinds(records: Records, layout: Layout, task: Task) -> dict[str, Kind]:
    """The features with their kinds; what is to be guessed is a number if every value is one."""
    kinds: dict[str, Kind] = dict(layout.features)
    if layout.rest:
        kept = {layout.subject, layout.stay, layout.order, layout.time, layout.literature_year,
                *layout.never, *layout.codes, task.outcome.column}  # fmt: skip
        names = records.query("SELECT * FROM wide LIMIT 0").column_names
        kinds |= {n: "guess" for n in names if n not in kept | set(kinds) | set(OWN)}
    guessed = [name for name, kind in kinds.items() if kind == "guess"]
    if guessed:
        tests = ", ".join(
            f"bool_and(TRY_CAST({column(n)} AS DOUBLE) NOTNULL) FILTER ({column(n)} NOTNULL)"
            f" AS {column(n)}" for n in guessed
        )  # fmt: skip
        found = records.query(f"SELECT {tests} FROM wide").to_pylist()[0]
        kinds |= {name: "number" if found[name] else "category" for name in guessed}
    _check_names(kinds, layout)
    return kinds


def _check_outcome(layout: Layout, task: Task) -> None:
    if task.outcome.column in layout.features or task.outcome.column in layout.codes:
        raise GivenError(
            f"{layout.path}: {task.outcome.column!r} is the outcome of task {task.name!r} and "
            "cannot be a feature; move it to `never`"
        )


def _check_names(kinds: Mapping[str, Kind], layout: Layout) -> None:
    names: dict[str, str] = {}
    for name in kinds:
        other = names.setdefault(feature_name(name), name)
        if other != name:
            raise GivenError(f"{layout.path}: columns {other!r} and {name!r} differ only in signs "
                             "that models refuse; rename one")  # fmt: skip


def _columns_part(
    records: Records, rows: pa.Table, kinds: Mapping[str, Kind], layout: Layout
) -> Part:
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    _check_numbers(records, numbers, layout)
    chosen = [f"TRY_CAST({column(n)} AS DOUBLE) AS {column(n)}" if kind == "number" else column(n)
              for n, kind in kinds.items()]  # fmt: skip
    return part_of(_joined(records, rows, chosen))


def _joined(records: Records, rows: pa.Table, chosen: list[str]) -> pa.Table:
    return records.query(
        f"SELECT {', '.join(chosen)} FROM cohort_rows JOIN wide USING (subject_id, stay_id) "
        "ORDER BY row",
        cohort_rows=rows,
    )


def _check_numbers(records: Records, names: list[str], layout: Layout) -> None:
    for name in names:
        value = column(name)
        bad = records.query(
            f"SELECT stay_id, {value} AS value, count(*) OVER () AS n FROM wide WHERE {value} "
            f"NOTNULL AND TRY_CAST({value} AS DOUBLE) IS NULL ORDER BY stay_id LIMIT 1"
        ).to_pylist()
        if bad:
            raise RecordsError(
                f"{layout.table}: column {name!r} is a number, but {bad[0]['n']} rows hold none, "
                f"the first {layout.stay} {bad[0]['stay_id']}: {bad[0]['value']!r}. In "
                f"{layout.path.name} list the value under `missing`, give its number under "
                "`replace`, or make the column a category"
            )


def _code_parts(records: Records, rows: pa.Table, layout: Layout) -> list[Part]:
    """Codes of the row itself: their groups (three characters) and the comorbidities."""
    groups = [f"left(replace({column(n)}, '.', ''), 3) AS {column(n + ' group')}"
              for n in layout.codes]  # fmt: skip
    flags = code_bits(records, _codes_sql(layout))
    found = records.query(
        f"""SELECT cohort_rows.row, bit_or(bits) AS found FROM cohort_rows
        LEFT JOIN ({_codes_sql(layout)}) USING (subject_id, stay_id)
        LEFT JOIN flags USING (code, system) GROUP BY 1 ORDER BY 1""",
        cohort_rows=rows,
        flags=flags,
    )
    return [
        part_of(_joined(records, rows, groups), from_codes=True),
        comorbidity_part(found["found"], None, "", ""),
    ]


def _codes_sql(layout: Layout) -> str:
    """Codes of all rows, one a row."""
    each = [f"SELECT subject_id, stay_id, row_time, {column(n)} AS code, {quoted(system)} AS "
            f"system FROM wide" for n, system in layout.codes.items()]  # fmt: skip
    return " UNION ALL ".join(each)


def _history_part(
    records: Records, rows: pa.Table, task: Task, layout: Layout, kinds: Mapping[str, Kind]
) -> Part:
    """Counts, sums and latest values of earlier rows, with the time of the latest as clock."""
    features = [f"count(*) {EARLIER} AS {column('earlier rows')}"]
    since = _since_sql(layout)
    if since:
        names = ("days since", "days between") if layout.time else ("order since", "order between")
        features.append(f"since AS {column(f'{names[0]} earlier row')}")
        features.append(
            f"arg_max(since, {LATEST}) {EARLIER} AS {column(f'{names[1]} earlier rows')}"
        )
    if layout.codes and task.allow_index_codes:
        features += _same_codes(layout)
    for name in layout.history.total:
        value = f"TRY_CAST({column(name)} AS DECIMAL(28, 6))"  # exact: no order of adding
        features.append(f"(sum({value}) {EARLIER})::DOUBLE AS {column(f'earlier {name} total')}")
    for name in layout.history.last:
        value = f"TRY_CAST({column(name)} AS DOUBLE)" if kinds[name] == "number" else column(name)
        features.append(f"arg_max({value}, {LATEST}) {EARLIER} AS {column(f'previous {name}')}")
    if layout.history.outcome_known_by_next_row:
        features += _earlier_outcomes(task)
    answer = records.query(
        f"""WITH timed AS (SELECT *, {since or "NULL"} AS since FROM wide),
        history AS (SELECT subject_id, stay_id, {", ".join(features)},
            max(row_time) {EARLIER} AS known FROM timed)
        SELECT history.* EXCLUDE (subject_id, stay_id) FROM cohort_rows
        JOIN history USING (subject_id, stay_id) ORDER BY row""",
        cohort_rows=rows,
    )
    return part_of(answer, HISTORY)


def _since_sql(layout: Layout) -> str:
    """How long a row is after the patient's latest earlier one: days, or the log of an order."""
    if layout.time:
        return f"date_diff('hour', max(row_time) {EARLIER}, row_time) / 24.0"
    if layout.history.gap:
        return f"ln(1 + date_diff('second', max(row_time) {EARLIER}, row_time))"
    return ""


def _same_codes(layout: Layout) -> list[str]:
    """Whether a code is of the same group as in the patient's latest earlier row: 1 or 0."""
    groups = {name: f"left(replace({column(name)}, '.', ''), 3)" for name in layout.codes}
    return [
        f"({group} = arg_max({group}, {LATEST}) {EARLIER})::INTEGER AS "
        f"{column(f'{name} group as before')}"
        for name, group in groups.items()
    ]


def _earlier_outcomes(task: Task) -> list[str]:
    """Outcomes of earlier rows, as far as they were positive: these had happened by this row."""
    values = ", ".join(quoted(value) for value in task.outcome.positive)
    happened = f"({column(task.outcome.column)} IN ({values}))::INTEGER"
    return [
        f"sum({happened}) {EARLIER} AS {column('earlier outcomes')}",
        f"arg_max({happened}, {LATEST}) {EARLIER} AS {column('previous outcome')}",
    ]


def _earlier_codes_part(records: Records, rows: pa.Table, layout: Layout) -> Part:
    """Comorbidities by the codes of earlier rows; null for a patient without any."""
    flags = code_bits(records, _codes_sql(layout))
    found = records.query(
        f"""WITH coded AS (SELECT stay_id, bit_or(bits) AS bits FROM ({_codes_sql(layout)})
            LEFT JOIN flags USING (code, system) GROUP BY 1),
        history AS (SELECT subject_id, stay_id, bit_or(coded.bits) {EARLIER} AS found,
            max(row_time) {EARLIER} AS known FROM wide LEFT JOIN coded USING (stay_id))
        SELECT found, known FROM cohort_rows JOIN history USING (subject_id, stay_id)
        ORDER BY row""",
        cohort_rows=rows,
        flags=flags,
    )
    return comorbidity_part(found["found"], found["known"], "earlier codes", "earlier")
