"""How well retrieval works: the parts alone and together, on questions with known answers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from kg_builder.snapshot_reader import SnapshotReader
from retrieval.expand import DAMPING
from retrieval.metrics import (
    Measure,
    difference,
    measured,
    ndcg,
    precision,
    recall_at,
    reciprocal_rank,
)
from retrieval.question_sets import Question
from retrieval.rank import Weights
from retrieval.retriever import GraphRetriever

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

DEPTH = 10
"""Passages asked for: MRR, nDCG and precision look no further."""

_NOTHING = Weights(text=0.0, concepts=0.0, graph=0.0, children=0.0, edges=0.0, vectors=0.0)
SYSTEMS: Mapping[str, Weights] = {
    "together": Weights(),
    "BM25": replace(_NOTHING, text=1.0),
    "concepts": replace(_NOTHING, concepts=1.0),
    "graph": replace(_NOTHING, graph=1.0),
}
"""All parts, and each alone. `random` is the order of hashes, and asks no graph."""

WITH_VECTORS: Mapping[str, Weights] = {
    **SYSTEMS,
    "without vectors": replace(Weights(), vectors=0.0),
    "vectors": replace(_NOTHING, vectors=1.0),
}
"""What is asked of a retriever with an embedding model."""

_MEASURES = {
    "recall@1": recall_at(1),
    "recall@10": recall_at(10),
    "MRR": reciprocal_rank,
    "nDCG": ndcg,
    "citation precision": precision,
}


@dataclass(frozen=True, slots=True)
class SystemReport:
    """Measures of one system, and how much `together` is above it, question by question."""

    measures: Mapping[str, Measure]
    lead: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Measures by system over so many questions."""

    questions: int
    systems: Mapping[str, SystemReport]


def evaluate_questions(
    retriever: GraphRetriever, questions: Sequence[Question], as_of: date | None = None
) -> RetrievalReport:
    """Ask every question of every system. `citation precision` is the share of the cited articles
    that are answers; with one answer and ten citations it is 0.1 at best.
    """
    values = {
        name: _values(
            [
                [p.pmid for p in retriever.weighing(weights).retrieve(q.text, DEPTH, as_of)]
                for q in questions
            ],
            questions,
        )
        for name, weights in (WITH_VECTORS if retriever.embeds else SYSTEMS).items()
    }
    pmids = retriever.view(as_of).pmids.tolist()
    values["random"] = _values([_shuffled(pmids, q.text) for q in questions], questions)
    ours = values["together"]
    reports = {
        name: SystemReport(
            {measure: measured(column) for measure, column in own.items()},
            {measure: difference(ours[measure], column) for measure, column in own.items()},
        )
        for name, own in values.items()
    }
    return RetrievalReport(len(questions), reports)


def _values(
    ranked: Sequence[Sequence[int]], questions: Sequence[Question]
) -> dict[str, list[float]]:
    asked = list(zip(ranked, (set(question.pmids) for question in questions), strict=True))
    return {name: [measure(*one) for one in asked] for name, measure in _MEASURES.items()}


def _shuffled(pmids: Sequence[int], text: str) -> list[int]:
    seed = int.from_bytes(sha256(text.encode()).digest()[:8])
    return random.Random(seed).sample(pmids, min(DEPTH, len(pmids)))


# -- discovery --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiscoveryReport:
    """How pairs that first co-occur after a cut were ranked at the cut.

    For each of `concepts` concepts all others that it did not co-occur with by then are ranked;
    `auroc` is the mean chance, by method, that one that it co-occurs with later stands above one
    that it does not, `lead` how much `pagerank` is above a method, concept by concept.
    """

    as_of: date
    concepts: int
    pairs: int
    auroc: Mapping[str, Measure]
    lead: Mapping[str, Measure]


def evaluate_discovery(
    before: SnapshotReader,
    after: SnapshotReader,
    beliefs: Array,
    as_of: date,
    *,
    most: int = 300,
    least: int = 5,
) -> DiscoveryReport:
    """Rank, on a cut, what each concept co-occurs with later in the whole graph.

    `beliefs` are those of the cut's edges. Asked are at most `most` concepts, drawn by hash, that
    at least `least` articles mention before the cut and that gain a neighbour known by then.
    """
    graph = _Cooccurrence(before, beliefs)
    gained = graph.gained(after)
    eligible = [c for c in sorted(gained) if graph.articles[c] >= least]
    asked = sorted(eligible, key=lambda c: sha256(graph.ids[c].encode()).digest())[:most]
    found: dict[str, list[float]] = {}
    for concept in asked:
        others = graph.strangers(concept)
        later = np.isin(others, gained[concept])
        for name, scores in graph.methods(concept).items():
            found.setdefault(name, []).append(auroc(scores[others], later))
    return DiscoveryReport(
        as_of=as_of,
        concepts=len(asked),
        pairs=sum(len(gained[concept]) for concept in asked),
        auroc={name: measured(values) for name, values in found.items()},
        lead={name: difference(found["pagerank"], values) for name, values in found.items()},
    )


class _Cooccurrence:
    """Which concepts of a snapshot co-occur, and how much each edge between them is believed."""

    def __init__(self, reader: SnapshotReader, beliefs: Array) -> None:
        from scipy.sparse import csr_matrix

        self.ids = list(reader.concept_ids())
        self.articles = reader.tables.column("concepts", "articles")
        size = len(self.ids)
        first, second, _ = reader.pairs()
        ones = np.ones(len(first))
        known = csr_matrix((ones, (first, second)), shape=(size, size))
        self.known = (known + known.T).tocsr()
        subject = reader.tables.column("edges", "subject")
        object_ = reader.tables.column("edges", "object")
        belief = csr_matrix((beliefs, (subject, object_)), shape=(size, size))
        damped = 1.0 / np.log2(2.0 + self.articles)
        weighed = (belief + belief.T).tocsr().multiply(damped[None, :]).tocsr()
        total = np.asarray(weighed.sum(axis=1)).ravel()
        share = np.divide(1.0, total, out=np.zeros(size), where=total > 0)
        self.back = weighed.multiply(share[:, None]).T.tocsr()

    def gained(self, after: SnapshotReader) -> dict[int, Array]:
        """By concept, those of this snapshot that it co-occurs with later only."""
        place = {concept_id: row for row, concept_id in enumerate(self.ids)}
        there = np.array([place.get(c, -1) for c in after.concept_ids()], np.int64)
        first, second, _ = after.pairs()
        first, second = there[first], there[second]
        both = (first >= 0) & (second >= 0)
        found: dict[int, set[int]] = {}
        for one, other in zip(first[both].tolist(), second[both].tolist(), strict=True):
            if not self.known[one, other]:
                found.setdefault(one, set()).add(other)
                found.setdefault(other, set()).add(one)
        return {one: np.array(sorted(others), np.int64) for one, others in found.items()}

    def strangers(self, concept: int) -> Array:
        """The concepts that one does not co-occur with, itself left out."""
        near = np.append(self.known[concept].indices, concept)
        return np.setdiff1d(np.arange(len(self.ids)), near)

    def methods(self, concept: int) -> dict[str, Floats]:
        """By method, the score of every concept as a neighbour to come of one."""
        shared = np.asarray((self.known @ self.known[concept].T).todense(), np.float64).ravel()
        drawn = np.random.default_rng(concept).random(len(self.ids))
        return {"pagerank": self._pagerank(concept), "common neighbours": shared, "random": drawn}

    def _pagerank(self, concept: int) -> Floats:
        start = np.zeros(len(self.ids))
        start[concept] = 1.0
        rank: Floats = start
        for _ in range(30):  # 0.5 ** 30: what is left moves no rank
            rank = (1.0 - DAMPING) * start + DAMPING * (self.back @ rank)
        return rank


def auroc(scores: Floats, positive: Array) -> float:
    """The chance that a positive scores above a negative, ties half (Mann and Whitney 1947).

    >>> auroc(np.array([0.9, 0.2, 0.2]), np.array([True, True, False]))
    0.75
    """
    _, place, number = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(number) - (number - 1) / 2.0)[place]
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        raise ValueError("AUROC needs a positive and a negative, got one kind only")
    above = float(ranks[positive].sum()) - positives * (positives + 1) / 2.0
    return above / (positives * negatives)
