"""SSSOM mappings, and plainer tables that state cross-references or parents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ontologies import curies
from ontologies.readers.items import (
    Entry,
    Fault,
    Item,
    Match,
    References,
    UnreadableFileError,
    cells,
    columns,
    rows,
    short_row,
)

_EXACT = frozenset({"skos:exactMatch", "owl:equivalentClass", "owl:sameAs"})
_SAME = _EXACT | {"oboInOwl:hasDbXref", "semapv:crossSpeciesExactMatch"}


def read(path: Path) -> Iterator[Item]:
    """Matches of an SSSOM table; predicates other than exact ones and cross-references, and rows
    that state that there is no match, become faults, so that they are counted.
    """
    table = rows(path, "\t", quoted=False, comment="#")
    _, header = next(table, (0, []))
    subject, predicate, target = columns(path, header, ["subject_id", "predicate_id", "object_id"])
    modifier = header.index("predicate_modifier") if "predicate_modifier" in header else None
    for line, row in table:
        place = f"{path}:{line}"
        if len(row) <= max(subject, predicate, target):
            yield short_row(path, line, row, len(header))
        elif row[predicate] not in _SAME or (modifier is not None and row[modifier] == "Not"):
            yield Fault(place, "not-exact", f"{row[predicate]} states no identity")
        else:
            yield _match(place, row[subject], row[target], exact=row[predicate] in _EXACT)


def _match(place: str, subject: str, target: str, *, exact: bool) -> Match | Fault:
    references = References()
    ends = references.take(place, [subject, target])
    if references.faults:
        return references.faults[0]
    if len(ends) != 2:
        return Fault(place, "self-match", f"{subject} is matched with itself")
    return Match(ends[0], ends[1], curies.prefix_of(ends[0]), exact)


def read_xref_table(path: Path) -> Iterator[Item]:
    """A table `id, label, xref`: cross-references of the Disease Ontology."""
    for row in cells(path, "\t", ["id", "xref"]):
        if isinstance(row, Fault):
            yield row
        else:
            place, (subject, target) = row
            yield _match(place, subject, target, exact=False)


def read_subclass_edges(path: Path) -> Iterator[Item]:
    """A table `x, p, y` in which x is a subclass of y."""
    for row in cells(path, "\t", ["x", "p", "y"], quoted=False):
        if isinstance(row, Fault):
            yield row
            continue
        place, (child, predicate, parent) = row
        if predicate != "rdfs:subClassOf":
            raise UnreadableFileError(
                f"{place}: expected rdfs:subClassOf, came {predicate!r}; keep only subclass "
                "edges in this file"
            )
        references = References()
        ends = references.take(place, [child, parent])
        yield from references.drain()
        if len(ends) == 2:
            yield Entry(ends[0], curies.prefix_of(ends[0]), parents=(ends[1],))
