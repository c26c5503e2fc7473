"""A short YAML that names the columns of a plain table: one row per stay."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

from predictor.given import Given, GivenError

Kind = Literal["number", "category", "code", "guess"]
Clock = Literal["time", "minutes", "hours", "days"]
CLOCKS: Final[Mapping[Clock, str]] = {
    "time": "a column of moments", "minutes": "minutes", "hours": "hours", "days": "days"
}  # fmt: skip
SHIPPED: Final = Path(__file__).parent / "layouts"
SYSTEMS: Final = ("ICD9CM", "ICD10CM")
MEANS: Final = ("drug", "name", *SYSTEMS)


@dataclass(frozen=True, slots=True)
class History:
    """What earlier rows of the same patient tell: needs `order` or `time`.

    `total` are summed over all earlier rows, `last` are taken from the latest earlier one that
    has a value.
    `outcome_known_by_next_row` states that the outcome of a row is known when the patient comes
    again, so that earlier outcomes are features; without it they are not. `gap` states that the
    difference of two rows' `order` tells how long one is after the other, in a unit of its own.
    """

    total: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    outcome_known_by_next_row: bool = False
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """A table beside the plain one, with any number of rows for a stay: what happened, and when.

    `item` is the column that names what happened; `value` that of its number, "" where rows tell
    only that it happened. `at` is the column of when: moments (clock `time`), or numbers of
    minutes, hours or days since the row's own time. `known` is when it could be read, by the same
    clock; "" is at once. `means` says that items are concepts: names of drugs, other names, or
    codes of a system, several of which are separated by commas.
    """

    name: str
    table: str
    stay: str
    item: str
    at: str
    clock: Clock
    value: str = ""
    known: str = ""
    means: str = ""

    def columns(self) -> tuple[str, ...]:
        """The columns that the table must have, each once."""
        named = (self.stay, self.item, self.at, self.value, self.known)
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a plain table.

    `features` gives each feature its kind (`guess`: a number where every value reads as one).
    `codes` gives a column of diagnosis codes its system. `never` are columns that must not be
    features, with the reason. `missing` are values that stand for none, beside the empty one.
    `drugs` are columns named like a drug with the values that mean it was given, `concepts` give
    values of columns the names of the concepts that they mean: the literature is asked for these.
    `scores` tells which columns are inputs of a bedside score (see `predictor.scores_tables`).
    `replace` maps values of a column to others (`"> 89": "90"`). `events` are tables beside it.
    """

    name: str
    title: str
    table: str
    subject: str
    stay: str
    order: str = ""
    time: str = ""
    literature_year: str = ""
    real_dates: bool = False
    missing: tuple[str, ...] = ()
    features: Mapping[str, Kind] = field(default_factory=dict)
    rest: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)
    replace: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    history: History = History()
    drugs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    concepts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scores: Mapping[str, Given] = field(default_factory=dict)
    events: tuple[Events, ...] = ()
    tasks: Mapping[str, Given] = field(default_factory=dict)
    path: Path = Path()

    def columns(self) -> tuple[str, ...]:
        """All columns that the layout names, each once."""
        named = (self.subject, self.stay, self.order, self.time, self.literature_year)
        several = (*self.features, *self.codes, *self.never, *self.replace, *self.drugs,
                   *self.concepts)  # fmt: skip
        return tuple(dict.fromkeys(name for name in (*named, *several) if name))


def load_layout(path: Path) -> Layout:
    """The layout that a YAML gives; `GivenError` says what is missing or unknown."""
    given = Given.load(path)
    order, time = given.text("order", ""), given.text("time", "")
    if order and time:
        raise GivenError(f"{path}: `order` and `time` are both given; keep `time`")
    features, rest = _features(given)
    layout = Layout(
        name=given.text("name", path.stem),
        title=given.text("title", path.stem),
        table=given.text("table"),
        subject=given.text("subject"),
        stay=given.text("stay"),
        order=order,
        time=time,
        literature_year=given.text("literature_year", ""),
        real_dates=given.flag("real_dates", False),
        missing=given.texts("missing", ()),
        features=features,
        rest=rest,
        codes=_codes(given.inside("codes")),
        never=_never(given),
        replace=_replace(given.inside("replace")),
        history=_history(given.inside("history"), bool(order or time), path),
        drugs=_drugs(given.inside("drugs")),
        concepts=_replace(given.inside("concepts")),
        scores=_tasks(given.inside("scores")),
        events=_events(given.inside("events"), given.text("stay"), bool(time)),
        tasks=_tasks(given.inside("tasks")),
        path=path,
    )
    given.done()
    _check(layout)
    return layout


def _features(given: Given) -> tuple[dict[str, Kind], bool]:
    if given.contains_text("features"):
        if given.text("features") != "rest":
            raise GivenError(f"{given.where}: `features` is `rest`, a list, or `numbers: [...]` "
                             "and `categories: [...]`")  # fmt: skip
        return {}, True
    if given.contains_list("features"):
        return dict.fromkeys(given.texts("features"), "guess"), False
    inside = given.inside("features")
    numbers = inside.texts("numbers", ())
    kinds: dict[str, Kind] = dict.fromkeys(numbers, "number")
    for name in inside.texts("categories", ()):
        if name in kinds:
            raise GivenError(f"{inside.where}: {name!r} is listed as number and as category")
        kinds[name] = "category"
    rest = inside.flag("rest", False)
    inside.done()
    return kinds, rest


def _codes(given: Given) -> dict[str, str]:
    codes = {name: system for system in SYSTEMS for name in given.texts(system, ())}
    given.done()
    return codes


def _never(given: Given) -> dict[str, str]:
    if given.contains_list("never"):
        return dict.fromkeys(given.texts("never"), "")
    inside = given.inside("never")
    return {name: inside.text(name) for name in inside.keys()}  # noqa: SIM118


def _replace(given: Given) -> dict[str, dict[str, str]]:
    columns = {name: given.inside(name) for name in given.keys()}  # noqa: SIM118
    return {name: {old: inside.text(old) for old in inside.keys()}  # noqa: SIM118
            for name, inside in columns.items()}  # fmt: skip


def _drugs(given: Given) -> dict[str, tuple[str, ...]]:
    """All columns under `columns` with the values under `given`."""
    values = given.texts("given", ())
    columns = given.texts("columns", ())
    given.done()
    return dict.fromkeys(columns, values)


def _events(given: Given, stay: str, timed: bool) -> tuple[Events, ...]:
    """The tables beside, by name; `GivenError` where a table does not say when things happened."""
    found = []
    for name in given.keys():  # noqa: SIM118
        inside = given.inside(name)
        clocks = [clock for clock in CLOCKS if clock in inside]
        if len(clocks) != 1 or (clocks == ["time"] and not timed):
            raise GivenError(
                f"{inside.where}: say when things happened by one of `minutes`, `hours` or `days` "
                "(a column of numbers since the row's own time), or by `time` (a column of "
                "moments), which needs `time` of the table itself"
            )
        means = inside.text("means", "")
        if means and means not in MEANS:
            raise GivenError(f"{inside.where}: `means` is one of {', '.join(MEANS)}")
        found.append(
            Events(
                name, inside.text("table"), inside.text("stay", stay), inside.text("item"),
                inside.text(clocks[0]), clocks[0], inside.text("value", ""),
                inside.text("known", ""), means,
            )
        )  # fmt: skip
        inside.done()
    return tuple(found)


def _history(given: Given, ordered: bool, path: Path) -> History:
    history = History(
        given.texts("total", ()),
        given.texts("last", ()),
        given.flag("outcome_known_by_next_row", False),
        given.flag("gap", False),
    )
    given.done()
    if history != History() and not ordered:
        raise GivenError(f"{path}: `history` needs `order` or `time`, else no row is earlier")
    return history


def _tasks(given: Given) -> dict[str, Given]:
    return {name: given.inside(name) for name in given.keys()}  # noqa: SIM118


def _check(layout: Layout) -> None:
    both = sorted(set(layout.never) & (set(layout.features) | set(layout.codes)))
    if both:
        raise GivenError(f"{layout.path}: {', '.join(both)} stand under `never` and as features")
    if not (layout.features or layout.rest or layout.codes):
        raise GivenError(f"{layout.path}: `features` is missing (a list of columns, or `rest`)")
    unknown = sorted({*layout.history.total, *layout.history.last} - set(layout.features))
    if unknown and not layout.rest:
        raise GivenError(f"{layout.path}, history: {', '.join(unknown)} are no features")


@cache
def shipped() -> tuple[Layout, ...]:
    """The layouts that come with medweave, by name."""
    return tuple(load_layout(path) for path in sorted(SHIPPED.glob("*.yaml")))


def header(path: Path) -> tuple[str, ...]:
    """The first line of a CSV (plain or gz) as column names."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
        return tuple(name.strip() for name in next(csv.reader(lines), []))
