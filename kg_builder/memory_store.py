"""The reference implementation of `GraphStore`: plain lists, counted anew at every read.

Its answers define what the other stores must answer. It is for tests and for graphs of a few
thousand sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from kg_builder.model import (
    REFUTES,
    SUPPORTS,
    SYMMETRIC,
    Article,
    CitedEvidence,
    Edge,
    EdgeKey,
    Evidence,
)
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
from ontologies.concept import Concept
from ontologies.linker import Mention


class MinedArticle(NamedTuple):
    """An article in force with what was found in it. Sentences are (start, end) in its text."""

    article: Article
    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]
    evidence: tuple[Evidence, ...]

    @property
    def concept_ids(self) -> frozenset[str]:
        return frozenset(m.concept_id for m in self.mentions if m.concept_id is not None)

    def published_by(self, as_of: date | None) -> bool:
        """Whether the article exists as of a date; one of unknown date never does."""
        published = self.article.published
        return as_of is None or (published is not None and published.last_day() <= as_of)


class MemoryStore:
    """A graph of values. `digest` is what `stats` says; nothing is computed from it."""

    def __init__(
        self, mined: Iterable[MinedArticle], concepts: Iterable[Concept], digest: str = ""
    ) -> None:
        self._mined = list(mined)
        mentioned = {concept_id for m in self._mined for concept_id in m.concept_ids}
        self._concepts = {c.id: c for c in concepts if c.id in mentioned}
        self._digest = digest

    def concepts(self, ids: Iterable[str]) -> list[Concept]:
        return [self._concepts[i] for i in ids if i in self._concepts]

    def search(self, text: str, limit: int = 10) -> list[Concept]:
        return rank(text, self._concepts.values(), limit)

    def concept_ids(self) -> Iterator[str]:
        return iter(sorted(self._concepts))

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
        wanted = None if predicates is None else list(predicates)
        check_predicates(wanted)
        check_limits(direction, min_articles, limit_per_concept)
        edges = [
            edge
            for edge in self._edges(check_as_of(as_of))
            if (wanted is None or edge.predicate in wanted)
            and edge.supporting + edge.refuting >= min_articles
        ]
        found: set[Edge] = set()
        for concept_id in set(ids):
            found.update(
                [e for e in edges if _lies_at(e, concept_id, direction)][:limit_per_concept]
            )
        return sorted(found, key=strongest_first)

    def _edges(self, as_of: date | None) -> list[Edge]:
        """All edges as of a date, strongest first."""
        evidence: dict[EdgeKey, list[Evidence]] = {}
        for mined in self._mined:
            if mined.published_by(as_of) and not mined.article.retracted:
                for found in mined.evidence:
                    key = EdgeKey(found.subject_id, found.predicate, found.object_id)
                    evidence.setdefault(key, []).append(found)
        edges = [edge_of(key, found) for key, found in evidence.items()]
        return sorted(edges, key=strongest_first)

    def evidence(
        self, edge: EdgeKey, *, as_of: date | None = None, retracted: bool = False
    ) -> list[CitedEvidence]:
        check_predicates((edge.predicate,))
        cut = check_as_of(as_of)
        cited = [
            cite(mined.article, found)
            for mined in self._mined
            if mined.published_by(cut) and (retracted or not mined.article.retracted)
            for found in mined.evidence
            if EdgeKey(found.subject_id, found.predicate, found.object_id) == canonical(edge)
        ]
        return sorted(cited, key=newest_first)

    def publications(
        self, edges: Iterable[EdgeKey], *, as_of: date | None = None
    ) -> list[EdgePublications]:
        answers = []
        for key in edges:
            stated: dict[str, set[int]] = {SUPPORTS: set(), REFUTES: set()}
            for cited in self.evidence(key, as_of=as_of):
                stated[cited.evidence.polarity].add(cited.evidence.pmid)
            answers.append(
                EdgePublications(tuple(sorted(stated[SUPPORTS])), tuple(sorted(stated[REFUTES])))
            )
        return answers

    def article_counts(self, ids: Iterable[str], *, as_of: date | None = None) -> list[int]:
        cut = check_as_of(as_of)
        counts = Counter(
            concept_id
            for mined in self._mined
            if mined.published_by(cut) and not mined.article.retracted
            for concept_id in mined.concept_ids
        )
        return [counts[concept_id] for concept_id in ids]

    def cypher(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        raise NotImplementedError("the reference store has no Cypher; open a graph directory")

    def stats(self, *, as_of: date | None = None) -> GraphStats:
        cut = check_as_of(as_of)
        there = [mined for mined in self._mined if mined.published_by(cut)]
        by_predicate = Counter(edge.predicate for edge in self._edges(cut))
        return GraphStats(
            digest=self._digest,
            articles=len(there),
            retracted=sum(mined.article.retracted for mined in there),
            undated=sum(mined.article.published is None for mined in there),
            sentences=sum(len(mined.sentences) for mined in there),
            mentions=sum(m.concept_id is not None for mined in there for m in mined.mentions),
            concepts=len({concept_id for mined in there for concept_id in mined.concept_ids}),
            evidence=sum(len(mined.evidence) for mined in there),
            edges=by_predicate.total(),
            edges_by_predicate=dict(by_predicate),
        )

    def close(self) -> None:
        """Nothing is held open."""


def _lies_at(edge: Edge, concept_id: str, direction: Direction) -> bool:
    out = edge.subject_id == concept_id
    into = edge.object_id == concept_id
    if direction == "both" or edge.predicate in SYMMETRIC:
        return out or into
    return out if direction == "out" else into


def edge_of(key: EdgeKey, evidence: Sequence[Evidence]) -> Edge:
    """The edge that its evidence (of articles that are not retracted) makes."""
    supporting = {found.pmid for found in evidence if found.polarity != REFUTES}
    plainly = {found.pmid for found in evidence if found.polarity != REFUTES and not found.hedged}
    years = [found.published.year for found in evidence if found.published is not None]
    return Edge(
        subject_id=key.subject_id,
        predicate=key.predicate,
        object_id=key.object_id,
        supporting=len(supporting),
        refuting=len({found.pmid for found in evidence if found.polarity == REFUTES}),
        hedged=len(supporting - plainly),
        first_year=min(years, default=None),
        last_year=max(years, default=None),
    )


def cite(article: Article, evidence: Evidence) -> CitedEvidence:
    """Evidence with the words of its article that it points to."""
    text = article.text
    return CitedEvidence(
        evidence=evidence,
        sentence=text[evidence.sentence_start : evidence.sentence_end],
        subject_text=text[evidence.subject_start : evidence.subject_end],
        object_text=text[evidence.object_start : evidence.object_end],
        title=article.title,
        retracted=article.retracted,
    )
