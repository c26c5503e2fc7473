"""UMLS semantic types (TUIs), their fifteen semantic groups, and the types of other sources.

Where the UMLS gives a concept's types (MRSTY, MGSTY) they are used as they are. Elsewhere they
follow from the branch of the source in which the concept stands, by `semantic_types.toml`: the
longest matching prefix of a MeSH tree number or of an ICD code wins.

>>> group_of("T047")
'DISO'
>>> types_of_mesh_tree("C04.588.033")
('T191',)
>>> group_of("T999")
Traceback (most recent call last):
    ...
ontologies.semantic_types.UnknownSemanticTypeError: T999 is not one of the 127 semantic types ...
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

_Types = dict[str, tuple[str, ...]]
_TABLES: Final = tomllib.loads(
    files("ontologies").joinpath("semantic_types.toml").read_text(encoding="utf-8")
)


def _types(table: Mapping[str, str]) -> _Types:
    return {code: tuple(tuis.split()) for code, tuis in table.items()}


def _by_beginning(chapters: Mapping[str, str]) -> _Types:
    return {start: (tui,) for tui, starts in chapters.items() for start in starts.split()}


GROUPS: Final[_Types] = {group: tuple(types) for group, types in _TABLES["groups"].items()}
"""The semantic groups of the UMLS (McCray 2001), each with its types."""

NAMES: Final[dict[str, str]] = dict(
    sorted(named for types in _TABLES["groups"].values() for named in types.items())
)
"""The 127 semantic types of the UMLS Semantic Network, by TUI."""

_GROUP_OF: Final = {tui: group for group, tuis in GROUPS.items() for tui in tuis}

MESH_TREE: Final[_Types] = _types(_TABLES["mesh_tree"])
"""Semantic types by prefix of a MeSH tree number, whole nodes only."""

SOURCE_TYPES: Final[_Types] = _types(_TABLES["sources"])
"""Semantic types by source, where the source says no more."""

BRANCH_TYPES: Final[_Types] = _types(_TABLES["branches"])
"""Semantic types of a term and all terms below it. Terms below none of their source's branches
have the types of `SOURCE_TYPES`."""

ICD_CHAPTERS: Final[dict[str, _Types]] = {
    source: _by_beginning(chapters) for source, chapters in _TABLES["icd"].items()
}
"""Semantic types by the first characters of an ICD code, longest first."""

_GENERAL: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("T047", frozenset({"T019", "T037", "T048", "T191"})),
    ("T033", frozenset(GROUPS["DISO"]) - {"T033"}),
    ("T103", frozenset(GROUPS["CHEM"]) - {"T103"}),
)


class UnknownSemanticTypeError(ValueError):
    """A TUI that the Semantic Network does not have."""


def group_of(tui: str) -> str:
    """The semantic group (`DISO`, `CHEM`, ...) of a semantic type."""
    try:
        return _GROUP_OF[tui]
    except KeyError:
        raise UnknownSemanticTypeError(
            f"{tui} is not one of the {len(NAMES)} semantic types of the UMLS (T001 to T204); "
            "correct it where the concept was read"
        ) from None


def groups_of(semantic_types: Iterable[str]) -> frozenset[str]:
    """The semantic groups of several types; empty for a concept without types."""
    return frozenset(group_of(tui) for tui in semantic_types)


def types_of_mesh_tree(tree_number: str) -> tuple[str, ...]:
    """Semantic types of a MeSH tree number, by its longest known ancestor."""
    node = tree_number
    while node:
        if node in MESH_TREE:
            return MESH_TREE[node]
        node = node.rpartition(".")[0] if "." in node else node[:1] if len(node) > 1 else ""
    return ()


def types_of_icd(prefix: str, code: str) -> tuple[str, ...]:
    """Semantic types of an ICD code (`ICD9CM` or `ICD10CM`) by its chapter."""
    chapters = ICD_CHAPTERS.get(prefix, {})
    for length in (2, 1):
        if code[:length] in chapters:
            return chapters[code[:length]]
    return ()


def specific(semantic_types: Iterable[str]) -> tuple[str, ...]:
    """The types, sorted, without a general one where a more specific one of its kind stands.

    A neoplasm that MeSH also lists among the diseases of an organ is `T191` alone, as in the
    UMLS.
    """
    types = set(semantic_types)
    for general, better in _GENERAL:
        if general in types and types & better:
            types.discard(general)
    return tuple(sorted(types))
