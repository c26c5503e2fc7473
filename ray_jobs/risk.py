"""The commands of the risk model: train, audit, score, explain, report, validate."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from predictor.evaluate import Performance, as_json, performance
from predictor.explain import Explanation, explain, rows_named
from predictor.fuse import RiskModel
from predictor.leakage import Audit, judge, summary, worst
from predictor.note_features import KnownFinding, read_findings
from predictor.report import render_report
from predictor.run import RunInfo, check_fits, load_info, load_risk_model
from predictor.schema import FeatureTable
from predictor.sources import open_records
from predictor.study import Plan
from ray_jobs.asking import emit, json_option
from ray_jobs.cohorts import data_option, layout_option, task_option
from ray_jobs.config import AsOf
from ray_jobs.graph_step import PASSAGES, cited_sentences
from ray_jobs.risk_audit import audit_probes, audit_table
from ray_jobs.risk_data import Inputs, gather, with_contexts
from ray_jobs.screen import bars
from ray_jobs.train_risk import Division, Trained, gathered_with_split, train

console = Console(highlight=False)
Command = TypeVar("Command", bound=Callable[..., Any])
existing = click.Path(exists=True, path_type=Path)
run_option = click.option("--run", required=True, type=existing, help="What `medweave train` made.")
KINDS = ("blend", "lightgbm", "xgboost", "balanced_forest", "logistic")
EXPLAINED = ("blend", "lightgbm", "logistic")
"""Models that can be taken apart by feature, the first that a run has is."""


def inputs_options(command: Command) -> Command:
    """Where findings, stage-1 outputs and graph features lie."""
    for option in (
        click.option("--findings", type=existing, help="What `medweave extract` wrote."),
        click.option("--outcomes", type=existing, help="The note model's outputs (stage 1)."),
        click.option("--graph", metavar="DIR|URL", help="Ask this graph about every row."),
        click.option("--contexts", type=existing, help="What `medweave contexts` wrote instead."),
        click.option("--vocabulary", type=click.Path(exists=True, file_okay=False)),
    ):
        command = option(command)
    return command


@contextmanager
def told_plainly() -> Iterator[None]:
    """What is wrong with the input becomes a usage error that says so."""
    try:
        yield
    except (OSError, ValueError, LookupError) as error:
        raise click.ClickException(str(error)) from error


@click.command("train")
@data_option
@layout_option
@task_option
@inputs_options
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--split", type=existing, help="A split file that serves both stages.")
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2))
@click.option(
    "--test-share", default=0.2, show_default=True, type=click.FloatRange(0, 1, True, True)
)
@click.option("--model", "kinds", multiple=True, type=click.Choice(KINDS), help="Default: all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--replicates", default=1000, show_default=True, type=click.IntRange(20))
@click.option(
    "--passages",
    default=PASSAGES,
    show_default=True,
    type=click.IntRange(0),
    help="Kept of the literature for each row; 0: features alone, ten times as fast.",
)
@click.option(
    "--graph-until",
    type=AsOf(),
    help="Fit once more with the graph as it was known then: what newer articles are worth.",
)
@click.option("--no-ablation", is_flag=True, help="Fit on all sources of information alone.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
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
@click.option("--split", type=existing)
@click.option("--seed", default=0, show_default=True)
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


@click.command("score")
@run_option
@data_option
@layout_option
@inputs_options
@click.option("--model", "kind", type=click.Choice(KINDS), help="Default: the run's first.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
def score_command(
    run: Path,
    data: Path,
    layout: Path | None,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    kind: str | None,
    out: Path,
) -> None:
    """Predict the risks of new records by a trained model; one JSON line each."""
    inputs = Inputs(data, "", layout, findings, outcomes, graph, contexts, vocabulary)
    with told_plainly():
        info, model, table = opened(run, inputs, kind)
        unseen = model.fitted.encoder.unseen(table)
        with out.open("w", encoding="utf-8") as lines:
            for risk in model.risks(table):
                row = {**asdict(risk), "prediction_time": str(risk.prediction_time)}
                lines.write(json.dumps(row) + "\n")
    console.print(f"{len(table):,} risks of {info.task} in {out}")
    for name, rows in unseen.items():
        console.print(
            f"{name}: {rows:,} rows hold a value that training never met; taken as missing"
        )


def opened(run: Path, inputs: Inputs, kind: str | None) -> tuple[RunInfo, RiskModel, FeatureTable]:
    """A run's model and the features of new records, made by the run's own task."""
    info = load_info(run)
    model = load_risk_model(run / "models" / (kind or info.model))
    command = info.told["command"]
    asked = replace(inputs, task=command["task"], passages=0)
    if asked.layout is None and command.get("layout"):
        asked = replace(asked, layout=Path(command["layout"]))
    with (
        open_records(asked.data, asked.layout) as records,
        tempfile.TemporaryDirectory() as scratch,
    ):
        asked = with_contexts(records, asked, Path(scratch))
        table = gather(records, asked, scoring=info).table
    check_fits(info, table)
    return info, model, table


@click.command("explain")
@run_option
@click.option("--subject", required=True, help="The patient's id.")
@click.option("--stay", help="The stay's id; all stays unless given.")
@click.option("--findings", type=existing, help="What `medweave extract` wrote.")
@click.option("--patient-text", is_flag=True, help="Show the words of notes.")
@json_option
def explain_command(
    run: Path,
    subject: str,
    stay: str | None,
    findings: Path | None,
    patient_text: bool,
    as_json: bool,
) -> None:
    """Why a prediction of a run is what it is: feature, finding, edge, sentences."""
    with told_plainly():
        made = explanations(run, [(subject, stay)], findings, patient_text)
    if as_json:
        emit([json_of(one) for one in made])
        return
    for one in made:
        print_explanation(one)


def explained_kind(run: Path) -> str:
    """The model of a run that explanations are of; "" where none can be taken apart."""
    own = load_info(run).model
    order = (own, *EXPLAINED) if own in EXPLAINED else EXPLAINED
    return next((kind for kind in order if (run / "models" / kind).is_dir()), "")


def explanations(
    run: Path, patients: list[tuple[str, str | None]], findings: Path | None, patient_text: bool
) -> list[Explanation]:
    """Explanations of a run's rows of some patients."""
    info = load_info(run)
    model = load_risk_model(run / "models" / explained_kind(run))
    table = FeatureTable.load(run / "features.parquet")
    found: list[KnownFinding] = []
    path = findings or (Path(f) if (f := info.told["command"].get("findings")) else None)
    if path is not None and path.exists():
        subjects = {subject for subject, _ in patients}
        found = [finding for finding in read_findings(path) if finding.subject_id in subjects]
    parts = [table.take(rows_named(table, subject, stay)) for subject, stay in patients]
    contexts = info.told["command"].get("contexts")
    keys = [key for part in parts for key in part.keys]
    there = contexts is not None and Path(contexts).exists()
    cited = cited_sentences(Path(contexts), keys) if there else {}
    return [
        one
        for part in parts
        for one in explain(model, part, findings=found, sentences=cited, patient_text=patient_text)
    ]


@click.command("report")
@run_option
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--patients", default=3, show_default=True, help="How many of the riskiest to explain."
)
@click.option("--findings", type=existing, help="What `medweave extract` wrote.")
@click.option("--patient-text", is_flag=True, help="Let words of notes into the page.")
def report_command(
    run: Path, out: Path, patients: int, findings: Path | None, patient_text: bool
) -> None:
    """Write a run's figures, plots, audit and reasons as one self-contained HTML page."""
    with told_plainly():
        write_report(run, out, patients, findings, patient_text)
    console.print(f"wrote {out}")


def write_report(
    run: Path, out: Path, patients: int, findings: Path | None, patient_text: bool
) -> None:
    """The report of a run, with the reasons of the riskiest test predictions."""
    asked = riskiest(run, patients)
    made = explanations(run, asked, findings, patient_text) if asked else []
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(render_report(run, made, patient_text=patient_text), encoding="utf-8")


def riskiest(run: Path, count: int) -> list[tuple[str, str | None]]:
    """Patient and stay of the test rows with the highest risks, ties by key."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    kind = explained_kind(run)
    if not kind or not count:
        return []
    rows = pq.read_table(run / "predictions.parquet")
    rows = rows.filter(pc.and_(pc.equal(rows["fold"], -1), pc.equal(rows["model"], kind)))
    keys = [("probability", "descending"), ("subject_id", "ascending"), ("stay_id", "ascending")]
    top = rows.sort_by(keys).slice(0, count)
    return list(zip(top["subject_id"].to_pylist(), top["stay_id"].to_pylist(), strict=True))


@click.command("validate")
@run_option
@data_option
@layout_option
@inputs_options
@click.option("--model", "kind", type=click.Choice(KINDS), help="Default: the run's first.")
@click.option("--seed", default=0, show_default=True)
@json_option
def validate_command(
    run: Path,
    data: Path,
    layout: Path | None,
    findings: Path | None,
    outcomes: Path | None,
    graph: str | None,
    contexts: Path | None,
    vocabulary: str | None,
    kind: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Evaluate a saved model, unchanged, on other data, and show what recalibration would do."""
    inputs = Inputs(data, "", layout, findings, outcomes, graph, contexts, vocabulary)
    with told_plainly():
        info, model, table = opened(run, inputs, kind)
        label, subjects = table.labels, table.subjects
        given = model.predict_proba(table)
        unchanged = performance(label, given, subjects, seed=seed)
        recalibrated = performance(
            label, cross_recalibrated(label, given, subjects, seed), subjects, seed=seed
        )
    if as_json:
        emit(
            {
                "task": info.task,
                "model": model.model_id,
                "unseen": model.fitted.encoder.unseen(table),
                "unchanged": json_of(unchanged),
                "recalibrated": json_of(recalibrated),
            }
        )
        return
    shown = performance_table(f"{model.model_id} on {data}")
    add_performance(shown, "unchanged", unchanged)
    add_performance(shown, "recalibrated, two-fold", recalibrated)
    console.print(shown)


def cross_recalibrated(label: Any, probability: Any, subjects: Any, seed: int) -> Any:
    """Each half of the patients recalibrated by what the other half shows."""
    import numpy as np

    from predictor.calibrate import Calibrator

    patients = np.unique(subjects)
    half = set(np.random.default_rng(seed).permutation(patients)[::2].tolist())
    first = np.array([subject in half for subject in subjects.tolist()])
    made = np.array(probability)
    for rows in (first, ~first):
        made[rows] = Calibrator.fit(label[~rows], probability[~rows])(probability[rows])
    return made


def json_of(value: Any) -> Any:
    """Values as plain JSON, dates and times as text."""
    return json.loads(json.dumps(as_json(value), default=str))


def print_audit(audit: Audit) -> None:
    alarm = bool(audit.alarms)
    console.print(f"[bold {'red' if alarm else 'green'}]{summary(audit)}[/]")
    table = Table("check", "", "size", "limit", "found", box=SIMPLE)
    colour = {"alarm": "red", "note": "yellow", "pass": "green", "not run": "dim"}
    for finding in audit.findings:
        size = "" if finding.size is None else str(finding.size)
        limit = "" if finding.limit is None else f"{finding.limit:g}"
        level = f"[{colour[finding.level]}]{finding.level}[/]"
        table.add_row(finding.check, level, size, limit, finding.found)
    console.print(table)


def performance_table(title: str) -> Table:
    return Table(
        "", "rows", "events", "AUROC", "AUPRC", "Brier", "slope", title=title, title_justify="left",
        box=SIMPLE,
    )  # fmt: skip


def add_performance(table: Table, name: str, found: Performance) -> None:
    table.add_row(
        name, f"{found.n:,}", f"{found.events:,}", str(found.auroc), str(found.auprc),
        f"{found.brier.value:.4f}", str(found.calibration_slope),
    )  # fmt: skip


def print_trained(trained: Trained, out: Path) -> None:
    study = trained.study
    table = performance_table("Test part")
    for kind, result in study.models.items():
        add_performance(table, kind, result.test)
    for name, found in list(study.ablations.items())[1:]:
        add_performance(table, f"only {name}", found)
    console.print(table)
    for difference in study.differences:
        compared = difference.comparison
        console.print(
            f"{difference.added} added to {difference.base}: AUROC {compared.difference} "
            f"(p = {compared.p_value:.3g})"
        )
    for name, compared in study.counterfactuals.items():
        console.print(f"as trained instead of {name}: AUROC {compared.difference}")
    console.print(
        f"{len(trained.gathered.table):,} rows, {len(trained.runs)} models fitted and cross-fitted "
        f"in {trained.seconds:.0f} s, kept in {out}\n"
        f"  medweave report --run {out} --out report.html"
    )


def print_explanation(one: Explanation) -> None:
    risk = one.risk
    ends = "" if risk.low is None else f" ({risk.low:.1%} to {risk.high:.1%})"
    table = Table(
        "feature", "source", "value", "log odds", box=SIMPLE, title_justify="left",
        title=f"patient {risk.subject_id}, stay {risk.stay_id}: {risk.probability:.1%}{ends}",
    )  # fmt: skip
    for reason in one.reasons:
        table.add_row(reason.feature, reason.source, reason.value, f"{reason.contribution:+.2f}")
        for place in reason.findings[:3]:
            table.add_row(f"  note {place.note_id} {place.status} {place.quote}", "", "", "")
        for cited in reason.sentences[:4]:
            table.add_row(f"  PMID {cited.pmid}: {cited.sentence}", "", "", "")
    table.add_row("all other features", "", "", f"{one.others:+.2f}")
    console.print(table)


COMMANDS = (
    train_command, audit_command, score_command, explain_command, report_command, validate_command,
)  # fmt: skip
