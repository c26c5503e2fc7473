"""What a community is about, by extraction: central concepts, cited sentences, contradictions.

A summary is a function of the snapshot alone, and no language model has a part in it. Retracted
articles support nothing here either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from kg_builder.model import REFUTES, SUPPORTS, CitedEvidence, EdgeKey
from retrieval.communities import Communities, Community, pair_weights
from retrieval.expand import Array, Floats
from retrieval.view import View

CONCEPTS, STATEMENTS, CONTRADICTIONS = 8, 6, 3
COMPARED = 3
"""So many times as many edges are looked at as are told: some are stated by the same sentence."""


@dataclass(frozen=True, slots=True)
class CentralConcept:
    """A concept of a community. `share` is the part of the weight of all edges within the
    community that is at the concept: of two concepts joined by one edge each has 1.
    """

    concept_id: str
    name: str
    share: float


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence that supports or refutes."""

    pmid: int
    published: date | None
    sentence: str
    polarity: str


@dataclass(frozen=True, slots=True)
class Statement:
    """An edge within a community with its counts of articles, and its best sentences: one that
    supports, one that refutes, where there are such.
    """

    key: EdgeKey
    belief: float
    supporting: int
    refuting: int
    sentences: tuple[CitedSentence, ...]


@dataclass(frozen=True, slots=True)
class CommunitySummary:
    """An extractive summary. `statements` and `contradictions` have no edge in common."""

    id: str
    members: int
    edges: int
    central: tuple[CentralConcept, ...]
    statements: tuple[Statement, ...]
    contradictions: tuple[Statement, ...]

    @property
    def title(self) -> str:
        """The names of the three most central concepts."""
        return ", ".join(concept.name for concept in self.central[:3])

    @property
    def pmids(self) -> tuple[int, ...]:
        """All that is cited, sorted."""
        said = (*self.statements, *self.contradictions)
        return tuple(sorted({s.pmid for statement in said for s in statement.sentences}))


class _Inside(NamedTuple):
    """The edges within communities: rows, and the place of each one's community."""

    row: Array
    community: Array
    subject: Array
    object: Array
    strength: Floats


def summarize(
    view: View, communities: Communities, chosen: Sequence[Community]
) -> list[CommunitySummary]:
    """Summaries of some communities of one level, in the order given."""
    if not chosen:
        return []
    level = chosen[0].level
    place = {community.id: at for at, community in enumerate(communities.at(level))}
    inside = _inside(view, communities.places[level])
    strength = _strengths(view, communities.places[level])
    order = np.argsort(inside.community, kind="stable")
    sorted_community = inside.community[order]
    parts = []
    for community in chosen:
        low, high = np.searchsorted(
            sorted_community, [place[community.id], place[community.id] + 1]
        )
        own = order[low:high]
        stated, contested = _notable(view, inside, own)
        parts.append((community, len(own), stated, contested))
    wanted = np.unique(np.concatenate([rows for _, _, *both in parts for rows in both]))
    statements = dict(zip(wanted.tolist(), _statements(view, wanted), strict=True))
    return [
        CommunitySummary(
            community.id,
            len(community.members),
            edges,
            _central(view, view.rows(community.members), strength),
            _distinct(statements[row] for row in stated.tolist()),
            tuple(statements[row] for row in contested.tolist()),
        )
        for community, edges, stated, contested in parts
    ]


def _distinct(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """The first `STATEMENTS`, of which no two cite the same sentence."""
    seen: set[CitedSentence] = set()
    chosen = []
    for statement in statements:
        if not seen.intersection(statement.sentences):
            seen.update(statement.sentences)
            chosen.append(statement)
    return tuple(chosen[:STATEMENTS])


def _inside(view: View, place: Array) -> _Inside:
    """Edges whose two ends are in one community and that an article in force states."""
    edges = view.edges(view.counted(np.arange(view.reader.tables["edges"].num_rows)))
    own = (place[edges.subject] >= 0) & (place[edges.subject] == place[edges.object])
    edges = edges.where(own)
    strength = edges.belief * np.log2(1.0 + view.supporting(edges.row))
    return _Inside(edges.row, place[edges.subject], edges.subject, edges.object, strength)


def _strengths(view: View, place: Array) -> Floats:
    """By concept row, the weight of its edges within its community."""
    low, high, weight = pair_weights(view)
    within = (place[low] == place[high]) & (place[low] >= 0)
    ends = np.concatenate((low[within], high[within]))
    return np.bincount(ends, np.tile(weight[within], 2), view.concept_count).astype(np.float64)


def _central(view: View, members: Array, strength: Floats) -> tuple[CentralConcept, ...]:
    """The most central of a community's concepts, given by row."""
    total = strength[members].sum() / 2.0
    best = members[np.lexsort((members, -strength[members]))[:CONCEPTS]]
    concepts = view.reader.concepts(view.concept_ids(best))
    named = zip(concepts, (strength[best] / total).tolist(), strict=True)
    return tuple(CentralConcept(one.id, one.name, round(share, 6)) for one, share in named)


def _notable(view: View, inside: _Inside, own: Array) -> tuple[Array, Array]:
    """Rows of the strongest statements of a community, one a pair, and of those contested most.

    What relates its concepts goes before what only names them together.
    """
    rows = inside.row[own]
    supporting, refuting = view.supporting(rows), view.refuting(rows)
    both = np.minimum(supporting, refuting)
    disputed = np.flatnonzero(both > 0)
    order = np.lexsort((rows[disputed], -supporting[disputed], -both[disputed]))
    contested = rows[disputed[order][:CONTRADICTIONS]]
    strength = inside.strength[own]
    order = np.lexsort((rows, -strength, ~view.says_how(rows)))
    order = order[(strength[order] > 0.0) & ~np.isin(rows[order], contested)]
    low = np.minimum(inside.subject[own], inside.object[own])[order].astype(np.int64)
    high = np.maximum(inside.subject[own], inside.object[own])[order].astype(np.int64)
    _, first = np.unique(low << 32 | high, return_index=True)
    return rows[order[np.sort(first)[: COMPARED * STATEMENTS]]], contested


def _statements(view: View, edges: Array) -> Iterable[Statement]:
    """Edges, given by row in order, with their best sentences, all read at once."""
    rows, _, owner = view.evidence_of(edges)
    sides = owner << 1 | view.refutes(rows)
    best = view.best_first(rows, sides)
    _, first = np.unique(sides[best], return_index=True)
    cited = view.reader.cited(rows[best[first]])
    by_edge: dict[int, list[CitedEvidence]] = {}
    for at, one in zip(owner[best[first]].tolist(), cited, strict=True):
        by_edge.setdefault(at, []).append(one)
    keys = view.keys(edges)
    columns = (
        edges.tolist(),
        view.index.beliefs[edges].tolist(),
        view.supporting(edges).tolist(),
        view.refuting(edges).tolist(),
    )
    for at, (row, belief, supporting, refuting) in enumerate(zip(*columns, strict=True)):
        sentences = tuple(_sentence(one) for one in by_edge.get(at, ()))
        yield Statement(keys[row], belief, supporting, refuting, sentences)


def _sentence(cited: CitedEvidence) -> CitedSentence:
    found = cited.evidence
    return CitedSentence(found.pmid, found.published, cited.sentence, found.polarity)


def described(summary: CommunitySummary) -> str:
    """A summary in words, each sentence with its PMID."""
    lines = [f"{summary.title} ({summary.members} concepts, {summary.edges} edges)"]
    lines.append("Central: " + ", ".join(concept.name for concept in summary.central))
    for title, statements in (
        ("Stated", summary.statements),
        ("Contested", summary.contradictions),
    ):
        for said in statements:
            for one in said.sentences:
                how = {SUPPORTS: title, REFUTES: f"{title}, against"}[one.polarity]
                lines.append(f"{how}: {one.sentence} [PMID {one.pmid}]")
    return "\n".join(lines)
