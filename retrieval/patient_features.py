"""What the graph says of a patient in numbers, and the articles behind each.

All come from one snapshot, so that with a cut nothing published later is in them. Concepts that
the patient does not have (absent, of a relative, hypothetical) play no part.

- `concepts_known`, `concepts_unknown`: how many of the patient's concepts are in the snapshot, and
  how many are not.
- `nearness_outcome`, `nearness_complications`: PageRank (0 to 1) that the patient's concepts give
  to those of the outcome, and of the complications, their mean by weight; with `_max` that of the
  one nearest concept. `community_ID`: the same for a community of the top level. Null where no
  concept is known.
- `pair_KIND_PREDICATE_STATISTIC`: over the pairs of the patient's concepts that edges of a
  predicate connect, in one direction or both.
- `harm_KIND_STATISTIC`: the same for the predicates `HARMFUL` together, each pair once; and
  `harm_STATISTIC` over all kinds.

KIND is `drug_drug`, `drug_problem`, `drug_sign`, `problem_problem`, `problem_sign` (a sign with a
problem or another sign) or `other`; a sign is a problem that is only a finding or symptom.
STATISTIC is over the pairs that more articles support than refute: `count`, `belief_sum` (of each
its most believed edge, 0 to 1) and `articles` (that support); `refuted` counts the pairs that as
many articles refute, or more. Two concepts of which no article says anything together count 0: the
literature was read, and says nothing.
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
from retrieval.patient_graph import (
    DRUG,
    MOST_COMMUNITIES,
    OTHER,
    PROBLEM,
    SIGN,
    OutcomeGraph,
)
from retrieval.view import View

ACTIVE = frozenset({"present", "possible", "historical"})
"""The assertion statuses with which a concept is the patient's own."""

KINDS = ("drug_drug", "drug_problem", "drug_sign", "problem_problem", "problem_sign", "other")
PAIR_PREDICATES = tuple(name for name in PREDICATES if name != "ISA")
HARMFUL = frozenset({"INTERACTS_WITH", "CAUSES", "COMPLICATES", "PREDISPOSES"})
STATISTICS = ("count", "belief_sum", "articles", "refuted")

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
    believed first; those that only name them together are counted and not listed. `harmful` are
    the names, each in order, of two concepts that harm each other: the pairs of `harm_count`.
    `literature_until` is the day of the newest article that can have had a part.
    """

    columns: Mapping[str, float | None]
    pairs: tuple[PairEvidence, ...]
    literature_until: date | None
    harmful: tuple[tuple[str, str], ...] = ()


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
        *(f"harm_{kind}_{statistic}" for kind in KINDS for statistic in STATISTICS),
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
    stated = _stated(view, edges, kinds)
    columns = dict.fromkeys(column_names(graph), 0.0) | {
        "concepts_known": float(len(rows)),
        "concepts_unknown": float(len(weights) - len(rows)),
        **_nearness(graph, rows),
        **_statistics(stated),
    }
    until = graph.graph.published_until
    return PatientFeatures(
        columns,
        _pairs(view, edges, kinds),
        None if until is None else _EPOCH + timedelta(days=until),
        _harmful(view, stated),
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
    if OTHER in kinds:
        return "other"
    if SIGN in kinds:
        return "drug_sign" if DRUG in kinds else "problem_sign"
    if kinds == {DRUG}:
        return "drug_drug"
    return "problem_problem" if kinds == {PROBLEM} else "drug_problem"


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


@dataclass(slots=True)
class _Stated:
    """What the edges of one predicate, or of the harmful ones, say of two concepts."""

    belief: float = 0.0
    supporting: int = 0
    refuting: int = 0

    @property
    def holds(self) -> bool:
        return self.supporting > self.refuting


_Stations = dict[tuple[str, str, int, int], _Stated]
"""By kind, predicate (or `_HARM`) and the rows of the two concepts, the lower one first."""

_HARM = "harm"


def _stated(view: View, edges: Edges, kinds: Sequence[str]) -> _Stations:
    found: _Stations = {}
    rows = zip(
        kinds,
        view.predicates(edges.row),
        *_ends(edges),
        edges.belief.tolist(),
        view.supporting(edges.row).tolist(),
        view.refuting(edges.row).tolist(),
        strict=True,
    )
    for kind, predicate, one, other, belief, supporting, refuting in rows:
        said = [predicate] if predicate in PAIR_PREDICATES else []
        said += [_HARM] if predicate in HARMFUL else []
        for name in said:
            key = kind, name, min(one, other), max(one, other)
            pair = found.setdefault(key, _Stated())
            pair.belief = max(pair.belief, belief)
            pair.supporting += supporting
            pair.refuting += refuting
    return found


def _statistics(stated: _Stations) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for (kind, predicate, _, _), pair in sorted(stated.items(), key=lambda one: one[0]):
        holds, belief = float(pair.holds), pair.belief if pair.holds else 0.0
        articles = float(pair.supporting) if pair.holds else 0.0
        refuted = float(pair.refuting > 0 and not pair.holds)
        harms = [_HARM, f"{_HARM}_{kind}"]
        names = harms if predicate == _HARM else [f"pair_{kind}_{predicate.lower()}"]
        for name in names:
            added = holds, belief, articles, refuted
            for statistic, value in zip(STATISTICS, added, strict=True):
                column = f"{name}_{statistic}"
                columns[column] = (columns.get(column) or 0.0) + value
    return columns


def _harmful(view: View, stated: _Stations) -> tuple[tuple[str, str], ...]:
    names = view.reader.tables.array("concepts", "name")
    found = set()
    for (_, predicate, one, other), pair in stated.items():
        if predicate == _HARM and pair.holds:
            first, second = sorted((names[one].as_py(), names[other].as_py()))
            found.add((first, second))
    return tuple(sorted(found))


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
