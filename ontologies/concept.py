"""Concepts and the vocabulary that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a concept, as its source writes it.

    `source` is the prefix of the vocabulary that gives it (`MESH`, `MONDO`). `scope` is
    `preferred`, `exact`, `related`, `broad` or `narrow`. `notes_only` marks clinical shorthand
    (SOB, HTN) that is read in clinical notes and not in the literature.
    """

    text: str
    source: str
    scope: str = "exact"
    notes_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """A unit of meaning, whatever it is called. Concepts are equal when their ids are.

    `id` is a CURIE: `UMLS:C0011860` where a CUI is known, else the source's own
    (`MESH:D003924`). `xrefs` are all CURIEs that mean this concept, `id` among them, sorted.
    `semantic_types` are TUIs (`T047`), `parents` concept ids of the same vocabulary.
    """

    id: str
    name: str
    names: tuple[Name, ...] = ()
    semantic_types: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    xrefs: tuple[str, ...] = ()
    definition: str = ""

    @property
    def synonyms(self) -> tuple[str, ...]:
        """The distinct names other than `name`, in the order of `names`."""
        return tuple(dict.fromkeys(n.text for n in self.names if n.text != self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Concept) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class Vocabulary:
    """Concepts by id, by any cross-reference and by name; loaded memory-mapped from a directory."""

    digest: str
    """SHA-256 over the vocabulary's content; names it in caches and in every build."""

    @classmethod
    def load(cls, directory: str | Path) -> Vocabulary:
        raise NotImplementedError

    @classmethod
    def from_concepts(cls, concepts: Iterable[Concept]) -> Vocabulary:
        """An in-memory vocabulary of the given concepts (for tests and small vocabularies)."""
        raise NotImplementedError

    def save(self, directory: str | Path) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[str]:
        """Concept ids, sorted."""
        raise NotImplementedError

    def __contains__(self, curie: object) -> bool:
        """Whether the CURIE is a concept's id."""
        raise NotImplementedError

    def __getitem__(self, concept_id: str) -> Concept:
        """The concept with this id; `KeyError` names the id and a remedy."""
        raise NotImplementedError

    def resolve(self, curie: str) -> str | None:
        """The id of the concept that carries this cross-reference (or id), or `None`."""
        raise NotImplementedError

    def find(self, name: str) -> tuple[str, ...]:
        """Ids of the concepts that have exactly this name (case folded), sorted."""
        raise NotImplementedError
