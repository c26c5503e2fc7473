"""Planted leaks are large enough to be found, and a clean hospital shows none of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from predictor.synthetic.causes import MORTALITY, READMISSION, TASKS
from predictor.synthetic.leaks import CODES, LATE_NOTES, LEAKS
from predictor.synthetic.make import Plan, make_hospital

from .conftest import table_of

PATIENTS = 1000
Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Hospitals by leak, without their notes unless the leak is in them; "" is the clean one."""
    folders: dict[str, Path] = {}

    def make(leak: str) -> Path:
        if leak not in folders:
            folders[leak] = tmp_path_factory.mktemp("leaks") / (leak or "clean")
            notes = leak in ("", LATE_NOTES)
            make_hospital(Plan(PATIENTS, 21, leak), folders[leak], notes=notes)
        return folders[leak]

    return make


def keyed(folder: Path, name: str) -> dict[int, dict[str, object]]:
    return {row["hadm_id"]: row for row in table_of(folder, name).to_pylist()}


def gap_of_stage1(folder: Path, task: str) -> float:
    """How much better stage 1 ranks development rows than test rows."""
    rows = [
        r for r in table_of(folder, f"stage1/{task}").to_pylist() if r["probability"] is not None
    ]
    areas = []
    for test in (False, True):
        part = [row for row in rows if (row["fold"] == -1) == test]
        areas.append(
            roc_auc_score([row["label"] for row in part], [row["probability"] for row in part])
        )
    return float(areas[0] - areas[1])


@pytest.mark.parametrize("task", TASKS)
def test_in_sample_outputs_rank_their_own_rows_too_well(made: Made, task: str) -> None:
    assert gap_of_stage1(made("stage1-in-sample"), task) > 0.08
    assert abs(gap_of_stage1(made(""), task)) < 0.12


@pytest.mark.parametrize("task", TASKS)
def test_having_a_row_of_stage_1_tells_the_outcome(made: Made, task: str) -> None:
    folder = made("stage1-rows-by-outcome")
    there = keyed(folder, f"stage1/{task}")
    labels = keyed(folder, f"labels/{task}")
    missing = [hadm not in there for hadm in labels]
    area = roc_auc_score([row["label"] for row in labels.values()], missing)
    assert abs(area - 0.5) > 0.12
    assert set(keyed(made(""), f"stage1/{task}")) == set(keyed(made(""), f"labels/{task}"))


def known_death_codes(folder: Path) -> tuple[list[object], list[int]]:
    """Labels of death, and how many codes of the course were known by the prediction time."""
    labels = keyed(folder, f"labels/{MORTALITY}")
    counts = dict.fromkeys(labels, 0)
    for row in table_of(folder, "hosp/diagnoses_icd").to_pylist():
        label = labels.get(row["hadm_id"])
        if label and row["storetime"] <= label["prediction_time"]:
            counts[row["hadm_id"]] += row["icd_code"] in ("I469", "Z66", "Z515", "J9601", "G931")
    return [row["label"] for row in labels.values()], list(counts.values())


def test_codes_of_the_stay_are_known_too_early(made: Made) -> None:
    label, count = known_death_codes(made(CODES))
    assert roc_auc_score(label, count) > 0.9
    assert not any(known_death_codes(made(""))[1])


def test_the_wrong_clock_gives_other_labels_and_rows_of_the_dead(made: Made) -> None:
    right = keyed(made(""), f"labels/{READMISSION}")
    wrong = keyed(made("readmission-clock"), f"labels/{READMISSION}")
    stays = keyed(made(""), "hosp/admissions")
    assert any(stays[hadm]["hospital_expire_flag"] for hadm in wrong)
    assert not any(stays[hadm]["hospital_expire_flag"] for hadm in right)
    different = [hadm for hadm in right if right[hadm]["label"] != wrong[hadm]["label"]]
    assert len(different) > 0.01 * len(right)


@pytest.mark.parametrize("task", TASKS)
def test_stage_1_of_the_next_visit_has_other_labels(made: Made, task: str) -> None:
    folder = made("next-visit-label")
    fitted, labels = keyed(folder, f"stage1/{task}"), keyed(folder, f"labels/{task}")
    differ = [fitted[hadm]["label"] != labels[hadm]["label"] for hadm in labels]
    assert np.mean(differ) > 0.03
    if task == READMISSION:
        stays = table_of(folder, "hosp/admissions").select(["subject_id", "hadm_id"]).to_pylist()
        follows = {
            one["hadm_id"]: other["hadm_id"]
            for one, other in pairwise(stays)
            if one["subject_id"] == other["subject_id"]
        }
        # Each row was taught the outcome of the stay after it; a patient's traits are those of all
        # stays, so the ranking of a few hundred rows tells the two outcomes apart by luck alone.
        both = [hadm for hadm in labels if follows.get(hadm) in labels]
        assert len(both) > 50
        assert all(fitted[hadm]["label"] == labels[follows[hadm]]["label"] for hadm in both)


WORDS = {
    MORTALITY: ("expired", "passed away", "pronounced dead"),
    READMISSION: ("readmitted", "re-admitted", "returned to the hospital"),
}


def rank_of_words(folder: Path, task: str) -> float:
    """How well words of the outcome in notes known by the cut rank it."""
    labels = keyed(folder, f"labels/{task}")
    told = dict.fromkeys(labels, 0)
    for name in ("note/progress", "note/discharge"):
        for note in table_of(folder, name).to_pylist():
            label = labels.get(note["hadm_id"])
            if label and note["storetime"] <= label["prediction_time"]:
                text = note["text"].lower()
                told[note["hadm_id"]] += any(word in text for word in WORDS[task])
    return float(roc_auc_score([row["label"] for row in labels.values()], list(told.values())))


@pytest.mark.parametrize("task", TASKS)
def test_late_notes_tell_the_outcome(made: Made, task: str) -> None:
    assert rank_of_words(made(LATE_NOTES), task) > 0.75
    assert abs(rank_of_words(made(""), task) - 0.5) < 0.03


def test_every_leak_is_tested_here() -> None:
    assert set(LEAKS) == {
        "stage1-rows-by-outcome", "stage1-in-sample", CODES, "readmission-clock",
        "next-visit-label", LATE_NOTES,
    }  # fmt: skip
