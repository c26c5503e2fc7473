"""Laboratory and vital values as notes state them: names, concepts, units."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final

from predictor.synthetic.author import Reading
from predictor.synthetic.phrases import concept_of

# item of the hospital's tables: (names, unit, decimals, typical, spread)
LABS: Final[Mapping[str, tuple[tuple[str, ...], str, int, float, float]]] = {
    "sodium": (("sodium", "serum sodium", "Na"), "mmol/L", 0, 138, 4),
    "potassium": (("potassium", "K", "serum potassium"), "mmol/L", 1, 4.2, 0.6),
    "chloride": (("chloride", "Cl"), "mmol/L", 0, 102, 5),
    "bicarbonate": (("bicarbonate", "HCO3", "bicarb"), "mmol/L", 0, 24, 4),
    "creatinine": (("creatinine", "Cr", "serum creatinine"), "mg/dL", 1, 1.2, 0.8),
    "bun": (("BUN", "blood urea nitrogen"), "mg/dL", 0, 24, 14),
    "glucose": (("glucose", "blood glucose"), "mg/dL", 0, 135, 50),
    "hemoglobin": (("hemoglobin", "Hgb", "Hb"), "g/dL", 1, 11.2, 2),
    "hematocrit": (("hematocrit", "Hct"), "%", 1, 34, 5),
    "wbc": (("WBC", "white blood cell count", "white count"), "K/uL", 1, 9.5, 4),
    "platelets": (("platelets", "platelet count", "plt"), "K/uL", 0, 220, 80),
    "bilirubin": (("total bilirubin", "bilirubin", "T bili"), "mg/dL", 1, 0.9, 0.8),
    "lactate": (("lactate", "serum lactate"), "mmol/L", 1, 1.8, 1.0),
    "albumin": (("albumin", "serum albumin"), "g/dL", 1, 3.3, 0.6),
    "inr": (("INR", "international normalized ratio"), "", 1, 1.3, 0.4),
    "troponin": (("troponin", "troponin T"), "ng/mL", 2, 0.03, 0.05),
    "bnp": (("NT-proBNP", "proBNP"), "pg/mL", 0, 1400, 1200),
    "alt": (("ALT", "alanine aminotransferase"), "U/L", 0, 32, 25),
    "magnesium": (("magnesium", "Mg"), "mg/dL", 1, 2.0, 0.3),
    "a1c": (("hemoglobin A1c", "HbA1c", "A1c"), "%", 1, 7.1, 1.3),
}
VITALS: Final[Mapping[str, tuple[tuple[str, ...], str, int, float, float]]] = {
    "temperature": (("temperature", "Temp", "T"), "F", 1, 98.6, 0.9),
    "heart_rate": (("heart rate", "pulse", "HR"), "bpm", 0, 86, 16),
    "pressure": (("blood pressure", "BP"), "mmHg", 0, 124, 18),
    "respiratory_rate": (("respiratory rate", "RR"), "", 0, 18, 3),
    "saturation": (("oxygen saturation", "O2 sat", "SpO2"), "%", 0, 96, 2),
}


def lab_reading(item: str, value: float) -> Reading:
    """A laboratory value, written with its usual decimals."""
    names, unit, decimals, _, _ = LABS[item]
    return Reading(names, _concept(names[0]), f"{value:.{decimals}f}", unit)


def vital_reading(item: str, value: float, second: float | None = None) -> Reading:
    """A vital sign; blood pressure takes the diastolic pressure as `second`."""
    names, unit, decimals, _, _ = VITALS[item]
    text = f"{value:.{decimals}f}" + ("" if second is None else f"/{second:.0f}")
    return Reading(names, _concept(names[0]), text, unit)


@cache
def _concept(name: str) -> str | None:
    return concept_of(name)


def practice_readings(rng: Random) -> tuple[Reading, ...]:
    """Plausible values for a note that belongs to no table."""
    return tuple(
        lab_reading(item, max(0.1, rng.gauss(typical, spread)))
        for item, (_, _, _, typical, spread) in LABS.items()
    )


def practice_vitals(rng: Random) -> tuple[Reading, ...]:
    """Plausible vital signs for a note that belongs to no table."""
    made = []
    for item, (_, _, _, typical, spread) in VITALS.items():
        value = rng.gauss(typical, spread)
        second = value * 0.6 if item == "pressure" else None
        made.append(vital_reading(item, min(value, 100) if item == "saturation" else value, second))
    return tuple(made)
