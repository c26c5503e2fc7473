"""What is measured: MIMIC-IV's items, their units, and how their values are spread here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Lab:
    """A laboratory test.

    `mean` and the spreads are on the scale of the value, or of its logarithm where `log`.
    `severe` moves the value for a standard deviation of severity, and recovers with the days.
    `ordered` and `more` give how often a stay has the test: at average severity, and the rise of
    the logit with severity: what is missing tells something, as in a real hospital.
    """

    key: str
    item: int
    label: str
    category: str
    unit: str
    low: float
    high: float
    decimals: int
    log: bool
    mean: float
    patient: float
    stay: float
    severe: float
    noise: float
    least: float
    most: float
    ordered: float = 0.97
    more: float = 0.3


LABS: Final = (
    Lab("sodium", 50983, "Sodium", "Chemistry", "mEq/L", 133, 145, 0, False, 138, 1.8, 2.6, 0.4,
        1.4, 112, 168),
    Lab("potassium", 50971, "Potassium", "Chemistry", "mEq/L", 3.3, 5.1, 1, False, 4.2, 0.2, 0.35,
        0.1, 0.3, 2.2, 7.8),
    Lab("chloride", 50902, "Chloride", "Chemistry", "mEq/L", 96, 108, 0, False, 102, 2, 3, 0.2, 1.8,
        80, 130),
    Lab("bicarbonate", 50882, "Bicarbonate", "Chemistry", "mEq/L", 22, 32, 0, False, 24.5, 1.4, 2.4,
        -1.6, 1.5, 6, 46),
    Lab("bun", 51006, "Urea Nitrogen", "Chemistry", "mg/dL", 6, 20, 0, True, 3.0, 0.3, 0.32, 0.2,
        0.12, 3, 180),
    Lab("creatinine", 50912, "Creatinine", "Chemistry", "mg/dL", 0.4, 1.2, 1, True, 0.08, 0.3, 0.3,
        0.18, 0.1, 0.2, 15),
    Lab("glucose", 50931, "Glucose", "Chemistry", "mg/dL", 70, 100, 0, True, 4.85, 0.18, 0.18, 0.06,
        0.2, 38, 800),
    Lab("magnesium", 50960, "Magnesium", "Chemistry", "mg/dL", 1.6, 2.6, 1, False, 2.0, 0.08, 0.18,
        0.02, 0.14, 0.8, 4.5, 0.8),
    Lab("hemoglobin", 51222, "Hemoglobin", "Hematology", "g/dL", 12, 16, 1, False, 11.2, 1.3, 1.3,
        -0.3, 0.4, 4.5, 19),
    Lab("hematocrit", 51221, "Hematocrit", "Hematology", "%", 36, 48, 1, False, 34, 3.8, 3.8, -0.8,
        1.2, 13, 58),
    Lab("wbc", 51301, "White Blood Cells", "Hematology", "K/uL", 4, 11, 1, True, 2.2, 0.2, 0.32,
        0.15, 0.15, 0.2, 90),
    Lab("platelets", 51265, "Platelet Count", "Hematology", "K/uL", 150, 440, 0, False, 220, 50, 55,
        -10, 18, 5, 900),
    Lab("inr", 51237, "INR(PT)", "Hematology", "", 0.9, 1.1, 1, True, 0.22, 0.15, 0.18, 0.05, 0.06,
        0.8, 9, 0.7, 0.5),
    Lab("bilirubin", 50885, "Bilirubin, Total", "Chemistry", "mg/dL", 0, 1.5, 1, True, -0.3, 0.4,
        0.4, 0.15, 0.12, 0.1, 40, 0.6, 0.6),
    Lab("alt", 50861, "Alanine Aminotransferase (ALT)", "Chemistry", "IU/L", 0, 40, 0, True, 3.3,
        0.4, 0.5, 0.1, 0.15, 4, 4000, 0.6, 0.6),
    Lab("albumin", 50862, "Albumin", "Chemistry", "g/dL", 3.5, 5.2, 1, False, 3.4, 0.3, 0.4, -0.15,
        0.12, 1.2, 5.4, 0.5, 0.5),
    Lab("lactate", 50813, "Lactate", "Blood Gas", "mmol/L", 0.5, 2, 1, True, 0.5, 0.1, 0.33, 0.22,
        0.14, 0.4, 20, 0.35, 1.0),
    Lab("troponin", 51003, "Troponin T", "Chemistry", "ng/mL", 0, 0.01, 2, True, -3.6, 0.3, 0.8,
        0.2, 0.2, 0.01, 20, 0.35, 0.5),
    Lab("bnp", 50963, "NTproBNP", "Chemistry", "pg/mL", 0, 353, 0, True, 7.0, 0.5, 0.7, 0.2, 0.2, 5,
        70000, 0.25, 0.4),
)  # fmt: skip
LAB_INDEX: Final = {lab.key: number for number, lab in enumerate(LABS)}

ARTERIAL: Final = (
    Lab("po2", 50821, "pO2", "Blood Gas", "mm Hg", 85, 105, 0, False, 105, 8, 20, -8, 12, 35, 480),
    Lab("pco2", 50818, "pCO2", "Blood Gas", "mm Hg", 35, 45, 0, False, 41, 2, 5, 1, 3, 16, 110),
    Lab("ph", 50820, "pH", "Blood Gas", "units", 7.35, 7.45, 2, False, 7.38, 0.01, 0.04, -0.02,
        0.02, 6.9, 7.65),
)  # fmt: skip
SPECIMEN: Final = (52033, "Specimen Type", "Blood Gas")


@dataclass(frozen=True, slots=True)
class Vital:
    """A charted observation of intensive care; fields as in `Lab`."""

    key: str
    item: int
    label: str
    short: str
    category: str
    unit: str
    decimals: int
    mean: float
    patient: float
    stay: float
    severe: float
    noise: float
    least: float
    most: float


VITALS: Final = (
    Vital("pulse", 220045, "Heart Rate", "HR", "Routine Vital Signs", "bpm", 0, 86, 5, 11, 5, 5, 28,
          190),
    Vital("pressure", 220179, "Non Invasive Blood Pressure systolic", "NBPs", "Routine Vital Signs",
          "mmHg", 0, 119, 7, 12, -5, 7, 48, 230),
    Vital("diastolic", 220180, "Non Invasive Blood Pressure diastolic", "NBPd",
          "Routine Vital Signs", "mmHg", 0, 66, 4, 7, -2, 5, 24, 130),
    Vital("arterial_mean", 220181, "Non Invasive Blood Pressure mean", "NBPm",
          "Routine Vital Signs", "mmHg", 0, 81, 4, 8, -3, 5, 30, 160),
    Vital("breaths", 220210, "Respiratory Rate", "RR", "Respiratory", "insp/min", 0, 18.5, 0.8, 2.8,
          1.2, 2.2, 5, 48),
    Vital("saturation", 220277, "O2 saturation pulseoxymetry", "SpO2", "Respiratory", "%", 0, 96.4,
          0.5, 1.2, -0.6, 1.0, 70, 100),
    Vital("temperature", 223761, "Temperature Fahrenheit", "Temperature F", "Routine Vital Signs",
          "°F", 1, 98.5, 0.1, 0.6, 0.15, 0.4, 90, 106),
)  # fmt: skip
EYES, VERBAL, MOTOR = 220739, 223900, 223901
COMA: Final = (
    (EYES, "GCS - Eye Opening", "Eye Opening", 4),
    (VERBAL, "GCS - Verbal Response", "Verbal Response", 5),
    (MOTOR, "GCS - Motor Response", "Motor Response", 6),
)
COMA_WORDS: Final = {
    EYES: ("None", "To Pain", "To Speech", "Spontaneously"),
    VERBAL: ("No Response", "Incomprehensible sounds", "Inappropriate Words", "Confused",
             "Oriented"),
    MOTOR: ("No response", "Abnormal extension", "Abnormal Flexion", "Flex-withdraws",
            "Localizes Pain", "Obeys Commands"),
}  # fmt: skip
ARTERIAL_OXYGEN, INSPIRED_OXYGEN, WEIGHT = 220224, 223835, 226512
URINE, VENTILATION, NOREPINEPHRINE, SALINE = 226559, 225792, 221906, 225158
