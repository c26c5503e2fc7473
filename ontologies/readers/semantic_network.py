"""The UMLS Semantic Network: read to check that the types known here are those it defines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ontologies.readers.items import Fault, Item, cells, rows, short_row
from ontologies.semantic_types import NAMES


def read_types(path: Path) -> Iterator[Item]:
    """A table `semantic_type, definition, identifier, note`."""
    for row in cells(path, ",", ["semantic_type", "identifier"]):
        if isinstance(row, Fault):
            yield row
        else:
            place, (name, tui) = row
            yield from _check(place, tui, name)


def read_srdef(path: Path) -> Iterator[Item]:
    """NLM's `SRDEF`: `STY` rows are types, `RL` rows relations."""
    for line, row in rows(path, "|", quoted=False):
        if len(row) < 3:
            yield short_row(path, line, row, 3)
        elif row[0] == "STY":
            yield from _check(f"{path}:{line}", row[1], row[2])


def read_relations(path: Path) -> Iterator[Item]:
    """A table `semantic_relations, definition, identifier, note`; relations are not concepts."""
    for row in cells(path, ",", ["semantic_relations", "identifier"]):
        if isinstance(row, Fault):
            yield row


def _check(place: str, tui: str, name: str) -> Iterator[Fault]:
    if NAMES.get(tui) != name:
        yield Fault(place, "unknown-type", f"{tui} is {NAMES.get(tui, 'unknown')!r}, not {name!r}")
