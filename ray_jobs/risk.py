"""The commands of the risk model: train and audit here, and a list of all."""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

import click

from predictor.leakage import judge, summary, worst
from predictor.sources import open_records
from predictor.study import Plan
from ray_jobs.cohorts import data_option, layout_option, task_option
from ray_jobs.config import AsOf
from ray_jobs.graph_step import PASSAGES
from ray_jobs.options import (
    emit,
    existing,
    json_option,
    number_option,
    out_folder_option,
    processes_option,
    told_plainly,
)
from ray_jobs.risk_audit import audit_probes, audit_table
from ray_jobs.risk_data import Inputs, with_contexts
from ray_jobs.risk_options import KINDS, inputs_options, seed_option
from ray_jobs.risk_reasons import explain_command, report_command
from ray_jobs.risk_scoring import score_command, validate_command
from ray_jobs.risk_tables import json_of, print_audit, print_trained
from ray_jobs.screen import bars
from ray_jobs.train_risk import Division, gathered_with_split, train


@click.command("train")
@data_option
@layout_option
@task_option
@inputs_options
@out_folder_option("The run's folder; a training that was interrupted goes on there.")
@click.option(
    "--split", type=existing, help="The split file that stage 1 was fitted by; else one is made."
)
@number_option(
    "--folds",
    default=5,
    least=2,
    text="Parts of the patients, each predicted by models that did not see it.",
)
@click.option(
    "--test-share",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1, True, True),
    help="The share of patients that enters no training.",
)
@click.option(
    "--model",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="Which model; may be given again, the first is kept. All unless given.",
)
@seed_option
@number_option(
    "--replicates", default=1000, least=20, text="Draws of patients behind each interval."
)
@number_option(
    "--passages",
    default=PASSAGES,
    least=0,
    text="Passages kept for each row; 0: the graph's features alone, ten times as fast.",
)
@click.option(
    "--graph-until",
    type=AsOf(),
    help="Fit once more with the graph as it was known then: what newer articles are worth.",
)
@click.option("--no-ablation", is_flag=True, help="Do not fit on each set of sources too.")
@processes_option
@json_option
def train_command(
    data: Path,
    layout: Path | None,
    task: str,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    out: Path,
    split: Path | None,
    folds: int,
    test_share: float,
    kinds: tuple[str, ...],
    seed: int,
    replicates: int,
    passages: int,
    graph_until: date | None,
    no_ablation: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Audit the data, train and evaluate risk models, and keep all of it in a run's folder."""
    inputs = Inputs(data, task, layout, findings, outcomes, graph, contexts, vocabulary, passages)
    plan = Plan(kinds or KINDS, seed, replicates=replicates, ablate=not no_ablation)
    with told_plainly(), bars() as shown:
        bar = shown.add_task("reading", total=None)

        def told(what: str, done: int, total: int) -> None:
            shown.update(bar, description=what, completed=done, total=total or None)

        division = Division(folds, test_share)
        trained = train(
            inputs,
            out,
            plan,
            split=split,
            division=division,
            graph_until=graph_until,
            workers=workers,
            told=told,
        )
    if as_json:
        click.echo((out / "metrics.json").read_text(encoding="utf-8"), nl=False)
        return
    print_audit(trained.audit)
    print_trained(trained, out)


@click.command("audit")
@click.option("--data", type=existing, help="Records, as for `medweave train`.")
@layout_option
@click.option("--task", metavar="NAME|FILE", help="A task by name, or a YAML file.")
@inputs_options
@click.option("--table", type=existing, help="A feature table that someone else made (Parquet).")
@click.option("--split", type=existing, help="The split file that stage 1 was fitted by.")
@seed_option
@json_option
def audit_command(
    data: Path | None,
    layout: Path | None,
    task: str | None,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    table: Path | None,
    split: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Look for leaks of the outcome into the features; exits 3 where it raises an alarm."""
    if (data is None) == (table is None) or task is None:
        raise click.UsageError("give --data and --task, or --table and --task")
    with told_plainly():
        if table is not None:
            made = judge(audit_table(table, task, split, seed=seed))
        else:
            assert data is not None
            inputs = Inputs(data, task, layout, findings, outcomes, graph, contexts, vocabulary, 0)
            with open_records(data, layout) as records, tempfile.TemporaryDirectory() as scratch:
                inputs = with_contexts(records, inputs, Path(scratch))
                gathered, divided = gathered_with_split(records, inputs, seed, split, audit=True)
                made = judge(audit_probes(records, gathered, inputs, divided, seed=seed))
    if as_json:
        emit({"summary": summary(made), **json_of(made)})
    else:
        print_audit(made)
    sys.exit(worst(made.findings))


COMMANDS = (
    train_command, audit_command, score_command, explain_command, report_command, validate_command,
)  # fmt: skip
