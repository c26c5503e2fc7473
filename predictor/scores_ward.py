"""LACE and HOSPITAL: risk of readmission at discharge."""

from __future__ import annotations

from predictor.bands import Score, Value, absent, below, missed


def lace(
    *,
    days: Value,
    acute: Value,
    comorbidity: Value,
    emergency_visits: Value,
) -> Score:
    """The LACE index, 0 to 19 (van Walraven et al., CMAJ 2010;182:551-7).

    `days`: length of stay in days, whole days count (1.9 days are 1). `acute`: 1 for an admission
    through emergency, else 0. `comorbidity`: the Charlson score with the weights of that paper
    (see `comorbidity.lace_comorbidity`). `emergency_visits`: in the six months before the
    admission, this one not counted.
    """
    gone = missed({
        "length of stay (days)": days,
        "acute admission": acute,
        "Charlson comorbidity (points)": comorbidity,
        "emergency visits in 6 months": emergency_visits,
    })  # fmt: skip
    if gone or days is None or acute is None or comorbidity is None or emergency_visits is None:
        return Score(None, gone)
    length = below(days, [(1, 0), (2, 1), (3, 2), (4, 3), (7, 4), (14, 5)], 7)
    charlson = below(comorbidity, [(1, 0), (2, 1), (3, 2), (4, 3)], 5)
    return Score(length + (3 if acute else 0) + charlson + min(int(emergency_visits), 4))


def hospital(
    *,
    haemoglobin: Value,
    oncology: Value,
    sodium: Value,
    procedure: Value,
    urgent: Value,
    admissions: Value,
    days: Value,
) -> Score:
    """The HOSPITAL score, 0 to 13 (Donzé et al., JAMA Intern Med 2013;173:632-8).

    `haemoglobin` (g/dL) and `sodium` (mmol/L) at discharge: the last of the stay. `oncology`,
    `procedure`, `urgent`: 1 or 0: discharged from an oncology service, any coded procedure in the
    stay, not elective. `admissions` in the twelve months before; `days`: length of stay.

    Publications disagree on the first band of admissions: this follows that paper, where none
    gives 0, 1 to 5 give 2 and more give 5; later validations let the second band begin at 2.
    """
    gone = missed({
        "haemoglobin at discharge (g/dL)": haemoglobin,
        "oncology service": oncology,
        "sodium at discharge (mmol/L)": sodium,
        "procedure in the stay": procedure,
        "urgent admission": urgent,
        "admissions in 12 months": admissions,
        "length of stay (days)": days,
    })  # fmt: skip
    if gone or haemoglobin is None or sodium is None or admissions is None or days is None:
        return Score(None, gone)
    return Score(
        int(haemoglobin < 12)
        + (2 if oncology else 0)
        + int(sodium < 135)
        + int(bool(procedure))
        + int(bool(urgent))
        + below(admissions, [(1, 0), (6, 2)], 5)
        + (2 if days >= 5 else 0)
    )


def charlson(*, index: Value) -> Score:
    """The Charlson index as it is; not computable for a patient without any coded stay."""
    if index is None or absent(index):
        return Score(None, ("diagnosis codes of earlier stays",))
    return Score(int(index))
