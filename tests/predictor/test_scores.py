"""Bedside scores: every band at its limits, and hospitals whose scores were added up by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predictor.cohort import load_task, make_cohort
from predictor.comorbidity import charlson_of
from predictor.scores import (
    Extremes,
    Score,
    bedside_scores,
    charlson,
    hospital,
    lace,
    oasis,
    saps2,
    saps2_risk,
    sofa,
)
from predictor.sources import open_records
from tests.predictor.mimic4_files import LABEVENTS, write_mimic4


def both(value: float) -> Extremes:
    return Extremes(value, value)


LACE = {"days": 0.5, "acute": 0, "comorbidity": 0, "emergency_visits": 0}
HOSPITAL = {"haemoglobin": 12, "oncology": 0, "sodium": 135, "procedure": 0, "urgent": 0,
            "admissions": 0, "days": 4.9}  # fmt: skip
SAPS2: dict[str, Any] = {
    "age": 39, "heart_rate": both(70), "systolic": both(100), "temperature": both(38.9),
    "oxygenation": None, "supported": 0, "urine": 1000, "urea_nitrogen": both(27.9),
    "white_cells": both(1), "potassium": both(3), "sodium": both(125), "bicarbonate": both(20),
    "bilirubin": both(3.9), "gcs": 14, "disease": "none", "admission": "scheduled surgical",
}  # fmt: skip
OASIS: dict[str, Any] = {
    "hours_before": 24, "age": 23, "gcs": 15, "heart_rate": both(88), "mean_pressure": both(61.33),
    "respiratory_rate": both(22), "temperature": both(36.88), "urine": 2544.15, "ventilated": 0,
    "elective_surgery": 1,
}  # fmt: skip
SOFA: dict[str, Any] = {
    "oxygenation": 400, "supported": 1, "platelets": 150, "bilirubin": 1.19, "mean_pressure": 70,
    "pressors": {}, "gcs": 15, "creatinine": 1.19, "urine": 500,
}  # fmt: skip


def test_the_healthy_have_no_points() -> None:
    healthy = [lace(**LACE), hospital(**HOSPITAL), saps2(**SAPS2), oasis(**OASIS), sofa(**SOFA)]
    assert healthy == [Score(0)] * 5


@pytest.mark.parametrize(("change", "points"), [
    ({"days": 0.99}, 0), ({"days": 1}, 1), ({"days": 1.99}, 1), ({"days": 2}, 2), ({"days": 3}, 3),
    ({"days": 4}, 4), ({"days": 6.99}, 4), ({"days": 7}, 5), ({"days": 13.99}, 5),
    ({"days": 14}, 7), ({"acute": 1}, 3), ({"comorbidity": 1}, 1), ({"comorbidity": 2}, 2),
    ({"comorbidity": 3}, 3), ({"comorbidity": 4}, 5), ({"comorbidity": 9}, 5),
    ({"emergency_visits": 3}, 3), ({"emergency_visits": 4}, 4), ({"emergency_visits": 9}, 4),
    ({"days": 20, "acute": 1, "comorbidity": 8, "emergency_visits": 5}, 19),
])  # fmt: skip
def test_lace(change: dict[str, float], points: int) -> None:
    assert lace(**{**LACE, **change}).points == points


@pytest.mark.parametrize(("change", "points"), [
    ({"haemoglobin": 11.9}, 1), ({"oncology": 1}, 2), ({"sodium": 134.9}, 1), ({"procedure": 3}, 1),
    ({"urgent": 1}, 1), ({"admissions": 1}, 2), ({"admissions": 5}, 2), ({"admissions": 6}, 5),
    ({"days": 5}, 2),
    ({"haemoglobin": 8, "oncology": 1, "sodium": 130, "procedure": 1, "urgent": 1, "admissions": 9,
      "days": 9}, 13),
])  # fmt: skip
def test_hospital(change: dict[str, float], points: int) -> None:
    assert hospital(**{**HOSPITAL, **change}).points == points


@pytest.mark.parametrize(("change", "points"), [
    ({"age": 40}, 7), ({"age": 59.9}, 7), ({"age": 60}, 12), ({"age": 70}, 15), ({"age": 75}, 16),
    ({"age": 80}, 18),
    ({"heart_rate": both(39)}, 11), ({"heart_rate": both(40)}, 2), ({"heart_rate": both(69)}, 2),
    ({"heart_rate": both(119)}, 0), ({"heart_rate": both(120)}, 4), ({"heart_rate": both(160)}, 7),
    ({"heart_rate": Extremes(39, 170)}, 11), ({"heart_rate": Extremes(60, 170)}, 7),
    ({"systolic": both(69)}, 13), ({"systolic": both(70)}, 5), ({"systolic": both(199)}, 0),
    ({"systolic": both(200)}, 2), ({"temperature": both(39)}, 3),
    ({"supported": 1, "oxygenation": 99}, 11), ({"supported": 1, "oxygenation": 100}, 9),
    ({"supported": 1, "oxygenation": 199}, 9), ({"supported": 1, "oxygenation": 200}, 6),
    ({"urine": 499}, 11), ({"urine": 500}, 4), ({"urine": 999}, 4),
    ({"urea_nitrogen": both(28)}, 6), ({"urea_nitrogen": both(83.9)}, 6),
    ({"urea_nitrogen": both(84)}, 10), ({"white_cells": both(0.9)}, 12),
    ({"white_cells": both(19.9)}, 0), ({"white_cells": both(20)}, 3), ({"potassium": both(2.9)}, 3),
    ({"potassium": both(4.9)}, 0), ({"potassium": both(5)}, 3), ({"sodium": both(124)}, 5),
    ({"sodium": both(144)}, 0), ({"sodium": both(145)}, 1), ({"bicarbonate": both(14)}, 6),
    ({"bicarbonate": both(15)}, 3), ({"bicarbonate": both(19)}, 3), ({"bilirubin": both(4)}, 4),
    ({"bilirubin": both(5.9)}, 4), ({"bilirubin": both(6)}, 9), ({"gcs": 13}, 5), ({"gcs": 11}, 5),
    ({"gcs": 10}, 7), ({"gcs": 9}, 7), ({"gcs": 8}, 13), ({"gcs": 6}, 13), ({"gcs": 5}, 26),
    ({"disease": "AIDS"}, 17), ({"disease": "haematological malignancy"}, 10),
    ({"disease": "metastatic cancer"}, 9), ({"admission": "medical"}, 6),
    ({"admission": "unscheduled surgical"}, 8),
])  # fmt: skip
def test_saps2(change: dict[str, Any], points: int) -> None:
    assert saps2(**{**SAPS2, **change}).points == points


def test_saps2_goes_up_to_163_and_gives_the_published_risks() -> None:
    sickest = {
        "age": 90, "heart_rate": both(30), "systolic": both(60), "temperature": both(40),
        "oxygenation": 50, "supported": 1, "urine": 100, "urea_nitrogen": both(100),
        "white_cells": both(0.5), "potassium": both(6), "sodium": both(120),
        "bicarbonate": both(10), "bilirubin": both(10), "gcs": 3, "disease": "AIDS",
        "admission": "unscheduled surgical",
    }  # fmt: skip
    assert saps2(**sickest).points == 163
    assert saps2_risk(40) == pytest.approx(0.247, abs=5e-4)  # 24.7 % in the paper's table
    assert saps2_risk(60) == pytest.approx(0.681, abs=5e-4)


@pytest.mark.parametrize(("change", "points"), [
    ({"hours_before": 0.16}, 5), ({"hours_before": 0.17}, 3), ({"hours_before": 4.94}, 3),
    ({"hours_before": 4.95}, 0), ({"hours_before": 24.01}, 2), ({"hours_before": 311.8}, 2),
    ({"hours_before": 311.9}, 1), ({"age": 24}, 3), ({"age": 53}, 3), ({"age": 54}, 6),
    ({"age": 77}, 6), ({"age": 78}, 9), ({"age": 89}, 9), ({"age": 90}, 7), ({"gcs": 14}, 3),
    ({"gcs": 13}, 4), ({"gcs": 8}, 4), ({"gcs": 7}, 10), ({"heart_rate": both(32)}, 4),
    ({"heart_rate": both(33)}, 0), ({"heart_rate": both(89)}, 1), ({"heart_rate": both(106)}, 1),
    ({"heart_rate": both(107)}, 3), ({"heart_rate": both(125)}, 3), ({"heart_rate": both(126)}, 6),
    ({"mean_pressure": both(20.64)}, 4), ({"mean_pressure": both(50.9)}, 3),
    ({"mean_pressure": both(51)}, 2), ({"mean_pressure": both(143.44)}, 0),
    ({"mean_pressure": both(143.5)}, 3), ({"respiratory_rate": both(5)}, 10),
    ({"respiratory_rate": both(6)}, 1), ({"respiratory_rate": both(12)}, 1),
    ({"respiratory_rate": both(13)}, 0), ({"respiratory_rate": both(23)}, 1),
    ({"respiratory_rate": both(30)}, 1), ({"respiratory_rate": both(31)}, 6),
    ({"respiratory_rate": both(44)}, 6), ({"respiratory_rate": both(45)}, 9),
    ({"temperature": both(33.21)}, 3), ({"temperature": both(33.22)}, 4),
    ({"temperature": both(35.93)}, 4), ({"temperature": both(35.94)}, 2),
    ({"temperature": both(36.39)}, 2), ({"temperature": both(36.4)}, 0),
    ({"temperature": both(36.89)}, 2), ({"temperature": both(39.88)}, 2),
    ({"temperature": both(39.89)}, 6), ({"urine": 671.08}, 10), ({"urine": 671.09}, 5),
    ({"urine": 1426.99}, 5), ({"urine": 1427}, 1), ({"urine": 2544.14}, 1), ({"urine": 6896.8}, 0),
    ({"urine": 6896.9}, 8), ({"ventilated": 1}, 9), ({"elective_surgery": 0}, 6),
])  # fmt: skip
def test_oasis(change: dict[str, Any], points: int) -> None:
    assert oasis(**{**OASIS, **change}).points == points


@pytest.mark.parametrize(("change", "points"), [
    ({"oxygenation": 399}, 1), ({"oxygenation": 299}, 2), ({"oxygenation": 199}, 3),
    ({"oxygenation": 99}, 4), ({"oxygenation": 99, "supported": 0}, 2), ({"platelets": 149}, 1),
    ({"platelets": 99}, 2), ({"platelets": 49}, 3), ({"platelets": 19}, 4),
    ({"bilirubin": 1.2}, 1),
    ({"bilirubin": 2}, 2), ({"bilirubin": 6}, 3), ({"bilirubin": 12}, 4),
    ({"mean_pressure": 69}, 1),
    ({"pressors": {"dobutamine": 1}}, 2), ({"pressors": {"dopamine": 5}}, 2),
    ({"pressors": {"dopamine": 5.1}}, 3), ({"pressors": {"norepinephrine": 0.1}}, 3),
    ({"pressors": {"epinephrine": 0.11}}, 4), ({"pressors": {"dopamine": 15.1}}, 4),
    ({"gcs": 14}, 1), ({"gcs": 12}, 2), ({"gcs": 9}, 3), ({"gcs": 5}, 4), ({"creatinine": 1.2}, 1),
    ({"creatinine": 2}, 2), ({"creatinine": 3.5}, 3), ({"creatinine": 5}, 4), ({"urine": 499}, 3),
    ({"urine": 199}, 4), ({"creatinine": 2, "urine": 199}, 4),
])  # fmt: skip
def test_sofa(change: dict[str, Any], points: int) -> None:
    assert sofa(**{**SOFA, **change}).points == points


def test_a_score_without_an_input_says_which() -> None:
    assert lace(**{**LACE, "days": None}) == Score(None, ("length of stay (days)",))
    assert hospital(**{**HOSPITAL, "sodium": float("nan"), "oncology": None}) == Score(
        None, ("oncology service", "sodium at discharge (mmol/L)")
    )
    gone = saps2(**{**SAPS2, "supported": 1, "disease": None, "heart_rate": Extremes(None, 90)})
    assert gone == Score(None, ("heart rate (1/min)", "PaO2/FiO2 (mmHg)", "chronic disease"))
    assert sofa(**{**SOFA, "pressors": None}) == Score(None, ("vasopressors (mcg/kg/min)",))
    assert oasis(**{**OASIS, "gcs": None}).points is None
    assert charlson(index=None).missed == ("diagnosis codes of earlier stays",)


@pytest.mark.parametrize(("codes", "index"), [
    ([("410.71", "ICD9CM"), ("I21.4", "ICD10CM")], 1),  # the same disease twice
    ([("25000", "ICD9CM")], 1), ([("25000", "ICD9CM"), ("25040", "ICD9CM")], 2),
    ([("K700", "ICD10CM"), ("K7290", "ICD10CM")], 3),
    ([("C787", "ICD10CM"), ("C187", "ICD10CM")], 6),
    ([("042", "ICD9CM")], 6), ([("0420", "ICD10CM")], 0),
    ([("F03", "ICD10CM"), ("G81", "ICD10CM")], 3),
    ([("V420", "ICD9CM")], 2), ([("E1121", "ICD10CM")], 2), ([("E1165", "ICD10CM")], 1),
    ([("425.3", "ICD9CM")], 0), ([("4254", "ICD9CM")], 1), ([], 0),
])  # fmt: skip
def test_charlson(codes: list[tuple[str, str]], index: int) -> None:
    assert charlson_of(codes) == index


CHARTEVENTS = """\
subject_id,hadm_id,stay_id,charttime,storetime,itemid,value,valuenum,valueuom
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,220045,128,128,bpm
3,31,91,2170-03-01 18:00:00,2170-03-01 18:05:00,220045,80,80,bpm
3,31,91,2170-03-02 12:00:00,2170-03-02 12:05:00,220045,170,170,bpm
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,220052,60,60,mmHg
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,220210,24,24,insp/min
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,223761,98.6,98.6,°F
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,220739,3,3,
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,223900,4,4,
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,223901,6,6,
3,31,91,2170-03-01 20:00:00,2170-03-01 20:05:00,223901,1,1,
3,31,91,2170-03-01 12:00:00,2170-03-01 12:05:00,223835,50,50,
"""
OUTPUTEVENTS = """\
subject_id,hadm_id,stay_id,charttime,storetime,itemid,value,valueuom
3,31,91,2170-03-01 13:00:00,2170-03-01 13:05:00,226559,300,ml
3,31,91,2170-03-01 23:00:00,2170-03-01 23:05:00,226559,150.5,ml
"""
PROCEDUREEVENTS = """\
subject_id,hadm_id,stay_id,starttime,endtime,storetime,itemid
3,31,91,2170-03-01 14:00:00,2170-03-03 12:00:00,2170-03-03 12:00:00,225792
"""
INPUTEVENTS = """\
subject_id,hadm_id,stay_id,starttime,endtime,storetime,itemid,rate,rateuom
3,31,91,2170-03-01 14:00:00,2170-03-01 15:00:00,2170-03-01 14:00:00,221906,0.05,mcg/kg/min
"""
D_ITEMS = """\
itemid,label
225792,Invasive Ventilation
221906,Norepinephrine
"""
BLOOD = (
    LABEVENTS
    + "".join(
        f"{n},3,31,{item},2170-03-01 13:00:00,2170-03-01 14:00:00,{value},{value},{unit}\n"
        for n, (item, value, unit) in enumerate(
            [(50821, 80, "mm Hg"), (51265, 90, "K/uL"), (50885, 2.5, "mg/dL"),
             (50912, 1.5, "mg/dL")],
            start=100,
        )
    )
)  # fmt: skip
INTENSIVE = {
    "icu/chartevents": CHARTEVENTS, "icu/outputevents": OUTPUTEVENTS, "icu/d_items": D_ITEMS,
    "icu/procedureevents": PROCEDUREEVENTS, "icu/inputevents": INPUTEVENTS,
}  # fmt: skip


def test_scores_of_the_first_day_added_up_by_hand(tmp_path: Path) -> None:
    """Patient 3, 50 years, in intensive care an hour after admission.

    OASIS: 1 h before 3, age 3, coma scale 13 4, heart rate 128 6, mean pressure 60 2, breaths 24
    1, 37.0 degrees 2, urine 450.5 mL 10, ventilated 9, no elective surgery 6: 46.
    SOFA: 80 / 0.5 = 160 ventilated 3, platelets 2, bilirubin 2, norepinephrine 0.05 3, coma scale
    1, creatinine 1.5 1 but urine 450.5 3: 14.
    """
    write_mimic4(tmp_path, INTENSIVE, labevents=BLOOD, services=SERVICES_31)
    with open_records(tmp_path) as records:
        task = load_task("icu_mortality_24h")
        scores = bedside_scores(records, make_cohort(records, task), task)
    assert scores.table["stay_id"].to_pylist() == ["31"]
    assert scores.points("OASIS").tolist() == [46]
    assert scores.points("SOFA").tolist() == [14]
    assert scores.missed["SAPS II"][0] == (
        "systolic pressure (mmHg)", "urea nitrogen (mg/dL)", "white cells (10^9/L)",
        "potassium (mmol/L)", "bicarbonate (mmol/L)", "chronic disease",
    )  # fmt: skip
    assert scores.missed["LACE"][0] == ("a prediction at discharge",)


SERVICES_31 = """\
subject_id,hadm_id,transfertime,prev_service,curr_service
3,31,2170-03-01 10:00:00,,MED
"""
EDSTAYS = """\
subject_id,hadm_id,stay_id,intime
1,11,501,2150-01-01 08:00:00
1,,502,2150-01-10 08:00:00
1,,503,2149-07-01 08:00:00
"""
PROCEDURES = """\
subject_id,hadm_id,seq_num,icd_code,icd_version
1,11,1,3723,9
"""


def test_scores_at_discharge_added_up_by_hand(tmp_path: Path) -> None:
    """Patient 1. Stay 12, of 5 days, urgent, after stay 11 (heart failure, diabetes) and two
    emergency visits in six months: LACE 4 + 3 + (2 + 1 = 3) 3 + 2 = 12. Stay 11: codes of no
    earlier stay.

    HOSPITAL of stay 11: haemoglobin not drawn. With one of 11.5, sodium 140: 1 + 0 + 0 + a
    procedure 1 + urgent 1 + no admission 0 + 4 days 0 = 3.
    """
    more = {"ed/edstays": EDSTAYS, "hosp/procedures_icd": PROCEDURES}
    blood = LABEVENTS + "90,1,11,51222,2150-01-04 09:00:00,,11.5,11.5,g/dL\n"
    write_mimic4(tmp_path, more, labevents=blood)
    task = load_task("readmission_30d")
    with open_records(tmp_path) as records:
        scores = bedside_scores(records, make_cohort(records, task), task)
        granted = replace(task, allow_index_codes=True)
        allowed = bedside_scores(records, make_cohort(records, task), granted)
    assert scores.table["stay_id"].to_pylist() == ["11", "12"]
    np.testing.assert_array_equal(scores.points("LACE"), [np.nan, 12])
    assert scores.missed["LACE"] == (("Charlson comorbidity (points)",), ())
    np.testing.assert_array_equal(scores.points("HOSPITAL"), [3, np.nan])
    assert scores.missing("LACE") == {"Charlson comorbidity (points)": 1}
    assert allowed.points("LACE").tolist() == [4 + 3 + 3 + 0, 4 + 3 + 5 + 2]


def test_without_the_emergency_module_lace_is_not_computable(tmp_path: Path) -> None:
    task = load_task("readmission_30d")
    with open_records(write_mimic4(tmp_path)) as records:
        scores = bedside_scores(records, make_cohort(records, task), task)
    assert scores.missing("LACE")["emergency visits in 6 months"] == 2


def test_scores_that_a_table_holds(data: Path) -> None:
    """SUPPORT2: the study's own estimates, on their rows (AUROC 0.841, 0.79 and 0.81)."""
    from sklearn.metrics import roc_auc_score

    with open_records(data / "ehr" / "support2") as records:
        task = load_task("in_hospital_mortality", records)
        cohort = make_cohort(records, task)
        scores = bedside_scores(records, cohort, task)
    labels = cohort.rows["label"].to_numpy()
    found = {}
    for name in scores.names:
        points = scores.points(name)
        known = ~np.isnan(points)
        found[name] = (int(known.sum()), round(roc_auc_score(labels[known], points[known]), 2))
    assert found == {
        "SUPPORT physiology score": (9104, 0.79), "APACHE III": (9104, 0.79),
        "SUPPORT model, two months": (9104, 0.84), "physician, two months": (7456, 0.81),
    }  # fmt: skip
