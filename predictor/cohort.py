"""Who is predicted, when, and with which outcome; every exclusion with its count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from predictor.given import GivenError
from predictor.schema import KEYS, TIME
from predictor.sources.calendar import CalendarError
from predictor.sources.records import Records, column, in_list
from predictor.task import (
    Exclusion,
    Outcome,
    Prediction,
    Task,
    load_task,
    read_task,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Cohort", "Exclusion", "FlowStep", "Outcome", "Prediction", "Task",
    "load_task", "make_cohort", "read_task",
]  # fmt: skip

WORDS = {
    "died": "died in hospital",
    "transferred": "transferred to another acute hospital",
    "against_advice": "left against medical advice",
    "hospice": "discharged to a hospice",
    "planned": "planned admission",
}


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the flow: how many rows it excluded and how many are left after it.

    A step that excludes nothing by definition tells something of the rows in `told`.
    """

    name: str
    excluded: int
    left: int
    told: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The rows of a task, ordered by `KEYS`, and how they came about.

    Columns of `rows`: `subject_id`, `stay_id`, `prediction_time`, `label` (int8, never null),
    `admitted`, `discharged` (null in plain tables), `literature_date` (date32: the literature
    may be read up to it; null where neither the source nor the task gives one).
    """

    task: Task
    rows: pa.Table
    flow: tuple[FlowStep, ...]

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @property
    def events(self) -> int:
        """Rows with the outcome."""
        import pyarrow.compute as pc

        return int(pc.sum(self.rows["label"]).as_py() or 0)

    def literature_dates(self) -> list[str]:
        """The date for each row up to which literature may be read, ISO 8601.

        Raises `CalendarError` where a row has none: a temporal split or a cut of the literature
        is then not possible, unless the task gives `literature_as_of`.
        """
        dates = self.rows["literature_date"]
        if dates.null_count:
            raise CalendarError(
                f"{dates.null_count} of {len(self)} rows of task {self.task.name!r} have no date "
                "of the literature: the source's dates are shifted or missing. Give a real "
                "`literature_as_of` in the task"
            )
        return [day.isoformat() for day in dates.to_pylist()]


def make_cohort(records: Records, task: Task) -> Cohort:
    """The rows of the task, with the flow of exclusions.

    Raises `GivenError` where the task asks for what the source does not have, `RecordsError`
    where records cannot be read.
    """
    if records.has("wide") != (task.outcome.kind == "column"):
        raise GivenError(
            f"task {task.name!r} has an outcome of kind {task.outcome.kind!r}, which "
            f"{records.name} cannot give: a plain table has `column`, other sources "
            "`readmission` and `death_in_hospital`"
        )
    steps = _wide_steps(records, task) if records.has("wide") else _stay_steps(task)
    candidates = _wide_rows(records, task) if records.has("wide") else _stay_rows(records, task)
    return _followed(task, candidates, steps, records)


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    excludes: str  # a condition in SQL; null excludes nothing


def _followed(task: Task, candidates: pa.Table, steps: Sequence[_Step], records: Records) -> Cohort:
    """Apply the steps in order, each to what the ones before have left."""
    flow = [FlowStep("candidates", 0, candidates.num_rows)]
    rows = candidates
    for step in steps:
        kept = records.query(f"SELECT * FROM rows WHERE NOT coalesce({step.excludes}, false)",
                             rows=rows)  # fmt: skip
        flow.append(FlowStep(step.name, rows.num_rows - kept.num_rows, kept.num_rows))
        rows = kept
    names = [*KEYS, "label", "admitted", "discharged", "literature_date"]
    flow += _told(task, rows, records)
    return Cohort(task, _typed(rows.select(names)), tuple(flow))


def _told(task: Task, rows: pa.Table, records: Records) -> list[FlowStep]:
    counted = records.query(
        "SELECT count(*) FILTER (label = 1) AS events, count(DISTINCT subject_id) AS patients "
        + (", count(*) FILTER (planned_return AND label = 0) AS planned " if "planned_return" in
           rows.column_names else ", 0 AS planned ") + "FROM rows", rows=rows
    ).to_pylist()[0]  # fmt: skip
    left = rows.num_rows
    told = [FlowStep("cohort", 0, left, f"{counted['patients']} patients, "
                     f"{counted['events']} with the outcome")]  # fmt: skip
    if counted["planned"]:
        words = f"{counted['planned']} returned first for a planned stay: no outcome"
        told.append(FlowStep("planned returns", 0, left, words))
    return told


def _typed(rows: pa.Table) -> pa.Table:
    import pyarrow as pa

    types = {"subject_id": pa.string(), "stay_id": pa.string(), "label": pa.int8(),
             "literature_date": pa.date32()}  # fmt: skip
    schema = pa.schema([(name, types.get(name, TIME)) for name in rows.column_names])
    return rows.cast(schema).sort_by([(key, "ascending") for key in KEYS]).combine_chunks()


def _literature(records: Records, task: Task, time: str) -> str:
    if task.literature_as_of is not None:
        return f"DATE '{task.literature_as_of.isoformat()}'"
    return records.calendar.sql(time, "literature_shift")


def _wide_rows(records: Records, task: Task) -> pa.Table:
    """All rows of a plain table with their label, or null where it is not known."""
    outcome = task.outcome
    named = {outcome.column, *(exclusion.column for exclusion in task.exclusions)}
    there = records.query("SELECT * FROM wide LIMIT 0").column_names
    for exclusion in task.exclusions:
        if not exclusion.column:
            raise GivenError(f"task {task.name!r}: exclusion {exclusion.why!r} needs a column")
    missing = sorted(named - set(there))
    if missing:
        raise GivenError(f"task {task.name!r}: the table has no column {', '.join(missing)}")
    value = column(outcome.column)
    rest = f"{value} IN {in_list(outcome.negative)}" if outcome.negative else f"{value} NOTNULL"
    columns = ", ".join(f"{column(name)} AS {column('given ' + name)}" for name in sorted(named))
    time = f"(row_time + INTERVAL {round(task.prediction.hours * 3600)} SECOND)"
    return records.query(
        f"SELECT subject_id, stay_id, {time} AS prediction_time, CASE WHEN {value} IN "
        f"{in_list(outcome.positive)} THEN 1 WHEN {rest} THEN 0 END AS label, "
        "NULL::TIMESTAMP AS admitted, NULL::TIMESTAMP AS discharged, "
        f"{_literature(records, task, time)} AS literature_date, {columns} "
        "FROM wide ORDER BY subject_id, prediction_time, stay_id"
    )


def _wide_steps(records: Records, task: Task) -> list[_Step]:
    steps = [_Step(one.why, _excluded(one)) for one in task.exclusions]
    if task.data_end is not None and records.layout is not None and records.layout.time:
        steps.append(_follow_up(task, "prediction_time"))
    return [*steps, _Step("outcome not known", "label IS NULL")]


def _excluded(one: Exclusion) -> str:
    """The rows of a plain table that an exclusion names, in SQL."""
    value = column("given " + one.column)
    number = f"TRY_CAST({value} AS DOUBLE)"
    told = [f"{value} IN {in_list(one.values)}"] if one.values else []
    told += [f"{number} < {one.below!r}"] if one.below is not None else []
    told += [f"{number} > {one.above!r}"] if one.above is not None else []
    return " OR ".join(told)


def _follow_up(task: Task, since: str) -> _Step:
    days = task.horizon_days or 0.0
    hours = round(days * 24)
    return _Step(
        f"followed for less than {days:g} days (data end {task.data_end})",
        f"{since} + INTERVAL {hours} HOUR > DATE '{task.data_end}' + INTERVAL 1 DAY",
    )


def _stay_rows(records: Records, task: Task) -> pa.Table:
    """All stays with prediction time and label."""
    time = {
        "discharge": "discharged",
        "admission": f"admitted + INTERVAL {round(task.prediction.hours * 3600)} SECOND",
        "icu": f"entered + INTERVAL {round(task.prediction.hours * 3600)} SECOND",
    }[task.prediction.at]
    stays = "stays"
    if task.prediction.at == "icu":
        if not records.has("icu"):
            raise GivenError(f"task {task.name!r}: {records.name} has no intensive care stays")
        stays = "stays LEFT JOIN (SELECT stay_id, min(entered) AS entered FROM icu GROUP BY 1) "
        stays += "USING (stay_id)"
    hours = round(task.outcome.days * 24)
    returned = f"coalesce(again.admitted <= discharged + INTERVAL {hours} HOUR, false)"
    planned = "coalesce(again.planned, false)"
    unplanned = f"{returned} AND NOT {planned}"
    label = {
        "death_in_hospital": "CASE WHEN dead THEN 1 WHEN dead_known THEN 0 END",
        "readmission": returned if task.outcome.planned == "outcome" else unplanned,
        "column": "NULL",
    }[task.outcome.kind]
    return records.query(
        f"""WITH timed AS (SELECT *, {time} AS prediction_time FROM {stays}),
        returns AS (SELECT timed.stay_id, min({{'admitted': later.admitted, 'id': later.stay_id,
                'planned': later.planned}}) AS again
            FROM timed JOIN stays later ON timed.subject_id = later.subject_id
                AND later.admitted >= timed.discharged AND later.stay_id <> timed.stay_id
            GROUP BY 1)
        SELECT timed.*, ({label})::TINYINT AS label, {returned} AND {planned} AS planned_return,
            {_literature(records, task, "prediction_time")} AS literature_date
        FROM timed LEFT JOIN returns USING (stay_id) ORDER BY subject_id, admitted, stay_id"""
    )


def _stay_steps(task: Task) -> list[_Step]:
    steps = [_Step("age not known", "age IS NULL"), _Step(f"under {task.minimum_age:g} years",
             f"age < {task.minimum_age}")] if task.minimum_age else []  # fmt: skip
    if task.prediction.at == "discharge":
        steps.append(_Step("no discharge recorded", "discharged IS NULL"))
    for exclusion in task.exclusions:
        if exclusion.column:
            raise GivenError(f"task {task.name!r}: columns are excluded in plain tables alone")
        sign = {"died": "dead"}.get(exclusion.why, exclusion.why)
        steps.append(_Step(WORDS[exclusion.why], sign))
    if task.prediction.at == "icu":
        steps.append(_Step("never in intensive care", "entered IS NULL"))
    if task.prediction.at != "discharge":
        told = f"within {task.prediction.hours:g} hours"
        steps.append(
            _Step(f"died {told}", "dead AND coalesce(died, discharged) <= prediction_time")
        )
        steps.append(_Step(f"left {told}", "discharged <= prediction_time"))
    if task.outcome.kind == "readmission" and task.outcome.planned == "excluded":
        steps.append(_Step("first return was planned", "planned_return"))
    if task.data_end is not None and task.outcome.kind == "readmission":
        steps.append(_follow_up(task, "discharged"))
    return [*steps, _Step("outcome not known", "label IS NULL")]
