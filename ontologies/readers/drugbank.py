"""DrugBank's open vocabulary: drugs with their names, without other vocabularies' ids but CAS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    PREFERRED,
    Entry,
    Fault,
    Item,
    cells,
    columns,
    rows,
    short_row,
)

SOURCE = "DRUGBANK"


def read(path: Path) -> Iterator[Item]:
    """Drugs of the tab-separated form `drugbank_id, name, synonyms` (divided by bars)."""
    table = rows(path, "\t", quoted=False)
    _, header = next(table, (0, []))
    positions = columns(path, header, ["drugbank_id", "name", "synonyms"])
    for line, row in table:
        if len(row) <= max(positions[:2]):
            yield short_row(path, line, row, len(header))
            continue
        drug, name, *synonyms = (row[p] for p in positions if p < len(row))
        yield _drug(f"{path}:{line}", drug, name, "".join(synonyms).split("|"), "")


def read_published(path: Path) -> Iterator[Item]:
    """Drugs of `drugbank vocabulary.csv` as DrugBank publishes it (synonyms divided by ` | `)."""
    for row in cells(path, ",", ["DrugBank ID", "Common name", "Synonyms", "CAS"]):
        if isinstance(row, Fault):
            yield row
        else:
            place, (drug, name, synonyms, cas) = row
            yield _drug(place, drug, name, synonyms.split("|"), cas)


def _drug(place: str, drug: str, name: str, synonyms: list[str], cas: str) -> Entry | Fault:
    names = [(name, PREFERRED), *((s.strip(), EXACT) for s in synonyms if s.strip())]
    try:
        xrefs = (curies.make("CAS", cas),) if cas else ()
        return Entry(curies.make(SOURCE, drug), SOURCE, tuple(names), xrefs)
    except curies.InvalidCurieError as error:
        return Fault(place, "invalid-id", str(error))
