"""A first layout for a table, to be corrected by who knows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from predictor.sources.draft_events import draft_events
from predictor.sources.records import Database, RecordsError, column, reading

LATER: Final = re.compile(
    r"dis?charge|death|dead|died|expire|mortal|outcome|surviv|readmi|status|\blos\b|length.of.stay|"
    r"cost|charges|dnr|hospice|follow",
    re.IGNORECASE,
)
"""Names of columns that often hold what is known only after the prediction."""

PATIENT: Final = re.compile(r"subject|patient|person|pid|mrn|nbr", re.IGNORECASE)
IDENTIFIER: Final = re.compile(r"(?:^|[a-z_ ])id$|pid$|_nbr$|number$|mrn", re.IGNORECASE)
BAD: Final = re.compile(r"expired|dead|died|death|^yes$|^1$|^true$", re.IGNORECASE)
"""Values that an outcome has where it happened."""

FEW: Final = 12
"""A column of text with at most this many values may be the outcome."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a column holds; `odd` are the few values of a column of numbers that are none."""

    name: str
    values: int
    distinct: int
    numbers: bool
    examples: tuple[str, ...]
    odd: tuple[str, ...]

    @property
    def identifies(self) -> bool:
        """Whether the column seems to number rows or people rather than to describe them."""
        named = bool(IDENTIFIER.search(self.name)) and self.distinct > 30
        return named or (not self.numbers and self.distinct > max(50, 0.5 * self.values))


def draft_layout(path: Path) -> str:
    """YAML of a layout for a table (CSV, plain or gz, or Parquet): a guess at every line.

    Columns whose names speak of discharge, death, costs and the like are put under `never`; the
    identifiers and the outcome are guessed or left to fill in. Raises `RecordsError` for a file
    that is no table.
    """
    if not path.is_file():
        raise RecordsError(f"{path}: no file; give one CSV (.csv, .csv.gz) or Parquet file")
    database = Database()
    try:
        rows, columns = _seen(path, database)
        if not rows:
            raise RecordsError(f"{path}: the table has no rows")
        stay = _stay(rows, columns)
        beside = draft_events(path, stay, database) if stay else []
    finally:
        database.close()
    return _written(path, rows, columns, beside)


def _stay(rows: int, columns: list[Seen]) -> str | None:
    """The column that numbers rows: the first with a value of its own in each."""
    return next((c.name for c in columns if c.distinct == rows == c.values), None)


def _seen(path: Path, database: Database) -> tuple[int, list[Seen]]:
    database.view("drafted", f"SELECT * FROM {reading(path)}")
    names = database.query("SELECT * FROM drafted LIMIT 0").column_names
    rows = int(database.query("SELECT count(*) AS n FROM drafted")["n"][0].as_py())
    return rows, [_column(name, database) for name in names]


def _column(name: str, database: Database) -> Seen:
    value = f"nullif(trim({column(name)}::VARCHAR), '')"
    number = f"TRY_CAST({value} AS DOUBLE)"
    told = database.query(
        f"SELECT count({value}) AS n, count(DISTINCT {value}) AS d, count({number}) AS numbers, "
        f"list_sort(list(DISTINCT {value}) FILTER ({value} NOTNULL AND {number} IS NULL))[:4] "
        "AS odd FROM drafted"
    ).to_pylist()[0]
    common = database.query(
        f"SELECT {value} AS v FROM drafted WHERE {value} NOTNULL GROUP BY 1 "
        "ORDER BY count(*) DESC, 1 LIMIT 4"
    )["v"].to_pylist()
    odd = tuple(sorted(told["odd"] or ()))
    mostly = len(odd) < 4 and told["numbers"] > max(2 * len(odd), 0.5 * told["n"])
    numbers = bool(told["n"]) and (told["numbers"] == told["n"] or mostly)
    return Seen(name, told["n"], told["d"], numbers, tuple(common), odd if numbers else ())


def _written(path: Path, rows: int, columns: list[Seen], beside: list[str]) -> str:
    stay = _stay(rows, columns)
    ids = [c for c in columns if PATIENT.search(c.name) and c.name != stay and c.values == rows
           and c.distinct > 0.1 * rows]  # fmt: skip
    subject = min(ids, key=lambda c: c.distinct).name if ids else stay
    others = [c for c in columns if c.name not in (stay, subject) and c.values]
    later = [c for c in others if LATER.search(c.name)]
    numbering = [c for c in others if c not in later and c.identifies]
    rest = [c for c in others if c not in later and c not in numbering]
    odd = [c for c in rest if c.odd]
    never = [
        *[f"  {_quoted(c.name)}: by its name   # {_shown(c)}" for c in later],
        *[f"  {_quoted(c.name)}: identifies   # {_shown(c)}" for c in numbering],
    ]
    lines = [
        f"# A draft for {path.name} ({rows:,} rows). Check every line; see docs/tables.md.",
        f"table: {path.name}",
        f"subject: {_name(subject)}   # the patient: may stand in many rows",
        f"stay: {_name(stay)}   # one value for each row",
        "# order: visit_number   # or time: ..., so that earlier rows of a patient can be used",
        "features:   # only what is known when the risk is asked for",
        f"  numbers: [{_listed([c for c in rest if c.numbers])}]",
        f"  categories: [{_listed([c for c in rest if not c.numbers])}]",
        *(["replace:   # values that are no numbers"] if odd else []),
        *[f"  {_quoted(c.name)}: {{{_replaced(c)}}}" for c in odd],
        *(["never:   # known only later, or no description; move back what is wrong here"]
          if never else []),
        *never,
        *(["events:   # tables beside it, cut at the prediction time; keep those that may be known"]
          if beside else []),
        *beside,
        "tasks:",
        "  my_task:",
        *(_PREDICTION_LATER if beside else _PREDICTION),
        *_outcome([c for c in later if 2 <= c.distinct <= FEW]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


_PREDICTION: Final = ("    prediction: {at: row, told: when the risk is asked for}",)
_PREDICTION_LATER: Final = (
    "    prediction: {at: row, hours: 24, told: 24 hours after the row's time}",
    "    # exclude: [{why: left within 24 hours, column: FILL_IN, below: 1440}]",
)


def _replaced(seen: Seen) -> str:
    """What the odd values of a column of numbers may mean: the number that stands in them."""
    digits = [(value, re.search(r"\d+(?:\.\d+)?", value)) for value in seen.odd]
    return ", ".join(f"{_quoted(value, always=True)}: {found[0] if found else 'FILL_IN'}"
                     for value, found in digits)  # fmt: skip


def _outcome(candidates: list[Seen]) -> list[str]:
    if not candidates:
        return ['    outcome: {column: FILL_IN, positive: ["1"], negative: ["0"]}']
    ranked = sorted(candidates, key=lambda c: (not any(map(BAD.search, c.examples)), c.distinct))
    return [
        f"    {'' if at == 0 else '# '}outcome: {{column: {_quoted(one.name)}, positive: "
        f"[{_quoted(_happened(one), always=True)}], negative: "
        f"[{_quoted(_other(one), always=True)}]}}   # {_shown(one)}"
        for at, one in enumerate(ranked)
    ]


def _happened(seen: Seen) -> str:
    return next((value for value in seen.examples if BAD.search(value)), seen.examples[-1])


def _other(seen: Seen) -> str:
    return next(value for value in seen.examples if value != _happened(seen))


def _name(name: str | None) -> str:
    return "FILL_IN" if name is None else _quoted(name)


def _listed(columns: list[Seen]) -> str:
    return ", ".join(_quoted(c.name) for c in columns)


def _shown(seen: Seen) -> str:
    return f"{seen.distinct} values, the commonest {', '.join(seen.examples)}"


def _quoted(text: str, *, always: bool = False) -> str:
    if not always and re.fullmatch(r"[A-Za-z][\w.]*", text) and text.lower() not in (
        "yes", "no", "true", "false", "null", "on", "off", "y", "n"
    ):  # fmt: skip
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
