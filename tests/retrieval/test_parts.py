"""The parts of a ranking against answers found another way."""

from __future__ import annotations

import gzip
import math
import random
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies.concept import Concept, Name, Vocabulary
from ontologies.linker import Mention
from retrieval.bm25 import K1, B, Bm25
from retrieval.evaluate import auroc
from retrieval.expand import DAMPING, Edges, expand, personalized_pagerank, steps
from retrieval.metrics import difference, measured, ndcg, recall_at, reciprocal_rank
from retrieval.question_sets import (
    Question,
    in_other_words,
    title_questions,
    withhold_titles,
)
from retrieval.rank import best_documents, edge_relevance
from retrieval.seeds import seeds_of
from retrieval.words import stems

DOCUMENTS = st.lists(st.lists(st.integers(0, 5), max_size=8), min_size=1, max_size=8)


@given(DOCUMENTS, st.dictionaries(st.integers(0, 5), st.floats(0.1, 2.0), max_size=4))
@settings(max_examples=60, deadline=None)
def test_bm25_is_the_formula(documents: list[list[int]], query: dict[int, float]) -> None:
    index = Bm25.build(documents, 6)
    mean = sum(map(len, documents)) / len(documents)
    found = index.scores(list(query), list(query.values()))
    for document, score in zip(documents, found.tolist(), strict=True):
        expected = 0.0
        for term, weight in query.items():
            holding = sum(term in other for other in documents)
            often = document.count(term)
            if often:
                rarity = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
                norm = K1 * (1 - B + B * len(document) / mean)
                expected += weight * rarity * often / (often + norm)
        assert score == pytest.approx(expected, rel=1e-5, abs=1e-7)
    some = np.array([len(documents) - 1, 0, 0])
    assert index.scores_of(list(query), list(query.values()), some).tolist() == found[some].tolist()


def test_a_saved_index_scores_as_before(tmp_path: Path) -> None:
    index = Bm25.build([[0, 1, 1], [2], []], 4)
    index.save(tmp_path, "texts")
    again = Bm25.load(tmp_path, "texts")
    assert again.scores([1, 2], [1.0, 0.5]).tolist() == index.scores([2, 1], [0.5, 1.0]).tolist()
    assert again.documents(2).tolist() == [1]
    assert again.documents(3).tolist() == []


EDGES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(0.05, 1.0)).filter(
        lambda edge: edge[0] != edge[1]
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda edge: (min(edge[:2]), max(edge[:2])),
)


@given(EDGES, st.dictionaries(st.integers(0, 6), st.floats(0.1, 1.0), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_pagerank_is_that_of_networkx(
    edges: list[tuple[int, int, float]], seeds: dict[int, float]
) -> None:
    subject, object_ = (np.array([edge[end] for edge in edges]) for end in (0, 1))
    belief = np.array([edge[2] for edge in edges])
    damped = 1.0 / np.log2(2.0 + np.arange(7.0))
    forth, back = steps(subject, object_, belief, damped)
    restart = np.array([seeds.get(node, 0.0) for node in range(7)])
    found = personalized_pagerank(subject, object_, forth, back, restart)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(7))
    for one, other, believed in edges:
        graph.add_edge(one, other, weight=believed * damped[other])
        graph.add_edge(other, one, weight=believed * damped[one])
    expected = nx.pagerank(graph, DAMPING, personalization=seeds, tol=1e-12, max_iter=500)
    assert found == pytest.approx([expected[node] for node in range(7)], abs=1e-8)


def test_hubs_gather_less_than_rare_neighbours() -> None:
    """Seed 0 has edges, believed alike, to 1, which 10,000 articles mention, and 2 (10)."""
    edges = Edges(np.array([0, 1]), np.array([0, 0]), np.array([1, 2]), np.array([0.9, 0.9]))
    articles = np.array([50, 10_000, 10])
    near = expand(
        {0: 1.0}, lambda concepts, _: edges.where(np.isin(edges.subject, concepts)), articles
    )
    assert near.concepts.tolist() == [0, 1, 2]
    assert near.nearness[2] > 3 * near.nearness[1] > 0
    assert near.nearness.sum() == pytest.approx(1.0)
    relevance = edge_relevance(near, [0])
    assert relevance[1] == 1.0 > relevance[0] > 0.0


def test_a_pair_of_seeds_is_most_relevant_even_unbelieved() -> None:
    edges = Edges(np.array([0, 1]), np.array([0, 0]), np.array([1, 2]), np.array([0.0, 0.9]))
    near = expand({0: 1.0, 1: 1.0}, lambda _, __: edges, np.array([5, 5, 5]))
    assert edge_relevance(near, [0, 1]) == {0: 1.0, 1: 1.0}


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=12), st.integers(1, 6))
@settings(deadline=None)
def test_best_documents_break_ties_by_pmid(scores: list[float], number: int) -> None:
    pmids = np.array(random.Random(1).sample(range(100), len(scores)))
    found = best_documents(np.array(scores), pmids, number).tolist()
    order = sorted(range(len(scores)), key=lambda d: (-scores[d], pmids[d]))
    assert found == [d for d in order if scores[d] > 0][:number]


# -- seeds ------------------------------------------------------------------------------------

NAMES = {"pneumonia": "T:1", "stroke": "T:2", "diabetes": "T:3", "fever": "T:4", "sepsis": "T:5"}


class NameLinker:
    """Finds the five names above, literally."""

    version = "names"

    def link(self, text: str) -> list[Mention]:
        found = [
            Mention(at, at + len(name), name, concept, 1.0)
            for name, concept in NAMES.items()
            for at in range(len(text))
            if text.lower().startswith(name, at)
        ]
        return sorted(found)

    def link_many(self, texts: object) -> list[list[Mention]]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("note", "name", "status"),
    [
        ("Admitted with pneumonia.\nImproved.", "pneumonia", "present"),
        ("Denies fever.\nHas sepsis.", "fever", "absent"),
        ("Denies fever.\nHas sepsis.", "sepsis", "present"),
        ("No fever, but pneumonia on film.\n.", "pneumonia", "present"),
        ("Sepsis was ruled out.\n.", "sepsis", "absent"),
        ("Mother had a stroke.\n.", "stroke", "associated_with_someone_else"),
        ("History of stroke, now with fever.\n.", "stroke", "historical"),
        ("History of stroke, now with fever.\n.", "fever", "present"),
        ("Past medical history:\ndiabetes\nPlan:\nantibiotics", "diabetes", "historical"),
        ("Family history:\ndiabetes\n", "diabetes", "associated_with_someone_else"),
        ("Possible pneumonia.\n.", "pneumonia", "possible"),
        ("Return if fever.\n.", "fever", "hypothetical"),
    ],
)
def test_mentions_of_a_note_have_a_status(note: str, name: str, status: str) -> None:
    seeds = {seed.concept_id: seed.status for seed in seeds_of(note, NameLinker())}
    assert seeds[NAMES[name]] == status


def test_what_is_present_weighs_most() -> None:
    note = "Pneumonia.\nNo fever.\nMother had a stroke.\nHistory of diabetes.\nPneumonia again."
    ranked = [seed.concept_id for seed in seeds_of(note, NameLinker())]
    assert ranked == [NAMES[n] for n in ("pneumonia", "diabetes", "stroke", "fever")]


def test_a_question_states_nothing() -> None:
    (seed,) = seeds_of("Is there no fever?", NameLinker())
    assert seed == (NAMES["fever"], 1.0, "present", None)


def test_codes_are_read_by_any_cross_reference() -> None:
    concepts = [
        Concept("UMLS:C0018801", "Heart failure", xrefs=("ICD10CM:I50", "ICD9CM:428.0")),
        Concept("MESH:D001241", "Aspirin", xrefs=("MESH:D001241",)),
    ]
    vocabulary = Vocabulary.from_concepts(concepts)

    def coded(text: str) -> dict[str, float]:
        return {s.concept_id: s.weight for s in seeds_of(text, NameLinker(), vocabulary)}

    assert coded("C0018801") == coded("428.0") == coded("UMLS:C0018801") == {"UMLS:C0018801": 1.0}
    assert coded("I50.9") == {"UMLS:C0018801": 0.8}
    assert coded("I50, 428.0") == {"UMLS:C0018801": pytest.approx(1.0 + math.log(2))}
    assert set(coded("mesh:D001241 and I50.9")) == {"MESH:D001241", "UMLS:C0018801"}
    assert coded("Vitamin B12 in 428 people") == {}


# -- evaluation -------------------------------------------------------------------------------


def test_measures_of_one_ranking() -> None:
    ranked, relevant = [7, 3, 9], {3, 9, 4}
    assert recall_at(1)(ranked, relevant) == 0.0
    assert recall_at(3)(ranked, relevant) == pytest.approx(2 / 3)
    assert reciprocal_rank(ranked, relevant) == 0.5
    gained, best = 1 / math.log2(3) + 0.5, 1 + 1 / math.log2(3) + 0.5
    assert ndcg(ranked, relevant) == pytest.approx(gained / best)
    assert ndcg([], relevant) == reciprocal_rank([], relevant) == 0.0


def test_intervals_hold_the_mean_and_pair_by_question() -> None:
    ours, theirs = [1.0, 0.0] * 50, [0.9, -0.1] * 50
    found = measured(ours)
    assert found.low < found.value == 0.5 < found.high
    lead = difference(ours, theirs)
    assert lead.low == pytest.approx(lead.high) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="no question"):
        measured([])


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=12))
def test_auroc_counts_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    if positive.all() or not positive.any():
        with pytest.raises(ValueError, match="one kind"):
            auroc(scores, positive)
        return
    pairs = [(a, b) for a in scores[positive] for b in scores[~positive]]
    expected = sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)
    assert auroc(scores, positive) == pytest.approx(expected)


def test_titles_are_withheld_and_asked(tmp_path: Path) -> None:
    article = (
        "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article><ArticleTitle>{}</ArticleTitle>"
        "{}</Article></MedlineCitation></PubmedArticle>"
    )
    abstract = "<Abstract><AbstractText>It does.</AbstractText></Abstract>"
    source, target = tmp_path / "in.xml", tmp_path / "out.xml.gz"
    source.write_text(
        "<PubmedArticleSet>"
        + article.format(1, "Does <i>it</i> help?", abstract)
        + article.format(2, "No abstract", "")
        + "</PubmedArticleSet>"
    )
    assert title_questions(source) == [Question("Does it help?", (1,))]
    assert withhold_titles(source, target) == 2
    assert title_questions(target) == []
    assert b"It does." in gzip.decompress(target.read_bytes())
    assert withhold_titles(source, target, {2}) == 1
    assert title_questions(target) == [Question("Does it help?", (1,))]


def test_synonyms_share_no_word_with_what_they_replace() -> None:
    names = ("Heart attack", "Attack of the heart", "Myocardial infarction", "MI")
    concept = Concept(
        "T:1", names[0], tuple(Name(name, "T") for name in names), semantic_types=("T047",)
    )
    aspirin = Concept("T:2", "Aspirin", (Name("Acetylsalicylate", "T"),), ("T121",))
    vocabulary = Vocabulary.from_concepts([concept, aspirin])
    asked = [Question("Does aspirin prevent heart attack?", (1,)), Question("Aspirin?", (2,))]
    changed = in_other_words(asked, vocabulary)
    assert changed == [Question("Does aspirin prevent Myocardial infarction?", (1,))]


def test_words_are_folded_and_stemmed() -> None:
    assert stems("The Tumours' treatments: β-blockers") == ["tumour", "treatment", "β", "blocker"]
