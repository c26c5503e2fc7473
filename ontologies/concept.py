"""Concepts and the vocabulary that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontologies import curies

if TYPE_CHECKING:
    import pyarrow as pa

    from ontologies.tables import Strings, Tables

SCOPES = ("preferred", "exact", "related", "broad", "narrow")
"""Scopes of a name, the closest first."""


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


class InconsistentVocabularyError(ValueError):
    """Concepts that cannot stand in one vocabulary; names the ids and a remedy."""


class UnknownConceptError(KeyError):
    """An id that is not a concept's."""

    def __str__(self) -> str:
        return str(self.args[0])


class Vocabulary:
    """Concepts by id, by any cross-reference and by name; loaded memory-mapped from a directory.

    A loaded vocabulary costs a process little memory of its own: the operating system shares the
    mapped pages among all processes that read the same directory.
    """

    digest: str
    """SHA-256 over the vocabulary's content; names it in caches and in every build."""

    def __init__(self, tables: Tables, digest: str, sources: Mapping[str, str]) -> None:
        """Not for callers: use `load` or `from_concepts`."""
        from ontologies.tables import Strings

        self._tables = tables
        self.digest = digest
        self.directory: Path | None = None  # where it was loaded from
        self.sources = dict(sources)
        self._ids = Strings(tables.concepts["id"])
        self._curies = Strings(tables.xrefs["curie"])

    @classmethod
    def load(cls, directory: str | Path) -> Vocabulary:
        """Map the vocabulary of a directory; `VocabularyFormatError` says what is wrong."""
        from ontologies import tables

        loaded, manifest = tables.load(Path(directory))
        vocabulary = cls(loaded, manifest["digest"], manifest["sources"])
        vocabulary.directory = Path(directory)
        return vocabulary

    @classmethod
    def from_concepts(
        cls, concepts: Iterable[Concept], sources: Mapping[str, str] | None = None
    ) -> Vocabulary:
        """An in-memory vocabulary of the given concepts, in any order.

        A concept's id is added to its `xrefs` and its name to its `names` where they are missing.
        `InconsistentVocabularyError` where an id or cross-reference stands in two concepts, or a
        parent in none. `sources` are versions by source.
        """
        from ontologies import tables
        from ontologies.compile import compile_tables

        compiled = compile_tables(concepts)
        return cls(compiled, tables.digest(compiled), sources or {})

    def save(
        self, directory: str | Path, attachments: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Write the vocabulary, whole or not at all; `attachments` are text files by name."""
        from ontologies import tables

        manifest: dict[str, Any] = {
            "format_version": tables.FORMAT_VERSION,
            "digest": self.digest,
            "sources": self.sources,
            "concepts": len(self),
            "names": self.name_count,
            "xrefs": len(self._curies),
        }
        tables.save(self._tables, Path(directory), manifest, attachments or {})

    @property
    def name_count(self) -> int:
        """The number of names of all concepts."""
        return int(self._tables.names.num_rows)

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        """Concept ids, sorted."""
        return (self._ids[row] for row in range(len(self)))

    def __contains__(self, curie: object) -> bool:
        """Whether the CURIE is a concept's id."""
        return isinstance(curie, str) and self._ids.find(curie) >= 0

    def row(self, concept_id: str) -> int:
        """The row of the concept in `ids()`; `UnknownConceptError` names the id and a remedy."""
        row = self._ids.find(concept_id)
        if row < 0:
            raise UnknownConceptError(
                f"{concept_id!r} is no concept of this vocabulary; `resolve` finds concepts by any "
                "cross-reference, `find` by name"
            )
        return row

    def __getitem__(self, concept_id: str) -> Concept:
        """The concept with this id; `KeyError` names the id and a remedy."""
        return self.at(self.row(concept_id))

    def at(self, row: int) -> Concept:
        """The concept in a row of `ids()`."""
        concepts = self._tables.concepts
        return Concept(
            id=self._ids[row],
            name=concepts["name"][row].as_py(),
            names=self._names_of(row),
            semantic_types=self.semantic_types_of(row),
            parents=tuple(self._ids[parent] for parent in concepts["parents"][row].as_py()),
            xrefs=tuple(self._curies[xref] for xref in concepts["xrefs"][row].as_py()),
            definition=concepts["definition"][row].as_py(),
        )

    def select(self, ids: pa.Array) -> pa.Table:
        """The concepts with these ids, in that order, as columns: the fields of `Concept`.

        Many times faster than a concept at a time. `KeyError` names the first id that is no
        concept's.
        """
        from ontologies.select import rows_of, select

        rows = rows_of(self._tables, ids)
        for place in (rows < 0).nonzero()[0][:1].tolist():
            self.row(ids[place].as_py())  # raises, with its remedy
        return select(self._tables, rows)

    def _names_of(self, row: int) -> tuple[Name, ...]:
        concepts = self._tables.concepts
        start, count = concepts["name_start"][row].as_py(), concepts["name_count"][row].as_py()
        fields = self._tables.names.slice(start, count)
        columns = (fields[name].to_pylist() for name in ("text", "source", "scope", "notes_only"))
        return tuple(Name(*values) for values in zip(*columns, strict=True))

    def resolve(self, curie: str) -> str | None:
        """The id of the concept that carries this cross-reference (or id), or `None`.

        The CURIE may be written in any known way (`ICD9:4280` is `ICD9CM:428.0`); text that is
        no valid CURIE resolves to nothing.
        """
        try:
            row = self._curies.find(curies.normalize(curie))
        except curies.InvalidCurieError:
            return None
        return None if row < 0 else self._ids[self._tables.xrefs["concept"][row].as_py()]

    def find(self, name: str) -> tuple[str, ...]:
        """Ids of the concepts that have exactly this name (case folded), sorted."""
        from ontologies.tables import same_hash

        concepts, folded = self._tables.names["concept"], name.casefold()
        rows = {
            concepts[row].as_py()
            for row in same_hash(*self._lookup, name)
            if self._texts[row].casefold() == folded
        }
        return tuple(self._ids[row] for row in sorted(rows))

    @cached_property
    def _lookup(self) -> tuple[Any, Any]:
        from ontologies.tables import mapped_integers

        lookup = self._tables.lookup
        return mapped_integers(lookup["hash"]), mapped_integers(lookup["name"])

    @cached_property
    def _texts(self) -> Strings:
        from ontologies.tables import Strings

        return Strings(self._tables.names["text"])

    def names_table(self) -> pa.Table:
        """All names as columns: concept (row of `ids()`), text, source, scope, notes_only."""
        return self._tables.names

    def xrefs_table(self) -> pa.Table:
        """All cross-references, sorted, as columns: curie, concept (row of `ids()`)."""
        return self._tables.xrefs

    def semantic_types_column(self) -> pa.ChunkedArray:
        """TUIs of all concepts, in the order of `ids()`."""
        return self._tables.concepts["semantic_types"]

    def parents_column(self) -> pa.ChunkedArray:
        """Rows of the parents of all concepts, in the order of `ids()`."""
        return self._tables.concepts["parents"]

    def ids(self) -> pa.Array:
        """All concept ids, sorted; their positions are the rows that other columns speak of."""
        return self._tables.concepts["id"].combine_chunks()

    def semantic_types_of(self, concept: int | str) -> tuple[str, ...]:
        """TUIs of a concept, given by row or id."""
        row = self.row(concept) if isinstance(concept, str) else concept
        return tuple(self._tables.concepts["semantic_types"][row].as_py())

    def mesh_trees(self, concept_id: str) -> tuple[str, ...]:
        """MeSH tree numbers of a concept: of its heading, or of those it is mapped to.

        A supplementary record has no tree numbers of its own and stands below the headings that
        it is mapped to; theirs are given then. Empty for a concept without a MeSH id.
        """
        concept = self[concept_id]
        own = _trees(concept)
        if own or not any(xref.startswith("MESH:C") for xref in concept.xrefs):
            return own
        return tuple(sorted({tree for parent in concept.parents for tree in _trees(self[parent])}))


def _trees(concept: Concept) -> tuple[str, ...]:
    prefix = "MESHTREE:"
    return tuple(x[len(prefix) :] for x in concept.xrefs if x.startswith(prefix))


def canonical_names(name: str, source: str, names: Sequence[Name]) -> tuple[Name, ...]:
    """The names in the order in which they are kept: by scope, then source, then text."""
    given = names if any(n.text == name for n in names) else (Name(name, source, SCOPES[0]), *names)
    return tuple(sorted(set(given), key=_name_order))


def _name_order(name: Name) -> tuple[int, str, str, bool]:
    if name.scope not in SCOPES:
        raise InconsistentVocabularyError(
            f"{name!r}: its scope is none of {', '.join(SCOPES)}; correct it where it was read"
        )
    return SCOPES.index(name.scope), name.source, name.text, name.notes_only
