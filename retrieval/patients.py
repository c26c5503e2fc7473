"""What the literature says of a patient and a task: passages, a subgraph, communities, features.

The patient's concepts are the seeds; the concepts of the task's outcome are further ones. Ranked
is what connects the patient's concepts with each other, and with the outcome: an edge of two of
them counts as much as its predicate bears on harm (`PREDICATE_SHARES`), times the weights of its
ends, the heaviest being 1, and by `OUTCOME_SHARE` where one end is the outcome's. All edges of two
concepts count alike, so that what refutes is found beside what supports. Of articles that state
such edges those come first that name more of the patient's concepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from kg_builder.model import Subgraph
from ontologies.linker import Seed
from retrieval.answer import ranked_passages
from retrieval.community_choice import ChosenCommunity, choose_communities
from retrieval.expand import Edges, Floats, Neighbourhood
from retrieval.passages import Passage
from retrieval.patient_features import (
    PatientFeatures,
    active,
    edges_among,
    patient_features,
)
from retrieval.patient_graph import OutcomeGraph
from retrieval.rank import CANDIDATES, MOST_EDGES, Query, Ranking, Weights, with_children
from retrieval.seeds import STATUS_WEIGHTS

PREDICATE_SHARES: Mapping[str, float] = {
    "INTERACTS_WITH": 1.0,
    "COMPLICATES": 1.0,
    "CAUSES": 0.9,
    "PREDISPOSES": 0.9,
    "PREVENTS": 0.6,
    "AFFECTS": 0.5,
    "INHIBITS": 0.5,
    "STIMULATES": 0.5,
    "ASSOCIATED_WITH": 0.5,
    "COEXISTS_WITH": 0.4,
    "TREATS": 0.4,
    "DIAGNOSES": 0.2,
    "ISA": 0.1,
    "CO_OCCURS_WITH": 0.15,
}
"""How much a predicate bears on what may go wrong with a patient: a convention, not a fit."""

OUTCOME_SHARE = 0.5
PATIENT_WEIGHTS = Weights(text=0.0, concepts=0.5, graph=1.0, edges=1.0)
PER_PAIR = 2
"""Passages about the same two concepts."""

AROUND = 120
"""Edges of the neighbourhood that the subgraph shows beside those among the patient's concepts."""


@dataclass(frozen=True, slots=True)
class PatientContext:
    """What was retrieved for a patient: best passages first, the part of the graph around the
    concepts, the communities that matter most, and the features of a prediction.

    `missing` are the names of the task's outcome that the snapshot does not know.
    """

    task: str
    as_of: date | None
    passages: tuple[Passage, ...]
    subgraph: Subgraph
    communities: tuple[ChosenCommunity, ...]
    features: PatientFeatures
    missing: tuple[str, ...] = ()


def seed_of(concept_id: str, status: str = "present", time: str | None = None) -> Seed:
    """A seed that weighs what its assertion status says; raises `ValueError` for another one.

    >>> seed_of("UMLS:C0018801", "absent").weight
    0.1
    """
    if status not in STATUS_WEIGHTS:
        raise ValueError(f"status {status!r} is none of {', '.join(STATUS_WEIGHTS)}")
    return Seed(concept_id, STATUS_WEIGHTS[status], status, time)


def patient_context(
    graph: OutcomeGraph, seeds: Sequence[Seed], as_of: date | None, k: int
) -> PatientContext:
    """The context of one patient; see `GraphRetriever.retrieve_for_patient`."""
    view = graph.graph.view
    ordered = tuple(sorted(seeds, key=lambda seed: (-seed.weight, seed.concept_id)))
    weights = {seed.concept_id: seed.weight for seed in reversed(ordered)}
    rows = view.known(sorted(weights))
    asked = {row: weights[concept_id] for concept_id, row in rows.items()}
    near = view.near(asked)
    query = Query(
        terms={},
        concepts=with_children(view, asked, PATIENT_WEIGHTS.children),
        seeds=ordered,
        near=near,
        rows=rows,
        relevance=patient_relevance(graph, asked),
    )
    ranking = Ranking(view, query, PATIENT_WEIGHTS, max(CANDIDATES, 4 * k))
    passages = ranked_passages(view, query, PATIENT_WEIGHTS, ranking, (), k, PER_PAIR)
    own = set(view.known({seed.concept_id for seed in active(seeds)}).values())
    shown = _shown(near, edges_among(view, {*asked, *graph.rows}), asked)
    return PatientContext(
        task=graph.outcome.task,
        as_of=as_of,
        passages=tuple(passages),
        subgraph=view.subgraph(shown, ordered, as_of),
        communities=tuple(choose_communities(graph, own, near.edges)),
        features=patient_features(graph, seeds),
        missing=graph.outcome.missing,
    )


def numbers_alone(graph: OutcomeGraph, seeds: Sequence[Seed], as_of: date | None) -> PatientContext:
    """A context of features without what can be read: a tenth of the time, for many patients."""
    return PatientContext(
        task=graph.outcome.task,
        as_of=as_of,
        passages=(),
        subgraph=Subgraph((), (), (), as_of),
        communities=(),
        features=replace(patient_features(graph, seeds), pairs=()),
        missing=graph.outcome.missing,
    )


def patient_relevance(graph: OutcomeGraph, asked: Mapping[int, float]) -> dict[int, float]:
    """How much the edges among the patient's concepts (rows with weights) and the outcome's
    matter, by row: the first `MOST_EDGES`, the most relevant at 1.
    """
    view = graph.graph.view
    heaviest = max(asked.values(), default=1.0)
    worth = {row: OUTCOME_SHARE * weight for row, weight in graph.rows.items()}
    worth |= {row: weight / heaviest for row, weight in asked.items()}
    edges = edges_among(view, worth)
    own = np.isin(edges.subject, list(asked)) | np.isin(edges.object, list(asked))
    edges = edges.where(own)  # the outcome's concepts among each other are no news of the patient
    if not len(edges.row):
        return {}
    share = np.array([PREDICATE_SHARES[name] for name in view.predicates(edges.row)])
    ends = zip(edges.subject.tolist(), edges.object.tolist(), strict=True)
    relevance = share * np.array([worth[one] * worth[other] for one, other in ends])
    relevance = _by_pair(edges, relevance)
    best = np.lexsort((edges.row, -relevance))[:MOST_EDGES]
    shares = (relevance[best] / relevance.max()).tolist()
    return dict(zip(edges.row[best].tolist(), shares, strict=True))


def _by_pair(edges: Edges, relevance: Floats) -> Floats:
    """For each edge the greatest relevance of the edges between its two concepts."""
    ends = np.sort(np.stack((edges.subject, edges.object)), axis=0).astype(np.int64)
    pairs, place = np.unique(ends[0] << 32 | ends[1], return_inverse=True)
    most = np.zeros(len(pairs))
    np.maximum.at(most, place, relevance)
    return most[place]


def _shown(near: Neighbourhood, among: Edges, asked: Iterable[int]) -> Neighbourhood:
    """The patient's concepts, the edges among them and the outcome's, and those that the walk from
    the patient's takes most.
    """
    best = np.lexsort((near.edges.row, -near.flow))[:AROUND]
    kept = np.isin(near.edges.row, near.edges.row[best]) & ~np.isin(near.edges.row, among.row)
    edges = Edges(
        *(
            np.concatenate((column, more))
            for column, more in zip(among, near.edges.where(kept), strict=True)
        )
    )
    concepts = np.unique(
        np.concatenate((edges.subject, edges.object, list(asked))).astype(np.int64)
    )
    return Neighbourhood(concepts, np.zeros(len(concepts)), edges, np.zeros(len(edges.row)))
