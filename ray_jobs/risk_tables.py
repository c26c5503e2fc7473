"""What the commands of the risk model print: audits, performance, explanations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from predictor.evaluate import Performance, as_json
from predictor.explain import Explanation
from predictor.leakage import Audit, summary
from ray_jobs.train_risk import Trained

console = Console(highlight=False)


def json_of(value: Any) -> Any:
    """Values as plain JSON, dates and times as text."""
    return json.loads(json.dumps(as_json(value), default=str))


def print_audit(audit: Audit) -> None:
    """The audit's sentence, and a row for each check."""
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
    """An empty table of performance."""
    return Table(
        "", "rows", "events", "AUROC", "AUPRC", "Brier", "slope", title=title, title_justify="left",
        box=SIMPLE,
    )  # fmt: skip


def add_performance(table: Table, name: str, found: Performance) -> None:
    """A row of `performance_table`."""
    table.add_row(
        name, f"{found.n:,}", f"{found.events:,}", str(found.auroc), str(found.auprc),
        f"{found.brier.value:.4f}", str(found.calibration_slope),
    )  # fmt: skip


def print_trained(trained: Trained, out: Path) -> None:
    """A training's figures on the test part, what each source added, and where all is kept."""
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
    """A prediction with the features that made it, their findings and sentences."""
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
