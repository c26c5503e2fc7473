"""What the outcomes depend on: causes of three kinds, with known weights.

The logit of an outcome is a base, plus what tables hold, plus what only notes say, plus a weight
for each documented pair among the patient's concepts. Every cause is a function of what was
charted and known by the prediction time: nothing that decides a risk is hidden from a reader of
the tables, the notes and the graph, so the best reachable AUROC is that of the risks themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

READMISSION: Final = "readmission_30d"
MORTALITY: Final = "in_hospital_mortality"
TASKS: Final = (READMISSION, MORTALITY)


@dataclass(frozen=True, slots=True)
class Trait:
    """A finding that only notes tell, present in about `share` of patients.

    `weights` are added to the logit of each task where its status is present, and only then.
    """

    name: str
    share: float
    readmission: float = 0.0
    mortality: float = 0.0


TRAITS: Final = (
    Trait("frailty", 0.18, 0.65, 0.75),
    Trait("fall", 0.18, 0.65),
    Trait("loss of appetite", 0.18, 0.55, 0.5),
    Trait("gait disturbance", 0.16, 0.55),
    Trait("cognitive impairment", 0.16, 0.6),
    Trait("urinary incontinence", 0.16, 0.55),
    Trait("exercise intolerance", 0.16, 0.6),
    Trait("weight loss", 0.16, 0.5, 0.45),
    Trait("insomnia", 0.16, 0.55),
    Trait("apathy", 0.14, 0.6),
    Trait("cachexia", 0.12, 0.0, 0.95),
    Trait("immobility", 0.14, 0.0, 0.85),
    Trait("failure to thrive", 0.12, 0.0, 0.9),
    Trait("lethargy", 0.14, 0.0, 0.8),
    Trait("somnolence", 0.14, 0.0, 0.75),
    Trait("pressure ulcer", 0.12, 0.0, 0.8),
    Trait("cyanosis", 0.12, 0.0, 0.85),
)
"""Named by the preferred names of the starter vocabulary."""

TOLD: Final[Mapping[str, float]] = {
    "absent": 0.13, "possible": 0.03, "hypothetical": 0.03, "family": 0.04, "historical": 0.03,
}  # fmt: skip
"""How often a trait is spoken of without being present; such a mention changes no risk."""

PAIR_WEIGHTS: Final[Mapping[str, float]] = {READMISSION: 0.9, MORTALITY: 1.05}
"""Added for each documented pair of the patient's concepts."""

PREVALENCE: Final[Mapping[str, float]] = {READMISSION: 0.12, MORTALITY: 0.08}

READMISSION_WEIGHTS: Final[Mapping[str, float]] = {
    "age": 0.25,  # a standard deviation (16 years) above 64
    "earlier_stays": 0.25,  # each in the year before, up to 3
    "emergency_visits": 0.22,  # each in the 180 days before, up to 4
    "hemoglobin": -0.28,  # each 2 g/dL above 11.2
    "sodium": -0.22,  # each 4 mmol/L above 138
    "creatinine": 0.26,  # each factor of e^0.55 above 1.1
    "days": 0.28,  # each factor of e^0.75 above 4 days
    "unplanned": 0.35,
    "comorbidity": 0.25,  # each coded at an earlier stay, up to 3
}
MORTALITY_WEIGHTS: Final[Mapping[str, float]] = {
    "age": 0.4,
    "bun": 0.4,  # each factor of e^0.55 above 20
    "bicarbonate": -0.3,  # each 4 mmol/L above 24
    "lactate": 0.4,  # where measured; each factor of e^0.5 above 1.7
    "platelets": -0.2,  # each 80 above 220
    "intensive": 0.4,
    "coma": 0.55,  # where charted; each 3 points of the Glasgow Coma Scale below 15
    "pressure": -0.35,  # where charted; each 15 mmHg above 118
    "pulse": 0.2,  # where charted; each 15 above 88
    "breaths": 0.25,  # where charted; each 4 above 19
    "ventilated": 0.45,
    "unplanned": 0.25,
}
