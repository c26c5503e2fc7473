"""The contract of records: the same tables with the same columns, whatever the source.

Every table is a view over the source's files and is read lazily. Times are the source's own;
`known` is when a record could be read by the staff: the time at which it was stored where there
is one, else the time at which it was charted; a bare date is the end of that day.

| table | a row | columns beside subject_id (text) |
|---|---|---|
| `stays` | a hospital stay | see `STAY_COLUMNS` |
| `icu` | a stay in intensive care | stay_id, icu_id, entered, left_at (null: not yet), unit |
| `ed` | an emergency visit | arrived, stay_id (null: sent home) |
| `ed_admitted` | an emergency visit that led to a stay, where others are not known | as `ed` |
| `diagnoses` | a coded diagnosis | stay_id, code, system (`ICD9CM`, `ICD10CM`), rank, known |
| `procedures` | a coded procedure | stay_id, code, system (`ICD9PCS`, `ICD10PCS`), known |
| `measurements` | an observed number | name, value, time, known |
| `drugs` | an order of a drug | stay_id, drug, started, known |
| `actions` | a bedside procedure | stay_id, name, started, ended, known |
| `infusions` | a drug running at a rate | stay_id, drug, started, ended, rate, unit, known |
| `services` | a service takes over | stay_id, service, known |
| `notes` | a note | stay_id, category, known |
| `wide` | a row of a plain table | stay_id, row_time, row_number, the table's columns as text |
| `events` | a row of a table beside it | stay_id, family, item, name, value, time, known |

A source has `stays` or `wide`; every other table may be missing, which is not the same as empty.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from predictor.sources.calendar import Calendar

if TYPE_CHECKING:
    import pyarrow as pa

    from predictor.sources.layout import Layout

STAY_COLUMNS: Final = {
    "subject_id": "VARCHAR",
    "stay_id": "VARCHAR",
    "admitted": "TIMESTAMP",
    "discharged": "TIMESTAMP",  # null: not yet
    "died": "TIMESTAMP",  # death in hospital
    "dead": "BOOLEAN",  # died in hospital
    "dead_known": "BOOLEAN",  # whether the source tells
    "age": "DOUBLE",  # years at admission
    "sex": "VARCHAR",
    "admission_type": "VARCHAR",
    "admitted_from": "VARCHAR",
    "discharged_to": "VARCHAR",
    "insurance": "VARCHAR",
    "race": "VARCHAR",
    "language": "VARCHAR",
    "marital_status": "VARCHAR",
    "planned": "BOOLEAN",  # elective; null: not known
    "transferred": "BOOLEAN",  # discharged to another acute hospital
    "against_advice": "BOOLEAN",
    "hospice": "BOOLEAN",
    "ed_arrived": "TIMESTAMP",
    "ed_left": "TIMESTAMP",
    "literature_shift": "INTEGER",  # years to add to a time of this stay; see Calendar
}
"""Columns of `stays` and their types."""

TABLES: Final = (
    "stays", "icu", "ed", "ed_admitted", "diagnoses", "procedures", "measurements", "drugs",
    "actions", "infusions", "services", "notes", "wide", "events",
)  # fmt: skip

MEMORY_LIMIT: Final = "3GB"


class RecordsError(ValueError):
    """Files that are no records, or records that cannot be read; names file, row and remedy."""


class Records:
    """Open records of one source. Use `predictor.sources.open_records`; close after use."""

    def __init__(
        self,
        name: str,
        root: Path,
        calendar: Calendar,
        database: Database,
        *,
        layout: Layout | None = None,
    ) -> None:
        self.name = name
        self.root = root
        self.calendar = calendar
        self.layout = layout
        self._database = database
        self.tables = frozenset(database.views() & set(TABLES))

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back memory and scratch files."""
        self._database.close()

    def has(self, table: str) -> bool:
        """Whether the source has a table of the contract (it may be empty)."""
        return table in self.tables

    def query(self, sql: str, **tables: pa.Table) -> pa.Table:
        """The answer to SQL over the contract's tables and the Arrow tables given by name.

        Raises `RecordsError` with file, line and column where a record cannot be read.
        """
        return self._database.query(sql, tables)

    def keep(self, name: str, sql: str, **tables: pa.Table) -> None:
        """Keep the answer to SQL as a table that later queries may name; it spills to disk."""
        self._database.table(name, sql, tables)

    def drop(self, name: str) -> None:
        """Give back the memory of a kept table."""
        self._database.run(f"DROP TABLE {name}")


class Database:
    """An in-memory DuckDB with a limit of memory, whose views read files.

    Results do not depend on the number of threads where the SQL orders its rows.
    """

    def __init__(self, memory_limit: str | None = None) -> None:
        import duckdb

        self._scratch = tempfile.TemporaryDirectory(prefix="medweave-records-")
        self.scratch = Path(self._scratch.name)
        self._connection = duckdb.connect(":memory:")
        limit = memory_limit or os.environ.get("MEDWEAVE_MEMORY", MEMORY_LIMIT)
        self.run(f"SET memory_limit = {quoted(limit)}")
        self.run(f"SET temp_directory = {quoted(str(self.scratch / 'spill'))}")
        self.run("SET preserve_insertion_order = false")
        self.run(f"SET threads = {min(4, os.cpu_count() or 1)}")
        self.run("SET TimeZone = 'UTC'")
        self.run("SET enable_progress_bar = false")

    def close(self) -> None:
        self._connection.close()
        self._scratch.cleanup()

    def run(self, sql: str) -> None:
        """A statement without an answer."""
        self._execute(sql)

    def view(self, name: str, sql: str) -> None:
        """A view, replaced if it was there."""
        self.run(f"CREATE OR REPLACE VIEW {name} AS {sql}")

    def table(self, name: str, sql: str, tables: Mapping[str, pa.Table] | None = None) -> None:
        """A table kept in memory and spilled to disk: for what is read often."""
        with self._registered(tables or {}):
            self.run(f"CREATE OR REPLACE TABLE {name} AS {sql}")

    def views(self) -> set[str]:
        """Names of all views and tables."""
        names = self._connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal "
            "UNION SELECT table_name FROM duckdb_tables()"
        ).fetchall()
        return {str(name) for (name,) in names}

    def query(self, sql: str, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        with self._registered(tables or {}):
            answer: pa.Table = self._answer(sql)
        return answer

    @contextmanager
    def _registered(self, tables: Mapping[str, pa.Table]) -> Iterator[None]:
        for name, table in tables.items():
            self._connection.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self._connection.unregister(name)

    def _answer(self, sql: str) -> Any:
        import duckdb

        try:
            return self._connection.sql(sql).to_arrow_table()
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            raise  # a fault of the SQL, not of the records
        except duckdb.Error as error:
            raise RecordsError(_told(str(error))) from error

    def _execute(self, sql: str) -> Any:
        import duckdb

        try:
            return self._connection.execute(sql)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            raise  # a fault of the SQL, not of the records
        except duckdb.Error as error:
            raise RecordsError(_told(str(error))) from error

    def columns(self, path: Path) -> dict[str, str]:
        """Lower-case to written names of the columns of a CSV (plain or gz) or Parquet file."""
        found = self._execute(f"DESCRIBE SELECT * FROM {reading(path)}").fetchall()
        return {str(row[0]).lower(): str(row[0]) for row in found}

    def read(
        self, name: str, path: Path, needed: Mapping[str, str], wished: Mapping[str, str]
    ) -> None:
        """A view with typed columns of a file; wished ones that are missing are null.

        Names are compared without case. Raises `RecordsError` where a needed column is missing.
        """
        there = self.columns(path)
        missing = sorted(set(needed) - set(there))
        if missing:
            raise RecordsError(
                f"{path}: no column {', '.join(missing)} (found: {', '.join(there)}); is this the "
                "file as it was published?"
            )
        kinds = {**needed, **wished}
        types = {name: kinds.get(c, "VARCHAR") for c, name in there.items()}
        chosen = [f'"{there[c]}"::{kind} AS {c}' if c in there else f"NULL::{kind} AS {c}"
                  for c, kind in {**needed, **wished}.items()]  # fmt: skip
        self.view(name, f"SELECT {', '.join(chosen)} FROM {reading(path, types)}")


def reading(path: Path, columns: Mapping[str, str] | None = None) -> str:
    """A file as a table in SQL; `columns` are all its columns in order with their types.

    Without them every column is text.
    """
    if path.suffix == ".parquet":
        return f"read_parquet({quoted(str(path))})"
    told = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in (columns or {}).items())
    typed = f"auto_detect = false, columns = {{{told}}}" if told else "all_varchar = true"
    return (
        f"read_csv({quoted(str(path))}, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"max_line_size = 16777216, {typed})"
    )


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def column(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def in_list(values: Iterable[str]) -> str:
    """Texts as a list of SQL; of no value is true of nothing."""
    return "(" + (", ".join(quoted(value) for value in values) or "NULL") + ")"


def end_of_day(time: str) -> str:
    """The last moment of a date in SQL: when a bare date has certainly passed."""
    return f"(date_trunc('day', {time}) + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND)"


def moment(time: str) -> str:
    """A time that may be a bare date written as midnight: then the end of that day."""
    return f"CASE WHEN {time} = date_trunc('day', {time}) THEN {end_of_day(time)} ELSE {time} END"


def _told(message: str) -> str:
    """DuckDB's message without its settings, with the file first."""
    lines = message.splitlines()
    file = next((line.split("=", 1)[1].strip() for line in lines if "file = " in line), "")
    kept = [line.strip() for line in lines[:4] if line.strip()]
    remedy = "; correct the line or leave it out" if file else ""
    return (f"{file}: " if file else "") + " ".join(kept) + remedy
