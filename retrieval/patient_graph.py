"""What a snapshot says of every concept at once, for patients to look up: how near it is to an
outcome and to each community, and what kind of thing it is.

With the walk of `retrieval.expand` over the whole graph, the share of PageRank that a concept s
gives to a set of concepts is (1 - d) Σ dᵏ (Tᵏ 1)(s) with the chances T of its steps. So one run
of the walk backwards tells it for all concepts, and a patient's share is the weighted mean of the
concepts' own. A concept without steps keeps its walk.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from kg_builder.edge_table import NEVER
from ontologies.semantic_types import UnknownSemanticTypeError, groups_of
from retrieval.communities import TOP, Communities, pair_weights
from retrieval.expand import DAMPING, Array, Floats, steps
from retrieval.outcomes import Outcome, outcome_of
from retrieval.view import View

STEPS = 40
"""0.5 ** 40: what is left of the walk moves no digit."""

DRUG, PROBLEM, SIGN, OTHER = "drug", "problem", "sign", "other"
_SIGNS = frozenset({"T033", "T034", "T184"})
"""Semantic types of what is seen or felt: findings, results of laboratories, signs and symptoms."""

MOST_COMMUNITIES = 32
"""Communities of the top level whose activation is told: the greatest."""


class PatientGraph:
    """What a snapshot says to every task. Reads only; made once for many patients."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._kinds: dict[int, str] = {}

    @cached_property
    def communities(self) -> Communities:
        """The communities of the snapshot."""
        return Communities.of(self.view)

    @cached_property
    def _walk(self) -> Any:
        return _steps_of(self.view)

    @cached_property
    def activations(self) -> Floats:
        """By concept row and top community, the share of PageRank that the one gives the other."""
        place = self.communities.places[TOP]
        number = min(len(self.communities.at(TOP)), MOST_COMMUNITIES)
        return self.given(np.flatnonzero(place == at) for at in range(number))

    @cached_property
    def community_coherence(self) -> dict[int, Floats]:
        """By level, the part of the weight at a community's concepts that stays within it."""
        low, high, weight = pair_weights(self.view)
        found = {}
        for level, place in enumerate(self.communities.places):
            number = len(self.communities.at(level))
            whole = np.bincount(place[low], weight, number) + np.bincount(
                place[high], weight, number
            )
            inside = place[low] == place[high]
            kept = 2.0 * np.bincount(place[low[inside]], weight[inside], number)
            found[level] = np.divide(kept, whole, out=np.zeros(number), where=whole > 0)
        return found

    @cached_property
    def community_recency(self) -> dict[int, Floats]:
        """By level, how new a community's literature is: the mean of its edges' last years, from
        0 (twenty years or more before the newest of the snapshot) to 1.
        """
        tables = self.view.reader.tables
        edges = self.view.edges(np.arange(tables["edges"].num_rows))
        years = tables.column("edges", "last_year", null=0).astype(np.float64)
        new = np.clip(1.0 - (years.max(initial=0.0) - years) / 20.0, 0.0, 1.0)
        found = {}
        for level, place in enumerate(self.communities.places):
            subject = place[edges.subject]
            inside = (subject >= 0) & (subject == place[edges.object]) & (years > 0)
            found[level] = _means(subject[inside], new[inside], len(self.communities.at(level)))
        return found

    @cached_property
    def published_until(self) -> int | None:
        """The day (since 1970) of the newest article in force, `None` where none is dated."""
        days = self.view.reader.tables.column("articles", "published", null=NEVER)
        dated = days[self.view.index.article_rows]
        dated = dated[dated != NEVER]
        return int(dated.max()) if len(dated) else None

    def kind(self, concept: int) -> str:
        """`DRUG`, `PROBLEM`, `SIGN` or `OTHER`, by the semantic types of a concept.

        A problem that is a finding or symptom and nothing more is a sign: fever is what many drugs
        cause and many patients have, and weighs less than a disease does.
        """
        if concept not in self._kinds:
            types = self.view.reader.tables.array("concepts", "semantic_types")[concept].as_py()
            try:
                groups = groups_of(types)
            except UnknownSemanticTypeError:
                groups = frozenset()
            problem = SIGN if types and _SIGNS.issuperset(types) else PROBLEM
            kind = DRUG if "CHEM" in groups else problem if "DISO" in groups else OTHER
            self._kinds[concept] = kind
        return self._kinds[concept]

    def given(self, targets: Iterable[Array]) -> Floats:
        """By concept, the share of PageRank that it gives to each set of rows."""
        columns = [np.asarray(target, np.int64) for target in targets]
        left = np.zeros((self.view.concept_count, len(columns)))
        for at, rows in enumerate(columns):
            left[rows, at] = 1.0
        total = (1.0 - DAMPING) * left
        for _ in range(STEPS):
            left = DAMPING * (self._walk @ left)
            total += (1.0 - DAMPING) * left
        return total


class OutcomeGraph:
    """What a snapshot says to one task: which concepts are its outcome, and how near all are."""

    def __init__(self, graph: PatientGraph, task: str) -> None:
        self.graph = graph
        self.outcome: Outcome = outcome_of(task, graph.view.vocabulary)

    @cached_property
    def rows(self) -> dict[int, float]:
        """The rows of the outcome's concepts with their weights."""
        weights = self.outcome.weights
        return {row: weights[one] for one, row in self.graph.view.known(sorted(weights)).items()}

    @cached_property
    def nearness(self) -> tuple[Floats, Floats]:
        """By concept row, the share of PageRank that it gives to the outcome's concepts, and to
        those of the complications.
        """
        targets = (self.outcome.outcomes, self.outcome.complications)
        given = self.graph.given(self.graph.view.rows(ids) for ids in targets)
        return given[:, 0], given[:, 1]

    @cached_property
    def community_nearness(self) -> dict[int, Floats]:
        """By level, the mean share that a community's concepts give to the outcome's and the
        complications', in shares of the greatest.
        """
        communities = self.graph.communities
        given = self.nearness[0] + self.nearness[1]
        means = [
            _means(place, given, len(communities.at(level)))
            for level, place in enumerate(communities.places)
        ]
        return {level: mean / (mean.max(initial=0.0) or 1.0) for level, mean in enumerate(means)}


def _steps_of(view: View) -> Any:
    """The chance of a step from each concept (row) to each other (column); rows sum to 1."""
    from scipy.sparse import csr_matrix

    size = view.concept_count
    edges = view.edges(np.arange(view.reader.tables["edges"].num_rows))
    subject, object_ = edges.subject.astype(np.int64), edges.object.astype(np.int64)
    damped = 1.0 / np.log2(2.0 + view.reader.tables.column("concepts", "articles"))
    forth, back = steps(subject, object_, edges.belief, damped)
    left = np.ones(size) - np.bincount(subject, forth, size) - np.bincount(object_, back, size)
    stuck = np.flatnonzero(left > 0.5)
    rows = np.concatenate((subject, object_, stuck))
    columns = np.concatenate((object_, subject, stuck))
    chances = np.concatenate((forth, back, np.ones(len(stuck))))
    return csr_matrix((chances, (rows, columns)), shape=(size, size))


def _means(place: Array, values: Floats, number: int) -> Floats:
    inside = place >= 0
    count = np.bincount(place[inside], minlength=number)
    total = np.bincount(place[inside], values[inside], number)
    return np.divide(total, count, out=np.zeros(number), where=count > 0)
