"""Why a run's predictions are what they are: `medweave explain` and `medweave report`."""

from __future__ import annotations

from pathlib import Path

import click

from predictor.explain import Explanation, explain, rows_named
from predictor.note_features import KnownFinding, read_findings
from predictor.report import render_report
from predictor.run import load_info, load_risk_model
from predictor.schema import FeatureTable
from ray_jobs.graph_step import cited_sentences
from ray_jobs.options import emit, existing, json_option, out_file_option, told_plainly
from ray_jobs.risk_options import run_option
from ray_jobs.risk_tables import (
    console,
    json_of,
    print_explanation,
)

EXPLAINED = ("blend", "lightgbm", "logistic")
"""Models that can be taken apart by feature, the first that a run has is."""


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
@out_file_option("The page to write.")
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
