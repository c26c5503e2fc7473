"""One snapshot as retrieval reads it: its tables, its indexes, and the linker of its concepts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import PREDICATES, REFUTES, SUPPORTS, Edge, EdgeKey, Subgraph
from kg_builder.snapshot_reader import NEVER, spread
from kg_builder.store import strongest_first
from ontologies.linker import Linker, Seed, open_linker
from retrieval.expand import Edges, Neighbourhood, expand
from retrieval.seeds import is_note, seeds_of
from retrieval.text_index import TextIndex, article_texts, open_text_index

Array = npt.NDArray[Any]

_CO_OCCURS = PREDICATES.index("CO_OCCURS_WITH")


class SentenceEvidence(NamedTuple):
    """An assertion of one sentence: the edge's row and key, and how it is stated."""

    row: int
    key: EdgeKey
    polarity: str
    hedged: bool


class View:
    """Reads of one snapshot that ranking needs. `documents` number the articles not retracted."""

    def __init__(self, snapshot: Path) -> None:
        self.reader = LadybugStore(snapshot)
        self.index: TextIndex = open_text_index(self.reader)
        tables = self.reader.tables
        self._starts = tables.column("sentences", "start")
        self._ends = tables.column("sentences", "end")
        self._concept_ids = tables.strings("concepts", "id")

    @cached_property
    def _vocabulary(self) -> Any:
        return self.index.vocabulary()

    @cached_property
    def _linkers(self) -> tuple[Linker, Linker]:
        """For literature, and for notes with their shorthand."""
        return (
            open_linker("lexicon", self._vocabulary),
            open_linker("lexicon", self._vocabulary, notes=True),
        )

    def seeds(self, text: str) -> tuple[Seed, ...]:
        """The concepts of a text that the snapshot mentions."""
        return seeds_of(text, self._linkers[is_note(text)], self._vocabulary)

    def known(self, concept_ids: Iterable[str]) -> dict[str, int]:
        """The rows of those concepts that the snapshot mentions."""
        found = ((concept_id, self._concept_ids.row(concept_id)) for concept_id in concept_ids)
        return {concept_id: row for concept_id, row in found if row is not None}

    def children(self, row: int) -> Array:
        """Rows of the concepts right below one in the vocabulary's hierarchy."""
        parents = self.index.parents
        low, high = np.searchsorted(parents, [row, row + 1])
        children: Array = self.index.children[low:high]
        return children

    @cached_property
    def pmids(self) -> Array:
        """By document."""
        pmids: Array = self.reader.tables.column("articles", "pmid")[self.index.article_rows]
        return pmids

    def published(self, document: int) -> int | None:
        """The day of a document as a number since 1970, or `None`."""
        days = self.reader.tables.column("articles", "published", null=NEVER)
        day = int(days[self.index.article_rows[document]])
        return None if day == NEVER else day

    def texts(self, documents: Sequence[int]) -> list[tuple[str, str]]:
        """(title, whole text) of documents."""
        rows = self.index.article_rows[np.array(documents, np.int64)]
        titles = self.reader.tables["articles"]["title"].take(pa.array(rows, pa.int64()))
        return list(zip(titles.to_pylist(), article_texts(self.reader.tables, rows), strict=True))

    def sentences(self, document: int) -> Array:
        """The sentence documents of an article document, in the order of its text."""
        low, high = self.index.sentence_starts[document : document + 2]
        return np.arange(int(low), int(high))

    def span(self, sentence: int) -> tuple[int, int]:
        row = self.index.sentence_rows[sentence]
        return int(self._starts[row]), int(self._ends[row])

    def spans(self, sentences: Array) -> tuple[Array, Array]:
        """Starts and ends of sentence documents."""
        rows = self.index.sentence_rows[sentences]
        return self._starts[rows], self._ends[rows]

    def mentions(self, document: int) -> tuple[Array, Array]:
        """Starts and concept rows of an article document's mentions, in the order of its text."""
        owner = self.reader.tables.column("mentions", "article")
        row = owner.dtype.type(self.index.article_rows[document])
        low, high = np.searchsorted(owner, row), np.searchsorted(owner, row, "right")
        starts = self.reader.tables.column("mentions", "start")[low:high]
        return starts, self.reader.tables.column("mentions", "concept")[low:high]

    def stated(self, document: int) -> tuple[Array, Array]:
        """Rows of the evidence of an article document, and the starts of its sentences."""
        low, high = self.index.evidence_starts[document : document + 2]
        rows = self.index.evidence_rows[int(low) : int(high)]
        return rows, self.reader.tables.column("evidence", "sentence_start")[rows]

    def stated_at(self, document: int, start: int) -> Array:
        """Rows of the evidence in the sentence of a document that begins at `start`."""
        rows, starts = self.stated(document)
        here: Array = rows[starts == start]
        return here

    def refutes(self, evidence: Array) -> Array:
        """Whether rows of evidence refute."""
        return self.reader.tables.bits("evidence", "refutes")[evidence]

    def says_how(self, edges: Array) -> Array:
        """Whether edges, given by row, relate their concepts, and do not only co-occur."""
        said: Array = self.reader.tables.column("edges", "predicate")[edges] != _CO_OCCURS
        return said

    def sentence_starts(self, evidence: Array) -> Array:
        """Where the sentences of rows of evidence begin."""
        starts: Array = self.reader.tables.column("evidence", "sentence_start")[evidence]
        return starts

    def ends(self, edge: int) -> tuple[int, int]:
        """The concepts of an edge, the smaller row first."""
        tables = self.reader.tables
        one = int(tables.column("edges", "subject")[edge])
        other = int(tables.column("edges", "object")[edge])
        return min(one, other), max(one, other)

    def together(self, one: int, other: int) -> bool:
        """Whether an article names both concepts."""
        index = self.index.concepts
        common = np.intersect1d(index.documents(one), index.documents(other), assume_unique=True)
        return len(common) > 0

    def evidence(self, rows: Array) -> list[SentenceEvidence]:
        """What evidence rows state, each assertion once, in the order of edges."""
        tables = self.reader.tables
        edges = tables.column("evidence", "edge")[rows]
        refutes = tables.bits("evidence", "refutes")[rows].tolist()
        hedged = tables.bits("evidence", "hedged")[rows].tolist()
        keys = self._keys(edges)
        found = {
            SentenceEvidence(edge, keys[edge], REFUTES if refuted else SUPPORTS, doubted)
            for edge, refuted, doubted in zip(edges.tolist(), refutes, hedged, strict=True)
        }
        return sorted(found)

    def _keys(self, edges: Array) -> dict[int, EdgeKey]:
        rows = np.unique(edges)
        tables = self.reader.tables
        subjects = self._concept_ids.take(tables.column("edges", "subject")[rows])
        objects = self._concept_ids.take(tables.column("edges", "object")[rows])
        predicates = [PREDICATES[code] for code in tables.column("edges", "predicate")[rows]]
        keys = zip(subjects, predicates, objects, strict=True)
        return {row: EdgeKey(*key) for row, key in zip(rows.tolist(), keys, strict=True)}

    def edge_rows(self, evidence: Array) -> Array:
        """The rows of the edges that rows of evidence belong to."""
        edges: Array = self.reader.tables.column("evidence", "edge")[evidence]
        return edges

    def rarity(self, concept: int) -> float:
        """Lucene's inverse document frequency of a concept, from its articles in the snapshot."""
        articles = int(self.reader.tables.column("concepts", "articles")[concept])
        total = len(self.index.article_rows)
        return math.log(1.0 + (total - articles + 0.5) / (articles + 0.5))

    def edges_at(self, concepts: Array, limit: int) -> Edges:
        """Of each concept the first `limit` edges by supporting articles, then key."""
        tables = self.reader.tables
        owner = tables.column("incidence", "concept")
        low = np.searchsorted(owner, concepts.astype(owner.dtype), "left")
        high = np.searchsorted(owner, concepts.astype(owner.dtype), "right")
        row = tables.column("incidence", "edge")[spread(low, np.minimum(high - low, limit))]
        return self.edges(row[self._counts(row)])

    def _counts(self, row: Array) -> Array:
        """Whether an article that is not retracted states an edge."""
        tables = self.reader.tables
        counted: Array = (
            tables.column("edges", "supporting")[row] + tables.column("edges", "refuting")[row] > 0
        )
        return counted

    def edges(self, row: Array) -> Edges:
        """Edges by row."""
        tables = self.reader.tables
        subject, object_ = tables.column("edges", "subject"), tables.column("edges", "object")
        return Edges(row, subject[row], object_[row], self.index.beliefs[row])

    def near(self, seeds: Mapping[int, float]) -> Neighbourhood:
        """The neighbourhood of seeds, given by row with their weights."""
        return expand(seeds, self.edges_at, self.reader.tables.column("concepts", "articles"))

    def subgraph(
        self, near: Neighbourhood, seeds: tuple[Seed, ...], as_of: date | None
    ) -> Subgraph:
        """A neighbourhood as a value: its concepts by id, its edges strongest first."""
        rows = near.edges.row
        keys = self._keys(rows)
        counts = self.reader.counts(rows, None)
        years = (counts.first_year.tolist(), counts.last_year.tolist())
        numbers = (counts.supporting.tolist(), counts.refuting.tolist(), counts.hedged.tolist())
        columns = zip(rows.tolist(), *numbers, *years, strict=True)
        edges = [
            Edge(*_parts(keys[row]), said, denied, hedged, first or None, last or None)
            for row, said, denied, hedged, first, last in columns
        ]
        ids = self._concept_ids.take(near.concepts)
        concepts = tuple(self.reader.concepts(ids))
        return Subgraph(concepts, tuple(sorted(edges, key=strongest_first)), seeds, as_of)

    def evidence_of(self, row: int) -> tuple[Array, Array]:
        """Rows of an edge's evidence that counts, and their documents."""
        tables = self.reader.tables
        start = tables.column("edges", "evidence_start")[[row]]
        count = tables.column("edges", "evidence_count")[[row]]
        rows = spread(start, count)
        article = tables.column("evidence", "article")[rows].astype(np.int64)
        document = np.searchsorted(self.index.article_rows, article)
        inside = document < len(self.index.article_rows)
        inside[inside] = self.index.article_rows[document[inside]] == article[inside]
        return rows[inside], document[inside]

    def close(self) -> None:
        self.reader.close()


def _parts(key: EdgeKey) -> tuple[str, str, str]:
    return key.subject_id, key.predicate, key.object_id
