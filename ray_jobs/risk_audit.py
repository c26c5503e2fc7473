"""The leakage audit of a run: every probe that the data allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from extractor.split import Split
from predictor.course_probes import note_probes, outcome_probes, stage1_probes
from predictor.leakage import Measured, NotRun
from predictor.probes import audit_folds, table_probes
from predictor.schema import FeatureTable
from predictor.sources import Records
from ray_jobs.risk_data import Gathered, Inputs


def audit_probes(
    records: Records, gathered: Gathered, inputs: Inputs, split: Split | None, *, seed: int
) -> Iterator[Measured | NotRun]:
    """All probes: of the table, the outcomes, stage-1 outputs, notes and literature."""
    table = gathered.table
    yield from table_probes(table, split, seed=seed)
    yield from outcome_probes(table, None)
    yield from stage1_probes(table, gathered.stage1, split)
    yield from note_probes(table, None, audit_folds(table, split), seed)


def audit_table(
    path: Path, task: str, split: Path | None, *, seed: int
) -> Iterator[Measured | NotRun]:
    """The probes of a feature table alone, whoever made it."""
    table = replace(FeatureTable.load(path, check_clocks=False), task=task)
    divided = None if split is None else Split.load(split)
    yield from table_probes(table, divided, seed=seed)
