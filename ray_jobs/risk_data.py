"""What a risk model is trained on and scores: records, findings and graph put into one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from extractor.split import Split
from ontologies.concept import UnknownConceptError, Vocabulary
from predictor.brought import given_stage1
from predictor.cohort import Cohort, load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.note_features import note_features, read_findings
from predictor.run import RunInfo
from predictor.schema import FeatureTable
from predictor.sources import Records
from predictor.stage1 import Stage1Output, stage1_features
from predictor.task import Task
from ray_jobs.config import vocabulary_directory

UNTIL: Final = "literature_until"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the sources of information lie; only the records are needed."""

    data: Path
    task: str
    layout: Path | None = None
    findings: Path | None = None
    outcomes: Path | None = None
    graph_features: Path | None = None
    vocabulary: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A cohort with its features. `stage1` are the note model's outputs, `None` where not given."""

    task: Task
    cohort: Cohort
    table: FeatureTable
    stage1: tuple[Stage1Output, ...] | None


def gather(
    records: Records,
    inputs: Inputs,
    split: Split | None = None,
    *,
    audit: bool = False,
    scoring: RunInfo | None = None,
) -> Gathered:
    """Cohort and features from all sources that were given.

    Stage-1 outputs become features only with the split of this run, which they are checked
    against (`Stage1Error`). The `audit` reports what is late instead of refusing it. For `scoring`
    every feature of the run is made, those of sources that are not there as missing.
    """
    task = load_task(inputs.task, records)
    cohort = make_cohort(records, task)
    table = ehr_features(records, cohort, task)
    if inputs.findings is not None:
        found = read_findings(inputs.findings)
        grace = task.discharge_summary_grace_hours
        name_of = naming(inputs.vocabulary)
        table = table.join(
            note_features(cohort.rows, table.task, found, name_of, grace_hours=grace)
        )
    stage1 = None if inputs.outcomes is None else given_stage1(inputs.outcomes)
    if stage1 is not None and split is not None:
        table = table.join(stage1_features(stage1, split, table.task))
    if inputs.graph_features is not None:
        graph = FeatureTable.load(inputs.graph_features, check_clocks=not audit)
        table = table.join(graph)
    if scoring is not None:
        table = with_missing(table, scoring)
    return Gathered(task, cohort, table, stage1)


def with_missing(table: FeatureTable, info: RunInfo) -> FeatureTable:
    """The table with a run's features that it lacks, as missing in every row."""
    there = {column.name for column in table.columns}
    lacking = [replace(c, clock="", grace=0.0) for c in info.columns if c.name not in there]
    grown = table.table
    for column in lacking:
        kind = pa.float64() if column.kind == "number" else pa.string()
        grown = grown.append_column(column.name, pa.nulls(len(table), kind))
    return FeatureTable.make(table.task, (*table.columns, *lacking), grown)


def literature_dates(graph_features: Path) -> dict[tuple[str, str], date]:
    """The newest publication behind each row's graph features, where the file says it."""
    table = pq.read_table(graph_features)
    if UNTIL not in table.column_names:
        return {}
    rows = zip(*(table[n].to_pylist() for n in ("subject_id", "stay_id", UNTIL)), strict=True)
    return {(str(subject), str(stay)): day for subject, stay, day in rows if day is not None}


def naming(vocabulary: str | None) -> Callable[[str], str]:
    """Names concepts of a vocabulary (the starter one unless given); others by their id."""
    opened = Vocabulary.load(vocabulary_directory(vocabulary))

    def name_of(concept_id: str) -> str:
        try:
            return opened[concept_id].name
        except UnknownConceptError:
            return concept_id

    return name_of
