"""The seam between the graph and what keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from kg_builder.model import CitedEvidence, Edge, EdgeKey
from ontologies.concept import Concept

Direction = Literal["out", "in", "both"]


@dataclass(frozen=True, slots=True)
class GraphStats:
    """What a store holds. `undated` counts articles whose date is unknown."""

    digest: str
    articles: int
    retracted: int
    undated: int
    sentences: int
    mentions: int
    concepts: int
    evidence: int
    edges: int
    edges_by_predicate: Mapping[str, int]


class GraphStore(Protocol):
    """Reads of a graph. All take `as_of` inclusively; a later evidence, or one of unknown date,
    does not exist then. `as_of` in the future raises `ValueError`. Unknown ids are left out.
    """

    def concepts(self, ids: Iterable[str]) -> list[Concept]:
        """The concepts with these ids, in the order asked, unknown ones left out."""
        ...

    def search(self, text: str, limit: int = 10) -> list[Concept]:
        """Concepts by name: exact name, exact synonym, prefix, token overlap; ties by id."""
        ...

    def edges(
        self,
        ids: Iterable[str],
        *,
        predicates: Iterable[str] | None = None,
        direction: Direction = "both",
        as_of: date | None = None,
        min_articles: int = 1,
        limit_per_concept: int | None = None,
    ) -> list[Edge]:
        """Edges at these concepts, each once, ordered by supporting articles (most first), then
        key. `limit_per_concept` keeps, for each id asked, the first so many in that order.
        `min_articles` is the least `supporting + refuting` of an edge that is returned.
        A symmetric edge lies in both directions of both its ends.
        """
        ...

    def evidence(
        self, edge: EdgeKey, *, as_of: date | None = None, retracted: bool = False
    ) -> list[CitedEvidence]:
        """The sentences of an edge, newest first (undated last), then PMID, then position.
        Those of retracted articles only where asked."""
        ...

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        """In how many articles (not retracted) each concept is mentioned, in the order asked."""
        ...

    def cypher(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a read-only Cypher query. A query that writes raises `PermissionError`."""
        ...

    def stats(self, *, as_of: date | None = None) -> GraphStats: ...

    def close(self) -> None: ...


def open_store(url: str) -> GraphStore:
    """Open the graph at a directory (its `CURRENT` snapshot, or a snapshot itself).

    Raises `FileNotFoundError` where there is no graph, naming the command that builds one.
    """
    from kg_builder.ladybug_store import LadybugStore

    return LadybugStore.open(url)
