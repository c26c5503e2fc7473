"""The seam between the graph and what keeps it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from kg_builder.model import PREDICATES, SYMMETRIC, CitedEvidence, Edge, EdgeKey
from ontologies.concept import Concept

Direction = Literal["out", "in", "both"]


@dataclass(frozen=True, slots=True)
class GraphStats:
    """What a store holds, retracted articles and what they say included, but for `edges`.

    `undated` counts articles whose date is unknown: with `as_of` there are none. `edges` are
    those that at least one article states that is not retracted. `digest` names the snapshot,
    whatever `as_of`.
    """

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


class EdgePublications(NamedTuple):
    """PMIDs, sorted, of the articles (not retracted) that support an edge, and that refute it."""

    supporting: tuple[int, ...]
    refuting: tuple[int, ...]


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

    def concept_ids(self) -> Iterator[str]:
        """The ids of all concepts, sorted."""
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
        Those of retracted articles only where asked.
        """
        ...

    def publications(
        self, edges: Iterable[EdgeKey], *, as_of: date | None = None
    ) -> list[EdgePublications]:
        """Which articles state each edge, in the order asked; none for an unknown edge."""
        ...

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        """In how many articles (not retracted) each concept is mentioned, in the order asked."""
        ...

    def cypher(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a read-only Cypher query. A query that writes raises `PermissionError`."""
        ...

    def stats(self, *, as_of: date | None = None) -> GraphStats:
        """How much the graph holds."""
        ...

    def close(self) -> None:
        """Let files or connections go; a store is not read after it."""
        ...


IMPLEMENTATIONS: Mapping[str, str] = {
    "": "kg_builder.ladybug_store:LadybugStore",
    "neo4j": "kg_builder.neo4j_store:Neo4jStore",
    "neo4j+s": "kg_builder.neo4j_store:Neo4jStore",
    "neo4j+ssc": "kg_builder.neo4j_store:Neo4jStore",
    "bolt": "kg_builder.neo4j_store:Neo4jStore",
    "bolt+s": "kg_builder.neo4j_store:Neo4jStore",
    "bolt+ssc": "kg_builder.neo4j_store:Neo4jStore",
}
"""Store classes by the scheme of the address they open; a directory has none. Each has a class
method `open(url)`, and an entry in `tests/contracts/test_store_contract.py`."""


@runtime_checkable
class Verifiable(Protocol):
    """A store that can compute its digest anew from the content that it holds."""

    def content_digest(self) -> str:
        """Equal to `stats().digest` unless the content was altered; reads everything."""
        ...


def open_store(url: str) -> GraphStore:
    """Open the graph at a directory (its `CURRENT` snapshot, or a snapshot itself).

    Raises `FileNotFoundError` where there is no graph, naming the command that builds one, and
    `ValueError` for the address of an unknown kind of store; of a server also `PermissionError`
    for user or password, `ConnectionError` where none answers, and `RuntimeError` for one that is
    too old or holds no whole snapshot (`kg_builder.neo4j_session` has them by name).
    """
    scheme, separator, _ = str(url).partition("://")
    name = scheme if separator else ""
    if name not in IMPLEMENTATIONS:
        known = ", ".join(["a directory", *(f"{known}://" for known in IMPLEMENTATIONS if known)])
        raise ValueError(f"{url}: no store opens {name}:// addresses; known: {known}")
    module, _, attribute = IMPLEMENTATIONS[name].partition(":")
    store: GraphStore = getattr(importlib.import_module(module), attribute).open(url)
    return store


# What every store holds to, whatever is behind it.


def check_as_of(as_of: date | None) -> date | None:
    """The cut, if it is none of the future's: what is not published yet cannot be left out."""
    if as_of is not None and as_of > date.today():
        raise ValueError(f"as_of is {as_of}, which is in the future; give today or earlier")
    return as_of


def check_predicates(predicates: Iterable[str] | None) -> list[int] | None:
    """The codes of predicates; raises `ValueError` for a name outside the closed set."""
    if predicates is None:
        return None
    names = [predicates] if isinstance(predicates, str) else list(predicates)
    for name in names:
        if name not in PREDICATES:
            raise ValueError(f"no predicate {name!r}; known: {', '.join(PREDICATES)}")
    return [PREDICATES.index(name) for name in names]


def check_limits(direction: str, min_articles: int, limit_per_concept: int | None) -> None:
    """Raises `ValueError` for a direction, threshold or limit that means nothing."""
    if direction not in ("out", "in", "both"):
        raise ValueError(f"direction is {direction!r}, expected 'out', 'in' or 'both'")
    if min_articles < 0:
        raise ValueError(f"min_articles is {min_articles}, expected 0 or more")
    if limit_per_concept is not None and limit_per_concept < 1:
        raise ValueError(f"limit_per_concept is {limit_per_concept}, expected 1 or more, or None")


def canonical(key: EdgeKey) -> EdgeKey:
    """The key under which an assertion is stored: a symmetric one with the smaller id first."""
    if key.predicate in SYMMETRIC and key.object_id < key.subject_id:
        return EdgeKey(key.object_id, key.predicate, key.subject_id)
    return key


def newest_first(cited: CitedEvidence) -> tuple[Any, ...]:
    """Sorts the evidence of an edge: newest first, undated last, then PMID, then position."""
    found = cited.evidence
    day = -found.published.toordinal() if found.published else 1
    return (day, found.pmid, *found[5:13], found.polarity, *found[14:16], found.extractor)


def strongest_first(edge: Edge) -> tuple[Any, ...]:
    """Sorts edges: most supporting articles first, then by key."""
    return (-edge.supporting, edge.subject_id, edge.predicate, edge.object_id)
