"""Sections, lists and sentences of a note."""

from __future__ import annotations

from itertools import pairwise

import pytest

from extractor.layout import units
from extractor.sections import Section, section_of

NOTE = """CHIEF COMPLAINT: cough x 3 days

Past Medical History
1. Asthma
2. Hypertension.
FAMILY HISTORY
Mother: breast cancer.
REVIEW OF SYSTEMS
• Respiratory: Endorses cough. Denies wheezing.
PLAN:
- Start prednisone 40 mg b.i.d. with food. Dr. Roe agrees.
"""


def test_each_line_and_sentence_has_its_section_and_label() -> None:
    got = [(NOTE[u.start : u.end], u.section.value, u.label) for u in units(NOTE)]
    assert got == [
        ("cough x 3 days", "complaint", "CHIEF COMPLAINT"),
        ("Asthma", "history", ""),
        ("Hypertension.", "history", ""),
        ("breast cancer.", "family", "Mother"),
        ("Endorses cough.", "review", "Respiratory"),
        ("Denies wheezing.", "review", "Respiratory"),
        ("Start prednisone 40 mg b.i.d. with food.", "plan", ""),
        ("Dr. Roe agrees.", "plan", ""),
    ]


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("HPI:", Section.PRESENT_ILLNESS),
        ("A/P", Section.ASSESSMENT),
        ("Fam Hx -", Section.FAMILY),
        ("3. PSH", Section.SURGERY),
        ("== Discharge Medications ==", Section.MEDICATIONS),
        ("Hypertension", None),
        ("History of asthma", None),
        ("", None),
    ],
)
def test_headings(heading: str, section: Section | None) -> None:
    assert section_of(heading) is section


def test_units_do_not_overlap_and_stand_in_order() -> None:
    spans = [(u.start, u.end) for u in units(NOTE)]
    assert all(a < b for a, b in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_other_line_ends_keep_their_offsets() -> None:
    text = "PMH:\r\nGout.\r\nNo fever"
    assert [text[u.start : u.end] for u in units(text)] == ["Gout.", "No fever"]
