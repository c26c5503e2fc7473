"""The demo's second half: from the graph and a synthetic hospital to a risk report."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from predictor.study import Plan
from predictor.synthetic.make import Plan as HospitalPlan
from predictor.synthetic.make import make_hospital
from ray_jobs.extract_notes import extract, write_page
from ray_jobs.risk_data import Inputs
from ray_jobs.risk_reasons import write_report
from ray_jobs.risk_tables import print_audit, print_trained
from ray_jobs.screen import bars
from ray_jobs.train_risk import Division, train

PATIENTS = 400
SEED = 3
TASK = "readmission_30d"
FOLDS = 3
REPLICATES = 200
"""Few patients and a short evaluation: intervals are wide, and that is what the report says."""

console = Console(highlight=False)


def risk_demo(out: Path, graph: Path) -> None:
    """Make a hospital, read its notes, train and audit a model on records, notes and graph."""
    hospital, findings, run = out / "hospital", out / "findings.jsonl", out / "run"
    for folder in (hospital, run):
        if folder.exists():
            shutil.rmtree(folder)
    console.rule("5. A synthetic hospital whose risks depend on tables, notes and the graph")
    with bars() as shown:
        bar = shown.add_task("hospital", total=None)

        def making(what: str, done: int, total: int) -> None:
            shown.update(bar, description=what, completed=done, total=total)

        make_hospital(HospitalPlan(PATIENTS, SEED), hospital, making)
    console.rule("6. Findings in its notes, each a span with its status")
    with bars() as shown:
        tally = extract(hospital / "notes.jsonl", findings, model="rules", progress=shown)
    console.print(
        f"{tally.findings:,} findings in {tally.notes:,} notes, {tally.ungrounded} without a place"
    )
    page = out / "note.html"
    write_page(hospital / "notes.jsonl", findings, page)
    console.print(f"wrote {page}")
    console.rule("7. A risk of readmission: audited, trained, taken apart")
    inputs = Inputs(hospital, TASK, findings=findings, graph=str(graph))
    plan = Plan(("blend", "lightgbm", "logistic"), replicates=REPLICATES)
    with bars() as shown:
        bar = shown.add_task("reading", total=None)

        def told(what: str, done: int, total: int) -> None:
            shown.update(bar, description=what, completed=done, total=total or None)

        trained = train(inputs, run, plan, division=Division(FOLDS), told=told)
    print_audit(trained.audit)
    print_trained(trained, run)
    report = out / "report.html"
    write_report(run, report, 3, findings, patient_text=True)
    console.print(f"wrote {report} (its patients are made up, so their notes' words are in it)")
