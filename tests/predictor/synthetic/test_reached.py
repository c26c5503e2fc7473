"""How near models come to the true risks of a synthetic hospital."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from predictor.metrics import auroc, expit
from predictor.synthetic.causes import READMISSION
from predictor.synthetic.make import HospitalError
from predictor.synthetic.reached import reached, true_risks
from predictor.synthetic.truth import read_risks


def test_expectation_is_the_mean_over_outcomes_drawn_again() -> None:
    rng = np.random.default_rng(1)
    risk = expit(rng.normal(-1, 1, 300))
    guess = risk + rng.normal(0, 0.1, 300)
    label = (rng.random(300) < risk).astype(np.int8)
    told = reached(risk, label, {"model": guess})
    assert told.drawn == pytest.approx(auroc(label, risk))
    assert told.expected["model"] < told.best
    draws = [(rng.random(300) < risk).astype(np.int8) for _ in range(400)]
    for score, value in ((risk, told.best), (guess, told.expected["model"])):
        assert np.mean([auroc(drawn, score) for drawn in draws]) == pytest.approx(value, abs=0.005)


def test_risks_are_those_of_the_stays_asked_for(clean: Path) -> None:
    truth = read_risks(clean, READMISSION)
    names = ("subject_id", "hadm_id")
    subjects, stays = ([str(one) for one in truth[name].to_pylist()] for name in names)
    asked = true_risks(clean, READMISSION, subjects[::-1], stays[::-1])
    assert asked.tolist() == truth["risk"].to_pylist()[::-1]
    with pytest.raises(HospitalError, match="no true risk of 1 of 2 stays"):
        true_risks(clean, READMISSION, [subjects[0], "?"], [stays[0], "1"])


def test_other_data_have_no_true_risks(tmp_path: Path) -> None:
    with pytest.raises(HospitalError):
        true_risks(tmp_path, READMISSION, ["1"], ["2"])
