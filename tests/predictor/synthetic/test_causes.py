"""The outcomes' causes: what each source adds, and that no concept tells anything alone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from predictor.synthetic.causes import MORTALITY, PREVALENCE, READMISSION, TASKS, TRAITS
from predictor.synthetic.knowledge import connected, pairs
from predictor.synthetic.outcome import SOURCES, reachable_auroc, sigmoid
from predictor.synthetic.phrases import concept_by_name, names_by_concept
from predictor.synthetic.population import GROUPS, Patients, draw_patients
from predictor.synthetic.stays import Course, simulate
from predictor.synthetic.tasks import TaskRows, task_rows

PATIENTS = 4000
World = tuple[Patients, Course]


def world_of(weights: tuple[float, float], seed: int = 8, count: int = PATIENTS) -> World:
    patients = draw_patients(count, np.random.default_rng([seed, 1]))
    return patients, simulate(patients, weights, np.random.default_rng([seed, 2]))


@pytest.fixture(scope="module")
def world() -> World:
    return world_of((1.0, 1.0))


def rows_of(world: World, task: str) -> TaskRows:
    return task_rows(world[1], np.arange(len(world[1].stays)), task)


def test_the_corpus_documents_enough_pairs() -> None:
    documented = [pair for pair in pairs() if not pair.refuted]
    assert len(documented) >= 40
    assert len({end for pair in documented for end in pair.ends}) > 80
    assert sum(pair.refuted for pair in pairs()) >= 3
    warfarin, aspirin = concept_by_name()["warfarin"], concept_by_name()["aspirin"]
    assert any(pair.ends == {warfarin, aspirin} for pair in documented)
    assert connected(warfarin, aspirin)
    assert all(end in names_by_concept() for pair in pairs() for end in pair.ends)


@pytest.mark.parametrize("task", TASKS)
def test_prevalence(world: World, task: str) -> None:
    rows = rows_of(world, task)
    assert rows.risk.mean() == pytest.approx(PREVALENCE[task], abs=0.012)
    assert rows.label.mean() == pytest.approx(rows.risk.mean(), abs=0.02)


@pytest.mark.parametrize("task", TASKS)
def test_each_source_adds_at_least_0_03_when_added_last(world: World, task: str) -> None:
    told = rows_of(world, task).summary()
    for source in SOURCES:
        assert told[f"added_last_{source}"] >= 0.03, (task, source, told)
        assert told[f"alone_{source}"] < told["best_reachable_auroc"]


@pytest.mark.parametrize(("weights", "gone"), [((0.0, 1.0), "notes"), ((1.0, 0.0), "graph")])
def test_a_source_can_be_left_out(weights: tuple[float, float], gone: str) -> None:
    without = world_of(weights, count=1500)
    for task in TASKS:
        told = rows_of(without, task).summary()
        assert told[f"added_last_{gone}"] == pytest.approx(0, abs=1e-12)
        assert told[f"alone_{gone}"] == pytest.approx(0.5)
        assert told["mean_risk"] == pytest.approx(PREVALENCE[task], abs=0.02)


def test_risks_are_the_probabilities_of_the_outcomes(world: World) -> None:
    """In tenths of the risk the outcome is as frequent as the risk says."""
    for task in TASKS:
        rows = rows_of(world, task)
        order = np.argsort(rows.risk)
        for part in np.array_split(order, 10):
            expected, seen = rows.risk[part].mean(), rows.label[part].mean()
            error = np.sqrt(expected * (1 - expected) / len(part))
            assert abs(seen - expected) < 4 * error, task


def test_no_concept_tells_alone_how_many_documented_pairs_there_are(world: World) -> None:
    patients, _ = world
    concepts = sorted({concept for dealt in patients.dealt for concept in dealt.concepts})
    held = np.zeros((len(patients), len(concepts)), bool)
    place = {concept: number for number, concept in enumerate(concepts)}
    for patient in range(len(patients)):
        for concept in patients.concepts(patient):
            if concept in place:
                held[patient, place[concept]] = True
    scores = []
    for column in range(len(concepts)):
        has = patients.pairs[held[:, column]]
        if len(has) > 20:
            scores.append((has.mean() - patients.pairs.mean()) / (
                patients.pairs.std() / np.sqrt(len(has))))  # fmt: skip
    assert len(scores) > 80
    assert np.std(scores) < 1.25  # 1 where concepts tell nothing
    assert np.abs(scores).max() < 4.5


def test_concepts_are_connected_by_documented_places_alone(world: World) -> None:
    """Count all connected pairs of each patient's concepts by brute force."""
    patients, _ = world
    for patient in range(0, len(patients), 10):
        dealt, place = patients.dealt[patients.group[patient]], patients.place[patient]
        linked = {
            frozenset(two)
            for two in combinations(patients.concepts(patient), 2)
            if connected(*two) or connected(*two[::-1])
        }
        documented = {
            frozenset({dealt.concepts[a], dealt.concepts[b]})
            for a, b, yes in zip(
                dealt.first[place], dealt.second[place], dealt.documented[place], strict=True
            )
            if yes
        }
        refuted = dealt.refuted[place]
        if refuted >= 0:
            linked -= {dealt.refuted_pairs[refuted].ends}
        assert linked == documented
        assert len(documented) == patients.pairs[patient]


def test_pairs_were_published_before_the_patient_came(world: World) -> None:
    patients, _ = world
    years = {pair.ends: pair.year for pair in pairs() if not pair.refuted}
    for number, (first, _) in enumerate(GROUPS):
        dealt = patients.dealt[number]
        for a, b in zip(dealt.first[dealt.documented], dealt.second[dealt.documented], strict=True):
            assert years[frozenset({dealt.concepts[a], dealt.concepts[b]})] < first


def test_a_trait_counts_only_where_it_is_present(world: World) -> None:
    patients, course = world
    stays = course.stays
    for task, logits in ((READMISSION, course.readmission), (MORTALITY, course.mortality)):
        name = "readmission" if task == READMISSION else "mortality"
        weights = np.array([getattr(trait, name) for trait in TRAITS])
        present = patients.traits[stays.patient] == 1
        expected = np.where(stays.no_note, 0, (present * weights).sum(1))
        assert logits.notes == pytest.approx(expected)
    assert set(np.unique(patients.traits)) == {0, 1, 2, 3, 4, 5, 6}


def test_reachable_auroc_against_all_pairs() -> None:
    rng = np.random.default_rng(4)
    risk = rng.random(40)
    score = np.round(rng.random(40), 1)
    wins = total = 0.0
    for i in range(40):
        for j in range(40):
            if i != j:
                weight = risk[i] * (1 - risk[j])
                total += weight
                wins += weight * (float(score[i] > score[j]) + 0.5 * float(score[i] == score[j]))
    assert reachable_auroc(risk, score) == pytest.approx(wins / total)


def test_reachable_auroc_is_what_draws_give_on_average() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(5)
    risk = sigmoid(rng.normal(-2, 1.2, 1500))
    draws = [roc_auc_score(rng.random(1500) < risk, risk) for _ in range(60)]
    assert reachable_auroc(risk, risk) == pytest.approx(np.mean(draws), abs=0.006)
