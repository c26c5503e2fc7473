"""UMLS and MedGen in Rich Release Format: names, semantic types, definitions, parents.

Columns of UMLS files are those of the UMLS Reference Manual; MedGen files name theirs in a first
line that starts with `#`. Concepts that NCBI made (`CN...`) have the prefix `MEDGEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    PREFERRED,
    Entry,
    Fault,
    Item,
    Match,
    UnreadableFileError,
    open_text,
)
from ontologies.semantic_types import NAMES

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "CONSO": (
        *("CUI", "LAT", "TS", "LUI", "STT", "SUI", "ISPREF", "AUI", "SAUI", "SCUI", "SDUI"),
        *("SAB", "TTY", "CODE", "STR", "SRL", "SUPPRESS", "CVF"),
    ),
    "STY": ("CUI", "TUI", "STN", "STY", "ATUI", "CVF"),
    "DEF": ("CUI", "AUI", "ATUI", "SATUI", "SAB", "DEF", "SUPPRESS", "CVF"),
    "REL": (
        *("CUI1", "AUI1", "STYPE1", "REL", "CUI2", "AUI2", "STYPE2", "RELA", "RUI", "SRUI"),
        *("SAB", "SL", "RG", "DIR", "SUPPRESS", "CVF"),
    ),
}
"""Columns of the UMLS files, without the prefix `MR`."""

HEADINGS: Final = frozenset({"MH", "NM", "PT", "PN", "HT", "PTN", "MTH_PT", "IN"})
"""Term types by which a source names the concept itself, and not one of its entry terms."""

_NO_CODE: Final = frozenset({"NOCODE", ""})
_SHOWN: Final = "N"
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows are read: languages, source abbreviations (all where `None`), suppressed ones."""

    languages: Collection[str] = ("ENG",)
    sources: Collection[str] | None = None
    suppressed: bool = False

    def keep(self, row: Row) -> bool:
        """Whether a row is wanted; a column that the file does not have excludes nothing."""
        language, source = row.get("LAT", ""), row.get("SAB", "")
        return (
            (not language or language in self.languages)
            and (self.sources is None or not source or source in self.sources)
            and (self.suppressed or row.get("SUPPRESS", _SHOWN) == _SHOWN)
        )


def reader(kind: str, filters: Filters) -> Callable[[Path], Iterator[Item]]:
    """The reader of `CONSO`, `STY`, `DEF` or `REL` files under the given filters."""
    make = {"CONSO": _names, "STY": _types, "DEF": _definitions, "REL": _relations}[kind]

    def read(path: Path) -> Iterator[Item]:
        return make(path, _Table(path, kind), filters)

    return read


@dataclass(slots=True)
class _Table:
    """Rows of a file by column name; malformed ones become faults."""

    path: Path
    kind: str
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        columns: tuple[str, ...] = COLUMNS[self.kind]
        with open_text(self.path) as lines:
            for number, line in enumerate(lines, 1):
                text = line.rstrip("\r\n")
                if number == 1 and text.startswith("#"):
                    columns = self._header(text)
                    continue
                values = text.removesuffix("|").split("|")
                if len(values) != len(columns):
                    detail = f"expected {len(columns)} columns, came {len(values)}"
                    self.faults.append(Fault(f"{self.path}:{number}", "short-row", detail))
                    continue
                yield number, dict(zip(columns, values, strict=True))

    def _header(self, line: str) -> tuple[str, ...]:
        columns = tuple(line.lstrip("#").strip().removesuffix("|").split("|"))
        if not columns[0].startswith("CUI"):
            raise UnreadableFileError(
                f"{self.path}:1: expected a header that starts with #CUI, came {line[:40]!r}; "
                "restore the first line"
            )
        return columns

    def concept(self, number: int, local: str) -> str | None:
        """The CURIE of a concept, or `None` and a fault."""
        try:
            return curies.make("UMLS", local)
        except curies.InvalidCurieError as error:
            self.faults.append(Fault(f"{self.path}:{number}", "invalid-id", str(error)))
            return None

    def drain(self) -> Iterator[Fault]:
        """The faults since the last call."""
        faults, self.faults = self.faults, []
        yield from faults


def _names(path: Path, table: _Table, filters: Filters) -> Iterator[Item]:
    """An entry for each row, under the source that gives the name, and its codes as matches."""
    for number, row in table:
        concept = table.concept(number, row["CUI"]) if filters.keep(row) else None
        yield from table.drain()
        if concept is None:
            continue
        prefix = curies.normal_prefix(row["SAB"])
        best = row["TS"] == "P" and row["STT"] == "PF" and row["ISPREF"] == "Y"
        source = "UMLS" if best else prefix
        yield Entry(concept, source, ((row["STR"], PREFERRED if best else EXACT),))
        yield from _code(f"{path}:{number}", concept, prefix, row)
    yield from table.drain()


def _code(place: str, concept: str, prefix: str, row: Row) -> Iterator[Item]:
    """The source's own id, where the row is the source's name for the concept itself."""
    code = row.get("SDUI") or row["CODE"]
    if row["TTY"] not in HEADINGS or code in _NO_CODE or prefix in ("MTH", "UMLS"):
        return
    if prefix in curies.LOCAL_IDS:
        try:
            yield Match(concept, curies.make(prefix, code.replace("_", ":")), "UMLS", exact=True)
        except curies.InvalidCurieError as error:
            yield Fault(place, "invalid-id", str(error))


def _types(path: Path, table: _Table, filters: Filters) -> Iterator[Item]:
    del filters
    for number, row in table:
        concept = table.concept(number, row["CUI"])
        yield from table.drain()
        if row["TUI"] not in NAMES:
            yield Fault(f"{path}:{number}", "unknown-type", f"{row['TUI']} is no semantic type")
        elif concept is not None:
            yield Entry(concept, "UMLS", semantic_types=(row["TUI"],))
    yield from table.drain()


def _definitions(path: Path, table: _Table, filters: Filters) -> Iterator[Item]:
    """Definitions; MedGen calls the column of the source `source`."""
    del path
    for number, row in table:
        concept = table.concept(number, row["CUI"]) if filters.keep(row) else None
        yield from table.drain()
        if concept is not None:
            source = row.get("SAB") or row.get("source", "UMLS")
            yield Entry(concept, curies.normal_prefix(source), definition=row["DEF"])
    yield from table.drain()


def _relations(path: Path, table: _Table, filters: Filters) -> Iterator[Item]:
    """Parents. REL tells what the second concept is to the first: `PAR` its parent."""
    del path
    for number, row in table:
        if row["REL"] not in ("PAR", "CHD") or not filters.keep(row):
            continue
        first, second = table.concept(number, row["CUI1"]), table.concept(number, row["CUI2"])
        if first is None or second is None or first == second:
            continue
        child, parent = (first, second) if row["REL"] == "PAR" else (second, first)
        yield Entry(child, "UMLS", parents=(parent,))
    yield from table.drain()
