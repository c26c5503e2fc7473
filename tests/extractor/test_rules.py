"""The reader by rules, on sentences whose findings are written beside them by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.rules import RuleReader
from extractor.schema import Kind, Note, State

CODES = {
    "present": "+", "absent": "-", "possible": "?", "hypothetical": "~", "family": "f",
    "historical": "h",
}  # fmt: skip


def problems(rules: RuleReader, text: str) -> list[str]:
    """Problems as `quote` and a sign of their status."""
    return [
        f"{f.quote} {CODES[f.status.value]}"
        for f in rules.read([Note(1, text)])[0].findings
        if f.kind is Kind.PROBLEM
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She denies chest pain, nausea, or vomiting.", ["chest pain -", "nausea -", "vomiting -"]),
        ("No fever, but he has a severe headache.", ["fever -", "severe headache +"]),
        ("Denies chills. Endorses fatigue.", ["chills -", "fatigue +"]),
        ("Reports cough but denies hemoptysis.", ["cough +", "hemoptysis -"]),
        ("Possible pneumonia of the left lung.", ["pneumonia of the left lung ?"]),
        ("Pneumonia cannot be ruled out.", ["Pneumonia ?"]),
        ("Pulmonary embolism was ruled out by CT.", ["Pulmonary embolism -"]),
        ("Return for fever or chills.", ["fever ~", "chills ~"]),
        ("If she develops a rash, she should stop.", ["rash ~"]),
        ("Tylenol as needed for headache.", ["headache ~"]),
        ("His mother died of lung cancer.", ["lung cancer f"]),
        ("Her mother reports that she has had a fever.", ["fever +"]),
        ("Family History:\nFather: gout, stroke", ["gout f", "stroke f"]),
        ("His pneumonia has resolved.", ["pneumonia h"]),
        ("He had pneumonia in 2012.", ["pneumonia h"]),
        ("Diagnosed with gout in 2012.", ["gout +"]),
        (
            "FAMILY HISTORY: Father had gout.\nPERSONAL AND SOCIAL HISTORY: There is apathy.",
            ["gout f", "apathy +"],
        ),
        ("Right knee pain with flexion.", ["Right knee pain with flexion +"]),
        ("3/6 systolic ejection murmur.", ["3/6 systolic ejection murmur +"]),
        ("Tenderness over the medial joint line.", ["Tenderness over the medial joint line +"]),
        ("She has difficulty swallowing.", ["difficulty swallowing +"]),
        ("Labs show elevated creatinine.", ["elevated creatinine +"]),
        ("ROS: (+) cough (-) dyspnea", ["cough +", "dyspnea -"]),
        ("Gait: steady. Fever: none.", ["Fever -"]),
        ("There is no change in his edema.", ["edema +"]),
        ("No further vomiting. No further work-up of fatigue.", ["vomiting -", "fatigue +"]),
        ("Perhaps gout. Seems to have gout. Query gout.", ["gout ?", "gout ?", "gout ?"]),
        ("It is unclear whether this is gout.", ["gout ?"]),
        ("Pneumonia.\nVs pulmonary embolism", ["Pneumonia +", "pulmonary embolism ?"]),
        ("Consider pneumonia. Consider MRI for back pain.", ["pneumonia ?", "back pain +"]),
        ("Gout 5 years ago. Cough started 5 days ago.", ["Gout h", "Cough +"]),
        ("History of depression, status post treatment.", ["depression h"]),
        ("He has chest pain if he walks. Fever.", ["chest pain ~", "Fever +"]),
        ("For insomnia, take melatonin. Symptoms to report: fever.", ["insomnia ~", "fever ~"]),
        ("Insomnia - no He has fever.", ["Insomnia -", "fever +"]),
        ("Eyes: Fever: no. cough: yes.", ["Fever -", "cough +"]),
    ],
)
def test_problems_and_their_statuses(rules: RuleReader, text: str, expected: list[str]) -> None:
    assert problems(rules, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Continue lisinopril 20 mg daily.", ["lisinopril treatment present 20 mg"]),
        ("Hold metformin.", ["metformin treatment absent"]),
        ("Takes St. John's wort.", ["St. John's wort treatment present"]),
        ("Consider physical therapy.", ["physical therapy treatment hypothetical"]),
        ("s/p appendectomy in 2004", ["appendectomy treatment historical"]),
        ("Potassium 3.1 mEq/L", ["Potassium test present 3.1 mEq/L"]),
        ("We will order a chest x-ray.", ["chest x-ray test hypothetical"]),
    ],
)
def test_treatments_and_tests(rules: RuleReader, text: str, expected: list[str]) -> None:
    found = rules.read([Note(1, text)])[0].findings
    said = [
        " ".join(filter(None, (f.quote, f.kind.value, f.status.value, f.value, f.unit)))
        for f in found
    ]
    assert said == expected


def test_a_finding_has_the_concept_that_it_names(rules: RuleReader) -> None:
    found = rules.read([Note(1, "Severe hypertension.")])[0].findings
    assert [(f.quote, f.concept) for f in found] == [("Severe hypertension", "UMLS:C0020538")]


def test_an_empty_note_is_no_note(rules: RuleReader) -> None:
    read = rules.read([Note("a", " \n"), Note("b", "Cough.", subject_id=3)])
    assert [r.state for r in read] == [State.NO_NOTE, State.OK]
    assert (read[1].note_id, read[1].subject_id) == ("b", 3)


@given(st.text(st.sampled_from("aA dpain no.,:;-\n\r\t()1/mgéfever\u2028’"), max_size=80))
def test_every_finding_of_any_text_is_quoted_from_it(rules: RuleReader, text: str) -> None:
    for finding in rules.read([Note(1, text)])[0].findings:
        assert text[finding.start : finding.end] == finding.quote


def test_the_result_of_a_note_depends_on_it_alone(rules: RuleReader) -> None:
    notes = [Note(n, text) for n, text in enumerate(("No cough.", "Gout", "PMH: asthma"))]
    assert rules.read(notes) == [rules.read([note])[0] for note in notes]
