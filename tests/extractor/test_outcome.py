"""Outcomes: what is known when, calibration, citations."""

from __future__ import annotations

import math
import random
from functools import partial

import numpy as np
import pytest

from extractor.calibration import CalibrationError, fit_platt, logit
from extractor.llm import ScriptedLLM
from extractor.outcome import (
    MOST_FINDINGS,
    ClockError,
    Evidence,
    Join,
    OutcomeRow,
    chosen,
    citations,
    evidence_of,
    joins,
    known_by,
    named_by,
    outcome_chances,
    outcome_prompt,
)
from extractor.prompt import COMPACT, INSTRUCT
from extractor.schema import Finding, Kind, Note, NoteFindings, Passage, Relation, State, Status

ROW = OutcomeRow(7, 70, "2150-03-02T12:00:00", 1)


def finding(quote: str, status: Status = Status.PRESENT, concept: str | None = None) -> Finding:
    return Finding(0, len(quote), quote, Kind.PROBLEM, status, concept)


def read(note_id: int, stored: str | None, *findings: Finding, subject: int = 7) -> NoteFindings:
    return NoteFindings(note_id, State.OK, "r", findings, subject_id=subject, storetime=stored)


@pytest.mark.parametrize(
    ("stored", "charted", "known"),
    [
        ("2150-03-02T12:00:00", None, True),
        ("2150-03-02T12:00:01", "2150-03-01T00:00:00", False),
        (None, "2150-03-02", True),
        (None, None, False),
    ],
)
def test_a_note_is_known_from_its_storetime_on(
    stored: str | None, charted: str | None, known: bool
) -> None:
    note = Note(1, "", storetime=stored, charttime=charted)
    assert known_by(note, ROW.prediction_time) is known


def test_times_with_and_without_a_zone_are_not_compared() -> None:
    with pytest.raises(ClockError, match="zone"):
        known_by(Note(1, "", storetime="2150-03-02T12:00:00+01:00"), ROW.prediction_time)


def test_evidence_is_of_the_subject_s_notes_by_then_and_the_latest_word_stands() -> None:
    told = evidence_of(
        [
            read(1, "2150-03-01", finding("gout", concept="G"), finding("cough")),
            read(2, "2150-03-02", finding("Gouty", Status.HISTORICAL, "G")),
            read(3, "2150-03-03", finding("late")),
            read(4, "2150-03-01", finding("other"), subject=8),
        ],
        ROW,
    )
    assert [(f.quote, f.status.value) for f in told.findings] == [
        ("cough", "present"),
        ("Gouty", "historical"),
    ]


def test_a_passage_published_after_the_prediction_time_is_refused() -> None:
    with pytest.raises(ClockError, match="PMID 9"):
        evidence_of([], ROW, [Passage(1, "text", "9", "2150-03-03")])


def graph_read(*relations: tuple[str, str, str], refuted: bool = False) -> tuple[Relation, ...]:
    return tuple(Relation(*relation, refuted) for relation in relations)


def test_the_prompt_numbers_findings_and_passages() -> None:
    told = Evidence(
        (finding("a\nb"), finding("c", Status.ABSENT)), (Passage(1, "P.", "9", "2001"),)
    )
    assert outcome_prompt(told, COMPACT) == " outcome:\n 1 present a b; 2 absent c\n"
    asked = outcome_prompt(told, INSTRUCT)
    assert "1 present a b\n2 absent c\n" in asked
    assert "\n1 P.\n" in asked


def test_the_prompt_tells_which_findings_a_passage_names_and_what_it_states() -> None:
    findings = (finding("Fall"), finding("MI", concept="I"), finding("ASA", concept="A"))
    stated = graph_read(("A", "CO_OCCURS_WITH", "I"), ("A", "PREVENTS", "I"), ("A", "TREATS", "I"))
    told = Evidence(findings, (Passage(4, "It follows a fall.", "9", "2001", stated),))
    assert named_by(told.passages[0], findings) == (0, 1, 2)
    assert outcome_prompt(told, COMPACT).endswith("\n 3 present + 2 present: prevents\n")
    assert "\n4 (names 1 and 2 and 3) It follows" in outcome_prompt(told, INSTRUCT)
    denied = Passage(1, "", "9", "2001", graph_read(("I", "CAUSES", "A"), refuted=True))
    assert joins(denied, findings) == (Join(1, 2, "causes", refuted=True),)
    assert ": not causes\n" in outcome_prompt(Evidence(findings, (denied,)), COMPACT)


def test_a_passage_that_no_graph_read_joins_what_its_words_name() -> None:
    findings = [finding(quote) for quote in ("pain", "chest pain", "pai", "fever", "%", "Gout")]
    passage = Passage(1, "Chest  pain, not fevers, in gout.", "9", "2001")
    assert named_by(passage, findings) == (1, 5)
    assert joins(passage, findings) == (Join(1, 5, "is named with"),)


def test_what_joins_two_active_findings_comes_first_each_two_once() -> None:
    findings = [finding(f"f{n}") for n in range(40)]
    findings += [finding("old", Status.HISTORICAL), finding("x"), finding("y", Status.POSSIBLE)]
    texts = ["none of it", "old and x", "x with y", "again y with x", "f39"]
    told = chosen(findings, [Passage(n, text, "9", "2001") for n, text in enumerate(texts, 1)])
    assert [p.number for p in told.passages] == [3, 2, 4, 5]
    assert [f.quote for f in told.findings[:5]] == ["f39", "x", "y", "old", "f0"]
    assert len(told.findings) == MOST_FINDINGS


def test_citations_are_what_the_probability_rests_on() -> None:
    told = Evidence((finding("a"), finding("bad"), finding("c")), (Passage(1, "P", "9", "2001"),))
    # Whatever prompt names the bad thing is likely; a passage without it counts for nothing.
    llm = ScriptedLLM({}, chances={"bad": [0.9, 0.1], "present": [0.2, 0.8]})
    assert outcome_chances(llm, [told]) == [0.9]
    assert citations(partial(outcome_chances, llm), told) == ((2,), ())


def test_platt_scaling_finds_what_was_planted() -> None:
    chance = random.Random(3)
    logits = [chance.gauss(0, 2) for _ in range(4000)]
    labels = [int(chance.random() < 1 / (1 + math.exp(-(0.5 * x - 1)))) for x in logits]
    fitted = fit_platt(logits, labels)
    assert fitted.slope == pytest.approx(0.5, abs=0.06)
    assert fitted.intercept == pytest.approx(-1, abs=0.12)
    assert np.mean([fitted(x) for x in logits]) == pytest.approx(np.mean(labels), abs=0.002)


def test_platt_scaling_needs_both_outcomes() -> None:
    with pytest.raises(CalibrationError, match="0 of 2"):
        fit_platt([0.1, 0.2], [0, 0])


def test_log_odds_are_finite() -> None:
    assert -20 < logit(0.0) < 0 < logit(1.0) < 20
