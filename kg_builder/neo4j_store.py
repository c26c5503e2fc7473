"""The reads of `GraphStore` from a Neo4j server that holds a published snapshot.

Without `as_of` an edge's counts are the properties of its relationship. With it they are counted
again, by the server, from the `:Evidence` nodes that share the relationship's number (`edge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

import neo4j

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
from kg_builder.neo4j_rows import KEY_CHARACTERS, SNAPSHOT_ID, concept_from, edge_number
from kg_builder.neo4j_session import connect, database_name, named_errors
from kg_builder.neo4j_write_store import TYPES
from kg_builder.search import code_key, normalize, rank
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
WORDS_AT_ONCE = 500
"""Words of one full-text query, which may have 1,024."""

_SNAPSHOT = "MATCH (m:Medweave {id: $id}) RETURN m.digest, coalesce(m.evidence, false)"
_CONCEPTS = "UNWIND $ids AS id MATCH (c:Concept:Medweave {id: id}) RETURN properties(c)"
_IDS = """
MATCH (c:Concept:Medweave) USING INDEX c:Medweave(id) WHERE c.id > $after
RETURN c.id ORDER BY c.id LIMIT $page
"""
_COUNTS = "UNWIND $ids AS id MATCH (c:Concept:Medweave {id: id}) RETURN id, c.articles"
_COUNTS_AS_OF = """
UNWIND $ids AS id
MATCH (c:Concept:Medweave {id: id})<-[:MENTIONS]-(a:Article:Medweave)
WHERE a.published <= $cut AND NOT a.retracted
RETURN id, count(a)
"""

_INCIDENT = f"""
UNWIND $ids AS id
MATCH (c:Concept:Medweave {{id: id}})
CALL (c) {{
  MATCH (c)-[r:{TYPES}]-(:Concept:Medweave)
  WHERE r.edge IS NOT NULL AND r.supporting + r.refuting >= $least
    AND ($types IS NULL OR type(r) IN $types)
    AND ($direction = 'both' OR type(r) IN $symmetric
      OR ($direction = 'out' AND startNode(r) = c) OR ($direction = 'in' AND endNode(r) = c))
"""
_EDGE = "startNode(r).id AS subject, type(r) AS predicate, endNode(r).id AS object"
_RETURN = """
  RETURN subject, predicate, object, supporting, refuting, hedged, first, last
  ORDER BY supporting DESC, subject, predicate, object LIMIT $limit
}
RETURN DISTINCT subject, predicate, object, supporting, refuting, hedged, first, last
"""
_EDGES = f"""{_INCIDENT}
  WITH {_EDGE}, r.supporting AS supporting, r.refuting AS refuting, r.hedged AS hedged,
    r.first_year AS first, r.last_year AS last
{_RETURN}"""
_ARTICLES_OF = """
  MATCH (e:Evidence:Medweave {edge: r.edge})
  WHERE e.published <= $cut AND NOT e.retracted AND e.predicate = type(r)
  WITH r, e.article AS article,
    max(CASE WHEN e.polarity = 'refutes' THEN 0 ELSE 1 END) AS supports,
    max(CASE WHEN e.polarity = 'refutes' THEN 1 ELSE 0 END) AS refutes,
    max(CASE WHEN e.polarity = 'refutes' OR e.hedged THEN 0 ELSE 1 END) AS plainly,
    min(e.published.year) AS year
"""
_EDGES_AS_OF = f"""{_INCIDENT}
{_ARTICLES_OF}
  WITH r, sum(supports) AS supporting, sum(refutes) AS refuting,
    sum(supports) - sum(supports * plainly) AS hedged, min(year) AS first, max(year) AS last
  WHERE supporting + refuting >= $least
  WITH {_EDGE}, supporting, refuting, hedged, first, last
{_RETURN}"""

_EVIDENCE = """
MATCH (e:Evidence:Medweave {edge: $edge})-[:FROM_ARTICLE]->(a:Article:Medweave)
WHERE e.subject_id = $subject AND e.predicate = $predicate AND e.object_id = $object
  AND ($cut IS NULL OR e.published <= $cut) AND ($retracted OR NOT e.retracted)
RETURN properties(e), a.version, a.title, a.section_texts
"""
_PUBLICATIONS = """
UNWIND $keys AS key
MATCH (e:Evidence:Medweave {edge: key[0]})
WHERE e.subject_id = key[1] AND e.predicate = key[2] AND e.object_id = key[3]
  AND ($cut IS NULL OR e.published <= $cut) AND NOT e.retracted
RETURN key[0], e.polarity = 'refutes', collect(DISTINCT e.article)
"""

_EXACT = "CALL db.index.fulltext.queryNodes('medweave_keys', $query) YIELD node RETURN node.id"
_PREFIXED = """
CALL db.index.fulltext.queryNodes('medweave_keys', $query) YIELD node
WITH node.id AS id, reduce(least = 1000000, name IN node.search_names |
  CASE WHEN name STARTS WITH $text AND size(name) < least THEN size(name) ELSE least END) AS size
RETURN id ORDER BY size, id LIMIT $limit
"""
_SHARING = """
UNWIND $queries AS query
CALL db.index.fulltext.queryNodes('medweave_words', query) YIELD node
WITH DISTINCT node
WITH node.id AS id, [at IN range(0, size(node.search_names) - 1) |
  1.0 - 2.0 * size([word IN $words WHERE word IN split(node.search_names[at], ' ')])
    / (size($words) + node.search_words[at])] AS distances
WITH id, reduce(least = 2.0, d IN distances | CASE WHEN d < least THEN d ELSE least END) AS least
RETURN id ORDER BY least, id LIMIT $limit
"""

_ARTICLE_TOTALS = """
MATCH (a:Article:Medweave) WHERE $cut IS NULL OR a.published <= $cut
RETURN count(a), coalesce(sum(CASE WHEN a.retracted THEN 1 ELSE 0 END), 0),
  coalesce(sum(CASE WHEN a.published IS NULL THEN 1 ELSE 0 END), 0),
  coalesce(sum(a.sentences), 0), coalesce(sum(a.mentions), 0), coalesce(sum(a.evidence), 0)
"""
_CONCEPT_TOTAL = "MATCH (c:Concept:Medweave) RETURN count(c)"
_CONCEPT_TOTAL_AS_OF = """
MATCH (a:Article:Medweave)-[:MENTIONS]->(c:Concept:Medweave) WHERE a.published <= $cut
RETURN count(DISTINCT c)
"""
_EDGE_TOTALS = f"""
MATCH (:Concept:Medweave)-[r:{TYPES}]->(:Concept:Medweave)
WHERE r.edge IS NOT NULL AND r.supporting IS NOT NULL
RETURN type(r), count(r)
"""
_EDGE_TOTALS_AS_OF = """
MATCH (e:Evidence:Medweave) WHERE e.published <= $cut AND NOT e.retracted
RETURN e.predicate, count(DISTINCT e.edge)
"""


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

    def _rows(self, statement: str, /, **params: Any) -> list[list[Any]]:
        with (
            named_errors(self.url),
            self._driver.session(
                database=database_name(), default_access_mode=neo4j.READ_ACCESS
            ) as session,
        ):
            rows: list[list[Any]] = session.execute_read(
                lambda tx: tx.run(statement, params).values()
            )
            return rows

    def _said(self) -> tuple[str, bool]:
        """Digest of the snapshot that the database holds, and whether evidence is there."""
        found = self._rows(_SNAPSHOT, id=SNAPSHOT_ID)
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
            for (node,) in self._rows(_CONCEPTS, ids=some):
                found[node["id"]] = concept_from(node)
        return [found[concept_id] for concept_id in asked if concept_id in found]

    def search(self, text: str, limit: int = 10) -> list[Concept]:
        known = text.encode("utf-8", "ignore").decode("utf-8")  # no name holds half a character
        found = {row[0] for row in self._candidates(known, max(limit, 0))}
        return rank(text, self.concepts(sorted(found)), limit)

    def _candidates(self, text: str, limit: int) -> Iterator[list[Any]]:
        """All exact fits, and the nearest others: see `name_index.candidates`."""
        name = normalize(text)[:KEY_CHARACTERS]
        code = code_key(text)[:KEY_CHARACTERS]
        if code:
            yield from self._rows(_EXACT, query=f"search_codes:{_phrase(code)}")
        if not name:
            return
        yield from self._rows(_EXACT, query=f"search_names:{_phrase(name)}")
        prefix = name.replace(" ", "\\ ") + "*"
        yield from self._rows(_PREFIXED, query=f"search_names:{prefix}", text=name, limit=limit)
        words = sorted(set(name.split(" ")))
        queries = [" ".join(some) for some in _portions(words, WORDS_AT_ONCE)]
        yield from self._rows(_SHARING, queries=queries, words=words, limit=limit)

    def concept_ids(self) -> Iterator[str]:
        after, page = "", IDS_AT_ONCE
        while page == IDS_AT_ONCE:
            ids = [row[0] for row in self._rows(_IDS, after=after, page=IDS_AT_ONCE)]
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
                _EDGES if cut is None else _EDGES_AS_OF,
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
            _EVIDENCE,
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
            for number, refutes, pmids in self._rows(_PUBLICATIONS, keys=some, cut=cut):
                stated[number, refutes] = tuple(sorted(pmids))
        return [
            EdgePublications(stated.get((n, False), ()), stated.get((n, True), ())) for n in numbers
        ]

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        cut = check_as_of(as_of)
        asked = list(ids)
        query = _COUNTS if cut is None else _COUNTS_AS_OF
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
            _ARTICLE_TOTALS, cut=cut
        )
        concepts = self._rows(_CONCEPT_TOTAL if cut is None else _CONCEPT_TOTAL_AS_OF, cut=cut)
        edges = self._rows(_EDGE_TOTALS if cut is None else _EDGE_TOTALS_AS_OF, cut=cut)
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
        with (
            named_errors(self.url),
            self._driver.session(
                database=database_name(), default_access_mode=neo4j.READ_ACCESS
            ) as session,
        ):
            concepts = (c for some in _portions(self.concept_ids()) for c in self.concepts(some))
            return digest_of_content(held_contents(session), concepts)

    def close(self) -> None:
        self._driver.close()


def _portions(items: Iterable[Any], size: int = IDS_AT_ONCE) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _phrase(text: str) -> str:
    """A text as one term of a full-text query."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


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
