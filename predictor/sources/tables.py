"""Plain tables with a layout: one row per stay, columns as they are."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from predictor.sources.calendar import Calendar
from predictor.sources.layout import Events, Layout, header, shipped
from predictor.sources.records import (
    Database,
    Records,
    RecordsError,
    column,
    in_list,
    quoted,
    reading,
)

ENDINGS = (".csv", ".csv.gz", ".parquet")


def recognize(path: Path) -> Layout | None:
    """The shipped layout that fits a file, a folder or a zip in it, by name and columns."""
    for layout in shipped():
        if any(_fits(layout, path, member) for member in _members(path, layout.table)):
            return layout
    return None


def open_tables(path: Path, layout: Layout, database: Database) -> Records:
    """Records of a plain table.

    Raises `RecordsError` where the file or a column that the layout names is not there, or a row
    has no patient, or a time cannot be read.
    """
    file = _file(path, layout.table, database.scratch, layout)
    there = set(_columns(file, database))
    missing = [name for name in layout.columns() if name not in there]
    if missing:
        raise RecordsError(
            f"{file}: no column {', '.join(missing)}, which {layout.path.name} names "
            f"(found: {', '.join(sorted(there))}); correct the names in the layout"
        )
    database.table("rows_as_read", _rows_sql(file, layout, sorted(there)))
    database.view("wide", _wide_sql(layout))
    _check_rows(file, layout, database)
    if layout.events:
        each = [_events_sql(events, path, layout, database) for events in layout.events]
        database.view("events", " UNION ALL ".join(each))
    return Records(layout.name, path, _calendar(layout), database, layout=layout)


FARTHEST = 1e9
"""A number of an event beyond this is no measurement."""


def _events_sql(events: Events, path: Path, layout: Layout, database: Database) -> str:
    """A table beside as rows of `events`; a time that cannot be read is null and counts nowhere.

    Raises `RecordsError` where the file or a column is missing, or no row belongs to a stay.
    """
    file = _file(path, events.table, database.scratch, layout)
    missing = [name for name in events.columns() if name not in _columns(file, database)]
    if missing:
        raise RecordsError(
            f"{file}: no column {', '.join(missing)}, which {layout.path.name} names under events, "
            f"{events.name} (found: {', '.join(sorted(_columns(file, database)))})"
        )
    text = f"trim(beside.{column(events.item)}::VARCHAR)"
    name = rf"""trim(regexp_replace({text}, '[:"\[\]{{}},\s]+', ' ', 'g'))"""
    number = (
        f"TRY_CAST(beside.{column(events.value)} AS DOUBLE)" if events.value else "NULL::DOUBLE"
    )
    at = _moment(events, events.at)
    known = f"greatest({at}, {_moment(events, events.known)})" if events.known else at
    sql = (
        f"SELECT wide.subject_id, wide.stay_id, {quoted(events.name)} AS family, {text} AS item, "
        f"{name} AS name, CASE WHEN abs({number}) < {FARTHEST} THEN {number} END AS value, "
        f"{at} AS time, {known} AS known FROM {reading(file)} beside JOIN wide ON wide.stay_id = "
        f"trim(beside.{column(events.stay)}::VARCHAR) WHERE {text} <> ''"
    )
    found = database.query(f"SELECT count(*) AS n, count(time) AS timed FROM ({sql})").to_pylist()
    if not found[0]["timed"]:
        raise RecordsError(
            f"{file}: of {found[0]['n']} rows of a stay of {layout.table} none has a time in "
            f"{events.at}; correct events, {events.name} in {layout.path.name}"
        )
    return sql


def _moment(events: Events, name: str) -> str:
    """A column of an event's table as a moment in SQL."""
    if events.clock == "time":
        return f"TRY_CAST(beside.{column(name)} AS TIMESTAMP)"
    minutes = {"minutes": 1, "hours": 60, "days": 1440}[events.clock]
    number = f"TRY_CAST(beside.{column(name)} AS DOUBLE)"
    return f"wide.row_time + to_microseconds(round({number} * {minutes * 60_000_000})::BIGINT)"


def _calendar(layout: Layout) -> Calendar:
    if layout.real_dates:
        return Calendar("day", f"the dates of column {layout.time} are real")
    if layout.literature_year:
        return Calendar("year", f"column {layout.literature_year}")
    return Calendar("none", "the table has no real date or year")


def _columns(file: Path, database: Database) -> list[str]:
    if file.suffix == ".parquet":
        return list(database.columns(file).values())
    return list(header(file))


def _rows_sql(file: Path, layout: Layout, names: list[str]) -> str:
    """All columns as text, trimmed, with the values that stand for none set to null."""
    none = in_list(["", *layout.missing])
    chosen = [f"{_value(layout, name, none)} AS {column(name)}" for name in names]
    return f"SELECT {', '.join(chosen)} FROM {reading(file)}"


def _value(layout: Layout, name: str, none: str) -> str:
    trimmed = f"trim({column(name)}::VARCHAR)"
    cases = " ".join(
        f"WHEN {quoted(old)} THEN {quoted(new)}"
        for old, new in sorted(layout.replace.get(name, {}).items())
    )
    value = f"CASE {trimmed} {cases} ELSE {trimmed} END" if cases else trimmed
    return f"CASE WHEN {trimmed} IN {none} THEN NULL ELSE {value} END"


def _wide_sql(layout: Layout) -> str:
    """The rows with the contract's keys; a row without time or order stands at 1970-01-01.

    An order is kept as seconds from there: it tells what is earlier and nothing else.
    """
    if layout.time:
        time = f"TRY_CAST({column(layout.time)} AS TIMESTAMP)"
    elif layout.order:
        time = f"make_timestamp(TRY_CAST({column(layout.order)} AS BIGINT) * 1000000)"
    else:
        time = "TIMESTAMP '1970-01-01'"
    year = f"TRY_CAST({column(layout.literature_year)} AS INTEGER)" if layout.literature_year else (
        "NULL::INTEGER")  # fmt: skip
    return (
        f"SELECT {column(layout.subject)} AS subject_id, {column(layout.stay)} AS stay_id, "
        f"{time} AS row_time, ({year} - year({time}))::INTEGER AS literature_shift, "
        "rows_as_read.* FROM rows_as_read"
    )


def _check_rows(file: Path, layout: Layout, database: Database) -> None:
    found = database.query(
        "SELECT count(*) FILTER (subject_id IS NULL) AS subject, count(*) FILTER (stay_id IS NULL) "
        "AS stay, count(*) FILTER (row_time IS NULL) AS time, count(*) - count(DISTINCT stay_id) - "
        "count(*) FILTER (stay_id IS NULL) AS twice FROM wide"
    ).to_pylist()[0]
    told = {
        "subject": f"rows without a patient in column {layout.subject}",
        "stay": f"rows without a stay in column {layout.stay}",
        "time": f"rows whose {layout.time or layout.order} is no "
        + ("time (write 2026-01-31 14:00)" if layout.time else "whole number"),
        "twice": f"rows whose {layout.stay} stands in another row too",
    }
    for key, words in told.items():
        if found[key]:
            where = {
                "subject": "subject_id IS NULL",
                "stay": "stay_id IS NULL",
                "time": "row_time IS NULL",
            }
            which = where.get(key, "stay_id IN (SELECT stay_id FROM wide GROUP BY 1 "
                                   "HAVING count(*) > 1)")  # fmt: skip
            first = database.query(
                f"SELECT subject_id, stay_id FROM wide WHERE {which} ORDER BY ALL LIMIT 1"
            ).to_pylist()[0]
            raise RecordsError(
                f"{file}: {found[key]} {words}, the first {first}; leave them out or correct them"
            )


def _fits(layout: Layout, path: Path, member: str) -> bool:
    try:
        names = _header_of(path, member)
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile):
        return False
    return set(layout.columns()) <= set(names)


def _header_of(path: Path, member: str) -> tuple[str, ...]:
    archive, _, inside = member.partition("!")
    if not inside:
        return header(Path(member))
    with zipfile.ZipFile(archive) as opened, opened.open(inside) as lines:
        return tuple(n.strip() for n in lines.readline().decode("utf-8-sig").strip().split(","))


def _members(path: Path, table: str) -> list[str]:
    """Where the table lies: files of its name below the path, or `archive!member`."""
    if path.is_file() and path.suffix != ".zip":
        return [str(path)]
    found = [str(file) for file in sorted(path.rglob(f"{table}*")) if file.name.endswith(ENDINGS)]
    archives = [path] if path.is_file() else sorted(path.glob("*.zip"))
    for archive in archives:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                found += [
                    f"{archive}!{name}"
                    for name in sorted(opened.namelist())
                    if Path(name).name == table
                ]
    return found


def _file(path: Path, table: str, scratch: Path, layout: Layout) -> Path:
    members = _members(path.parent if path.is_file() and table != layout.table else path, table)
    if not members:
        raise RecordsError(
            f"{path}: no file {table} (nor in a zip), which {layout.path} names as `table`"
        )
    archive, _, inside = members[0].partition("!")
    if not inside:
        return Path(archive)
    target = scratch / Path(inside).name
    with (
        zipfile.ZipFile(archive) as opened,
        opened.open(inside) as source,
        target.open("wb") as written,
    ):
        shutil.copyfileobj(source, written)
    return target
