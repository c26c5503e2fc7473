"""The compiled lexicon: every name of a vocabulary as a path of token hashes, memory-mapped.

Names are kept as a trie whose nodes are 64-bit hashes of token sequences, in one open-addressed
table. Names are not kept as strings: with 30 million nodes and 10^10 look-ups (all of PubMed)
fewer than 0.02 false hits are expected. A node leads to entries: a concept, and the evidence of
the names that lead to it (flags, sources).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ontologies.hashing import I32, U64, HashTable, extend_hash, mapped, text_hash
from ontologies.name_forms import DIRECT, NOTES, OPEN, SCOPES, variants, written_form
from ontologies.normalize import TOKEN, normal_form

LEXICON_VERSION = 7
"""Raised when what a compiled lexicon holds changes."""

MAX_TOKENS = 16
"""Longer names (systematic chemical ones) do not occur in running text; they are counted."""

KINDS = (
    "NONE", "DISO", "CHEM", "PROT", "GENE", "LIVB", "ANAT", "PROC", "PHYS", "PHEN", "DEVI",
    "ACTI", "CONC", "OBJC", "OCCU", "ORGA", "GEOG",
)  # fmt: skip
"""Semantic groups, and PROT for chemicals that are nothing but proteins; where a concept is of
several kinds, the first of this order after NONE counts."""

UNWANTED = frozenset({"ACTI", "CONC", "OBJC", "OCCU", "ORGA", "GEOG"})
"""Kinds that say what a text is about and not what it finds (time, role, journal, Ohio)."""

JUDGED = ("DISO", "CHEM", "PROT", "GENE")
"""Kinds that training corpora mark, so that a learned model judges them."""

_DISEASE = KINDS.index("DISO")

U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]


class NameRow(NamedTuple):
    """A name to compile: the row of its concept, its text, its flags, and its source's bit."""

    concept: int
    text: str
    flags: int
    source: int


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The trie as arrays, all of which may be memory-mapped.

    A node's value is twice its group's number (-2: it ends no name), plus one where longer names
    go on from it. Group g has the entries `group_start[g]:group_start[g+1]`. By concept row:
    `concept_kind` and `concept_marked` (see `kinds`), `concept_sources` (bits of all its names'
    sources), `concept_key`, a hash that is the same for a concept of any vocabulary, `concept_type`
    (hash of its semantic types), `concept_parent` (key of its first parent) and `concept_names`
    (how many the vocabulary gives).
    """

    nodes: HashTable
    group_start: I32
    entry_concept: I32
    entry_flags: U32
    entry_sources: U32
    concept_kind: U8
    concept_sources: U32
    concept_key: U64
    concept_type: U64
    concept_parent: U64
    concept_names: I32
    concept_marked: U8
    dropped: int

    def save(self, directory: Path) -> None:
        self.nodes.save(directory, "nodes")
        for name in _ARRAYS:
            np.save(directory / f"{name}.npy", getattr(self, name))
        np.save(directory / "dropped.npy", np.array(self.dropped))

    @staticmethod
    def is_whole(directory: Path) -> bool:
        """Whether every file that `load` maps lies there."""
        names = ("dropped", "nodes.keys", "nodes.values", "nodes.slots", *_ARRAYS)
        return all((directory / f"{name}.npy").is_file() for name in names)

    @classmethod
    def load(cls, directory: Path) -> Lexicon:
        """The lexicon that `save` wrote, memory-mapped."""
        arrays = {name: mapped(directory / f"{name}.npy") for name in _ARRAYS}
        nodes = HashTable.load(directory, "nodes")
        return cls(nodes=nodes, dropped=int(np.load(directory / "dropped.npy")), **arrays)


_ARRAYS = (
    "group_start", "entry_concept", "entry_flags", "entry_sources",
    "concept_kind", "concept_sources", "concept_key",
    "concept_type", "concept_parent", "concept_names", "concept_marked",
)  # fmt: skip


class _TokenHashes(dict[str, int]):
    def __missing__(self, token: str) -> int:
        value = self[token] = text_hash(normal_form(token))
        return value


class _Block(NamedTuple):
    """Some names as arrays: the hash of all tokens, and the rest of `NameRow`."""

    key: U64
    concept: I32
    flags: U32
    sources: U32


class ConceptRows(NamedTuple):
    """What the lexicon holds of each concept, by row."""

    kind: U8
    key: U64
    type: U64
    parent: U64
    marked: U8


_USE = np.uint32(NOTES | OPEN)
_SCOPE_BITS = np.uint32((1 << len(SCOPES)) - 1)


def _is_told(flags: U32) -> npt.NDArray[np.bool_]:
    """Which names a vocabulary itself gives for their concepts."""
    return ((flags & np.uint32(DIRECT)) > 0) & ((flags & _SCOPE_BITS) > 0)


@dataclass(slots=True)
class Compiler:
    """Takes in names a block at a time and makes a lexicon of them, whatever their order."""

    concepts: ConceptRows
    hashes: _TokenHashes = field(default_factory=_TokenHashes)
    blocks: list[_Block] = field(default_factory=list)
    prefixes: list[U64] = field(default_factory=list)
    dropped: int = 0

    def add(self, rows: Iterable[NameRow]) -> None:
        """Normalize and hash some names; keeps arrays only."""
        flat: list[int] = []
        lengths: list[int] = []
        kept: list[tuple[int, int, int]] = []
        for row in rows:
            written = row.flags | written_form(row.text)
            disease = self.concepts.kind[row.concept] == _DISEASE
            for form, how in ((row.text, DIRECT), *variants(row.text, disease=disease)):
                hashes = [self.hashes[token] for token in TOKEN.findall(form)]
                if not 0 < len(hashes) <= MAX_TOKENS or (len(form) < 2 and form.isascii()):
                    self.dropped += how == DIRECT
                    continue
                flat += hashes
                lengths.append(len(hashes))
                kept.append((row.concept, written | how, row.source))
        key = self._hash_paths(np.array(flat, dtype=np.uint64), np.array(lengths, dtype=np.int64))
        concept, flags, sources = np.array(kept, dtype=np.int64).reshape(-1, 3).T
        self.blocks.append(
            _Block(
                key, concept.astype(np.int32), flags.astype(np.uint32), sources.astype(np.uint32)
            )
        )

    def _hash_paths(self, flat: U64, lengths: npt.NDArray[np.int64]) -> U64:
        key = np.zeros(len(lengths), dtype=np.uint64)
        starts = np.cumsum(lengths) - lengths
        interior = [key[:0]]
        for depth in range(int(lengths.max(initial=0))):
            going = np.flatnonzero(lengths > depth)
            key[going] = extend_hash(key[going], flat[starts[going] + depth])
            interior.append(np.unique(key[lengths > depth + 1]))
        self.prefixes.append(np.unique(np.concatenate(interior)))
        return key

    def _merged(self) -> _Block:
        """All names, equal ones of a concept made one, by key and concept."""
        key, concept, flags, sources = map(np.concatenate, zip(*self.blocks, strict=True))
        order = np.lexsort((concept, key))
        key, concept, flags, sources = key[order], concept[order], flags[order], sources[order]
        new = np.ones(len(key), dtype=bool)
        new[1:] = (key[1:] != key[:-1]) | (concept[1:] != concept[:-1])
        at = np.flatnonzero(new)
        if not len(at):
            return _Block(key, concept, flags, sources)
        told = np.bitwise_or.reduceat(np.where(_is_told(flags), np.uint32(1), np.uint32(0)), at)
        made = (flags & np.uint32(DIRECT)) == 0
        mute = made & (np.repeat(told, np.diff(np.append(at, len(key)))) > 0)
        flags = np.where(mute, flags & _USE, flags)
        sources = np.where(mute, np.uint32(0), sources)
        joined = np.bitwise_or.reduceat(flags, at), np.bitwise_or.reduceat(sources, at)
        return _Block(key[at], concept[at], *joined)

    def _nodes(self, ends: U64) -> HashTable:
        interior = np.unique(np.concatenate(self.prefixes))
        keys = np.union1d(ends, interior)
        value = np.full(len(keys), -2, dtype=np.int32)
        value[np.searchsorted(keys, ends)] = 2 * np.arange(len(ends), dtype=np.int32)
        value[np.searchsorted(keys, interior)] += 1
        return HashTable.build(keys, value)

    def branch(self) -> Compiler:
        """Another compiler that starts with the names of this one."""
        return replace(self, blocks=list(self.blocks), prefixes=list(self.prefixes))

    def lexicon(self) -> Lexicon:
        """The lexicon of all names taken in so far, in memory."""
        merged, concepts = self._merged(), self.concepts
        ends, group_start = np.unique(merged.key, return_index=True)
        given = merged.concept[(merged.flags & _SCOPE_BITS) > 0]
        concept_sources = np.zeros(len(concepts.kind), dtype=np.uint32)
        np.bitwise_or.at(concept_sources, merged.concept, merged.sources)
        return Lexicon(
            self._nodes(ends),
            np.append(group_start, len(merged.key)).astype(np.int32),
            merged.concept,
            merged.flags,
            merged.sources,
            concepts.kind,
            concept_sources,
            concepts.key,
            concepts.type,
            concepts.parent,
            np.bincount(given, minlength=len(concepts.kind)).astype(np.int32),
            concepts.marked,
            self.dropped,
        )


def compile_names(
    names: Iterable[NameRow], concepts: ConceptRows, block_size: int = 200_000
) -> Lexicon:
    """Compile names into a lexicon in memory; the order of `names` does not matter."""
    return compiler_of(names, concepts, block_size).lexicon()


def compiler_of(
    names: Iterable[NameRow], concepts: ConceptRows, block_size: int = 200_000
) -> Compiler:
    """A compiler that has taken in these names."""
    compiler, rows = Compiler(concepts), iter(names)
    compiler.add(itertools.islice(rows, block_size))
    while block := list(itertools.islice(rows, block_size)):
        compiler.add(block)
    return compiler
