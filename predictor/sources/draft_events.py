"""A first guess at the tables beside a table: what happened to a stay, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from predictor.sources.layout import Clock
from predictor.sources.records import Database, column, reading

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
SAMPLE: Final = 20_000
"""So many rows of a table are looked at."""

ITEM: Final = re.compile(r"name|label|item|string|descri", re.IGNORECASE)
NAMED: Final = re.compile(r"(?:name|label|string)$", re.IGNORECASE)
VALUE: Final = re.compile(r"value|result|amount|number|level", re.IGNORECASE)
CLOCKS: Final[tuple[tuple[re.Pattern[str], Clock], ...]] = (
    (re.compile(r"offset|minutes?", re.IGNORECASE), "minutes"),
    (re.compile(r"hours?(?![a-z])", re.IGNORECASE), "hours"),
    (re.compile(r"days?(?![a-z])", re.IGNORECASE), "days"),
)
LATER: Final = re.compile(r"revis|stor|enter|verif|updat", re.IGNORECASE)
"""A second time of a record: when it could be read."""

ENDS: Final = re.compile(r"stop|end(?![a-z])|disch|expir", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    filled: int
    distinct: int
    numbers: int
    moments: int

    @property
    def number(self) -> bool:
        return 0 < 0.9 * self.filled <= self.numbers


def draft_events(table: Path, stay: str, taken: Database) -> list[str]:
    """Lines of YAML for the files beside a table that have its column of stays."""
    lines = []
    for file in sorted(table.parent.iterdir()):
        name = next((file.name[: -len(end)] for end in ENDINGS if file.name.endswith(end)), "")
        if not name or file == table:
            continue
        columns = _columns(file, taken)
        if stay in {one.name for one in columns}:
            drawn = _drawn(file, name, stay, columns)
            lines.append(drawn or f"  # {file.name} has {stay}, but no column that tells when")
    return lines


def _columns(file: Path, taken: Database) -> list[_Column]:
    taken.view("beside", f"SELECT * FROM {reading(file)} LIMIT {SAMPLE}")
    found = []
    for name in taken.query("SELECT * FROM beside LIMIT 0").column_names:
        value = f"nullif(trim({column(name)}::VARCHAR), '')"
        told = taken.query(
            f"SELECT count({value}) AS n, count(DISTINCT {value}) AS d, "
            f"count(TRY_CAST({value} AS DOUBLE)) AS numbers, "
            f"count(TRY_CAST({value} AS TIMESTAMP)) AS moments FROM beside"
        ).to_pylist()[0]
        found.append(_Column(name, told["n"], told["d"], told["numbers"], told["moments"]))
    return found


def _drawn(file: Path, name: str, stay: str, columns: list[_Column]) -> str:
    """One table's line, "" where no column seems to tell when."""
    clock, when = _times(columns)
    items = [c for c in columns if not c.number and c.name != stay and c not in when and c.distinct]
    named = [c for c in items if ITEM.search(c.name) and 0 < c.distinct < 0.5 * c.filled] or [
        c for c in items if 0 < c.distinct < 0.5 * c.filled
    ]
    if not when or not named:
        return ""
    item = max(named, key=lambda c: (bool(NAMED.search(c.name)), c.filled, c.distinct))
    told = {"table": file.name, "item": item.name}
    values = [c for c in columns if c.number and VALUE.search(c.name) and c not in when]
    if values and values[0].distinct > 10:
        told["value"] = values[0].name
    later = [c for c in when if LATER.search(c.name)]
    first = [c for c in when if c not in later and not ENDS.search(c.name)] or when
    told[clock] = first[0].name
    if later and later[0] is not first[0]:
        told["known"] = later[0].name
    shown = ", ".join(f"{key}: {value}" for key, value in told.items())
    return f"  {re.sub(r'[^A-Za-z0-9_]', '_', name)}: {{{shown}}}"


def _times(columns: list[_Column]) -> tuple[Clock, list[_Column]]:
    """The clock of a table and its columns of time."""
    for pattern, clock in CLOCKS:
        found = [c for c in columns if c.number and pattern.search(c.name)]
        if found:
            return clock, found
    return "time", [c for c in columns if not c.number and 0 < 0.9 * c.filled <= c.moments]
