"""A task as data: which stays, when the risk is asked for, which outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from predictor.given import Given, GivenError
from predictor.sources.calendar import check_cut
from predictor.sources.records import Records

SHIPPED: Final = Path(__file__).parent / "tasks"
At = Literal["discharge", "admission", "icu", "row"]
AT: Final[Mapping[str, At]] = {
    "discharge": "discharge", "admission": "admission", "icu": "icu", "row": "row"
}  # fmt: skip
OutcomeKind = Literal["readmission", "death_in_hospital", "column"]
OUTCOMES: Final[Mapping[str, OutcomeKind]] = {
    "readmission": "readmission", "death_in_hospital": "death_in_hospital", "column": "column"
}  # fmt: skip
Planned = Literal["no_outcome", "outcome", "excluded"]
PLANNED: Final[Mapping[str, Planned]] = {
    "no_outcome": "no_outcome", "outcome": "outcome", "excluded": "excluded"
}  # fmt: skip
STAY_EXCLUSIONS: Final = ("died", "transferred", "against_advice", "hospice", "planned")


@dataclass(frozen=True, slots=True)
class Prediction:
    """When the risk is asked for: `hours` after admission or after the first entry to intensive
    care (`icu`), at discharge, or `hours` after the time of a row of a plain table (`told` says in
    words when).
    """

    at: At
    hours: float = 0.0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that are left out: one of `STAY_EXCLUSIONS`, or by a plain table's column: those with
    one of its `values`, or with a number `below` or `above` a limit.
    """

    why: str
    column: str = ""
    values: tuple[str, ...] = ()
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is predicted.

    `readmission`: admitted again within `days` x 24 hours of **discharge**. The first return
    counts: `planned` says what it is where it was planned: `no_outcome` (as the Centers for
    Medicare & Medicaid Services count), `outcome`, or the row is `excluded`.
    `death_in_hospital`: the patient dies before discharge, after the prediction time.
    `column`: a value of `positive` is 1, of `negative` 0 (empty: every other value); anything
    else is not known.
    """

    kind: OutcomeKind
    days: float = 0.0
    planned: Planned = "no_outcome"
    column: str = ""
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A prediction task.

    `allow_index_codes` lets diagnosis codes of the index stay count as known at the prediction
    time, though they are given after discharge. `discharge_summary_grace_hours` is the time after
    the prediction time within which a discharge summary is still read; readmission alone may have
    it. `literature_as_of` cuts the literature of every row, for sources without a calendar.
    `data_end` is when follow-up ended: rows whose horizon reaches beyond it are left out.
    """

    name: str
    title: str
    prediction: Prediction
    outcome: Outcome
    index: str = "stay"
    exclusions: tuple[Exclusion, ...] = ()
    minimum_age: float = 0.0
    horizon_days: float | None = None
    allow_index_codes: bool = False
    discharge_summary_grace_hours: float = 0.0
    literature_as_of: date | None = None
    data_end: date | None = None


def load_task(task: str | Path, records: Records | None = None) -> Task:
    """A task by name or from a YAML file.

    A name is looked for in the layout of the records first, then among the shipped ones.
    Raises `GivenError` for an unknown name (listing the known) and for a YAML that is wrong.
    """
    if isinstance(task, Path) or task.endswith((".yaml", ".yml")):
        return read_task(Given.load(Path(task)), Path(task).stem)
    if records is not None and records.layout is not None:
        own = records.layout.tasks
        if task in own:
            return read_task(own[task], task)
        known = ", ".join(sorted(own)) or "none (give them under `tasks`)"
        raise GivenError(f"no task {task!r} for {records.name}; its layout has: {known}")
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
    if task not in shipped:
        raise GivenError(f"no task {task!r}; known: {', '.join(shipped)}, or a YAML file")
    return read_task(Given.load(shipped[task]), task)


def read_task(given: Given, name: str) -> Task:
    """A task from its YAML; `GivenError` for what it must not say."""
    outcome = _outcome(given.inside("outcome"))
    task = Task(
        name=given.text("name", name),
        title=given.text("title", name),
        prediction=_prediction(given.inside("prediction")),
        outcome=outcome,
        index=given.text("index", "stay"),
        exclusions=_exclusions(given),
        minimum_age=given.number("minimum_age", 0.0),
        horizon_days=given.number("horizon_days", outcome.days) or None,
        allow_index_codes=given.flag("allow_index_codes", False),
        discharge_summary_grace_hours=given.number("discharge_summary_grace_hours", 0.0),
        literature_as_of=_day(given, "literature_as_of"),
        data_end=_day(given, "data_end"),
    )
    given.done()
    _check(task, given.where)
    return task


def _check(task: Task, where: str) -> None:
    if task.discharge_summary_grace_hours < 0 or task.prediction.hours < 0:
        raise GivenError(f"{where}: hours are 0 or more")
    dies = task.outcome.kind == "death_in_hospital" or (
        task.prediction.at != "discharge" and task.discharge_summary_grace_hours
    )
    if dies and task.discharge_summary_grace_hours:
        raise GivenError(
            f"{where}: a discharge summary is written after the stay; only a prediction at "
            "discharge may have `discharge_summary_grace_hours`"
        )
    if dies and task.allow_index_codes:
        raise GivenError(
            f"{where}: codes of the stay are given after its end and tell of death; "
            "`allow_index_codes` is for predictions at discharge"
        )
    if task.outcome.kind == "death_in_hospital" and task.prediction.at == "discharge":
        raise GivenError(f"{where}: death in hospital cannot be predicted at discharge")
    if task.outcome.kind == "readmission" and task.prediction.at != "discharge":
        raise GivenError(f"{where}: a readmission is predicted at discharge")


def _prediction(given: Given) -> Prediction:
    at = given.text("at")
    if at not in AT:
        raise GivenError(f"{given.where}: `at` is one of {', '.join(AT)}, found {at!r}")
    prediction = Prediction(AT[at], given.number("hours", 0.0), given.text("told", ""))
    given.done()
    return prediction


def _outcome(given: Given) -> Outcome:
    kind = given.text("kind", "column")
    planned = given.text("planned", "no_outcome")
    if kind not in OUTCOMES or planned not in PLANNED:
        raise GivenError(
            f"{given.where}: `kind` is one of {', '.join(OUTCOMES)}, `planned` one of "
            f"{', '.join(PLANNED)}"
        )
    outcome = Outcome(
        OUTCOMES[kind],
        given.number("days", 30.0 if kind == "readmission" else 0.0),
        PLANNED[planned],
        given.text("column", "") if kind != "column" else given.text("column"),
        given.texts("positive", ()) if kind != "column" else given.texts("positive"),
        given.texts("negative", ()),
    )
    given.done()
    return outcome


def _exclusions(given: Given) -> tuple[Exclusion, ...]:
    if "exclude" not in given:
        return ()
    return tuple(_exclusion(item, given.where) for item in given.items("exclude"))


def _exclusion(item: object, where: str) -> Exclusion:
    if isinstance(item, str):
        if item not in STAY_EXCLUSIONS:
            raise GivenError(
                f"{where}, exclude: {item!r} is none of {', '.join(STAY_EXCLUSIONS)}; values of a "
                "column are excluded by `{why: ..., column: ..., values: [...]}`"
            )
        return Exclusion(item)
    inside = Given(item, f"{where}, exclude")
    column = inside.text("column")
    limits = [inside.number(key) if key in inside else None for key in ("below", "above")]
    values = inside.texts("values", ()) if limits != [None, None] else inside.texts("values")
    exclusion = Exclusion(inside.text("why", column), column, values, *limits)
    inside.done()
    return exclusion


def _day(given: Given, key: str) -> date | None:
    day = given.day(key)
    return check_cut(day, date.today()) if day is not None and key.startswith("lit") else day
