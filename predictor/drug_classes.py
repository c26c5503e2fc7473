"""Classes of drugs by the stems of their ingredients' names."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent / "drug_classes.tsv"
ACTIONS: Final = {
    "invasive ventilation": r"(?<!non-)invasive ventilation|^intubation",
    "non-invasive ventilation": r"non-invasive ventilation|bipap|cpap",
    "dialysis": r"dialysis - |hemodialysis|crrt|cvvh",
    "arterial line": r"arterial line",
    "central line": r"multi lumen|picc|cordis|dialysis catheter|trauma line|central line",
    "chest tube": r"chest tube placed|thoracentesis",
    "bronchoscopy": r"bronchoscopy",
    "urinary catheter": r"foley",
    "blood culture": r"blood culture|pan culture",
    "transfusion": r"transfusion",
    "cardioversion": r"cardioversion|defibrillation",
}
"""Bedside procedures by the labels that mean them (in lower case)."""


@cache
def classes() -> dict[str, re.Pattern[str]]:
    """Each class with a pattern over drug names in lower case; stems begin at a word."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {
        name: re.compile(
            r"\b(?:" + "|".join(stem.replace("_", r"\s") for stem in stems.split()) + ")"
        )
        for name, stems in rows
    }


def classes_of(drug: str) -> tuple[str, ...]:
    """The classes that a drug, as it was ordered, belongs to; sorted."""
    written = drug.lower()
    return tuple(sorted(name for name, pattern in classes().items() if pattern.search(written)))


def actions_of(label: str) -> tuple[str, ...]:
    """The kinds of bedside procedure that a label means; sorted."""
    written = label.lower()
    return tuple(sorted(name for name, pattern in ACTIONS.items() if re.search(pattern, written)))
