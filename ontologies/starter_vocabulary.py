"""The starter vocabulary: concepts that matter in hospital medicine, shipped with the project.

Its tables (`ontologies/starter/*.tsv`) name a concept's parents by their preferred names, so that
they can be read and reviewed; here names become ids. See `ontologies/starter/README.md` for what
the columns mean and where each identifier comes from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ontologies.concept import Concept, Name, Vocabulary

SOURCE = "STARTER"
KINDS = (
    "diseases", "findings", "drugs", "procedures", "measurements", "organisms", "anatomy", "genes",
)  # fmt: skip
_FOLDER = Path(__file__).with_name("starter")
_COLUMNS = ("id", "name", "synonyms", "narrower", "shorthand", "types", "parents", "xrefs")


class StarterTableError(ValueError):
    """A row of the starter's tables cannot be read; the message names table, line and fault."""


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    cells: dict[str, str]

    def many(self, column: str) -> tuple[str, ...]:
        return tuple(filter(None, self.cells[column].split("|")))


def starter_concepts(kind: str | None = None) -> list[Concept]:
    """The concepts of one kind (see `KINDS`), or of all, in the order of the tables.

    >>> concept = next(c for c in starter_concepts("diseases") if c.name == "heart failure")
    >>> concept.id, "ICD10CM:I50.9" in concept.xrefs
    ('UMLS:C0018801', True)
    >>> [name.text for name in concept.names if name.notes_only][:2]
    ['CHF', 'HF']
    >>> starter_concepts("planets")
    Traceback (most recent call last):
        ...
    ValueError: unknown kind 'planets'; known: diseases, findings, drugs, ...
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    rows = {name: list(_read(name)) for name in KINDS}
    ids = _ids_by_name([row for table in rows.values() for row in table])
    chosen = KINDS if kind is None else (kind,)
    return [_concept(row, ids) for name in chosen for row in rows[name]]


def starter_vocabulary() -> Vocabulary:
    """The whole starter as an in-memory vocabulary."""
    return Vocabulary.from_concepts(starter_concepts())


def _read(kind: str) -> Iterator[_Row]:
    path = _FOLDER / f"{kind}.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(next(reader)) != _COLUMNS:
            raise StarterTableError(f"{path.name}: expected the columns {', '.join(_COLUMNS)}")
        for cells in reader:
            place = f"{path.name}, line {reader.line_num}"
            if len(cells) != len(_COLUMNS):
                raise StarterTableError(
                    f"{place}: {len(_COLUMNS)} cells expected, {len(cells)} met"
                )
            yield _Row(place, dict(zip(_COLUMNS, cells, strict=True)))


def _ids_by_name(rows: list[_Row]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for row in rows:
        if row.cells["name"] in ids:
            raise StarterTableError(f"{row.place}: a second concept named {row.cells['name']!r}")
        ids[row.cells["name"]] = row.cells["id"]
    return ids


def _concept(row: _Row, ids: dict[str, str]) -> Concept:
    unknown = [parent for parent in row.many("parents") if parent not in ids]
    if unknown:
        raise StarterTableError(f"{row.place}: no concept is named {unknown[0]!r} (a parent)")
    return Concept(
        id=row.cells["id"],
        name=row.cells["name"],
        names=tuple(_names(row)),
        semantic_types=row.many("types"),
        parents=tuple(ids[parent] for parent in row.many("parents")),
        xrefs=tuple(sorted({row.cells["id"], *row.many("xrefs")})),
    )


def _names(row: _Row) -> Iterator[Name]:
    yield Name(row.cells["name"], SOURCE, "preferred")
    yield from (Name(text, SOURCE) for text in row.many("synonyms"))
    yield from (Name(text, SOURCE, "narrow") for text in row.many("narrower"))
    yield from (Name(text, SOURCE, notes_only=True) for text in row.many("shorthand"))
