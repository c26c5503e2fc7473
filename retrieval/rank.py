"""Which articles answer a query, and which sentence of each: text, concepts and graph together.

An article's score is a weighted sum of three parts, none of which is divided by the query's own
maximum but the graph's: stemmed BM25 over its text, BM25 over the concepts linked in it, and what
its evidence says of the neighbourhood of the seeds. Its best sentence is chosen by the same parts.
The weights were fitted on 500 titles of systematic reviews' citations and on their rewordings, but
for that of vectors, which was set by reasoning: their scores lie closer together than those of
words, and find about as much. A share of the best sentence's score in the article's brought nothing
there and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ontologies.linker import Seed
from retrieval.expand import Neighbourhood
from retrieval.view import View

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

CANDIDATES = 100
MOST_EDGES = 64
"""Edges of the neighbourhood whose evidence is looked up: those that the walk takes most."""

AT_ONCE = 16
"""Articles whose sentences are compared at once, the best first: mostly as many as are wanted."""

BARE = 0.5
"""What a sentence that only names two concepts counts beside one that relates them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a score counts; 0 leaves a part out.

    `children` is the weight of a concept right below a seed, in shares of the seed's. `graph`
    and `vectors` count in shares of the best score by text and concepts. `edges` counts in the
    choice of an article's sentence alone, in shares of its best one.
    """

    text: float = 1.0
    concepts: float = 0.5
    graph: float = 0.05
    children: float = 0.3
    edges: float = 0.5
    vectors: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is asked: weighted words, weighted concepts (by row), the seeds, heaviest first, and
    their neighbourhood; the rows of the seeds that are known, and how much an edge (row) matters;
    whether it asks how its concepts are connected; by document, how near it is to the question in
    the space of an embedding model, in shares of the nearest, where there is such a model.
    """

    terms: Mapping[int, float]
    concepts: Mapping[int, float]
    seeds: tuple[Seed, ...]
    near: Neighbourhood
    rows: Mapping[str, int]
    relevance: Mapping[int, float]
    bridging: bool = False
    similar: Floats | None = None


class Hit(NamedTuple):
    """A document, one of its sentences (a sentence document), and the article's score."""

    document: int
    sentence: int
    score: float


def with_children(view: View, seeds: Mapping[int, float], children: float) -> dict[int, float]:
    """The seeds' rows and those right below them, with their weights."""
    weights: dict[int, float] = {}
    for row, weight in sorted(seeds.items()) if children else ():
        for child in view.children(row).tolist():
            weights[child] = max(weights.get(child, 0.0), children * weight)
    for row, weight in seeds.items():
        weights[row] = max(weights.get(row, 0.0), weight)
    return weights


def edge_relevance(near: Neighbourhood, seeds: Iterable[int]) -> dict[int, float]:
    """How much the walk goes between the two concepts of each edge, in shares of the most, by row.

    All edges of a pair count alike, so that what refutes an assertion is as relevant as what
    supports it. A pair of two seeds is as relevant as the most travelled one. Only the first
    `MOST_EDGES` edges are given.
    """
    ends = np.sort(np.stack((near.edges.subject, near.edges.object)), axis=0).astype(np.int64)
    _, pair = np.unique(ends[0] << 32 | ends[1], return_inverse=True)
    flow = np.bincount(pair, near.flow)[pair] if len(pair) else near.flow
    relevance = flow / (flow.max(initial=0.0) or 1.0)
    relevance[np.isin(ends, list(seeds)).all(axis=0)] = 1.0
    best = np.lexsort((near.edges.row, -relevance))[:MOST_EDGES]
    best = best[relevance[best] > 0.0]
    rows = near.edges.row[best].tolist()
    return dict(zip(rows, relevance[best].tolist(), strict=True))


def graph_scores(view: View, relevance: Mapping[int, float]) -> tuple[Array, Floats]:
    """(document, the relevance of the edges that it is evidence of, in shares of the greatest)."""
    edges = np.array(sorted(relevance), np.int64)
    _, document, owner = view.evidence_of(edges)
    stated = np.unique(owner << 32 | document)  # a document counts once for each edge
    documents, place = np.unique(stated & 0xFFFFFFFF, return_inverse=True)
    shares = np.array([relevance[edge] for edge in edges.tolist()], np.float64)
    total = np.bincount(place, shares[stated >> 32], len(documents))
    return documents, total / (total.max(initial=0.0) or 1.0)


def article_scores(view: View, query: Query, weights: Weights) -> Floats:
    """The score of every document."""
    index = view.index
    scores = index.articles.scores(list(query.terms), list(query.terms.values()))
    scores *= weights.text
    if weights.concepts and query.concepts:
        found = index.concepts.scores(list(query.concepts), list(query.concepts.values()))
        found *= weights.concepts
        scores += found
    scale = scores.max(initial=0.0) or 1.0
    if weights.graph and query.relevance:
        documents, found = graph_scores(view, query.relevance)
        scores[documents] += weights.graph * scale * found
    if weights.vectors and query.similar is not None:
        scores += weights.vectors * scale * query.similar
    return scores


def best_documents(scores: Floats, pmids: Array, number: int) -> Array:
    """The documents with the greatest scores above 0, ties to the smaller PMID."""
    if len(scores) > number:
        least = np.partition(scores, len(scores) - number)[len(scores) - number]
        candidates = np.flatnonzero((scores >= least) & (scores > 0.0))
    else:
        candidates = np.flatnonzero(scores > 0.0)
    order = np.lexsort((pmids[candidates], -scores[candidates]))
    chosen: Array = candidates[order[:number]]
    return chosen


class Ranking:
    """The best articles of a query; their best sentences are found when they are asked for."""

    def __init__(self, view: View, query: Query, weights: Weights, number: int = CANDIDATES):
        self._view, self._query, self._weights = view, query, weights
        self.scores = article_scores(view, query, weights)
        self._documents = best_documents(self.scores, view.pmids, number)
        self._edges = np.array(sorted(query.relevance), np.int64)
        self._relevance = np.array([query.relevance[e] for e in self._edges.tolist()], np.float64)

    @property
    def best(self) -> float:
        """The score of the best article; 0 where there is none."""
        return float(self.scores[self._documents[0]]) if len(self._documents) else 0.0

    def hits(self) -> Iterator[Hit]:
        """Articles with their best sentences, best first, ties by PMID.

        Articles without a sentence are left out: there is nothing to cite.
        """
        for start in range(0, len(self._documents), AT_ONCE):
            yield from self._hits(self._documents[start : start + AT_ONCE])

    def order(self, hit: Hit) -> tuple[float, int, int]:
        """Sorts hits."""
        return -hit.score, int(self._view.pmids[hit.document]), hit.sentence

    def at(self, document: int, start: int) -> Hit:
        """The sentence of a document that begins at `start`, with its article's score."""
        sentences, _ = self._view.sentences(np.array([document]))
        starts, _ = self._view.spans(sentences)
        return self._hit(document, int(sentences[int(np.searchsorted(starts, start))]))

    def _hit(self, document: int, sentence: int) -> Hit:
        return Hit(document, sentence, float(self.scores[document]))

    def _hits(self, documents: Array) -> list[Hit]:
        """Some articles with their best sentences, the first of equals, in the order given."""
        sentences, owner = self._view.sentences(documents)
        if not len(sentences):
            return []
        starts, _ = self._view.spans(sentences)
        place = owner << 32 | starts
        plain = self._plain(documents, sentences, place)
        first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        most = np.zeros(len(documents))
        most[owner[first]] = np.maximum.reduceat(plain, first)
        scores = plain + self._weights.edges * most[owner] * self._stated(documents, place)
        best = np.lexsort((sentences, -scores, owner))[first]
        chosen = zip(documents[owner[first]].tolist(), sentences[best].tolist(), strict=True)
        return [self._hit(*one) for one in chosen]

    def _plain(self, documents: Array, sentences: Array, place: Array) -> Floats:
        """The scores of sentences by words and concepts; `place` is a document and a start."""
        terms, weights = self._query.terms, self._weights
        index = self._view.index.sentences
        scores = weights.text * index.scores_of(list(terms), list(terms.values()), sentences)
        if weights.concepts and self._query.concepts:
            found = concepts_within(self._view, documents, place, self._query.concepts)
            scores += weights.concepts * found
        return scores

    def _stated(self, documents: Array, place: Array) -> Floats:
        """By sentence, the relevance of the most relevant edge that it states."""
        total = np.zeros(len(place))
        if not self._weights.edges or not len(self._edges):
            return total
        rows, starts, owner = self._view.stated(documents)
        edges = self._view.edge_rows(rows)
        at = np.minimum(np.searchsorted(self._edges, edges), len(self._edges) - 1)
        known = self._edges[at] == edges
        shares = np.where(self._view.says_how(edges[known]), 1.0, BARE)
        where = np.searchsorted(place, (owner << 32 | starts)[known])
        np.maximum.at(total, where, shares * self._relevance[at[known]])
        return total


def concepts_within(
    view: View, documents: Array, place: Array, weights: Mapping[int, float]
) -> Floats:
    """By sentence, the weights of the distinct concepts (by row) that it mentions, each times its
    rarity. `place` holds the position in `documents` (upper half) and the start of each sentence.
    """
    concepts, starts, owner = view.mentions(documents)
    asked = np.array(sorted(weights), np.int64)
    at = np.minimum(np.searchsorted(asked, concepts), len(asked) - 1)
    where = np.searchsorted(place, owner << 32 | starts, "right") - 1
    inside = (asked[at] == concepts) & (where >= 0)
    inside &= place[where] >> 32 == owner
    named = np.unique(where[inside] << 32 | at[inside])
    concept, row = np.unique(named & 0xFFFFFFFF, return_inverse=True)
    worth = [weights[one] * view.rarity(one) for one in asked[concept].tolist()]
    return np.bincount(named >> 32, np.array(worth)[row], len(place)).astype(np.float64)
