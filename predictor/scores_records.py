"""Bedside scores of a cohort, from what its records held by the prediction time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from predictor.bands import Score, Value
from predictor.cohort import Cohort
from predictor.feature_parts import numbered
from predictor.schema import KEYS
from predictor.scores_icu import Extremes, oasis, saps2, sofa
from predictor.scores_inputs import stay_inputs
from predictor.scores_tables import table_scores
from predictor.scores_ward import charlson, hospital, lace
from predictor.sources.records import Records
from predictor.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

SCORES: Final = ("LACE", "HOSPITAL", "Charlson", "SAPS II", "OASIS", "SOFA")
AT_DISCHARGE: Final = Score(None, ("a prediction at discharge",))
FIRST_DAY: Final = Score(None, ("24 hours in intensive care by the prediction time",))


@dataclass(frozen=True, slots=True, eq=False)
class BedsideScores:
    """Scores in the order of the cohort's rows.

    `table` holds the keys and each score as a number (null where it is not computable); of every
    score more points mean more risk. `missed` holds for each score the inputs that were missed
    in a row (empty: computable).
    """

    table: pa.Table
    missed: Mapping[str, tuple[tuple[str, ...], ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.missed)

    def points(self, name: str) -> npt.NDArray[np.float64]:
        """A score for each row; NaN where it is not computable."""
        return np.asarray(self.table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    def missing(self, name: str) -> dict[str, int]:
        """How many rows missed each input, the most frequent first."""
        counted = Counter(one for row in self.missed[name] for one in row)
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def bedside_scores(records: Records, cohort: Cohort, task: Task) -> BedsideScores:
    """The scores of every row; of plain tables those whose inputs their layout names.

    LACE and HOSPITAL are for predictions at discharge; SAPS II, OASIS and SOFA are of the first
    24 hours in intensive care, which must have passed by the prediction time.
    """
    if records.has("wide"):
        found = table_scores(records, cohort, task)
    else:
        inputs = stay_inputs(records, numbered(cohort), task)
        found = {name: [] for name in SCORES}
        for row in inputs:
            for name, score in _scores_of(row, task).items():
                found[name].append(score)
    return _made(cohort, found)


def _made(cohort: Cohort, found: Mapping[str, Sequence[Score]]) -> BedsideScores:
    import pyarrow as pa

    table = cohort.rows.select(list(KEYS))
    for name, scores in found.items():
        points = pa.array([score.points for score in scores], pa.float64())
        table = table.append_column(name, points)
    return BedsideScores(
        table, {name: tuple(score.missed for score in scores) for name, scores in found.items()}
    )


def _scores_of(row: Mapping[str, Any], task: Task) -> dict[str, Score]:
    leaves = task.prediction.at == "discharge"
    first_day = bool(row["first_day"])
    return {
        "LACE": _lace(row) if leaves else AT_DISCHARGE,
        "HOSPITAL": _hospital(row) if leaves else AT_DISCHARGE,
        "Charlson": charlson(index=row["charlson"]),
        "SAPS II": _saps2(row) if first_day else FIRST_DAY,
        "OASIS": _oasis(row) if first_day else FIRST_DAY,
        "SOFA": _sofa(row) if first_day else FIRST_DAY,
    }


def _lace(row: Mapping[str, Any]) -> Score:
    return lace(
        days=row["days"],
        acute=_not(row["planned"]),
        comorbidity=row["lace_comorbidity"],
        emergency_visits=row["emergency_visits"],
    )


def _hospital(row: Mapping[str, Any]) -> Score:
    return hospital(
        haemoglobin=row["haemoglobin last"],
        oncology=row["oncology"],
        sodium=row["sodium last"],
        procedure=row["procedure"],
        urgent=_not(row["planned"]),
        admissions=row["admissions"],
        days=row["days"],
    )


def _saps2(row: Mapping[str, Any]) -> Score:
    return saps2(
        age=row["age"],
        heart_rate=_day(row, "heart rate"),
        systolic=_day(row, "systolic pressure"),
        temperature=_day(row, "temperature"),
        oxygenation=row["oxygenation"],
        supported=row["supported"],
        urine=row["urine"],
        urea_nitrogen=_day(row, "urea nitrogen"),
        white_cells=_day(row, "white cells"),
        potassium=_day(row, "potassium"),
        sodium=_day(row, "sodium"),
        bicarbonate=_day(row, "bicarbonate"),
        bilirubin=_day(row, "bilirubin"),
        gcs=row["GCS"],
        disease=row["chronic"],
        admission=_admission(row),
    )


def _oasis(row: Mapping[str, Any]) -> Score:
    surgical, planned = row["surgical"], row["planned"]
    unknown = surgical is None or planned is None
    return oasis(
        hours_before=row["hours_before"],
        age=row["age"],
        gcs=row["GCS"],
        heart_rate=_day(row, "heart rate"),
        mean_pressure=_day(row, "mean pressure"),
        respiratory_rate=_day(row, "respiratory rate"),
        temperature=_day(row, "temperature"),
        urine=row["urine"],
        ventilated=row["ventilated"],
        elective_surgery=None if unknown else float(surgical and planned),
    )


def _sofa(row: Mapping[str, Any]) -> Score:
    return sofa(
        oxygenation=row["oxygenation"],
        supported=row["supported"],
        platelets=_day(row, "platelets").low,
        bilirubin=_day(row, "bilirubin").high,
        mean_pressure=_day(row, "mean pressure").low,
        pressors=row["pressors"],
        gcs=row["GCS"],
        creatinine=_day(row, "creatinine").high,
        urine=row["urine"],
    )


def _admission(row: Mapping[str, Any]) -> str | None:
    if row["surgical"] is None or (row["surgical"] and row["planned"] is None):
        return None
    if not row["surgical"]:
        return "medical"
    return "scheduled surgical" if row["planned"] else "unscheduled surgical"


def _day(row: Mapping[str, Any], name: str) -> Extremes:
    return Extremes(row.get(f"{name} low"), row.get(f"{name} high"))


def _not(flag: bool | None) -> Value:
    return None if flag is None else float(not flag)
