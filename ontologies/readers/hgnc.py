"""HGNC: approved human genes with symbols, names, aliases and gene ids."""

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
    columns,
    rows,
    short_row,
)

_CUSTOM = (
    "HGNC ID",
    "Approved symbol",
    "Approved name",
    "Status",
    "Alias symbols",
    "Previous symbols",
    "NCBI Gene ID(supplied by NCBI)",
    "UniProt ID(supplied by UniProt)",
)
_COMPLETE = (
    "hgnc_id",
    "symbol",
    "name",
    "status",
    "alias_symbol",
    "prev_symbol",
    "entrez_id",
    "uniprot_ids",
)


def read(path: Path) -> Iterator[Item]:
    """Approved genes; withdrawn entries are left out.

    Both downloads of the HGNC are read: the custom one (lists divided by `, `) and the complete
    set (by `|`, quoted). Previous symbols are `related`: many were given to another gene since.
    """
    table = rows(path, "\t")
    _, header = next(table, (0, []))
    complete = "hgnc_id" in header
    positions = columns(path, header, _COMPLETE if complete else _CUSTOM)
    for line, row in table:
        if len(row) <= max(positions):
            yield short_row(path, line, row, len(header))
        elif row[positions[3]] == "Approved":
            yield _gene(f"{path}:{line}", [row[p] for p in positions], "|" if complete else ", ")


def _gene(place: str, fields: list[str], divider: str) -> Entry | Fault:
    gene, symbol, name, _, aliases, previous, entrez, proteins = fields
    names = [(symbol, PREFERRED), (name, EXACT)]
    names += [(alias, EXACT) for alias in _divided(aliases, divider)]
    names += [(old, "related") for old in _divided(previous, divider)]
    try:
        xrefs = [curies.make("NCBIGene", entrez)] if entrez else []
        xrefs += [curies.make("UniProt", protein) for protein in _divided(proteins, divider)]
        curie = curies.make("HGNC", gene)
    except curies.InvalidCurieError as error:
        return Fault(place, "invalid-id", str(error))
    return Entry(curie, "HGNC", tuple(n for n in names if n[0]), tuple(xrefs))


def _divided(value: str, divider: str) -> list[str]:
    return [part.strip() for part in value.split(divider) if part.strip()]
