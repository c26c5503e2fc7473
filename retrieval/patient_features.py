"""What the graph says of a patient in numbers, and the articles behind each.

All come from one snapshot, so that with a cut nothing published later is in them. Concepts that
the patient does not have (absent, of a relative, hypothetical) play no part.

- `concepts_known`, `concepts_unknown`: how many of the patient's concepts are in the snapshot, and
  how many are not.
- `nearness_outcome`, `nearness_complications`: PageRank (0 to 1) that the patient's concepts give
  to those of the outcome, and of the complications, their mean by weight; with `_max` that of the
  one nearest concept. `community_ID`: the same for a community of the top level. Null where no
  concept is known.
- `pair_KIND_PREDICATE_STATISTIC`: over the edges between two of the patient's concepts.
- `harm_STATISTIC`: the same over all kinds and the predicates `HARMFUL`.

KIND is `drug_drug`, `drug_problem`, `problem_problem` or `other`. STATISTIC is `count` (edges),
`belief_sum` and `belief_max` (of edges, 0 to 1 each), `articles` (that support, summed over
edges) and `refuted` (edges that an article refutes). Two concepts of which no article says
anything together count 0: the literature was read, and says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from kg_builder.model import PREDICATES, EdgeKey
from ontologies.linker import Seed
from retrieval.communities import TOP
from retrieval.expand import Edges
from retrieval.patient_graph import DRUG, MOST_COMMUNITIES, PROBLEM, OutcomeGraph
from retrieval.view import View

ACTIVE = frozenset({"present", "possible", "historical"})
"""The assertion statuses with which a concept is the patient's own."""

KINDS = ("drug_drug", "drug_problem", "problem_problem", "other")
PAIR_PREDICATES = tuple(name for name in PREDICATES if name != "ISA")
HARMFUL = frozenset({"INTERACTS_WITH", "CAUSES", "COMPLICATES", "PREDISPOSES"})
STATISTICS = ("count", "belief_sum", "belief_max", "articles", "refuted")

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """An edge between two of a patient's concepts: what is behind the pair columns.

    `supporting` and `refuting` are PMIDs, sorted; retracted articles are in neither.
    """

    key: EdgeKey
    kind: str
    belief: float
    supporting: tuple[int, ...]
    refuting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PatientFeatures:
    """Numbers by column, always the same columns in the same order for one snapshot and task;
    `None` is not known. `pairs` are the edges behind them that relate their concepts, most
    believed first; those that only name them together are counted and not listed.
    `literature_until` is the day of the newest article that can have had a part.
    """

    columns: Mapping[str, float | None]
    pairs: tuple[PairEvidence, ...]
    literature_until: date | None


def active(seeds: Iterable[Seed]) -> list[Seed]:
    """The seeds that are the patient's own."""
    return [seed for seed in seeds if seed.status in ACTIVE]


def column_names(graph: OutcomeGraph) -> tuple[str, ...]:
    """The columns of a snapshot's patient features, in order."""
    return (
        "concepts_known",
        "concepts_unknown",
        "nearness_outcome",
        "nearness_outcome_max",
        "nearness_complications",
        "nearness_complications_max",
        *_community_columns(graph),
        *(f"harm_{statistic}" for statistic in STATISTICS),
        *(
            f"pair_{kind}_{predicate.lower()}_{statistic}"
            for kind in KINDS
            for predicate in PAIR_PREDICATES
            for statistic in STATISTICS
        ),
    )


def _community_columns(graph: OutcomeGraph) -> list[str]:
    tops = graph.graph.communities.at(TOP)[:MOST_COMMUNITIES]
    return [f"community_{community.id}" for community in tops]


def patient_features(graph: OutcomeGraph, seeds: Sequence[Seed]) -> PatientFeatures:
    """The features of a patient whose concepts are the seeds (each concept once, its heaviest)."""
    view = graph.graph.view
    own = active(seeds)
    weights = {seed.concept_id: seed.weight for seed in sorted(own, key=lambda seed: seed.weight)}
    rows = {row: weights[one] for one, row in view.known(sorted(weights)).items()}
    edges = edges_among(view, rows)
    kinds = [_kind(graph, *ends) for ends in zip(*_ends(edges), strict=True)]
    columns = dict.fromkeys(column_names(graph), 0.0) | {
        "concepts_known": float(len(rows)),
        "concepts_unknown": float(len(weights) - len(rows)),
        **_nearness(graph, rows),
        **_statistics(view, edges, kinds),
    }
    until = graph.graph.published_until
    return PatientFeatures(
        columns,
        _pairs(view, edges, kinds),
        None if until is None else _EPOCH + timedelta(days=until),
    )


def edges_among(view: View, rows: Iterable[int]) -> Edges:
    """The edges between two of these concepts that an article in force states, by row."""
    asked = np.array(sorted(rows), np.int64)
    found = view.edges_at(asked, view.reader.tables["incidence"].num_rows)
    both = np.isin(found.subject, asked) & np.isin(found.object, asked)
    both &= found.subject != found.object
    _, first = np.unique(found.row[both], return_index=True)
    return found.where(both).where(first)


def _ends(edges: Edges) -> tuple[list[int], list[int]]:
    return edges.subject.tolist(), edges.object.tolist()


def _kind(graph: OutcomeGraph, one: int, other: int) -> str:
    kinds = {graph.graph.kind(one), graph.graph.kind(other)}
    if kinds == {DRUG}:
        return "drug_drug"
    if kinds == {PROBLEM}:
        return "problem_problem"
    return "drug_problem" if kinds == {DRUG, PROBLEM} else "other"


def _nearness(graph: OutcomeGraph, rows: Mapping[int, float]) -> dict[str, float | None]:
    """Shares of PageRank, by weight of the concepts; `None` where none is known."""
    names = ["nearness_outcome", "nearness_complications"]
    communities = _community_columns(graph)
    if not rows:
        return dict.fromkeys([*names, *(f"{name}_max" for name in names), *communities])
    own = np.array(sorted(rows), np.int64)
    weight = np.array([rows[row] for row in own.tolist()])
    weight /= weight.sum()
    found: dict[str, float | None] = {}
    for name, given in zip(names, graph.nearness, strict=True):
        found[name] = float(weight @ given[own])
        found[f"{name}_max"] = float(given[own].max())
    shares = (weight @ graph.graph.activations[own]).tolist()
    return found | dict(zip(communities, shares, strict=True))


def _statistics(view: View, edges: Edges, kinds: Sequence[str]) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    rows = zip(
        kinds,
        view.predicates(edges.row),
        edges.belief.tolist(),
        view.supporting(edges.row).tolist(),
        (view.refuting(edges.row) > 0).tolist(),
        strict=True,
    )
    for kind, predicate, belief, articles, refuted in rows:
        names = [f"pair_{kind}_{predicate.lower()}"] if predicate in PAIR_PREDICATES else []
        names += ["harm"] if predicate in HARMFUL else []
        for name in names:
            added = (1.0, belief, belief, float(articles), float(refuted))
            for statistic, value in zip(STATISTICS, added, strict=True):
                before = columns.get(f"{name}_{statistic}") or 0.0
                join = max(before, value) if statistic == "belief_max" else before + value
                columns[f"{name}_{statistic}"] = join
    return columns


def _pairs(view: View, edges: Edges, kinds: Sequence[str]) -> tuple[PairEvidence, ...]:
    told = np.flatnonzero(view.says_how(edges.row))
    keys = view.keys(edges.row[told])
    articles = view.pmids_of(edges.row[told])
    found = [
        PairEvidence(keys[row], kinds[at], belief, *stated)
        for at, row, belief, stated in zip(
            told.tolist(),
            edges.row[told].tolist(),
            edges.belief[told].tolist(),
            articles,
            strict=True,
        )
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.belief, pair.key)))


def as_row(features: PatientFeatures) -> list[float]:
    """The values in the order of the columns, NaN where not known."""
    return [math.nan if value is None else value for value in features.columns.values()]
