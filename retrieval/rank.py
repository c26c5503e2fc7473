"""Which articles answer a query, and which sentence of each: text, concepts and graph together.

An article's score is a weighted sum of three parts, none of which is divided by the query's own
maximum but the graph's: stemmed BM25 over its text, BM25 over the concepts linked in it, and what
its evidence says of the neighbourhood of the seeds. Its best sentence is chosen by the same parts.
The weights were fitted on 500 titles of systematic reviews' citations and on their rewordings; a
share of the best sentence's score in the article's brought nothing there and is left out.
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

BARE = 0.5
"""What a sentence that only names two concepts counts beside one that relates them."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a score counts; 0 leaves a part out.

    `children` is the weight of a concept right below a seed, in shares of the seed's. `graph`
    counts in shares of the best score by text and concepts. `edges` counts in the choice of an
    article's sentence alone, in shares of its best one.
    """

    text: float = 1.0
    concepts: float = 0.5
    graph: float = 0.05
    children: float = 0.3
    edges: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is asked: weighted words, weighted concepts (by row), the seeds, heaviest first, and
    their neighbourhood; the rows of the seeds that are known, and how much an edge (row) matters;
    whether it asks how its concepts are connected.
    """

    terms: Mapping[int, float]
    concepts: Mapping[int, float]
    seeds: tuple[Seed, ...]
    near: Neighbourhood
    rows: Mapping[str, int]
    relevance: Mapping[int, float]
    bridging: bool = False


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


def graph_scores(view: View, relevance: Mapping[int, float]) -> Floats:
    """By document, the relevance of the edges that it is evidence of, in shares of the greatest."""
    total = np.zeros(len(view.index.article_rows))
    for edge in sorted(relevance):
        _, documents = view.evidence_of(edge)
        total[np.unique(documents)] += relevance[edge]
    most = total.max(initial=0.0)
    return total / most if most else total


def article_scores(view: View, query: Query, weights: Weights) -> Floats:
    """The score of every document."""
    index = view.index
    scores = weights.text * index.articles.scores(list(query.terms), list(query.terms.values()))
    if weights.concepts:
        found = index.concepts.scores(list(query.concepts), list(query.concepts.values()))
        scores += weights.concepts * found
    if weights.graph:
        scale = scores.max(initial=0.0) or 1.0
        scores += weights.graph * scale * graph_scores(view, query.relevance)
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
        self._documents = best_documents(self.scores, view.pmids, number).tolist()
        index, terms = view.index.sentences, query.terms
        self._by_sentence = index.scores(list(terms), list(terms.values()))

    @property
    def best(self) -> float:
        """The score of the best article; 0 where there is none."""
        return float(self.scores[self._documents[0]]) if self._documents else 0.0

    def hits(self) -> Iterator[Hit]:
        """Articles with their best sentences, best first, ties by PMID.

        Articles without a sentence are left out: there is nothing to cite.
        """
        for document in self._documents:
            sentences = self._view.sentences(document)
            if len(sentences):
                plain = self._plain(document)
                stated = self._weights.edges * plain.max() * self._stated(document)
                yield self._hit(document, int(sentences[int(np.argmax(plain + stated))]))

    def order(self, hit: Hit) -> tuple[float, int, int]:
        """Sorts hits."""
        return -hit.score, int(self._view.pmids[hit.document]), hit.sentence

    def at(self, document: int, start: int) -> Hit:
        """The sentence of a document that begins at `start`, with its article's score."""
        sentences = self._view.sentences(document)
        starts, _ = self._view.spans(sentences)
        return self._hit(document, int(sentences[int(np.searchsorted(starts, start))]))

    def _hit(self, document: int, sentence: int) -> Hit:
        return Hit(document, sentence, float(self.scores[document]))

    def _plain(self, document: int) -> Floats:
        """The scores of a document's sentences by words and concepts."""
        view, query, weights = self._view, self._query, self._weights
        sentences = view.sentences(document)
        scores = weights.text * self._by_sentence[sentences]
        if weights.concepts and query.concepts:
            starts, _ = view.spans(sentences)
            scores = scores + weights.concepts * _concepts_within(view, document, starts, query)
        return scores

    def _stated(self, document: int) -> Floats:
        """By sentence, the relevance of the most relevant edge that it states."""
        view, query = self._view, self._query
        sentences = view.sentences(document)
        total = np.zeros(len(sentences))
        if self._weights.edges and query.relevance:
            starts, _ = view.spans(sentences)
            rows, at = view.stated(document)
            edges = view.edge_rows(rows)
            shares = np.where(view.says_how(edges), 1.0, BARE)
            place = np.searchsorted(starts, at)
            for where, edge, share in zip(
                place.tolist(), edges.tolist(), shares.tolist(), strict=True
            ):
                total[where] = max(total[where], share * query.relevance.get(edge, 0.0))
        return total


def _concepts_within(view: View, document: int, starts: Array, query: Query) -> Floats:
    """By sentence, the weights of the distinct concepts of the query that it mentions."""
    at, concepts = view.mentions(document)
    total = np.zeros(len(starts))
    place = np.searchsorted(starts, at, "right") - 1
    named = {
        (where, concept)
        for where, concept in zip(place.tolist(), concepts.tolist(), strict=True)
        if where >= 0 and concept in query.concepts
    }
    for where, concept in sorted(named):
        total[where] += query.concepts[concept] * view.rarity(concept)
    return total
