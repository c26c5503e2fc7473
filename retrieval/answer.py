"""From ranked hits to passages: paths, both sides of an assertion, no pair that fills the list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

import numpy as np

from retrieval.connections import Connection, connections
from retrieval.passages import Passage, PassageEdge
from retrieval.rank import CANDIDATES, Hit, Query, Ranking, Weights
from retrieval.view import SentenceEvidence, View

_EPOCH = date(1970, 1, 1)

LIKELY = 5
"""Sentences of an edge that are compared: those of the articles that score best."""

PATH_SHARE = 5
"""One place in so many is for paths where a query does not ask for a connection."""

PATHS = 2
PATH_FANOUT = 40
PATH_SEEDS = 3
"""Between each two of so many seeds paths are looked for, where no article names both and the query
asks for a connection; else between the two heaviest alone."""


class Choice(NamedTuple):
    """A hit, and the concepts of the path that it is a step of."""

    hit: Hit
    path: tuple[str, ...] = ()


def answer(view: View, query: Query, weights: Weights, k: int) -> list[Passage]:
    """The `k` best passages for a query, best first, one for each article."""
    ranking = Ranking(view, query, weights, max(CANDIDATES, 4 * k))
    paths = path_choices(view, query, ranking) if weights.graph else []
    paths = paths[: k if query.bridging else k // PATH_SHARE]
    return ranked_passages(view, query, weights, ranking, paths, k, max(2, k // 2))


def ranked_passages(
    view: View,
    query: Query,
    weights: Weights,
    ranking: Ranking,
    first: Sequence[Choice],
    k: int,
    most: int,
) -> list[Passage]:
    """The `k` best passages of a ranking: those chosen `first`, then its hits, at most `most` of
    them about the same two concepts, and both sides of what is at issue.
    """
    chosen = list(first)
    taken = {choice.hit.document for choice in chosen}
    rest = (hit for hit in ranking.hits() if hit.document not in taken)
    chosen += [Choice(hit) for hit in diverse(view, query, rest, k - len(chosen), most)]
    if weights.graph:
        chosen = with_both_sides(view, query, ranking, chosen, k)
    return passages(view, sorted(chosen, key=lambda choice: ranking.order(choice.hit)))


# -- which hits -------------------------------------------------------------------------------


def diverse(view: View, query: Query, hits: Iterable[Hit], number: int, most: int) -> list[Hit]:
    """The first `number` hits of which at most `most` are about the same two concepts.

    A hit is about the pair of the most relevant edge that its sentence states. The pair that a
    query of exactly two concepts asks for has no such bound, and where the hits do not suffice
    those left out are taken after all.
    """
    chosen: list[Hit] = []
    left: list[Hit] = []
    used: dict[tuple[int, int], int] = {}
    asked = set(query.rows.values())
    for hit in hits:
        if len(chosen) >= number:
            break
        pair = main_pair(view, query, hit)
        if pair is None or asked == set(pair) or used.get(pair, 0) < most:
            chosen.append(hit)
        else:
            left.append(hit)
        if pair is not None:
            used[pair] = used.get(pair, 0) + 1
    return [*chosen, *left][: max(number, 0)]


def main_pair(view: View, query: Query, hit: Hit) -> tuple[int, int] | None:
    """The ends (rows) of the most relevant edge that a hit's sentence states, if any is."""
    edges, _ = _claims(view, hit)
    known = sorted({edge for edge in edges if edge in query.relevance})
    if not known:
        return None
    best = max(known, key=lambda edge: (query.relevance[edge], -edge))
    return view.ends(best)


def with_both_sides(
    view: View, query: Query, ranking: Ranking, chosen: list[Choice], k: int
) -> list[Choice]:
    """Let the other side speak: where all that is chosen supports an edge at issue and the graph
    holds what refutes it, or the other way round, the best such sentence takes a last place.

    At most half of the `k` places are given away so.
    """
    others: dict[int, Choice] = {}
    taken = {choice.hit.document for choice in chosen}
    for edge, refuting in _one_sided(view, query, chosen):
        hit = _best_of_side(view, ranking, edge, refuting, taken | set(others))
        if hit is not None and len(others) < k // 2:
            others[hit.document] = Choice(hit)
    return [*chosen[: k - len(others)], *others.values()]


def _one_sided(view: View, query: Query, chosen: Sequence[Choice]) -> list[tuple[int, bool]]:
    """(edge, whether it is refutation that lacks) of the edges at issue, most relevant first.

    At issue is what the chosen sentences state of two seeds, or of the one seed that there is.
    """
    heard: dict[int, set[bool]] = {}
    asked = set(query.rows.values())
    for choice in chosen:
        for edge, refutes in zip(*_claims(view, choice.hit), strict=True):
            ends = asked.intersection(view.ends(edge))
            if edge in query.relevance and len(ends) == min(len(asked), 2):
                heard.setdefault(edge, set()).add(refutes)
    lacking = [(edge, sides == {False}) for edge, sides in heard.items() if len(sides) == 1]
    return sorted(lacking, key=lambda found: (-query.relevance[found[0]], found[0]))


def _claims(view: View, hit: Hit) -> tuple[list[int], list[bool]]:
    """The edges that a hit's sentence states, and whether it refutes each."""
    rows = view.stated_at(hit.document, view.span(hit.sentence)[0])
    return view.edge_rows(rows).tolist(), view.refutes(rows).tolist()


def _best_of_side(
    view: View, ranking: Ranking, edge: int, refuting: bool, taken: set[int]
) -> Hit | None:
    """The best sentence that refutes, or supports, an edge, of a document not taken yet."""
    rows, documents, _ = view.evidence_of(np.array([edge]))
    side = view.refutes(rows) == refuting
    starts = view.sentence_starts(rows[side]).tolist()
    stated = zip(documents[side].tolist(), starts, strict=True)
    likely = sorted(
        ((document, start) for document, start in stated if document not in taken),
        key=lambda found: (-float(ranking.scores[found[0]]), found),
    )
    hits = [ranking.at(*found) for found in likely[:LIKELY]]
    return min(hits, key=ranking.order, default=None)


# -- paths ------------------------------------------------------------------------------------


def path_choices(view: View, query: Query, ranking: Ranking) -> list[Choice]:
    """Sentences that lead from one seed to another that no article names together with it.

    For each step of the best paths the best sentence that supports its strongest edge. Where the
    query asks for a connection its score is raised by the best score of the ranking, in the
    proportion of the paths' scores; else it stands as it is.
    """
    top = ranking.best if query.bridging else 0.0
    found: dict[int, Choice] = {}
    for one, other in apart(view, query):
        ways = connections(view, one, other, number=PATHS, fanout=PATH_FANOUT)
        for way in ways:
            concepts = tuple(view.concept_ids(way.concepts))
            for hit in _steps(view, ranking, way, set(found)):
                raised = hit._replace(score=hit.score + top * way.score / ways[0].score)
                found[hit.document] = Choice(raised, concepts)
    return sorted(found.values(), key=lambda choice: ranking.order(choice.hit))


def _steps(view: View, ranking: Ranking, way: Connection, taken: set[int]) -> Iterator[Hit]:
    for edge in way.edges:
        hit = _best_of_side(view, ranking, edge, False, taken)
        if hit is not None:
            taken.add(hit.document)
            yield hit


def apart(view: View, query: Query) -> list[tuple[int, int]]:
    """The pairs (rows) of the heaviest seeds that no article names together."""
    asked = [query.rows[s.concept_id] for s in query.seeds if s.concept_id in query.rows]
    pairs = combinations(asked[: PATH_SEEDS if query.bridging else 2], 2)
    return [pair for pair in pairs if not view.together(*pair)]


# -- passages ---------------------------------------------------------------------------------


def passages(view: View, chosen: Sequence[Choice]) -> list[Passage]:
    """Hits with their words, and what their sentences state."""
    texts = view.texts([choice.hit.document for choice in chosen])
    rows = [view.stated_at(hit.document, view.span(hit.sentence)[0]) for hit, _ in chosen]
    return [
        _passage(view, choice, text, [_edge(view, found) for found in stated])
        for choice, text, stated in zip(chosen, texts, view.evidence(rows), strict=True)
    ]


def _passage(
    view: View, choice: Choice, text: tuple[str, str], edges: Iterable[PassageEdge]
) -> Passage:
    document, sentence, score = choice.hit
    start, end = view.span(sentence)
    day = view.published(document)
    return Passage(
        pmid=int(view.pmids[document]),
        title=text[0],
        sentence=text[1][start:end],
        start=start,
        end=end,
        published=None if day is None else _EPOCH + timedelta(days=day),
        score=score,
        edges=tuple(edges),
        path=choice.path,
    )


def _edge(view: View, found: SentenceEvidence) -> PassageEdge:
    return PassageEdge(
        found.key.subject_id,
        found.key.predicate,
        found.key.object_id,
        found.polarity,
        found.hedged,
        float(view.index.beliefs[found.row]),
    )
