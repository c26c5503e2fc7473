"""The authors of the synthetic hospital: how each lays out, shortens and misspells a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HEADINGS: Final[Mapping[str, tuple[str, str]]] = {
    "cc": ("Chief Complaint|Reason for Visit|Presenting Complaint", "CC|C/C"),
    "hpi": ("History of Present Illness|Present Illness|History", "HPI|Hx"),
    "pmh": ("Past Medical History|Medical History|Past History", "PMH|PMHx"),
    "psh": ("Past Surgical History|Surgical History|Prior Operations", "PSH|PSHx"),
    "meds": ("Medications on Admission|Medications|Current Medications|Home Medications", "Meds"),
    "allergies": ("Allergies|Drug Allergies", "All|Allergies"),
    "fh": ("Family History|Family Medical History", "FH|FHx"),
    "sh": ("Social History|Personal and Social History", "SH|SHx|Soc"),
    "ros": ("Review of Systems|Systems Review", "ROS"),
    "vitals": ("Vital Signs|Vitals|Vitals Reviewed", "VS|Vitals"),
    "exam": ("Physical Exam|Physical Examination|Examination", "PE|Exam|O"),
    "labs": ("Pertinent Results|Results|Laboratory Data|Labs", "Labs|Data"),
    "imaging": ("Imaging|Radiology|Studies", "Imaging|Rads"),
    "plan": ("Assessment and Plan|Impression and Plan|Assessment|Impression", "A/P|A&P|Imp"),
    "interval": ("Interval History|Subjective|24 Hour Events", "S|Interval"),
    "function": ("Functional Status|Function and Mobility", "Function"),
    "dx": ("Discharge Diagnosis|Final Diagnoses|Diagnoses", "Dx"),
    "course": ("Brief Hospital Course|Hospital Course|Course in Hospital", "Course"),
    "procedures": ("Major Surgical or Invasive Procedure|Procedures", "Procedures"),
    "dmeds": ("Discharge Medications|Medications at Discharge", "D/C Meds"),
    "instructions": ("Discharge Instructions|Instructions|Patient Instructions", "Instructions"),
}
"""Section to its headings in full and in short, the usual one first."""


@dataclass(frozen=True, slots=True)
class Style:
    """One author's habits.

    `heading`: upper, title, short, hash or run (the heading begins the paragraph).
    `items`: how lists are set: inline, dash, bullet, number, lines, sentence.
    `prose`: sentences follow each other on a line rather than one a line.
    `brief`: the share of names given in clinical shorthand; `typos`: the share of phrases with
    a slip; `modifiers`: the share of symptoms with severity, side or site.
    `plan`: how assessments are set: hash, number, dash, prose, reasoned.
    `sections`: "full" for all histories, else a thinner note.
    """

    name: str
    heading: str
    items: str
    prose: bool
    brief: float
    typos: float
    modifiers: float
    plan: str
    vitals: str
    sections: str = "full"
    telegraphic: bool = False
    bullet: str = "-"
    order: str = "classic"


STYLES: Final = (
    Style("classic", "title", "lines", True, 0.12, 0.004, 0.3, "hash", "line"),
    Style("terse", "short", "inline", True, 0.55, 0.02, 0.25, "hash", "short", telegraphic=True),
    Style("dictated", "upper", "sentence", True, 0.02, 0.0, 0.4, "number", "sentence"),
    Style("problem", "short", "dash", False, 0.35, 0.01, 0.3, "hash", "short"),
    Style("template", "title", "dash", False, 0.1, 0.0, 0.25, "dash", "list"),
    Style("scribe", "upper", "lines", True, 0.02, 0.0, 0.5, "reasoned", "sentence", bullet="•",
          sections="visit"),
    Style("emergency", "title", "inline", True, 0.2, 0.012, 0.4, "prose", "line"),
    Style("nursing", "run", "inline", True, 0.3, 0.025, 0.3, "dash", "short", telegraphic=True),
    Style("surgical", "short", "inline", False, 0.5, 0.015, 0.3, "dash", "short",
          telegraphic=True, sections="thin"),
    Style("letter", "run", "sentence", True, 0.03, 0.002, 0.45, "prose", "sentence",
          sections="thin"),
    Style("clinic", "upper", "bullet", False, 0.05, 0.004, 0.5, "reasoned", "line", bullet="•",
          sections="visit"),
    Style("rehab", "title", "number", True, 0.15, 0.008, 0.4, "number", "line",
          order="function"),
    Style("consult", "hash", "dash", True, 0.25, 0.008, 0.35, "number", "line"),
    Style("outline", "title", "number", False, 0.2, 0.008, 0.35, "dash", "list", bullet="*",
          order="function"),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Style]] = {style.name: style for style in STYLES}
HELD_OUT: Final = ("consult", "outline")
"""Styles for testing alone: a model that is fitted on synthetic notes leaves them out."""


def heading(style: Style, section: str, chance: float = 0.0) -> str:
    """A section's heading with what parts it from its text; `chance` (0 to 1) picks its wording.

    >>> heading(BY_NAME["terse"], "pmh")
    'PMH: '
    """
    full, short = (_worded(names.split("|"), chance) for names in HEADINGS[section])
    return {
        "upper": f"{full.upper()}\n\n" if style.sections == "visit" else f"{full.upper()}:  ",
        "title": f"{full}:\n",
        "short": f"{short}: ",
        "hash": f"## {full}\n",
        "run": f"{full}: ",
    }[style.heading]


def _worded(names: list[str], chance: float) -> str:
    """The usual wording for half of the chances, the others in equal parts."""
    if chance < 0.5 or len(names) == 1:
        return names[0]
    return names[1 + int((chance - 0.5) * 2 * (len(names) - 1) * 0.9999)]
