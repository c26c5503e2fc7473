"""What kind of thing a concept is, as the lexicon linker tells kinds apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ontologies.hashing import U64, text_hash
from ontologies.lexicon import KINDS, U8, ConceptRows
from ontologies.semantic_types import group_of

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

_PROTEIN: Final = frozenset({"T116", "T126", "T192"})
_MARKS: Final = {
    "DISO": ("MEDIC:",), "CHEM": ("MESH:",), "PROT": ("MESH:", "HGNC:"), "GENE": ("HGNC:",),
}  # fmt: skip
"""The ids with which corpora mark concepts, by kind."""

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
    xrefs, size = vocabulary.xrefs_table(), len(vocabulary)
    best = _best_ids(xrefs, size)
    keys = np.array([text_hash(curie) for curie in best], dtype=np.uint64)
    types = vocabulary.semantic_types_column().to_pylist()
    kind_by_types = {key: kind_of(list(key)) for key in {tuple(tuis) for tuis in types}}
    kinds = np.array([kind_by_types[tuple(tuis)] for tuis in types], dtype=np.uint8)
    parents = _parent_keys(vocabulary.parents_column().to_pylist(), keys)
    return ConceptRows(kinds, keys, _type_keys(types, best), parents, _marked(xrefs, kinds))


def _type_keys(types: list[list[str]], best: list[str]) -> U64:
    """A hash of semantic types and sort of id, which concepts of one sort share."""
    labels = (c[:6] if c.startswith("MESH:") else c.partition(":")[0] for c in best)
    joined = ["|".join((*tuis, label)) for tuis, label in zip(types, labels, strict=True)]
    known = {label: text_hash(label) for label in set(joined)}
    return np.array([known[label] for label in joined], dtype=np.uint64)


def _parent_keys(parents: list[list[int]], keys: U64) -> U64:
    """The key of each concept's first parent; 0 where it has none."""
    first = np.array([rows[0] if rows else -1 for rows in parents], dtype=np.int64)
    return np.where(first < 0, np.uint64(0), keys[first]) if len(keys) else keys


def _marked(xrefs: pa.Table, kinds: U8) -> U8:
    """Whether a concept has an id with which people mark concepts of its kind in texts.

    Where no concept of a kind has one, ids tell nothing, and all of that kind count as marked.
    """
    marked = np.zeros(len(kinds), dtype=np.uint8)
    for kind, prefixes in _MARKS.items():
        of_kind = kinds == KINDS.index(kind)
        held = np.zeros(len(kinds), dtype=bool)
        for prefix in prefixes:
            held[xrefs["concept"].filter(pc.starts_with(xrefs["curie"], prefix)).to_numpy()] = True
        marked[of_kind & (held | ~(of_kind & held).any())] = 1
    return marked


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
