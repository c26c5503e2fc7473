"""The authors of the synthetic hospital: how each lays out, shortens and misspells a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HEADINGS: Final[Mapping[str, tuple[str, str]]] = {
    "cc": ("Chief Complaint", "CC"),
    "hpi": ("History of Present Illness", "HPI"),
    "pmh": ("Past Medical History", "PMH"),
    "psh": ("Past Surgical History", "PSH"),
    "meds": ("Medications on Admission", "Meds"),
    "allergies": ("Allergies", "All"),
    "fh": ("Family History", "FH"),
    "sh": ("Social History", "SH"),
    "ros": ("Review of Systems", "ROS"),
    "vitals": ("Vital Signs", "VS"),
    "exam": ("Physical Exam", "PE"),
    "labs": ("Pertinent Results", "Labs"),
    "imaging": ("Imaging", "Imaging"),
    "plan": ("Assessment and Plan", "A/P"),
    "interval": ("Interval History", "S"),
    "function": ("Functional Status", "Function"),
    "dx": ("Discharge Diagnosis", "Dx"),
    "course": ("Brief Hospital Course", "Course"),
    "procedures": ("Major Surgical or Invasive Procedure", "Procedures"),
    "dmeds": ("Discharge Medications", "D/C Meds"),
    "instructions": ("Discharge Instructions", "Instructions"),
}
"""Section to its heading in full and in short."""


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


def heading(style: Style, section: str) -> str:
    """A section's heading with what parts it from its text.

    >>> heading(BY_NAME["terse"], "pmh")
    'PMH: '
    """
    full, short = HEADINGS[section]
    return {
        "upper": f"{full.upper()}\n\n" if style.sections == "visit" else f"{full.upper()}:  ",
        "title": f"{full}:\n",
        "short": f"{short}: ",
        "hash": f"## {full}\n",
        "run": f"{full}: ",
    }[style.heading]
