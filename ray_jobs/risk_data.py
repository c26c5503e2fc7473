"""What a risk model is trained on and scores: records, findings and graph put into one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

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
from ray_jobs.graph_step import PASSAGES, graph_features, retrieve_for_rows


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the sources of information lie; only the records are needed.

    `contexts` are what `medweave contexts` wrote; with a `graph` and none they are made, with so
    many `passages` for each row.
    """

    data: Path
    task: str
    layout: Path | None = None
    findings: Path | None = None
    outcomes: Path | None = None
    graph: str | None = None
    contexts: Path | None = None
    vocabulary: str | None = None
    passages: int = PASSAGES


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
    grace: bool = True,
) -> Gathered:
    """Cohort and features from all sources that were given.

    Stage-1 outputs become features only with the split of this run, which they are checked
    against (`Stage1Error`). The `audit` reports what is late instead of refusing it. For `scoring`
    every feature of the run is made, those of sources that are not there as missing. Without
    `grace` the discharge summary gets none, whatever the task grants.
    """
    task = _task(records, inputs, grace)
    cohort = make_cohort(records, task)
    wanted = None if scoring is None else scoring.columns
    table = ehr_features(records, cohort, task, wanted)
    if inputs.findings is not None:
        found = read_findings(inputs.findings)
        hours = task.discharge_summary_grace_hours
        name_of = naming(inputs.vocabulary)
        table = table.join(
            note_features(cohort.rows, table.task, found, name_of, grace_hours=hours, wanted=wanted)
        )
    stage1 = None if inputs.outcomes is None else given_stage1(inputs.outcomes)
    if stage1 is not None and split is not None:
        table = table.join(stage1_features(stage1, split, table.task))
    if inputs.contexts is not None:
        table = table.join(graph_features(inputs.contexts, table.task, wanted))
    if scoring is not None:
        table = with_missing(table, scoring)
    return Gathered(task, cohort, table, stage1)


def _task(records: Records, inputs: Inputs, grace: bool) -> Task:
    task = load_task(inputs.task, records)
    return task if grace else replace(task, discharge_summary_grace_hours=0.0)


def with_contexts(
    records: Records,
    inputs: Inputs,
    out: Path,
    workers: int = 1,
    told: Callable[[str, int, int], None] = lambda *_: None,
    *,
    grace: bool = True,
) -> Inputs:
    """The inputs with what the literature says of each row, made in `out` from a given graph."""
    if inputs.graph is None or inputs.contexts is not None:
        return inputs
    task = _task(records, inputs, grace)
    cohort = make_cohort(records, task)
    findings = () if inputs.findings is None else read_findings(inputs.findings)
    made = retrieve_for_rows(
        records, cohort, task, inputs.graph, out, findings=findings,
        vocabulary=inputs.vocabulary, passages=inputs.passages, workers=workers, told=told,
    )  # fmt: skip
    return replace(inputs, contexts=made)


def without_grace(
    records: Records,
    inputs: Inputs,
    split: Split,
    out: Path,
    workers: int = 1,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> FeatureTable:
    """The features as they are when the discharge summary gets no grace.

    What the literature says is told anew where the inputs name the graph; given contexts stay as
    they are.
    """
    folder = out / "without-grace"
    folder.mkdir(parents=True, exist_ok=True)
    anew = replace(inputs, contexts=None) if inputs.graph is not None else inputs
    anew = with_contexts(records, anew, folder, workers, told, grace=False)
    return gather(records, anew, split, grace=False).table


def with_earlier_graph(
    records: Records,
    inputs: Inputs,
    gathered: Gathered,
    latest: date,
    out: Path,
    workers: int = 1,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> FeatureTable:
    """The features with those of the graph as it was known on a day, where that is earlier.

    Raises `ValueError` where the inputs name no graph to cut.
    """
    if inputs.graph is None:
        raise ValueError("an earlier graph needs the graph itself (--graph), not contexts")
    folder = out / f"graph-until-{latest.isoformat()}"
    folder.mkdir(parents=True, exist_ok=True)
    findings = () if inputs.findings is None else read_findings(inputs.findings)
    made = retrieve_for_rows(
        records, gathered.cohort, gathered.task, inputs.graph, folder, findings=findings,
        vocabulary=inputs.vocabulary, passages=0, latest=latest, workers=workers, told=told,
    )  # fmt: skip
    others = gathered.table.select(("structured", "notes"))
    return others.join(graph_features(made, others.task, gathered.table.columns))


def with_missing(table: FeatureTable, info: RunInfo) -> FeatureTable:
    """The table with a run's features that it lacks, as missing in every row."""
    there = {column.name for column in table.columns}
    lacking = [replace(c, clock="", grace=0.0) for c in info.columns if c.name not in there]
    grown = table.table
    for column in lacking:
        kind = pa.float64() if column.kind == "number" else pa.string()
        grown = grown.append_column(column.name, pa.nulls(len(table), kind))
    return FeatureTable.make(table.task, (*table.columns, *lacking), grown)


def naming(vocabulary: str | None) -> Callable[[str], str]:
    """Names concepts of a vocabulary (the starter one unless given); others by their id."""
    opened = Vocabulary.load(vocabulary_directory(vocabulary))

    def name_of(concept_id: str) -> str:
        try:
            return opened[concept_id].name
        except UnknownConceptError:
            return concept_id

    return name_of
