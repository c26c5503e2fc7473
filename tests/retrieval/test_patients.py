"""Contexts and features of patients, against counts by hand, other libraries and a later graph."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest

from kg_builder.belief import edge_beliefs
from kg_builder.demo.questions import demo_questions
from kg_builder.model import REFUTES, SUPPORTS
from kg_builder.update import cut_snapshot
from ontologies.linker import Seed
from ontologies.semantic_types import groups_of
from retrieval.community_choice import BONUS, DECAY, INDIRECT, choose_communities
from retrieval.outcomes import UnknownTaskError, outcome_names, outcome_of
from retrieval.patient_features import HARMFUL, KINDS, STATISTICS, column_names
from retrieval.patients import PatientContext, seed_of
from retrieval.retriever import GraphRetriever
from tests.retrieval.worlds import article, build, in_force_until

DAY = date(2015, 12, 31)
TASKS = ("readmission_30d", "in_hospital_mortality")
PATIENTS = (
    ("omeprazole", "clopidogrel", "heart failure", "pneumonia"),
    ("vancomycin", "acute kidney injury", "sepsis", "delirium"),
    ("warfarin", "amiodarone", "atrial fibrillation", "chronic kidney disease", "depression"),
    ("simvastatin", "clarithromycin", "hypertension"),
    ("haloperidol", "enalapril", "fever", "cough", "verapamil", "syncope"),
)


KIND_OF = {
    ("drug", "drug"): "drug_drug",
    ("drug", "problem"): "drug_problem",
    ("drug", "sign"): "drug_sign",
    ("problem", "problem"): "problem_problem",
    ("problem", "sign"): "problem_sign",
    ("sign", "sign"): "problem_sign",
}


def kind_by_hand(types: Iterable[str]) -> str:
    if "CHEM" in groups_of(types):
        return "drug"
    if "DISO" not in groups_of(types):
        return "other"
    return "sign" if set(types) <= {"T033", "T034", "T184"} else "problem"


@pytest.fixture(scope="module")
def retriever(demo_graph: Path) -> GraphRetriever:
    return GraphRetriever.open(str(demo_graph))


def seeds(retriever: GraphRetriever, *names: str) -> list[Seed]:
    found = [retriever.view().seeds(name) for name in names]
    assert all(found)
    return [seed_of(one.concept_id) for one, *_ in found]


def pmids(context: PatientContext) -> set[int]:
    return {passage.pmid for passage in context.passages}


def test_the_pair_columns_are_counts_by_hand(retriever: GraphRetriever) -> None:
    store = retriever.view().reader
    for names in PATIENTS:
        asked = seeds(retriever, *names)
        features = retriever.retrieve_for_patient(asked, TASKS[0]).features
        ids = sorted({seed.concept_id for seed in asked})
        called = {c.id: c.name for c in store.concepts(ids)}
        kinds = {c.id: kind_by_hand(c.semantic_types) for c in store.concepts(ids)}
        expected: dict[str, list[tuple[float, int, int]]] = {}
        harmful = []
        for one, other in combinations(ids, 2):
            edges = [e for e in store.edges([one]) if {e.subject_id, e.object_id} == {one, other}]
            kind = KIND_OF.get(tuple(sorted(kinds[end] for end in (one, other))), "other")
            groups = {f"pair_{kind}_{e.predicate.lower()}": {e.predicate} for e in edges}
            groups |= dict.fromkeys(("harm", f"harm_{kind}"), HARMFUL)
            for name, predicates in groups.items():
                chosen = [edge for edge in edges if edge.predicate in predicates]
                if chosen:
                    beliefs = edge_beliefs(store, [edge.key for edge in chosen])
                    supporting = sum(edge.supporting for edge in chosen)
                    refuting = sum(edge.refuting for edge in chosen)
                    expected.setdefault(name, []).append((max(beliefs), supporting, refuting))
                    if name == "harm" and supporting > refuting:
                        harmful.append(tuple(sorted((called[one], called[other]))))
        assert expected
        assert features.harmful == tuple(sorted(harmful))
        for name, value in features.columns.items():
            if not name.startswith(("pair_", "harm_")):
                continue
            statistic = next(one for one in STATISTICS if name.endswith(one))
            rows = expected.get(name.removesuffix(f"_{statistic}"), [])
            held = [row for row in rows if row[1] > row[2]]
            counted = {
                "count": len(held),
                "belief_sum": sum(belief for belief, *_ in held),
                "articles": sum(number for _, number, _ in held),
                "refuted": sum(row[2] > 0 for row in rows) - sum(row[2] > 0 for row in held),
            }
            assert value == pytest.approx(counted[statistic]), name


def test_nearness_is_the_pagerank_of_another_library(retriever: GraphRetriever) -> None:
    view = retriever.view()
    asked = seeds(retriever, *PATIENTS[2])
    counts = dict(
        zip(
            view.reader.concept_ids(),
            view.reader.article_counts(view.reader.concept_ids()),
            strict=True,
        )
    )
    damping = {one: 1.0 / math.log2(2.0 + number) for one, number in counts.items()}
    walk: nx.DiGraph[str] = nx.DiGraph()
    walk.add_nodes_from(counts)
    edges = view.reader.edges(counts)
    beliefs = edge_beliefs(view.reader, [edge.key for edge in edges])
    for edge, belief in zip(edges, beliefs, strict=True):
        for one, other in ((edge.subject_id, edge.object_id), (edge.object_id, edge.subject_id)):
            weight = walk.get_edge_data(one, other, {"weight": 0.0})["weight"]
            walk.add_edge(one, other, weight=weight + belief * damping[other])
    start = {seed.concept_id: seed.weight for seed in asked}
    rank = nx.pagerank(walk, alpha=0.5, personalization=start, tol=1e-14, max_iter=500)
    features = retriever.retrieve_for_patient(asked, TASKS[1]).features
    outcome = outcome_of(TASKS[1], view.vocabulary)
    for name, ids in (
        ("nearness_outcome", outcome.outcomes),
        ("nearness_complications", outcome.complications),
    ):
        expected = sum(rank[one] for one in ids if one in rank)
        assert features.columns[name] == pytest.approx(expected, rel=1e-6)
        assert (features.columns[f"{name}_max"] or 0.0) >= (features.columns[name] or 0.0) > 0.0
    for community in retriever.outcome_graph(TASKS[1]).graph.communities.at(0):
        expected = sum(rank[one] for one in community.members)
        found = features.columns[f"community_{community.id}"]
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_only_what_the_patient_has_makes_features(retriever: GraphRetriever) -> None:
    asked = seeds(retriever, *PATIENTS[0])
    plain = retriever.retrieve_for_patient(asked, TASKS[0])
    others = seeds(retriever, "warfarin", "aspirin")
    not_theirs = [
        seed_of(others[0].concept_id, "absent"),
        seed_of(others[1].concept_id, "associated_with_someone_else"),
    ]
    with_them = retriever.retrieve_for_patient([*asked, *not_theirs], TASKS[0])
    assert with_them.features == plain.features
    assert with_them.communities != ()
    theirs = retriever.retrieve_for_patient([*asked, *others], TASKS[0]).features
    assert theirs.columns["concepts_known"] == 6.0
    assert (theirs.columns["harm_count"] or 0) > (plain.features.columns["harm_count"] or 0)
    assert seed_of("X:1", "historical").weight < seed_of("X:1").weight
    with pytest.raises(ValueError, match="maybe"):
        seed_of("X:1", "maybe")


def test_an_unknown_patient_is_not_a_healthy_one(retriever: GraphRetriever) -> None:
    for asked in ([], [Seed("UMLS:C9999999")]):
        context = retriever.retrieve_for_patient(asked, TASKS[0])
        assert context.passages == ()
        assert context.communities == ()
        assert context.features.columns["nearness_outcome"] is None
        assert context.features.columns["concepts_unknown"] == len(asked)
        assert list(context.features.columns) == list(
            column_names(retriever.outcome_graph(TASKS[0]))
        )


def test_both_sides_of_an_interaction_come(retriever: GraphRetriever) -> None:
    context = retriever.retrieve_for_patient(seeds(retriever, *PATIENTS[0]), TASKS[0])
    assert 90002003 in pmids(context)
    assert {90002004, 90002005} & pmids(context)
    said = {
        edge.polarity
        for passage in context.passages
        for edge in passage.edges
        if edge.predicate == "INTERACTS_WITH"
    }
    assert said == {SUPPORTS, REFUTES}
    assert context.features.columns["harm_refuted"] == 1.0
    (pair,) = [p for p in context.features.pairs if p.key.predicate == "INTERACTS_WITH"]
    assert 90002003 in pair.supporting
    assert {90002004, 90002005} & set(pair.refuting)
    assert pair.belief < 0.2


def test_retracted_articles_support_no_patient(tmp_path: Path, retriever: GraphRetriever) -> None:
    retracted = {pmid for question in demo_questions() for pmid in question.retracted}
    assert retracted
    context = retriever.retrieve_for_patient(
        seeds(retriever, "ascorbic acid", "septic shock"), TASKS[1], k=50
    )
    cited = {pmid for pair in context.features.pairs for pmid in (*pair.supporting, *pair.refuting)}
    assert not retracted & (cited | pmids(context))
    told = [article(1, "Metformin treats type 2 diabetes."), article(2, "Aspirin prevents stroke.")]
    false = article(9, "Aspirin causes stroke.", retracted=True)
    graphs = [
        GraphRetriever.open(build(tmp_path / name, [records]))
        for name, records in (("without", told), ("with", [*told, false]))
    ]
    asked = seeds(graphs[0], "aspirin", "stroke")
    one, other = (graph.retrieve_for_patient(asked, TASKS[0]) for graph in graphs)
    assert one == other


def test_a_cut_knows_nothing_later(
    demo_graph: Path, tmp_path: Path, retriever: GraphRetriever
) -> None:
    cut_snapshot(demo_graph, DAY)
    whole = GraphRetriever.open(str(demo_graph))
    early = GraphRetriever.open(build(tmp_path / "early", [in_force_until(DAY)]))
    for task in TASKS:
        for names in PATIENTS:
            asked = seeds(retriever, *names)
            then = whole.retrieve_for_patient(asked, task, as_of=DAY)
            fresh = early.retrieve_for_patient(asked, task)
            assert then.passages == fresh.passages
            assert then.features == fresh.features
            assert then.communities == fresh.communities
            assert then.subgraph.edges == fresh.subgraph.edges
            assert then.features.literature_until is not None
            assert then.features.literature_until <= DAY
            assert then != whole.retrieve_for_patient(asked, task)


def test_many_patients_at_once_are_as_each_alone(retriever: GraphRetriever) -> None:
    asked = [seeds(retriever, *names) for names in PATIENTS]
    together = list(retriever.retrieve_for_patients(asked, TASKS[0], k=4))
    assert together == [retriever.retrieve_for_patient(one, TASKS[0], k=4) for one in asked]
    assert all(len(context.passages) == 4 for context in together)


def test_communities_are_chosen_by_the_formula(retriever: GraphRetriever) -> None:
    graph = retriever.outcome_graph(TASKS[0])
    view, shared = retriever.view(), graph.graph
    asked = seeds(retriever, *PATIENTS[2])
    own = view.known(seed.concept_id for seed in asked)
    near = view.near(dict.fromkeys(own.values(), 1.0))
    chosen = choose_communities(graph, own.values(), near.edges)
    assert len(chosen) > 1
    ids = dict(enumerate(view.reader.concept_ids()))
    targets = {*own, *(ids[row] for row in graph.rows)}
    met: dict[str, set[str]] = {}
    ends = zip(near.edges.subject.tolist(), near.edges.object.tolist(), strict=True)
    for (one, other), belief in zip(ends, near.edges.belief.tolist(), strict=True):
        for end, far in ((ids[one], ids[other]), (ids[other], ids[one])):
            if belief > 0 and end in targets and far not in targets:
                met.setdefault(far, set()).add(end)
    hits: dict[str, int] = {}
    for choice in chosen:
        members, level = set(choice.community.members), choice.community.level
        direct = members & set(own)
        indirect = sum(len(met.get(one, ())) > 1 for one in members)
        place = shared.communities.at(level).index(choice.community)
        factor = math.prod(
            1.0 + BONUS * float(values[level][place])
            for values in (
                shared.community_coherence,
                shared.community_recency,
                graph.community_nearness,
            )
        )
        earlier = sum(hits.get(one, 0) for one in direct)
        expected = (len(direct) + INDIRECT * indirect) * DECAY**earlier * factor
        assert choice.relevance == pytest.approx(expected)
        assert set(choice.direct) == direct
        hits |= {one: hits.get(one, 0) + 1 for one in direct}
    assert 1.0 <= max(c.relevance for c in chosen) == chosen[0].relevance


def test_every_task_states_its_outcome(retriever: GraphRetriever) -> None:
    assert set(outcome_names()) == set(TASKS)
    vocabulary = retriever.view().vocabulary
    for task in (*TASKS, "in_hospital_mortality_24h"):
        outcome = outcome_of(task, vocabulary)
        assert outcome.outcomes
        assert not set(outcome.outcomes) & set(outcome.complications)
        assert set(outcome.weights.values()) == {1.0, 0.5}
    with pytest.raises(UnknownTaskError, match="readmission_30d"):
        outcome_of("length_of_stay", vocabulary)
    assert len(column_names(retriever.outcome_graph(TASKS[0]))) > len(KINDS) * 13 * len(STATISTICS)
