"""How well evidence is found: of a stated pair of concepts, and of two that nothing joins but a
third.

Pairs: the chemical-disease relations of a PubTator file (BC5CDR) are asked by the names that the
file itself gives both most often, which favours no vocabulary; the articles that are marked as
stating the relation are the answers.

Bridging: two concepts that no article names together and a third relates to both. An answer bridges
them where one of its sentences names the first with some third concept and another names that
third with the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np

from kg_builder.evaluate_relations import read_induced
from ontologies.pubtator import read_pubtator
from retrieval.evaluate import DEPTH, SYSTEMS
from retrieval.metrics import Measure, difference, measured
from retrieval.passages import Passage
from retrieval.question_sets import Question
from retrieval.retriever import GraphRetriever
from retrieval.view import View

LEAST_ARTICLES = 3
"""Articles that mention each of two concepts to be bridged."""

MOST_ARTICLES = 200
"""A concept of more articles is too general to be asked how something is connected with it."""


def pair_questions(path: Path) -> list[Question]:
    """A question for each marked pair of chemical and disease, with the PMIDs that state it."""
    names: dict[str, Counter[str]] = {}
    for article in read_pubtator(path):
        for mention in article.mentions:
            for one in mention.ids:
                names.setdefault(one, Counter())[mention.text] += 1
    stating: dict[tuple[str, str], set[int]] = {}
    for pmid, pairs in read_induced(path).items():
        for pair in pairs:
            stating.setdefault(pair, set()).add(pmid)
    return [
        Question(" ".join(_commonest(names[end]) for end in pair), tuple(sorted(pmids)))
        for pair, pmids in sorted(stating.items())
        if all(end in names for end in pair)
    ]


def _commonest(counted: Counter[str]) -> str:
    return min(counted, key=lambda text: (-counted[text], text))


@dataclass(frozen=True, slots=True)
class BridgingReport:
    """The share of questions whose answer bridges the two concepts, by system, and how much
    `together` is above each, question by question.
    """

    questions: int
    bridged: Mapping[str, Measure]
    lead: Mapping[str, Measure]


def bridging_pairs(view: View, most: int) -> list[tuple[int, int]]:
    """Pairs of concepts (rows) to ask about, drawn by hash: that no article names together, and
    that edges which relate, and are believed by half at least, join with a third.
    """
    edges = view.edges(np.arange(view.reader.tables["edges"].num_rows))
    edges = edges.where(view.says_how(edges.row) & (edges.belief >= 0.5))
    articles = view.reader.tables.column("concepts", "articles")
    known = (articles >= LEAST_ARTICLES) & (articles <= MOST_ARTICLES)
    neighbours: dict[int, set[int]] = {}
    for one, other in zip(edges.subject.tolist(), edges.object.tolist(), strict=True):
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found = {
        (min(one, other), max(one, other))
        for around in neighbours.values()
        for one in around
        for other in around
        if one != other and known[one] and known[other]
    }
    ids = view.concept_ids(np.arange(view.concept_count))
    drawn = sorted(found, key=lambda p: sha256(f"{ids[p[0]]} {ids[p[1]]}".encode()).digest())
    chosen: list[tuple[int, int]] = []
    for pair in drawn:
        if len(chosen) == most:
            break
        if not view.together(*pair):
            chosen.append(pair)
    return chosen


def evaluate_bridging(
    retriever: GraphRetriever, as_of: date | None = None, *, most: int = 200
) -> BridgingReport:
    """Ask how the concepts of each pair are connected, and see whether the answer tells.

    Raises `ValueError` for a graph without such pairs.
    """
    view = retriever.view(as_of)
    pairs = bridging_pairs(view, most)
    names = [view.reader.concepts(view.concept_ids(pair)) for pair in pairs]
    found: dict[str, list[float]] = {}
    for system in ("together", "BM25", "concepts"):
        asked = retriever.weighing(SYSTEMS[system])
        found[system] = [
            float(
                bridges(
                    view,
                    asked.retrieve(f"How is {one.name} connected with {other.name}?", DEPTH, as_of),
                    *pair,
                )
            )
            for (one, other), pair in zip(names, pairs, strict=True)
        ]
    return BridgingReport(
        questions=len(pairs),
        bridged={name: measured(values) for name, values in found.items()},
        lead={name: difference(found["together"], values) for name, values in found.items()},
    )


def bridges(view: View, passages: Sequence[Passage], one: int, other: int) -> bool:
    """Whether some third concept is named with one in a sentence, and with the other in another."""
    sentences = [_named(view, passage) for passage in passages]
    near = set().union(*(named for named in sentences if one in named)) - {one}
    far = set().union(*(named for named in sentences if other in named)) - {other}
    return bool(near & far)


def _named(view: View, passage: Passage) -> set[int]:
    """The concepts that a passage's sentence names."""
    document = np.searchsorted(view.pmids, passage.pmid)  # documents are in the order of PMIDs
    concepts, starts, _ = view.mentions(np.array([document]))
    inside = (starts >= passage.start) & (starts < passage.end)
    return set(concepts[inside].tolist())
