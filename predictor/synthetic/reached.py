"""How near models come to the true risks of a synthetic hospital, on rows that none was fitted on.

For evaluation alone, once everything is fitted: nothing here is an input of a model or an audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from predictor.metrics import F64, auroc
from predictor.synthetic.make import HospitalError
from predictor.synthetic.outcome import reachable_auroc
from predictor.synthetic.truth import read_risks


@dataclass(frozen=True, slots=True)
class Reached:
    """AUROCs of the same `rows`.

    `best` is that of the true risks in expectation over the outcomes that they could draw, which no
    ranking exceeds; `drawn` is theirs on the outcomes that were drawn. `expected` is each model's
    in expectation, to be held against `best`: the chance of one draw is in neither.
    """

    rows: int
    best: float
    drawn: float
    expected: Mapping[str, float]


def reached(risk: F64, label: npt.NDArray[np.int8], models: Mapping[str, F64]) -> Reached:
    """Compare models' probabilities (rows,) by name with the true `risk` (rows,) of the same rows.

    >>> risk = np.array([0.1, 0.5])
    >>> one = reached(risk, np.array([0, 1], np.int8), {"right": risk, "wrong": -risk})
    >>> round(one.best, 3), one.drawn, round(one.expected["wrong"], 3)
    (0.9, 1.0, 0.1)
    """
    expected = {name: reachable_auroc(risk, score) for name, score in models.items()}
    return Reached(len(risk), reachable_auroc(risk, risk), auroc(label, risk), expected)


def true_risks(folder: Path, task: str, subjects: Sequence[str], stays: Sequence[str]) -> F64:
    """The risks (rows,) by which the outcomes of stays were drawn.

    Raises `HospitalError` where the folder is no synthetic hospital with its truth, or where its
    task predicts other stays.
    """
    truth = read_risks(folder, task)
    keys = zip(truth["subject_id"].to_pylist(), truth["hadm_id"].to_pylist(), strict=True)
    known = {
        (str(subject), str(stay)): risk
        for (subject, stay), risk in zip(keys, truth["risk"].to_pylist(), strict=True)
    }
    asked = list(zip(subjects, stays, strict=True))
    lacking = [key for key in asked if key not in known]
    if lacking:
        raise HospitalError(
            f"{folder}: no true risk of {len(lacking)} of {len(asked)} stays for {task}, "
            f"the first subject {lacking[0][0]}, stay {lacking[0][1]}"
        )
    return np.array([known[key] for key in asked])
