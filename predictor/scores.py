"""Bedside scores, as their papers give the points, and what records hold of their inputs.

Every input is named with its unit; `None` (or NaN) is not observed, and a score that lacks one is
not computable. `bedside_scores` computes them for the rows of a cohort.
"""

from predictor.bands import Score
from predictor.scores_icu import Extremes, oasis, saps2, saps2_risk, sofa
from predictor.scores_records import SCORES, BedsideScores, bedside_scores
from predictor.scores_ward import charlson, hospital, lace

__all__ = [
    "SCORES",
    "BedsideScores",
    "Extremes",
    "Score",
    "bedside_scores",
    "charlson",
    "hospital",
    "lace",
    "oasis",
    "saps2",
    "saps2_risk",
    "sofa",
]
