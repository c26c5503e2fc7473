"""Which item of which source is which measurement, with its unit and its possible range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from predictor.sources.records import Database, quoted

TABLE: Final = Path(__file__).parent / "measurements.tsv"
Family = Literal["vitals", "labs", "outputs"]
FAMILIES: Final[tuple[Family, ...]] = ("vitals", "labs", "outputs")


@dataclass(frozen=True, slots=True)
class Item:
    """How items of a source become a measurement.

    `value * scale + offset` is in `unit`; it counts within `low` to `high` (a value outside is
    no value of a living patient: a slip of the pen or another unit). `units` are the units that
    an item may be written with, in lower case and without spaces; an item without a unit is
    taken at its word, one with another unit is set aside.
    """

    name: str
    family: Family
    unit: str
    low: float
    high: float
    units: tuple[str, ...]
    scale: float
    offset: float
    mimic4: tuple[int, ...]
    mimic3: tuple[int, ...]
    loinc: tuple[str, ...]


@cache
def items() -> tuple[Item, ...]:
    """All items, in the order of the table."""
    families: dict[str, Family] = {family: family for family in FAMILIES}
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:])
    return tuple(
        Item(
            name, families[family], unit, float(low), float(high), tuple(units.split()),
            float(scale), float(offset), _ids(mimic4), _ids(mimic3), tuple(loinc.split()),
        )
        for name, family, unit, low, high, units, scale, offset, mimic4, mimic3, loinc in rows
    )  # fmt: skip


def names(family: Family) -> tuple[str, ...]:
    """Names of the measurements of a family, each once."""
    return tuple(dict.fromkeys(item.name for item in items() if item.family == family))


def family_of(name: str) -> Family:
    """The family of a measurement."""
    return next(item.family for item in items() if item.name == name)


def make_item_table(
    database: Database, source: Literal["mimic3", "mimic4"], *, loinc: bool = False
) -> None:
    """The table `items`: itemid, name, scale, shift, lowest, highest, units of one source.

    With `loinc` the itemid is text, and LOINC codes stand beside the source's numbers.
    """
    rows = [
        f"({quoted(itemid) if loinc else itemid}, {quoted(item.name)}, {item.scale!r}, "
        f"{item.offset!r}, {item.low!r}, {item.high!r}, {quoted(' '.join(item.units))})"
        for item in items()
        for itemid in _of_source(item, source, loinc)
    ]
    database.table(
        "items",
        f"SELECT * FROM (VALUES {', '.join(rows)}) AS listed "
        "(itemid, name, scale, shift, lowest, highest, units)",
    )


def _of_source(item: Item, source: str, loinc: bool) -> tuple[str, ...]:
    own = item.mimic4 if source == "mimic4" else item.mimic3
    return (*map(str, own), *(item.loinc if loinc else ()))


def measured(table: str, value: str, unit: str, time: str, known: str, where: str = "") -> str:
    """Measurements of a table of events in SQL: what `items` lists, in its unit and range."""
    number = f"({value} * scale + shift)::DOUBLE"
    written = f"replace(lower(coalesce({unit}, '')), ' ', '')"
    return (
        f"SELECT {table}.subject_id::VARCHAR AS subject_id, items.name, {time} AS time, "
        f"{known} AS known, {number} AS value FROM {table} JOIN items USING (itemid) "
        f"WHERE {number} BETWEEN lowest AND highest AND ({written} = '' OR units = '' OR "
        f"list_contains(string_split(units, ' '), {written})) {where}"
    )


def _ids(text: str) -> tuple[int, ...]:
    return tuple(int(item) for item in text.split())
