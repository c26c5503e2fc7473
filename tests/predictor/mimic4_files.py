"""A hospital of three patients in MIMIC-IV's layout, small enough to hold in the head."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

PATIENTS = """\
subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod
1,F,70,2150,2011 - 2013,
2,M,17,2160,2014 - 2016,
3,M,50,2170,2008 - 2010,2170-03-04
"""
# Patient 1: three stays; the second is 9.5 days after the first discharge, the third (planned)
# 20 days after the second. Patient 2 is 17. Patient 3 dies on the third day of the stay.
ADMISSIONS = """\
subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,discharge_location,\
edregtime,edouttime,hospital_expire_flag
1,11,2150-01-01 12:00:00,2150-01-05 12:00:00,,EW EMER.,HOME,\
2150-01-01 08:00:00,2150-01-01 13:00:00,0
1,12,2150-01-15 00:00:00,2150-01-20 00:00:00,,URGENT,HOME,,,0
1,13,2150-02-09 07:00:00,2150-02-10 12:00:00,,ELECTIVE,AGAINST ADVICE,,,0
2,21,2160-05-01 00:00:00,2160-05-03 00:00:00,,EW EMER.,HOME,,,0
3,31,2170-03-01 10:00:00,2170-03-04 09:00:00,2170-03-04 09:00:00,EW EMER.,DIED,,,1
"""
# Sodium of stay 11: 130 drawn before admission, 140 on the last day, 150 stored after discharge.
LABEVENTS = """\
labevent_id,subject_id,hadm_id,itemid,charttime,storetime,value,valuenum,valueuom
1,1,11,50983,2150-01-01 09:00:00,2150-01-01 10:00:00,130,130,mEq/L
2,1,11,50983,2150-01-05 09:00:00,2150-01-05 10:00:00,140,140,mEq/L
3,1,11,50983,2150-01-05 11:00:00,2150-01-05 13:00:00,150,150,mEq/L
4,1,11,50971,2150-01-02 09:00:00,,4.5,4.5,mEq/L
5,1,11,50971,2150-01-03 09:00:00,,45,45,mEq/L
6,1,11,50912,2150-01-03 09:00:00,,88,88,umol/L
7,3,31,50983,2170-03-01 12:00:00,2170-03-01 13:00:00,125,125,mEq/L
"""
DIAGNOSES = """\
subject_id,hadm_id,seq_num,icd_code,icd_version
1,11,1,4280,9
1,11,2,25000,9
1,12,1,I509,10
1,12,2,C787,10
3,31,1,41071,9
"""
PRESCRIPTIONS = """\
subject_id,hadm_id,starttime,stoptime,drug_type,drug
1,11,2150-01-02 00:00:00,,MAIN,Furosemide
1,11,2150-01-02 00:00:00,,BASE,0.9% Sodium Chloride
1,11,2150-01-04 00:00:00,,MAIN,Furosemide
1,12,2150-01-16 00:00:00,,MAIN,Metoprolol Tartrate
"""
SERVICES = """\
subject_id,hadm_id,transfertime,prev_service,curr_service
1,11,2150-01-01 12:00:00,,MED
1,11,2150-01-03 12:00:00,MED,CMED
"""
ICUSTAYS = """\
subject_id,hadm_id,stay_id,first_careunit,last_careunit,intime,outtime,los
3,31,91,MICU,MICU,2170-03-01 11:00:00,2170-03-04 09:00:00,2.9
"""
DISCHARGE = """\
note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text
1-DS-1,1,11,DS,1,2150-01-05 00:00:00,2150-01-05 11:00:00,"line one
line ""two"", three"
1-DS-2,1,12,DS,1,2150-01-20 00:00:00,,"text"
"""
FILES = {
    "hosp/patients": PATIENTS,
    "hosp/admissions": ADMISSIONS,
    "hosp/labevents": LABEVENTS,
    "hosp/diagnoses_icd": DIAGNOSES,
    "hosp/prescriptions": PRESCRIPTIONS,
    "hosp/services": SERVICES,
    "icu/icustays": ICUSTAYS,
    "note/discharge": DISCHARGE,
}


def write_mimic4(folder: Path, more: Mapping[str, str] | None = None, **changed: str) -> Path:
    """The hospital below a folder, every table gzipped; some of them changed, or more of them."""
    for name, text in {**FILES, **(more or {})}.items():
        file = folder / f"{name}.csv.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(changed.get(name.split("/")[1], text).encode()))
    return folder
