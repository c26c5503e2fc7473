"""The reads of `GraphStore` from a Neo4j server that holds a published snapshot.

Without `as_of` an edge's counts are the properties of its relationship. With it they are counted
again, by the server, from the `:Evidence` nodes that share the relationship's number (`edge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any

import neo4j

from kg_builder import neo4j_query_store as queries
from kg_builder.digest import SPANS
from kg_builder.model import (
    PREDICATES,
    SYMMETRIC,
    CitedEvidence,
    Edge,
    EdgeKey,
    Evidence,
)
from kg_builder.neo4j_content_store import held_contents
from kg_builder.neo4j_cypher_store import read_only
from kg_builder.neo4j_rows import SNAPSHOT_ID, concept_from, edge_number
from kg_builder.neo4j_search_store import candidate_ids
from kg_builder.neo4j_session import connect, database_name, named_errors
from kg_builder.search import rank
from kg_builder.store import (
    Direction,
    EdgePublications,
    GraphStats,
    canonical,
    check_as_of,
    check_limits,
    check_predicates,
    newest_first,
    strongest_first,
)
from kg_builder.verify import digest_of_content
from ontologies.concept import Concept

IDS_AT_ONCE = 1000


class NoGraphError(FileNotFoundError):
    """A database holds nothing of medweave."""


class PartialGraphError(RuntimeError):
    """A database holds no whole snapshot: a publish goes on, or died."""


class EvidenceNotPublishedError(LookupError):
    """A read needs evidence, and the snapshot was published without."""


class Neo4jStore:
    """Reads of the snapshot that a database holds. Safe to use from several threads.

    What is read while a publish goes on is of neither snapshot: `stats` then raises
    `PartialGraphError`, as opening does. `cypher_seconds` is the time limit of a query.
    """

    def __init__(self, url: str, *, cypher_seconds: float = 30.0) -> None:
        """Connect; raises `NoGraphError`, `PartialGraphError`, `CredentialsError` and
        `ServerUnavailableError`.
        """
        self.url = url
        self._cypher_seconds = cypher_seconds
        self._driver = connect(url)
        try:
            self._evidence = self._said()[1]
        except BaseException:
            self._driver.close()
            raise

    @classmethod
    def open(cls, url: str) -> Neo4jStore:
        """Open the graph at an address, with user and password of the environment."""
        return cls(url)

    @contextmanager
    def _reading(self) -> Iterator[neo4j.Session]:
        with (
            named_errors(self.url),
            self._driver.session(
                database=database_name(), default_access_mode=neo4j.READ_ACCESS
            ) as session,
        ):
            yield session

    def _rows(self, statement: str, /, **params: Any) -> list[list[Any]]:
        with self._reading() as session:
            rows: list[list[Any]] = session.execute_read(
                lambda tx: tx.run(statement, params).values()
            )
            return rows

    def _said(self) -> tuple[str, bool]:
        """Digest of the snapshot that the database holds, and whether evidence is there."""
        found = self._rows(queries.SNAPSHOT, id=SNAPSHOT_ID)
        remedy = f"run `medweave publish --graph DIR --store {self.url}`"
        if not found:
            raise NoGraphError(f"no graph at {self.url}: {remedy}")
        digest, evidence = found[0]
        if digest is None:
            raise PartialGraphError(
                f"{self.url} holds no whole snapshot: a publish goes on, or died; wait for it, or "
                f"{remedy} to complete it"
            )
        return digest, evidence

    def _need_evidence(self, read: str) -> None:
        if not self._evidence:
            raise EvidenceNotPublishedError(
                f"{read} needs evidence, which {self.url} was published without: publish again "
                "without --no-evidence, or ask the graph directory"
            )

    def concepts(self, ids: Iterable[str]) -> list[Concept]:
        asked = list(ids)
        found = {}
        for some in _portions(dict.fromkeys(asked)):
            for (node,) in self._rows(queries.CONCEPTS, ids=some):
                found[node["id"]] = concept_from(node)
        return [found[concept_id] for concept_id in asked if concept_id in found]

    def search(self, text: str, limit: int = 10) -> list[Concept]:
        found = candidate_ids(self._rows, text, max(limit, 0))
        return rank(text, self.concepts(sorted(found)), limit)

    def concept_ids(self) -> Iterator[str]:
        after, page = "", IDS_AT_ONCE
        while page == IDS_AT_ONCE:
            ids = [row[0] for row in self._rows(queries.IDS, after=after, page=IDS_AT_ONCE)]
            yield from ids
            page = len(ids)
            after = ids[-1] if ids else after

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
        codes = check_predicates(predicates)
        check_limits(direction, min_articles, limit_per_concept)
        cut = check_as_of(as_of)
        if cut is not None:
            self._need_evidence("reading edges as of a date")
        found: set[Edge] = set()
        for some in _portions(dict.fromkeys(ids)):
            rows = self._rows(
                queries.EDGES if cut is None else queries.EDGES_AS_OF,
                ids=some,
                types=None if codes is None else [PREDICATES[code] for code in codes],
                direction=direction,
                symmetric=sorted(SYMMETRIC),
                least=max(min_articles, 1),
                limit=1 << 62 if limit_per_concept is None else limit_per_concept,
                cut=cut,
            )
            found.update(Edge(*row) for row in rows)
        return sorted(found, key=strongest_first)

    def evidence(
        self, edge: EdgeKey, *, as_of: date | None = None, retracted: bool = False
    ) -> list[CitedEvidence]:
        check_predicates((edge.predicate,))
        cut = check_as_of(as_of)
        self._need_evidence("reading evidence")
        key = canonical(edge)
        rows = self._rows(
            queries.EVIDENCE,
            edge=edge_number(key),
            subject=key.subject_id,
            predicate=key.predicate,
            object=key.object_id,
            cut=cut,
            retracted=retracted,
        )
        return sorted((_cited(*row) for row in rows), key=newest_first)

    def publications(
        self, edges: Iterable[EdgeKey], *, as_of: date | None = None
    ) -> list[EdgePublications]:
        cut = check_as_of(as_of)
        self._need_evidence("reading publications")
        keys = [canonical(key) for key in edges]
        numbers = [edge_number(key) for key in keys]
        asked = {
            number: [number, key.subject_id, key.predicate, key.object_id]
            for number, key in zip(numbers, keys, strict=True)
        }
        stated: dict[tuple[int, bool], tuple[int, ...]] = {}
        for some in _portions(asked.values()):
            for number, refutes, pmids in self._rows(queries.PUBLICATIONS, keys=some, cut=cut):
                stated[number, refutes] = tuple(sorted(pmids))
        return [
            EdgePublications(stated.get((n, False), ()), stated.get((n, True), ())) for n in numbers
        ]

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        cut = check_as_of(as_of)
        asked = list(ids)
        query = queries.COUNTS if cut is None else queries.COUNTS_AS_OF
        counts: dict[str, int] = {}
        for some in _portions(dict.fromkeys(asked)):
            counts.update(self._rows(query, ids=some, cut=cut))  # type: ignore[arg-type]
        return [counts.get(concept_id, 0) for concept_id in asked]

    def cypher(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with named_errors(self.url):
            return read_only(self._driver, query, params or {}, seconds=self._cypher_seconds)

    def stats(self, *, as_of: date | None = None) -> GraphStats:
        cut = check_as_of(as_of)
        if cut is not None:
            self._need_evidence("counting edges as of a date")
        digest, _ = self._said()
        ((articles, retracted, undated, sentences, mentions, evidence),) = self._rows(
            queries.ARTICLE_TOTALS, cut=cut
        )
        concepts = self._rows(
            queries.CONCEPT_TOTAL if cut is None else queries.CONCEPT_TOTAL_AS_OF, cut=cut
        )
        edges = self._rows(
            queries.EDGE_TOTALS if cut is None else queries.EDGE_TOTALS_AS_OF, cut=cut
        )
        by_predicate = dict(sorted(edges, key=lambda counted: PREDICATES.index(counted[0])))
        return GraphStats(
            digest=digest,
            articles=articles,
            retracted=retracted,
            undated=undated,
            sentences=sentences,
            mentions=mentions,
            concepts=concepts[0][0],
            evidence=evidence,
            edges=sum(by_predicate.values()),
            edges_by_predicate=by_predicate,
        )

    def content_digest(self) -> str:
        """The digest computed from all that the database holds, nothing taken on trust."""
        self._said()
        self._need_evidence("computing the digest")
        with self._reading() as session:
            concepts = (c for some in _portions(self.concept_ids()) for c in self.concepts(some))
            return digest_of_content(held_contents(session), concepts)

    def close(self) -> None:
        self._driver.close()


def _portions(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, IDS_AT_ONCE)):
        yield some


def _cited(
    node: dict[str, Any], version: int, title: str, sections: list[str] | None
) -> CitedEvidence:
    text = "\n".join((title, *(sections or ())))
    spans, published = node["spans"], node.get("published")
    values: dict[str, Any] = {name: node.get(name) for name in Evidence._fields}
    values |= {"pmid": node["article"], "version": version, **dict(zip(SPANS, spans, strict=True))}
    values["published"] = published and published.to_native()
    return CitedEvidence(
        evidence=Evidence(**values),
        sentence=node["sentence"],
        subject_text=text[slice(*spans[2:4])],
        object_text=text[slice(*spans[4:6])],
        title=title,
        retracted=node["retracted"],
    )
