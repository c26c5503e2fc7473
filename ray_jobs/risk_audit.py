"""The leakage audit of a run: every probe that the data allow."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from extractor.split import Split
from predictor.brought import Brought, given_notes, given_outcomes, given_stage1
from predictor.leakage import Measured, NotRun
from predictor.outcome_probes import outcome_probes
from predictor.probes import audit_folds, literature_probe, table_probes
from predictor.reliance import reliance
from predictor.schema import FeatureTable, Key
from predictor.sources import Records
from predictor.stage1_probes import stage1_probes
from predictor.text_probes import code_probes, note_probes
from ray_jobs.graph_step import literature_dates
from ray_jobs.risk_data import Gathered, Inputs


def audit_probes(
    records: Records, gathered: Gathered, inputs: Inputs, split: Split | None, *, seed: int
) -> Iterator[Measured | NotRun]:
    """All probes: of the table, the outcomes, codes, stage-1 outputs, notes and literature.

    What the folder of records brings along (`predictor.brought`) is looked at too.
    """
    table = gathered.table
    fold = audit_folds(table, split)
    brought = Brought.find(inputs.data, table.task)
    yield from table_probes(table, split, seed=seed)
    yield reliance(table, fold, seed=seed)
    yield from outcome_probes(table, given_outcomes(brought.labels) if brought.labels else None)
    yield from code_probes(table, *_codes(records, table), fold, seed)
    stage1, theirs = gathered.stage1, split
    if stage1 is None and brought.stage1 is not None:
        stage1 = given_stage1(brought.stage1)
        theirs = Split.load(brought.split) if brought.split else None
    yield from stage1_probes(table, stage1, theirs, next_outcomes(table))
    notes = given_notes(brought.notes) if brought.notes else None
    yield from note_probes(table, notes, fold, seed, _ends(records))
    yield from _literature(inputs)


def audit_table(
    path: Path, task: str, split: Path | None, *, seed: int
) -> Iterator[Measured | NotRun]:
    """The probes of a feature table alone, whoever made it."""
    table = replace(FeatureTable.load(path, check_clocks=False), task=task)
    divided = None if split is None else Split.load(split)
    yield from table_probes(table, divided, seed=seed)
    yield reliance(table, audit_folds(table, divided), seed=seed)


def next_outcomes(table: FeatureTable) -> dict[Key, int]:
    """The outcome of the same patient's next row, where there is one."""
    order = sorted(
        zip(table.subjects.tolist(), table.times("prediction_time"), table.keys,
            table.labels.tolist(), strict=True)
    )  # fmt: skip
    return {one[2]: other[3] for one, other in itertools.pairwise(order) if one[0] == other[0]}


def _codes(
    records: Records, table: FeatureTable
) -> tuple[Mapping[Key, Sequence[str]] | None, tuple[int, int] | None]:
    """Codes of a row's own stay that are marked as known before its end and by the prediction."""
    if not (records.has("diagnoses") and records.has("stays")):
        return None, None
    counted = records.query(
        "SELECT count(*) FILTER (known < discharged) AS early, count(*) AS codes "
        "FROM diagnoses JOIN stays USING (stay_id)"
    ).to_pylist()[0]
    rows = table.table.select(["subject_id", "stay_id", "prediction_time"])
    found = records.query(
        "SELECT rows.subject_id, rows.stay_id, code FROM rows JOIN diagnoses USING (stay_id) "
        "JOIN stays USING (stay_id) WHERE known < discharged AND known <= prediction_time "
        "ORDER BY 1, 2, 3",
        rows=rows,
    )
    codes: dict[Key, list[str]] = defaultdict(list)
    for subject, stay, code in zip(*(column.to_pylist() for column in found.columns), strict=True):
        codes[subject, stay].append(code)
    return codes, (int(counted["early"]), int(counted["codes"]))


def _ends(records: Records) -> dict[Key, datetime] | None:
    if not records.has("stays"):
        return None
    stays = records.query("SELECT subject_id, stay_id, discharged FROM stays ORDER BY 1, 2")
    rows = zip(*(column.to_pylist() for column in stays.columns), strict=True)
    return {(subject, stay): end for subject, stay, end in rows if end is not None}


def _literature(inputs: Inputs) -> Iterator[Measured | NotRun]:
    check = "literature after the prediction"
    if inputs.contexts is None:
        yield NotRun(check, "no features of the graph were given")
        return
    until, allowed = literature_dates(inputs.contexts)
    if not allowed:
        yield NotRun(check, "neither the source nor the task says which literature a row may see")
        return
    yield literature_probe(until, allowed)
