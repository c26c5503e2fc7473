"""What kind of thing a concept is, as the lexicon linker tells kinds apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from ontologies.hashing import text_hash
from ontologies.lexicon import ConceptRows
from ontologies.semantic_types import group_of

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

KINDS: Final = (
    "NONE", "DISO", "CHEM", "PROT", "GENE", "LIVB", "ANAT", "PROC", "PHYS", "PHEN", "DEVI",
    "ACTI", "CONC", "OBJC", "OCCU", "ORGA", "GEOG",
)  # fmt: skip
"""Semantic groups, and PROT for chemicals that are nothing but proteins; where a concept is of
several kinds, the first of this order after NONE counts."""

_PROTEIN: Final = frozenset({"T116", "T126", "T192"})
_KEY_ORDER: Final = ("MESH", "OMIM", "NCBIGene", "HGNC", "DRUGBANK", "MONDO", "HP")


def kind_of(semantic_types: list[str]) -> int:
    """The number of a concept's kind in `KINDS`."""
    groups = {group_of(tui) for tui in semantic_types}
    proteins = {tui for tui in semantic_types if group_of(tui) == "CHEM"}
    if proteins and proteins <= _PROTEIN:
        groups = (groups - {"CHEM"}) | {"PROT"}
    return min((KINDS.index(group) for group in groups), default=0)


def concept_rows(vocabulary: Vocabulary) -> ConceptRows:
    """Kinds and keys of all concepts of a vocabulary, by row."""
    types = vocabulary.semantic_types_column()
    known: dict[tuple[str, ...], int] = {}
    kinds = np.zeros(len(types), dtype=np.uint8)
    for row, tuis in enumerate(types.to_pylist()):
        key = tuple(tuis)
        if key not in known:
            known[key] = kind_of(tuis)
        kinds[row] = known[key]
    return ConceptRows(kinds, _keys(vocabulary.xrefs_table(), len(types)))


def _keys(xrefs: pa.Table, size: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A hash of each concept's id that vocabularies share: its first MeSH id, or the next best."""
    best: list[tuple[int, str] | None] = [None] * size
    for block in xrefs.to_batches(max_chunksize=100_000):
        for curie, row in zip(*(column.to_pylist() for column in block.columns), strict=True):
            prefix = curie.partition(":")[0]
            rank = _KEY_ORDER.index(prefix) if prefix in _KEY_ORDER else len(_KEY_ORDER)
            # MeSH headings before supplementary records: D is after C.
            order = (rank, ("0" if curie.startswith("MESH:D") else "1") + curie)
            current = best[row]
            if current is None or order < current:
                best[row] = order
    return np.array([text_hash(order[1][1:]) if order else 1 for order in best], dtype=np.uint64)
