"""Structured features of a cohort: what was known of each row by its prediction time."""

from __future__ import annotations

from predictor.cohort import Cohort
from predictor.ehr_features_stays import stay_parts
from predictor.ehr_features_tables import table_parts
from predictor.feature_parts import put_together
from predictor.schema import FeatureTable
from predictor.sources.records import Records
from predictor.task import Task


def ehr_features(records: Records, cohort: Cohort, task: Task) -> FeatureTable:
    """The structured features, with a clock for each family of records.

    Nothing here is fitted. Raises `LaterThanPredictionError` where a record was read that was
    not known at the prediction time, which is a fault of medweave, `RecordsError` where records
    cannot be read.
    """
    make = table_parts if records.has("wide") else stay_parts
    return put_together(cohort, make(records, cohort, task))
