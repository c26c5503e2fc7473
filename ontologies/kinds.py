"""What kind of thing a concept is, as the lexicon linker tells kinds apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from ontologies.hashing import text_hash
from ontologies.lexicon import KINDS, ConceptRows
from ontologies.semantic_types import group_of

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

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
    """What the linker knows of all concepts of a vocabulary, by row."""
    best = _best_ids(vocabulary.xrefs_table(), len(vocabulary))
    types = vocabulary.semantic_types_column().to_pylist()
    kind_by_types = {key: kind_of(list(key)) for key in {tuple(tuis) for tuis in types}}
    return ConceptRows(
        np.array([kind_by_types[tuple(tuis)] for tuis in types], dtype=np.uint8),
        np.array([text_hash(curie) for curie in best], dtype=np.uint64),
    )


def _best_ids(xrefs: pa.Table, size: int) -> list[str]:
    """Each concept's id that vocabularies share: its first MeSH heading, or the next best."""
    best: list[tuple[int, str, str]] = [(len(_KEY_ORDER) + 1, "", "")] * size
    for block in xrefs.to_batches(max_chunksize=100_000):
        for curie, row in zip(*(column.to_pylist() for column in block.columns), strict=True):
            prefix = curie.partition(":")[0]
            rank = _KEY_ORDER.index(prefix) if prefix in _KEY_ORDER else len(_KEY_ORDER)
            # Of MeSH ids headings (D) come before supplementary records (C).
            order = (rank, "0" if curie.startswith("MESH:D") else "1", curie)
            best[row] = min(best[row], order)
    return [curie for _, _, curie in best]
