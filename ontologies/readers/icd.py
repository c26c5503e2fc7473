"""ICD-9-CM and ICD-10-CM: every code is a concept, with its chapter's semantic type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    PREFERRED,
    Entry,
    Fault,
    Item,
    Match,
    cells,
    open_text,
)
from ontologies.semantic_types import types_of_icd


def read_icd9(path: Path) -> Iterator[Item]:
    """ICD-9-CM as a table `code, parent_code, name`."""
    for row in cells(path, ",", ["code", "parent_code", "name"]):
        if isinstance(row, Fault):
            yield row
        else:
            place, (code, parent, name) = row
            yield _code(place, "ICD9CM", code, [name], parent)


def read_icd10(path: Path) -> Iterator[Item]:
    """ICD-10-CM as a table `code, billable, short, long`, ordered so that parents come first."""
    seen: set[str] = set()
    for row in cells(path, ",", ["code", "short", "long"]):
        if isinstance(row, Fault):
            yield row
        else:
            place, (code, short, long) = row
            yield _ordered(place, code, short, long, seen)


_ORDER_LINE = re.compile(r"\d{5} (\S{3,7}) +[01] (.{60}) (.+)")


def read_icd10_order(path: Path) -> Iterator[Item]:
    """ICD-10-CM as CMS publishes it: the order file, in columns of fixed width."""
    seen: set[str] = set()
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            found = _ORDER_LINE.match(line.rstrip("\r\n"))
            if not found:
                yield Fault(f"{path}:{number}", "short-row", "expected order, code, 0 or 1, names")
            else:
                code, short, long = (part.strip() for part in found.groups())
                yield _ordered(f"{path}:{number}", code, short, long, seen)


def _ordered(place: str, code: str, short: str, long: str, seen: set[str]) -> Entry | Fault:
    above = (code[:length] for length in range(len(code) - 1, 2, -1))
    parent = next((c for c in above if c in seen), "")
    seen.add(code)
    return _code(place, "ICD10CM", code, [long, short], parent)


def _code(place: str, prefix: str, code: str, names: list[str], parent: str) -> Entry | Fault:
    try:
        curie = curies.make(prefix, code)
        parents = (curies.make(prefix, parent),) if parent else ()
    except curies.InvalidCurieError as error:
        return Fault(place, "invalid-id", str(error))
    distinct = dict.fromkeys(name for name in names if name)
    scoped = tuple((name, EXACT if i else PREFERRED) for i, name in enumerate(distinct))
    types = types_of_icd(prefix, curie.partition(":")[2])
    return Entry(curie, prefix, scoped, parents=parents, semantic_types=types)


def read_equivalence(path: Path) -> Iterator[Item]:
    """CMS's general equivalence mappings `icd_9, icd_10, flags`.

    Only pairs that are not flagged as approximate (first flag 0) are matches; the others are
    counted as `approximate`.
    """
    for row in cells(path, ",", ["icd_9", "icd_10", "flags"]):
        if isinstance(row, Fault):
            yield row
            continue
        place, (old, new, flags) = row
        if not flags.startswith("0"):
            yield Fault(place, "approximate", "flagged as an approximate equivalence")
            continue
        try:
            yield Match(curies.make("ICD9CM", old), curies.make("ICD10CM", new), "GEM", exact=True)
        except curies.InvalidCurieError as error:
            yield Fault(place, "invalid-id", str(error))
