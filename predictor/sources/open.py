"""Which source a folder is, by its layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from predictor.sources import meds, mimic3, mimic4
from predictor.sources.layout import load_layout, shipped
from predictor.sources.records import Database, Records, RecordsError
from predictor.sources.tables import open_tables, recognize

SOURCES: Final = ("mimic4", "mimic3", "meds", "tables")
"""Known sources; each has a module of its name."""

_EVENTS: Final[tuple[tuple[Callable[[Path, Database], bool],
                           Callable[[Path, Database], Records]], ...]] = (
    (mimic4.recognize, mimic4.open_source),
    (mimic3.recognize, mimic3.open_source),
    (meds.recognize, meds.open_source),
)  # fmt: skip


def open_records(
    path: Path, layout: Path | None = None, *, memory_limit: str | None = None
) -> Records:
    """Open the records of a folder or file, recognized by its layout; a YAML names the columns
    of a plain table.

    `memory_limit` of the reader as DuckDB writes it (`3GB`, also by `MEDWEAVE_MEMORY`).
    Raises `RecordsError` that names what was looked for, `GivenError` for a wrong YAML.
    """
    if not path.exists():
        raise RecordsError(f"{path}: no such file or folder")
    database = Database(memory_limit)
    try:
        return _opened(path, layout, database)
    except BaseException:
        database.close()
        raise


def _opened(path: Path, layout: Path | None, database: Database) -> Records:
    if layout is not None:
        return open_tables(path, load_layout(layout), database)
    if path.is_dir():
        for fits, opened in _EVENTS:
            if fits(path, database):
                return opened(path, database)
    found = recognize(path)
    if found is not None:
        return open_tables(path, found, database)
    known = ", ".join(f"{one.name} ({one.table})" for one in shipped())
    raise RecordsError(
        f"{path}: no records were recognized. Looked for MIMIC-IV "
        "(patients with anchor_year, admissions), MIMIC-III (patients with dob, admissions), MEDS "
        "(data/**/*.parquet with subject_id, time, code, numeric_value) and "
        f"tables of a known layout: {known}. For a "
        "table of your own give a YAML that names its columns (see docs/tables.md)"
    )
