"""Training a risk model: audit first, then every model and ablation, on one machine or on Ray."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from extractor.split import Split, make_split
from predictor.evaluate import as_json
from predictor.fuse import FoldFit, FusedRun, folds_and_test, fuse
from predictor.leakage import Audit, judge, summary
from predictor.run import (
    RunInfo,
    predictions,
    save_info,
    save_risk_model,
    write_table,
)
from predictor.schema import FeatureTable
from predictor.scores_records import bedside_scores
from predictor.sources import Records, open_records
from predictor.study import GivenScore, Job, Plan, Study, counts_of, do, done, jobs_of, study
from predictor.synthetic.reached import Reached, reached, true_risks
from ray_jobs.kept_fits import KeptFits
from ray_jobs.risk_audit import audit_probes
from ray_jobs.risk_data import (
    Gathered,
    Inputs,
    gather,
    with_contexts,
    with_earlier_graph,
    without_grace,
)
from ray_jobs.shards import spread_over

Told = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""

Fit = tuple[Job, int]
"""One fit: a job, and the fold (or test part) that it leaves out."""

NO_GRACE = "no grace for the discharge summary"
LIBRARIES = ("medweave", "lightgbm", "xgboost", "scikit-learn", "imbalanced-learn", "numpy")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training made."""

    gathered: Gathered
    split: Split
    audit: Audit
    study: Study
    runs: Mapping[str, FusedRun]
    seconds: float


@dataclass(frozen=True, slots=True)
class Division:
    """How patients are divided where no split is given: a test part and development folds."""

    folds: int = 5
    test_share: float = 0.2


DIVISION = Division()


def split_of(table: FeatureTable, seed: int, division: Division = DIVISION) -> Split:
    """A split of the patients of a table, those with any event spread evenly."""
    events: dict[str, int] = {}
    for subject, label in zip(table.subjects.tolist(), table.labels.tolist(), strict=True):
        events[subject] = max(label, events.get(subject, 0))
    return make_split(
        table.task, events, seed=seed, k=division.folds, test_share=division.test_share
    )


def train(
    inputs: Inputs,
    out: Path,
    plan: Plan,
    *,
    split: Path | None = None,
    division: Division = DIVISION,
    graph_until: date | None = None,
    workers: int = 1,
    told: Told = lambda *_: None,
) -> Trained:
    """Audit, train and evaluate; write the run's folder (see `predictor.run`).

    With `graph_until` the first model is fitted once more with the graph as it was known then, and
    where the task grants the discharge summary a grace, once more without it. An alarm of the
    audit does not stop the training, it stands first in all that is reported. The same call goes
    on with one that was interrupted: fits that were complete are not made again.
    """
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    with open_records(inputs.data, inputs.layout) as records:
        told("reading", 0, 1)
        inputs = with_contexts(records, inputs, out, workers, told)
        parts = gathered_with_split(records, inputs, plan.seed, split, division)
        gathered, divided = parts
        told("audit", 0, 1)
        audit = judge(audit_probes(records, gathered, inputs, divided, seed=plan.seed))
        divided.save(out / "split.json")
        gathered.table.save(out / "features.parquet")
        _write(out / "audit.json", {"summary": summary(audit), **as_json(audit)})
        kept = kept_fits(out, divided, plan)
        runs = fit_all(gathered.table, divided, plan, kept, workers, told)
        instead: dict[str, FusedRun] = {}
        if graph_until is not None:
            earlier = with_earlier_graph(records, inputs, gathered, graph_until, out, workers, told)
            name = f"graph as of {graph_until.isoformat()}"
            instead[name] = fuse(earlier, divided, plan.kinds[0], seed=plan.seed)
        if gathered.task.discharge_summary_grace_hours and inputs.findings is not None:
            strict = without_grace(records, inputs, divided, out, workers, told)
            instead[NO_GRACE] = fuse(strict, divided, plan.kinds[0], seed=plan.seed)
        told("evaluating", 0, 1)
        scores = given_scores(records, gathered)
        found = study(gathered.table, divided, plan, runs, scores=scores, instead=instead)
        trained = Trained(gathered, divided, audit, found, runs, time.monotonic() - started)
        keep(trained, inputs, records, plan, out)
        kept.remove()
    return trained


def kept_fits(out: Path, split: Split, plan: Plan) -> KeptFits:
    """The fits that an interrupted training of the same features left in the run's folder."""
    features = hashlib.sha256((out / "features.parquet").read_bytes()).hexdigest()
    versions = [f"{name} {version(name)}" for name in LIBRARIES]
    return KeptFits(out, (features, split.digest, f"{plan.seed} {plan.threads}", *versions))


def gathered_with_split(
    records: Records,
    inputs: Inputs,
    seed: int,
    split: Path | None,
    division: Division = DIVISION,
    *,
    audit: bool = False,
) -> tuple[Gathered, Split]:
    """Features, and the split they are for: the one given, else one made of the cohort.

    For the `audit`, what is late or not out of fold is reported instead of refused.
    """
    bare = gather(records, replace(inputs, outcomes=None) if not audit else inputs, audit=audit)
    divided = split_of(bare.table, seed, division) if split is None else Split.load(split)
    if inputs.outcomes is None or audit:
        return bare, divided
    return gather(records, inputs, divided), divided


def given_scores(records: Records, gathered: Gathered) -> dict[str, GivenScore]:
    """Bedside scores of the table's rows, with who lacks which input."""
    made = bedside_scores(records, gathered.cohort, gathered.task)
    found = {}
    for name in made.names:
        missed = made.missed[name]
        inputs = sorted({one for row in missed for one in row})
        lacking = {one: np.array([one in row for row in missed]) for one in inputs}
        found[name] = GivenScore(made.points(name), lacking)
    return found


def fit_all(
    table: FeatureTable, split: Split, plan: Plan, kept: KeptFits, workers: int, told: Told
) -> dict[str, FusedRun]:
    """Every job's model, in this process or spread over Ray; the same results either way.

    What is spread, and kept as it comes, are the fits: each fold of each job, with its search.
    """
    jobs = jobs_of(table, plan)
    fits: dict[str, list[FoldFit]] = {job.name: [] for job in jobs}
    todo: list[Fit] = []
    for job, left_out in [(job, fold) for job in jobs for fold in folds_and_test(split)]:
        held = kept.find(job, left_out)
        if held is None:
            todo.append((job, left_out))
        else:
            fits[job.name].append(held)
    total = len(jobs) * len(folds_and_test(split))
    work = functools.partial(_fit, table, split, plan)
    for place, ((job, _), fit) in enumerate(spread_over(workers, work, todo), 1):
        kept.keep(job, fit)
        fits[job.name].append(fit)
        told("fitting", total - len(todo) + place, total)
    return {job.name: done(job, fits[job.name], table, split, plan) for job in jobs}


def _fit(table: FeatureTable, split: Split, plan: Plan, fit: Fit) -> FoldFit:
    job, left_out = fit
    return do(job, left_out, table, split, plan)


def keep(trained: Trained, inputs: Inputs, records: Records, plan: Plan, out: Path) -> None:
    """Write models, predictions, figures and how to repeat them."""
    table = trained.gathered.table
    for kind in plan.kinds:
        save_risk_model(trained.runs[kind].model, out / "models" / kind)
    write_table(predictions(table, trained.runs), out / "predictions.parquet")
    metrics = metrics_of(trained, plan)
    near = reachable(inputs, trained)
    best = {
        "best_reachable": None if near is None else near.best,
        "reachable": None if near is None else asdict(near),
    }
    _write(out / "metrics.json", {**metrics, **best})
    told = {
        "command": {key: str(value) for key, value in asdict(inputs).items() if value is not None},
        "plan": asdict(plan),
        "task_told": as_json(_json_ready(asdict(trained.gathered.task))),
        "versions": {name: version(name) for name in LIBRARIES},
        "flow": [asdict(step) for step in trained.gathered.cohort.flow],
        "seconds": round(trained.seconds, 1),
    }
    save_info(
        RunInfo(
            table.task, records.name, plan.kinds[0], plan.seed, trained.split.digest,
            table.columns, told,
        ),
        out,
    )  # fmt: skip


def metrics_of(trained: Trained, plan: Plan) -> dict[str, Any]:
    """What `metrics.json` holds."""
    table, cohort = trained.gathered.table, trained.gathered.cohort
    return {
        "task": table.task,
        "rows": len(table),
        "patients": len(set(table.subjects.tolist())),
        "events": cohort.events,
        "parts": [list(part) for part in counts_of(table, trained.split)],
        "model": plan.kinds[0],
        "audit": {"summary": summary(trained.audit), **as_json(trained.audit)},
        **as_json(trained.study),
    }


def reachable(inputs: Inputs, trained: Trained) -> Reached | None:
    """How near the models come to the true risks of the test rows, where these are known.

    They are for a synthetic hospital that still has its truth, which is read once everything is
    fitted and measured, and told beside the figures, for comparison alone.
    """
    table, main = trained.gathered.table, next(iter(trained.runs.values()))
    part = table.take(main.test)
    stays = part.table["stay_id"].to_pylist()
    try:
        risk = true_risks(inputs.data, table.task, part.subjects.tolist(), stays)
    except (OSError, ValueError):
        return None
    probabilities = {name: run.probability[run.test] for name, run in trained.runs.items()}
    return reached(risk, part.labels, probabilities)


def _json_ready(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_ready(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json_ready(part) for part in value]
    return value if isinstance(value, int | float | str | None) else str(value)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
