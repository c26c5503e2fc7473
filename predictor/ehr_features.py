"""Structured features of a cohort: what was known of each row by its prediction time."""

from __future__ import annotations

from collections.abc import Sequence

from predictor.cohort import Cohort
from predictor.ehr_features_stays import stay_parts
from predictor.ehr_features_tables import table_parts
from predictor.feature_parts import put_together
from predictor.schema import Column, FeatureTable
from predictor.sources.records import Records
from predictor.task import Task


def ehr_features(
    records: Records, cohort: Cohort, task: Task, wanted: Sequence[Column] | None = None
) -> FeatureTable:
    """The structured features, with a clock for each family of records.

    Where columns are chosen by how many rows have them, `wanted` names those to make instead: the
    features of a model that there is already.
    Nothing here is fitted. Raises `LaterThanPredictionError` where a record was read that was
    not known at the prediction time, which is a fault of medweave, `RecordsError` where records
    cannot be read.
    """
    if records.has("wide"):
        return put_together(cohort, table_parts(records, cohort, task, wanted))
    return put_together(cohort, stay_parts(records, cohort, task))
