"""SAPS II, OASIS and SOFA from the first day in intensive care."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from predictor.bands import Bands, Score, Value, absent, below, just_above, missed, worst


@dataclass(frozen=True, slots=True)
class Extremes:
    """The lowest and the highest value of a day; `None` where none was observed."""

    low: Value
    high: Value

    @property
    def known(self) -> Value:
        """The lowest where both are there, else `None`."""
        return None if absent(self.low) or absent(self.high) else self.low

    def points(self, bands: Bands, otherwise: int) -> int:
        """The points of the worse end; both ends must be known."""
        return worst(_sure(self.low), _sure(self.high), bands, otherwise)


SAPS2_ADMISSION: Final = {"scheduled surgical": 0, "medical": 6, "unscheduled surgical": 8}
SAPS2_DISEASE: Final = {"none": 0, "metastatic cancer": 9, "haematological malignancy": 10,
                        "AIDS": 17}  # fmt: skip


def saps2(
    *,
    age: Value,
    heart_rate: Extremes,
    systolic: Extremes,
    temperature: Extremes,
    oxygenation: Value,
    supported: Value,
    urine: Value,
    urea_nitrogen: Extremes,
    white_cells: Extremes,
    potassium: Extremes,
    sodium: Extremes,
    bicarbonate: Extremes,
    bilirubin: Extremes,
    gcs: Value,
    disease: str | None,
    admission: str | None,
) -> Score:
    """SAPS II, 0 to 163 (Le Gall et al., JAMA 1993;270:2957-63), of the first 24 hours.

    Years, beats/min, mmHg, °C; `oxygenation`: the lowest PaO2/FiO2 in mmHg, read only where
    `supported` (1: ventilated or CPAP, 0: not); `urine` in mL a day; urea nitrogen and bilirubin
    mg/dL; white cells 10^9/L; potassium, sodium, bicarbonate mmol/L; `gcs`: the lowest, before
    sedation. `disease` and `admission` are keys of `SAPS2_DISEASE` and `SAPS2_ADMISSION`.
    """
    gone = missed({
        "age (years)": age,
        "heart rate (1/min)": heart_rate.known,
        "systolic pressure (mmHg)": systolic.known,
        "temperature (°C)": temperature.known,
        "ventilation": supported,
        "PaO2/FiO2 (mmHg)": oxygenation if supported else 0,
        "urine (mL/day)": urine,
        "urea nitrogen (mg/dL)": urea_nitrogen.known,
        "white cells (10^9/L)": white_cells.known,
        "potassium (mmol/L)": potassium.known,
        "sodium (mmol/L)": sodium.known,
        "bicarbonate (mmol/L)": bicarbonate.known,
        "bilirubin (mg/dL)": bilirubin.known,
        "Glasgow coma scale": gcs,
        "chronic disease": None if disease is None else 0,
        "type of admission": None if admission is None else 0,
    })  # fmt: skip
    if gone or disease is None or admission is None:
        return Score(None, gone)
    return Score(
        below(_sure(age), [(40, 0), (60, 7), (70, 12), (75, 15), (80, 16)], 18)
        + heart_rate.points([(40, 11), (70, 2), (120, 0), (160, 4)], 7)
        + systolic.points([(70, 13), (100, 5), (200, 0)], 2)
        + temperature.points([(39, 0)], 3)
        + (below(_sure(oxygenation), [(100, 11), (200, 9)], 6) if supported else 0)
        + below(_sure(urine), [(500, 11), (1000, 4)], 0)
        + urea_nitrogen.points([(28, 0), (84, 6)], 10)
        + white_cells.points([(1, 12), (20, 0)], 3)
        + potassium.points([(3, 3), (5, 0)], 3)
        + sodium.points([(125, 5), (145, 0)], 1)
        + bicarbonate.points([(15, 6), (20, 3)], 0)
        + bilirubin.points([(4, 0), (6, 4)], 9)
        + below(_sure(gcs), [(6, 26), (9, 13), (11, 7), (14, 5)], 0)
        + SAPS2_DISEASE[disease]
        + SAPS2_ADMISSION[admission]
    )


def saps2_risk(points: int) -> float:
    """The probability of death in hospital that SAPS II gives its points (same paper)."""
    logit = -7.7631 + 0.0737 * points + 0.9971 * math.log(points + 1)
    return 1 / (1 + math.exp(-logit))


def oasis(
    *,
    hours_before: Value,
    age: Value,
    gcs: Value,
    heart_rate: Extremes,
    mean_pressure: Extremes,
    respiratory_rate: Extremes,
    temperature: Extremes,
    urine: Value,
    ventilated: Value,
    elective_surgery: Value,
) -> Score:
    """OASIS, 0 to 75 (Johnson et al., Crit Care Med 2013;41:1711-8), of the first 24 hours.

    `hours_before`: hours in hospital before intensive care; years; `gcs`: the lowest; 1/min, mmHg,
    1/min, °C; `urine` in mL a day; `ventilated` and `elective_surgery`: 1 or 0.
    """
    gone = missed({
        "hours in hospital before": hours_before,
        "age (years)": age,
        "Glasgow coma scale": gcs,
        "heart rate (1/min)": heart_rate.known,
        "mean pressure (mmHg)": mean_pressure.known,
        "respiratory rate (1/min)": respiratory_rate.known,
        "temperature (°C)": temperature.known,
        "urine (mL/day)": urine,
        "ventilation": ventilated,
        "elective surgery": elective_surgery,
    })  # fmt: skip
    if gone:
        return Score(None, gone)
    up = just_above
    return Score(
        below(_sure(hours_before), [(0.17, 5), (4.95, 3), (up(24), 0), (up(311.8), 2)], 1)
        + below(_sure(age), [(24, 0), (54, 3), (78, 6), (90, 9)], 7)
        + below(_sure(gcs), [(8, 10), (14, 4), (15, 3)], 0)
        + heart_rate.points([(33, 4), (89, 0), (107, 1), (up(125), 3)], 6)
        + mean_pressure.points([(20.65, 4), (51, 3), (61.33, 2), (up(143.44), 0)], 3)
        + respiratory_rate.points([(6, 10), (13, 1), (up(22), 0), (up(30), 1), (up(44), 6)], 9)
        + temperature.points(
            [(33.22, 3), (up(35.93), 4), (up(36.39), 2), (up(36.88), 0), (up(39.88), 2)], 6
        )
        + below(_sure(urine), [(671.09, 10), (1427, 5), (up(2544.14), 1), (up(6896.8), 0)], 8)
        + (9 if ventilated else 0)
        + (0 if elective_surgery else 6)
    )


def sofa(
    *,
    oxygenation: Value,
    supported: Value,
    platelets: Value,
    bilirubin: Value,
    mean_pressure: Value,
    pressors: Mapping[str, float] | None,
    gcs: Value,
    creatinine: Value,
    urine: Value,
) -> Score:
    """SOFA, 0 to 24 (Vincent et al., Intensive Care Med 1996;22:707-10): the worst of a day.

    `oxygenation`: the lowest PaO2/FiO2 (mmHg); 3 and 4 points need `supported` (1 or 0).
    `platelets` 10^9/L, `mean_pressure` mmHg, `gcs`: the lowest; `bilirubin`, `creatinine` mg/dL:
    the highest; `urine` mL a day; `pressors`: the highest rate in mcg/kg/min of dopamine,
    dobutamine, epinephrine, norepinephrine (none: empty; not known: `None`).
    """
    gone = missed({
        "PaO2/FiO2 (mmHg)": oxygenation,
        "ventilation": supported,
        "platelets (10^9/L)": platelets,
        "bilirubin (mg/dL)": bilirubin,
        "mean pressure (mmHg)": mean_pressure,
        "vasopressors (mcg/kg/min)": None if pressors is None else 0,
        "Glasgow coma scale": gcs,
        "creatinine (mg/dL)": creatinine,
        "urine (mL/day)": urine,
    })  # fmt: skip
    if gone or pressors is None:
        return Score(None, gone)
    kidney = below(_sure(creatinine), [(1.2, 0), (2, 1), (3.5, 2), (5, 3)], 4)
    return Score(
        _lungs(_sure(oxygenation), bool(supported))
        + below(_sure(platelets), [(20, 4), (50, 3), (100, 2), (150, 1)], 0)
        + below(_sure(bilirubin), [(1.2, 0), (2, 1), (6, 2), (12, 3)], 4)
        + _circulation(_sure(mean_pressure), pressors)
        + below(_sure(gcs), [(6, 4), (10, 3), (13, 2), (15, 1)], 0)
        + max(kidney, below(_sure(urine), [(200, 4), (500, 3)], 0))
    )


def _lungs(oxygenation: float, supported: bool) -> int:
    points = below(oxygenation, [(100, 4), (200, 3), (300, 2), (400, 1)], 0)
    return points if supported else min(points, 2)


def _circulation(mean_pressure: float, pressors: Mapping[str, float]) -> int:
    dopamine = pressors.get("dopamine", 0.0)
    adrenergic = max(pressors.get("epinephrine", 0.0), pressors.get("norepinephrine", 0.0))
    if dopamine > 15 or adrenergic > 0.1:
        return 4
    if dopamine > 5 or adrenergic > 0:
        return 3
    if dopamine > 0 or pressors.get("dobutamine", 0.0) > 0:
        return 2
    return int(mean_pressure < 70)


def _sure(value: Value) -> float:
    assert value is not None, "inputs were checked"
    return value
