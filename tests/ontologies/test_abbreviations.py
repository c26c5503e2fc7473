from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies.abbreviations import find_abbreviations


def found(text: str) -> list[tuple[str, str]]:
    return [(a.short, text[a.long_start : a.long_end]) for a in find_abbreviations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heart rate (HR) fell", [("HR", "heart rate")]),
        ("of chronic heart failure (CHF).", [("CHF", "chronic heart failure")]),
        ("prostaglandin E1 (PGE1)", [("PGE1", "prostaglandin E1")]),
        ("red blood cells [RBCs]", [("RBCs", "red blood cells")]),
        ("gamma-aminobutyric acid (GABA)", [("GABA", "gamma-aminobutyric acid")]),
        ("tumour necrosis factor (TNF; 5 ng)", [("TNF", "tumour necrosis factor")]),
        ("one case. Heart rate (CR)", []),
        ("in rats (n = 20)", []),
        ("survival (P < 0.05)", []),
        ("was given (again)", []),
        ("methods (XYZ)", []),
        ("Alzheimer disease (AD) and Parkinson disease (PD)",
         [("AD", "Alzheimer disease"), ("PD", "Parkinson disease")]),
    ],
)  # fmt: skip
def test_definitions(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@given(st.text(alphabet="abAB12 -()[].;\n😀", max_size=60))
def test_spans_lie_in_the_text_and_share_letters(text: str) -> None:
    for short, start, low, high in find_abbreviations(text):
        assert text.startswith(short, start)
        assert 0 <= low < high <= start
        assert text[low].lower() == short[0].lower()
        letters = iter(text[low:high].lower())
        assert all(sign in letters for sign in short.lower() if sign.isalnum())
