"""Which communities matter to a patient: the relevance of KARE, computed from the graph.

Jiang et al., 'Reasoning-Enhanced Healthcare Predictions with Knowledge Graph Community Retrieval'
(KARE), 2024: a community's relevance is

    (direct + 0.8 indirect hits) × 0.5^(earlier hits)
        × (1 + 0.1 coherence) (1 + 0.1 recency) (1 + 0.1 theme)

and the communities are chosen one by one, ten at most. Here a direct hit is a concept of the
patient; an indirect one is a concept that lies between, a neighbour of at least two of the
patient's and the outcome's concepts; earlier hits count, over the patient's concepts in the
community, in how many of the communities chosen so far each was. Coherence is the part of the
weight at a community's concepts that stays within it, recency how new its literature is, theme
how near it is to the outcome, all from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from retrieval.communities import FINE, TOP, Community
from retrieval.expand import Edges
from retrieval.patient_graph import OutcomeGraph

INDIRECT, DECAY, BONUS = 0.8, 0.5, 0.1
CHOSEN = 10


@dataclass(frozen=True, slots=True)
class ChosenCommunity:
    """A community with its relevance when it was chosen, and what made it so."""

    community: Community
    relevance: float
    direct: tuple[str, ...]
    indirect: int


def between(edges: Edges, own: Collection[int]) -> set[int]:
    """The concepts that a believed edge joins with at least two others of `own`."""
    asked = np.array(sorted(own), np.int64)
    touched: set[tuple[int, int]] = set()
    for end, other in ((edges.subject, edges.object), (edges.object, edges.subject)):
        at = np.isin(end, asked) & ~np.isin(other, asked) & (edges.belief > 0.0)
        touched.update(zip(other[at].tolist(), end[at].tolist(), strict=True))
    ends = [concept for concept, _ in touched]
    rows, count = np.unique(np.array(ends, np.int64), return_counts=True)
    return set(rows[count >= 2].tolist())


@dataclass(slots=True)
class _Candidate:
    community: Community
    factor: float
    direct: list[int]
    indirect: int

    def relevance(self, hits: dict[int, int]) -> float:
        earlier = sum(hits.get(concept, 0) for concept in self.direct)
        return (len(self.direct) + INDIRECT * self.indirect) * DECAY**earlier * self.factor


def choose_communities(
    graph: OutcomeGraph, own: Collection[int], near: Edges, number: int = CHOSEN
) -> list[ChosenCommunity]:
    """The communities that matter most to a patient, most relevant first as they are chosen.

    `own` are the rows of the patient's concepts, `near` the edges around them. A community that
    holds none of them is not chosen. Ties go to the finer, then to the smaller id.
    """
    candidates = _candidates(graph, own, between(near, {*own, *graph.rows}))
    hits: dict[int, int] = {}
    chosen: list[ChosenCommunity] = []
    while candidates and len(chosen) < number:
        best = min(
            candidates,
            key=lambda one: (-one.relevance(hits), -one.community.level, one.community.id),
        )
        candidates.remove(best)
        ids = graph.graph.view.concept_ids(best.direct)
        relevance = best.relevance(hits)
        chosen.append(ChosenCommunity(best.community, relevance, tuple(ids), best.indirect))
        for concept in best.direct:
            hits[concept] = hits.get(concept, 0) + 1
    return chosen


def _candidates(
    graph: OutcomeGraph, own: Collection[int], lying_between: Collection[int]
) -> list[_Candidate]:
    shared = graph.graph
    found: dict[str, _Candidate] = {}
    for level in (TOP, FINE):  # one that stands at both levels counts once
        place = shared.communities.places[level]
        communities = shared.communities.at(level)
        columns = (
            shared.community_coherence[level],
            shared.community_recency[level],
            graph.community_nearness[level],
        )
        direct: dict[int, list[int]] = {}
        for row in sorted(own):
            if place[row] >= 0:
                direct.setdefault(int(place[row]), []).append(row)
        indirect = place[sorted(lying_between)]
        for at, rows in sorted(direct.items()):
            factor = float(np.prod([1.0 + BONUS * float(column[at]) for column in columns]))
            count = int((indirect == at).sum())
            found[communities[at].id] = _Candidate(communities[at], factor, rows, count)
    return list(found.values())
