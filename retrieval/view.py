"""One snapshot as retrieval reads it: its tables, its indexes, and the linker of its concepts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kg_builder.edge_table import NEVER, spread
from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import PREDICATES, REFUTES, SUPPORTS, Edge, EdgeKey, Subgraph
from kg_builder.snapshot_tables import Bits
from kg_builder.store import strongest_first
from ontologies.concept import Concept, Vocabulary
from ontologies.linker import Linker, Seed, open_linker
from retrieval.expand import Edges, Neighbourhood, expand
from retrieval.seeds import is_note, seeds_of
from retrieval.text_index import TextIndex, open_text_index

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_CO_OCCURS = PREDICATES.index("CO_OCCURS_WITH")


MOST_CONCEPTS = 20_000
"""Concepts that are kept as values; each takes about two kilobytes."""


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
        self._concepts: dict[int, Concept] = {}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The concepts that the snapshot mentions."""
        return self.index.vocabulary()

    @cached_property
    def _linkers(self) -> tuple[Linker, Linker]:
        """For literature, and for notes with their shorthand."""
        return (
            open_linker("lexicon", self.vocabulary),
            open_linker("lexicon", self.vocabulary, notes=True),
        )

    def seeds(self, text: str) -> tuple[Seed, ...]:
        """The concepts of a text that the snapshot mentions."""
        return seeds_of(text, self._linkers[is_note(text)], self.vocabulary)

    def known(self, concept_ids: Iterable[str]) -> dict[str, int]:
        """The rows of those concepts that the snapshot mentions."""
        found = ((concept_id, self._concept_ids.row(concept_id)) for concept_id in concept_ids)
        return {concept_id: row for concept_id, row in found if row is not None}

    def rows(self, concept_ids: Iterable[str]) -> Array:
        """The rows of those concepts that the snapshot mentions, in their order."""
        return np.array(list(self.known(concept_ids).values()), np.int64)

    @property
    def concept_count(self) -> int:
        """How many concepts the snapshot mentions."""
        return len(self._concept_ids)

    def concept_ids(self, rows: Sequence[int] | Array) -> list[str]:
        """The ids of concepts, given by row."""
        return self._concept_ids.take(np.array(rows, np.int64))

    def concepts(self, rows: Array) -> list[Concept]:
        """Concepts by row. They are kept: subgraphs of many patients share most of theirs."""
        new = [row for row in rows.tolist() if row not in self._concepts]
        if len(self._concepts) + len(new) > MOST_CONCEPTS:
            self._concepts.clear()
            new = rows.tolist()
        found = self.reader.concepts(self.concept_ids(new))
        self._concepts.update(zip(new, found, strict=True))
        return [self._concepts[row] for row in rows.tolist()]

    def children(self, row: int) -> Array:
        """Rows of the concepts right below one in the vocabulary's hierarchy."""
        parents = self.index.parents
        low, high = np.searchsorted(parents, [row, row + 1])
        children: Array = self.index.children[low:high]
        return children

    @cached_property
    def _refutes(self) -> Bits:
        return self.reader.tables.bits("evidence", "refutes")

    @cached_property
    def _document(self) -> Array:
        """By row of `articles` its document, -1 where it was retracted."""
        rows = self.index.article_rows
        document = np.full(self.reader.tables["articles"].num_rows, -1, np.int32)
        document[rows] = np.arange(len(rows), dtype=np.int32)
        return document

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
        table = self.reader.tables.take("articles", rows, ["title", "section_texts"])
        return [
            (row["title"], "\n".join((row["title"], *row["section_texts"])))
            for row in table.to_pylist()
        ]

    def sentences(self, documents: Array) -> tuple[Array, Array]:
        """(sentence document, position in `documents`) of article documents, in text order."""
        return _slices(self.index.sentence_starts, documents)

    def span(self, sentence: int) -> tuple[int, int]:
        """(start, end) of a sentence document in its article's text."""
        row = self.index.sentence_rows[sentence]
        return int(self._starts[row]), int(self._ends[row])

    def spans(self, sentences: Array) -> tuple[Array, Array]:
        """Starts and ends of sentence documents."""
        rows = self.index.sentence_rows[sentences]
        return self._starts[rows], self._ends[rows]

    def mentions(self, documents: Array) -> tuple[Array, Array, Array]:
        """(concept row, start, position in `documents`) of their mentions, in text order."""
        tables = self.reader.tables
        article = tables.column("mentions", "article")
        rows = self.index.article_rows[documents].astype(article.dtype)
        low = np.searchsorted(article, rows)
        counts = np.searchsorted(article, rows, "right") - low
        at = spread(low, counts)
        owner = np.repeat(np.arange(len(documents)), counts)
        return (
            tables.column("mentions", "concept")[at],
            tables.column("mentions", "start")[at],
            owner,
        )

    def stated(self, documents: Array) -> tuple[Array, Array, Array]:
        """(row of evidence, start of its sentence, position in `documents`) of documents."""
        at, owner = _slices(self.index.evidence_starts, documents)
        rows = self.index.evidence_rows[at]
        return rows, self.sentence_starts(rows), owner

    def stated_at(self, document: int, start: int) -> Array:
        """Rows of the evidence in the sentence of a document that begins at `start`."""
        low, high = self.index.evidence_starts[document : document + 2].tolist()
        rows = self.index.evidence_rows[low:high]
        here: Array = rows[self.sentence_starts(rows) == start]
        return here

    def refutes(self, evidence: Array) -> Array:
        """Whether rows of evidence refute."""
        return self._refutes[evidence]

    def says_how(self, edges: Array) -> Array:
        """Whether edges, given by row, relate their concepts, and do not only co-occur."""
        said: Array = self.reader.tables.column("edges", "predicate")[edges] != _CO_OCCURS
        return said

    def predicates(self, edges: Array) -> list[str]:
        """The predicates of edges."""
        codes = self.reader.tables.column("edges", "predicate")[edges]
        return [PREDICATES[code] for code in codes.tolist()]

    def pmids_of(self, edges: Array) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """PMIDs, sorted, of the articles that support each edge, and that refute it."""
        rows, documents, owner = self.evidence_of(edges)
        refutes = self.refutes(rows)
        found = []
        for side in (~refutes, refutes):
            stated = np.unique(owner[side] << 32 | documents[side])  # documents are by PMID
            pmids = self.pmids[stated & 0xFFFFFFFF]
            ends = np.searchsorted(stated >> 32, np.arange(len(edges) + 1)).tolist()
            found.append([tuple(pmids[low:high].tolist()) for low, high in pairwise(ends)])
        return list(zip(*found, strict=True))

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

    def evidence(self, stated: Sequence[Array]) -> list[list[SentenceEvidence]]:
        """What the evidence rows of each sentence state, each assertion once, by edge."""
        rows = np.concatenate([np.zeros(0, np.int64), *stated])
        edges = self.edge_rows(rows)
        hedged = self.reader.tables.bits("evidence", "hedged")[rows]
        keys = self.keys(edges)
        said = zip(edges.tolist(), self.refutes(rows).tolist(), hedged.tolist(), strict=True)
        found = [
            SentenceEvidence(edge, keys[edge], REFUTES if refuted else SUPPORTS, doubted)
            for edge, refuted, doubted in said
        ]
        ends = np.cumsum([0, *map(len, stated)]).tolist()
        return [sorted(set(found[low:high])) for low, high in pairwise(ends)]

    def keys(self, edges: Array) -> dict[int, EdgeKey]:
        """The keys of edges, by row."""
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
        return self.edges(self.counted(row))

    def counted(self, edges: Array) -> Array:
        """Those of some edges that an article states that is not retracted."""
        states: Array = edges[self.supporting(edges) + self.refuting(edges) > 0]
        return states

    def passing_costs(self, concepts: Array) -> Floats:
        """What it costs a path to pass through concepts: see `kg_builder.paths`."""
        articles = self.reader.tables.column("concepts", "articles")[concepts]
        costs: Floats = np.log(np.log2(2.0 + articles))
        return costs

    def step_costs(self, edges: Array) -> Floats:
        """What it costs a path to go along edges; infinite without support."""
        tables = self.reader.tables
        supporting = tables.column("edges", "supporting")[edges].astype(np.float64)
        refuting = tables.column("edges", "refuting")[edges]
        with np.errstate(divide="ignore"):
            costs: Floats = -np.log(supporting / (supporting + refuting + 1.0))
        return costs

    def supporting(self, edges: Array) -> Array:
        """How many articles support edges."""
        articles: Array = self.reader.tables.column("edges", "supporting")[edges]
        return articles

    def refuting(self, edges: Array) -> Array:
        """How many articles refute edges."""
        articles: Array = self.reader.tables.column("edges", "refuting")[edges]
        return articles

    def best_first(self, evidence: Array, groups: Array) -> Array:
        """Positions of rows of evidence by group, within each the best sentence first: plain
        before hedged, the greatest score, the newest article, then by row.
        """
        tables = self.reader.tables
        article = tables.column("evidence", "article")[evidence]
        days = tables.column("articles", "published", null=NEVER)[article].astype(np.int64)
        newest = np.where(days == NEVER, 1, -days)
        hedged = tables.bits("evidence", "hedged")[evidence]
        score = tables.column("evidence", "score")[evidence].astype(np.int64)
        order: Array = np.lexsort((evidence, newest, -score, hedged, groups))
        return order

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
        keys = self.keys(rows)
        counts = self.reader.counts(rows, None)
        years = (counts.first_year.tolist(), counts.last_year.tolist())
        numbers = (counts.supporting.tolist(), counts.refuting.tolist(), counts.hedged.tolist())
        columns = zip(rows.tolist(), *numbers, *years, strict=True)
        edges = [
            Edge(*_parts(keys[row]), said, denied, hedged, first or None, last or None)
            for row, said, denied, hedged, first, last in columns
        ]
        concepts = tuple(self.concepts(near.concepts))
        return Subgraph(concepts, tuple(sorted(edges, key=strongest_first)), seeds, as_of)

    def evidence_of(self, edges: Array) -> tuple[Array, Array, Array]:
        """(row, document, position in `edges`) of the evidence of edges that counts."""
        tables = self.reader.tables
        counts = tables.column("edges", "evidence_count")[edges]
        rows = spread(tables.column("edges", "evidence_start")[edges], counts)
        document = self._document[tables.column("evidence", "article")[rows]]
        owner = np.repeat(np.arange(len(edges)), counts)
        inside = document >= 0
        return rows[inside], document[inside], owner[inside]

    def close(self) -> None:
        """Close the reader of the snapshot."""
        self.reader.close()


def _parts(key: EdgeKey) -> tuple[str, str, str]:
    return key.subject_id, key.predicate, key.object_id


def _slices(starts: Array, at: Array) -> tuple[Array, Array]:
    """The rows of slices that begin at `starts[at]` and end at `starts[at + 1]`, and whose."""
    low = starts[at]
    counts = starts[at + 1] - low
    return spread(low, counts), np.repeat(np.arange(len(at)), counts)
