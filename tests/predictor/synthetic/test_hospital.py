"""The hospital's files: MIMIC-IV's layout, determinism, clocks, labels counted anew."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from predictor.synthetic.causes import TASKS
from predictor.synthetic.icu_tables import coma_parts
from predictor.synthetic.leaks import LATE_NOTES, LEAKS
from predictor.synthetic.make import TRUTH, HospitalError, Plan, make_hospital

from .conftest import PATIENTS, Reader, table_of

COLUMNS = {
    "hosp/patients": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod",
    "hosp/admissions": "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,"
    "admit_provider_id,admission_location,discharge_location,insurance,language,marital_status,"
    "race,edregtime,edouttime,hospital_expire_flag",
    "hosp/transfers": "subject_id,hadm_id,transfer_id,eventtype,careunit,intime,outtime",
    "hosp/services": "subject_id,hadm_id,transfertime,prev_service,curr_service",
    "hosp/diagnoses_icd": "subject_id,hadm_id,seq_num,icd_code,icd_version,storetime",
    "hosp/d_icd_diagnoses": "icd_code,icd_version,long_title",
    "hosp/procedures_icd": "subject_id,hadm_id,seq_num,chartdate,icd_code,icd_version",
    "hosp/d_icd_procedures": "icd_code,icd_version,long_title",
    "hosp/labevents": "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,"
    "charttime,storetime,value,valuenum,valueuom,ref_range_lower,ref_range_upper,flag,priority,"
    "comments",
    "hosp/d_labitems": "itemid,label,fluid,category",
    "icu/icustays": "subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los",
    "icu/chartevents": "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,"
    "valuenum,valueuom,warning",
    "icu/d_items": "itemid,label,abbreviation,linksto,category,unitname,param_type,"
    "lownormalvalue,highnormalvalue",
    "icu/outputevents": "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,"
    "value,valueuom",
    "note/discharge": "note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text",
    "note/progress": "note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text",
    "labels/readmission_30d": "subject_id,hadm_id,prediction_time,label",
    "stage1/in_hospital_mortality": "subject_id,hadm_id,prediction_time,probability,fold,split,"
    "model,state,known,label",
}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_those_of_mimic(clean: Path, name: str) -> None:
    with gzip.open(clean / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        assert lines.readline().strip() == COLUMNS[name]


def test_the_same_seed_gives_the_same_bytes(clean: Path, tmp_path: Path) -> None:
    make_hospital(Plan(PATIENTS, 3), tmp_path / "again")
    assert digests(tmp_path / "again") == digests(clean)


def test_a_folder_that_holds_something_is_refused(clean: Path) -> None:
    with pytest.raises(HospitalError, match="not empty"):
        make_hospital(Plan(PATIENTS, 3), clean)


def test_a_plan_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(HospitalError, match="too few"):
        Plan(20, 1)
    with pytest.raises(HospitalError, match="known: stage1"):
        Plan(400, 1, leak="magic")


def test_readmission_labels_are_those_counted_from_the_admissions(read: Reader) -> None:
    """Count anew: first return within 30 days of discharge, alive, not planned."""
    stays = read("hosp/admissions").to_pylist()
    by_patient: dict[int, list[dict[str, object]]] = {}
    for stay in stays:
        by_patient.setdefault(stay["subject_id"], []).append(stay)
    counted = {}
    for theirs in by_patient.values():
        theirs.sort(key=lambda stay: stay["admittime"])
        for at, stay in enumerate(theirs):
            if stay["discharge_location"] in ("DIED", "ACUTE HOSPITAL", "AGAINST ADVICE"):
                continue
            following = theirs[at + 1] if at + 1 < len(theirs) else None
            counted[stay["hadm_id"]] = int(
                following is not None
                and following["admittime"] - stay["dischtime"] <= timedelta(days=30)
                and following["admission_type"] not in ("ELECTIVE", "SURGICAL SAME DAY ADMISSION")
            )
    labels = read("labels/readmission_30d").to_pylist()
    assert {row["hadm_id"]: row["label"] for row in labels} == counted
    assert 0.08 < np.mean(list(counted.values())) < 0.18


def test_mortality_labels_are_those_of_stays_that_last(read: Reader) -> None:
    stays = read("hosp/admissions").to_pylist()
    counted = {
        stay["hadm_id"]: stay["hospital_expire_flag"]
        for stay in stays
        if stay["dischtime"] - stay["admittime"] > timedelta(hours=48)
    }
    labels = read("labels/in_hospital_mortality").to_pylist()
    assert {row["hadm_id"]: row["label"] for row in labels} == counted
    assert 0.04 < np.mean(list(counted.values())) < 0.13
    assert all(
        stay["deathtime"] == stay["dischtime"] for stay in stays if stay["hospital_expire_flag"]
    )


def test_stays_of_a_patient_do_not_overlap(read: Reader) -> None:
    table = read("hosp/admissions").sort_by(
        [("subject_id", "ascending"), ("admittime", "ascending")]
    )
    rows = table.to_pylist()
    for one, other in pairwise(rows):
        assert one["admittime"] < one["dischtime"]
        if one["subject_id"] == other["subject_id"]:
            assert one["dischtime"] < other["admittime"]
            assert not one["hospital_expire_flag"]


@pytest.mark.parametrize(
    "name", ["hosp/labevents", "icu/chartevents", "icu/outputevents", "note/discharge",
             "note/progress"]
)  # fmt: skip
def test_what_is_charted_is_stored_later_and_within_the_stay(read: Reader, name: str) -> None:
    table = read(name).select(["hadm_id", "charttime", "storetime"])
    assert pc.all(pc.less(table["charttime"], table["storetime"])).as_py()
    joined = table.join(read("hosp/admissions").select(["hadm_id", "admittime", "dischtime"]),
                        "hadm_id")  # fmt: skip
    assert pc.all(pc.less_equal(joined["admittime"], joined["charttime"])).as_py()
    assert pc.all(pc.less_equal(joined["charttime"], joined["dischtime"])).as_py()


def test_codes_are_known_after_discharge(read: Reader) -> None:
    diagnoses = read("hosp/diagnoses_icd").select(["hadm_id", "icd_code", "storetime"])
    codes = diagnoses.join(read("hosp/admissions").select(["hadm_id", "dischtime"]), "hadm_id")
    assert pc.all(pc.greater(codes["storetime"], codes["dischtime"])).as_py()
    titled = set(read("hosp/d_icd_diagnoses")["icd_code"].to_pylist())
    assert set(codes["icd_code"].to_pylist()) <= titled | {"R69"}


def test_every_input_of_the_bedside_scores_is_there(read: Reader) -> None:
    """SAPS II, OASIS, SOFA need these in intensive care; LACE, HOSPITAL and Charlson the rest."""
    charted = set(read("icu/chartevents")["itemid"].to_pylist())
    assert {220045, 220179, 223761, 220210, 220277, 220739, 223900, 223901, 223835} <= charted
    measured = set(read("hosp/labevents")["itemid"].to_pylist())
    assert {50821, 50912, 50983, 50971, 51222, 51301, 51265, 50885, 50882, 51006, 50813} <= measured
    assert set(read("icu/procedureevents")["itemid"].to_pylist()) == {225792}
    assert 221906 in read("icu/inputevents")["itemid"].to_pylist()
    assert set(read("icu/outputevents")["itemid"].to_pylist()) == {226559}
    assert "OMED" in read("hosp/services")["curr_service"].to_pylist()
    assert read("hosp/procedures_icd").num_rows > 20
    assert read("ed/edstays").num_rows > PATIENTS


def test_the_coma_scale_adds_up() -> None:
    totals = np.arange(3, 16.0)
    parts = coma_parts(totals)
    assert (parts.sum(0) == totals).all()
    assert (parts >= 1).all()
    assert (parts.max(1) == [4, 5, 6]).all()


def test_gold_spans_are_those_of_the_notes(clean: Path) -> None:
    texts = {}
    with (clean / "notes.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            note = json.loads(line)
            texts[note["note_id"]] = note["text"]
    from_table = {
        row["note_id"]: row["text"]
        for name in ("note/discharge", "note/progress")
        for row in table_of(clean, name).to_pylist()
    }
    assert from_table == texts
    count = 0
    with (clean / TRUTH / "findings.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            gold = json.loads(line)
            assert texts[gold["note_id"]][gold["start"] : gold["end"]] == gold["quote"]
            count += 1
    assert count > 20 * len(texts)


def test_nothing_but_truth_tells_the_plan(clean: Path, tmp_path: Path) -> None:
    """Without its truth a hospital is whole, and its files do not name the seed or a leak."""
    shutil.copytree(clean, tmp_path / "bare")
    shutil.rmtree(tmp_path / "bare" / TRUTH)
    there = digests(clean)
    assert digests(tmp_path / "bare") == {k: v for k, v in there.items() if TRUTH not in k}
    assert json.loads((clean / TRUTH / "truth.json").read_text())["leak"] == ""


@pytest.mark.parametrize("task", TASKS)
def test_stage_1_is_out_of_fold(clean: Path, task: str) -> None:
    split = json.loads((clean / "splits" / f"{task}.json").read_text())
    fold = dict.fromkeys(split["test"], -1)
    fold |= {subject: int(k) for k, subjects in split["folds"].items() for subject in subjects}
    rows = table_of(clean, f"stage1/{task}").to_pylist()
    labels = {row["hadm_id"]: row["label"] for row in table_of(clean, f"labels/{task}").to_pylist()}
    assert {row["hadm_id"]: row["label"] for row in rows} == labels
    for row in rows:
        assert row["fold"] == fold[str(row["subject_id"])]
        assert row["split"] == split["digest"]
        assert (row["probability"] is not None) == (row["state"] == "ok")
        assert row["known"] is None or row["known"] <= row["prediction_time"]


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_changes_content_not_columns(clean: Path, tmp_path: Path, leak: str) -> None:
    folder = tmp_path / "leaking"
    notes = leak == LATE_NOTES
    make_hospital(Plan(PATIENTS, 3, leak), folder, notes=notes)
    ours, theirs = digests(clean), digests(folder)
    if notes:
        assert set(ours) == set(theirs)
    changed = {name for name in theirs if ours[name] != theirs[name] and TRUTH not in name}
    expected = {
        "stage1-rows-by-outcome": {"stage1"},
        "stage1-in-sample": {"stage1"},
        "codes-of-the-stay": {"hosp"},
        "readmission-clock": {"labels"},
        "next-visit-label": {"stage1"},
        LATE_NOTES: {"note", "notes.jsonl"},
    }
    assert {name.split("/")[0] for name in changed} == expected[leak]
    for name in changed:
        if name.endswith(".csv.gz"):
            stem = name.removesuffix(".csv.gz")
            assert table_of(folder, stem).column_names == table_of(clean, stem).column_names
    assert json.loads((folder / TRUTH / "truth.json").read_text())["leak"] == leak
