"""The name by which a concept of several sources goes.

The preferred name that most sources agree on, case, plural and turned order aside (`ontologies.
wording`); then the one that most sources know at all; then the one of the first of `SOURCES`. ICD
titles, and sources that repeat other sources' names, have no say where another source has. Of its
spellings one that is not turned (`Cardiac Arrhythmia`, not `Arrhythmias, Cardiac`) is taken, of
these a preferred one, then the one of the first of `SOURCES`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from ontologies.concept import SCOPES, Name
from ontologies.namesakes import BORROWED
from ontologies.readers.items import EXACT, PREFERRED
from ontologies.wording import words

SOURCES: Final = (
    *("UMLS", "MEDGEN", "MONDO", "HGNC", "MESH", "DRUGBANK", "HP", "DOID", "ORPHA", "NCIT"),
    *("MEDIC", "OMIM", "NCBIGene", "CHEBI", "ICD10CM", "ICD9CM"),
)
"""Sources in the order in which they are preferred where they disagree."""

CLASSIFICATIONS: Final = frozenset({"ICD9CM", "ICD10CM"})
"""Sources whose titles say more than a name does (`Essential (primary) hypertension`)."""

_SILENT: Final = CLASSIFICATIONS | BORROWED


def rank(source: str) -> tuple[int, str]:
    """Where a source stands in `SOURCES`; others come last, by name."""
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES)), source


def preferred_name(names: Iterable[Name]) -> str:
    """The name to show, of names that are not empty."""
    close = [n for n in names if n.scope in (PREFERRED, EXACT)] or list(names)
    close = [n for n in close if n.source not in _SILENT] or close
    heads = [n.text for n in close if n.scope == PREFERRED]
    if len(heads) == 1 and ", " not in heads[0]:
        return heads[0]  # most concepts have one source
    alike: dict[str, list[Name]] = defaultdict(list)
    for name in close:
        alike[words(name.text)].append(name)
    agreed = min(alike.values(), key=_standing)
    return min(agreed, key=_spelling).text


def _standing(names: list[Name]) -> tuple[int, int, tuple[int, str], str]:
    """The order of names of the same words, the best first."""
    agreed = {name.source for name in names if name.scope == PREFERRED}
    known = {name.source for name in names}
    first = min(agreed or known, key=rank)
    return -len(agreed), -len(known), rank(first), min(name.text for name in names)


def _spelling(name: Name) -> tuple[bool, int, tuple[int, str], str]:
    return ", " in name.text, SCOPES.index(name.scope), rank(name.source), name.text
