"""All that a snapshot answers, as values to compare: as of a date, or whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from kg_builder.belief import edge_beliefs
from kg_builder.model import CitedEvidence, Edge, EdgeKey
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.statistics import PairStatistics, pair_table
from kg_builder.store import EdgePublications, GraphStats


class Answers(NamedTuple):
    """Answers to the same questions; the digest, which names the snapshot asked, left out."""

    stats: GraphStats
    edges: list[Edge]
    strongest: list[Edge]
    publications: list[EdgePublications]
    beliefs: list[float]
    evidence: list[list[CitedEvidence]]
    articles: list[int]
    pairs: list[PairStatistics]


def answers(
    reader: SnapshotReader, ids: Sequence[str], keys: Sequence[EdgeKey], as_of: date | None
) -> Answers:
    """Ask about these concepts and edges, some of which the snapshot may not hold."""
    asked: dict[str, Any] = {"as_of": as_of}
    pairs = pair_table(reader, as_of=as_of)
    return Answers(
        stats=replace(reader.stats(as_of=as_of), digest=""),
        edges=reader.edges(ids, **asked),
        strongest=reader.edges(ids, direction="out", min_articles=2, limit_per_concept=2, **asked),
        publications=reader.publications(keys, **asked),
        beliefs=edge_beliefs(reader, keys, **asked),
        evidence=[reader.evidence(key, retracted=True, **asked) for key in keys],
        articles=reader.article_counts(ids, **asked),
        pairs=[pairs.at(row) for row in range(len(pairs))],
    )
