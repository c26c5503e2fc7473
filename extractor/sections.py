"""Sections of a note, by their headings."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Section(StrEnum):
    """What a part of a note is about, as far as it tells how its mentions are meant."""

    COMPLAINT = "complaint"
    PRESENT_ILLNESS = "present illness"
    HISTORY = "history"
    SURGERY = "surgery"
    FAMILY = "family"
    SOCIAL = "social"
    ALLERGIES = "allergies"
    MEDICATIONS = "medications"
    REVIEW = "review"
    EXAM = "exam"
    VITALS = "vitals"
    RESULTS = "results"
    COURSE = "course"
    ASSESSMENT = "assessment"
    PLAN = "plan"
    INSTRUCTIONS = "instructions"
    OTHER = "other"


_MARKS = re.compile(r"^[\W\d_]+(?=\D)|[\s:.\-–—=_*#]+$")


def section_of(heading: str) -> Section | None:
    """The section that a heading opens, or `None` where it is none of the known ones.

    >>> section_of("PAST MEDICAL HISTORY:"), section_of("## Fam Hx"), section_of("Right knee pain")
    (<Section.HISTORY: 'history'>, <Section.FAMILY: 'family'>, None)
    """
    name = " ".join(_MARKS.sub("", heading.strip()).split())
    if not name or len(name) > 50:
        return None
    return next((section for section, reads in _headings() if reads.fullmatch(name)), None)


@cache
def _headings() -> tuple[tuple[Section, re.Pattern[str]], ...]:
    loaded = tomllib.loads(files("extractor").joinpath("sections.toml").read_text("utf-8"))
    return tuple(
        (Section(row["section"]), re.compile("|".join(row["reads"]), re.IGNORECASE))
        for row in loaded["heading"]
    )
