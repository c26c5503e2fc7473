"""The command that makes a synthetic hospital."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from predictor.synthetic.leaks import LEAKS
from predictor.synthetic.make import Plan, Report, make_hospital
from ray_jobs.options import emit, json_option, out_folder_option, told_plainly

console = Console(highlight=False)


@click.group()
def hospital() -> None:
    """Make a synthetic hospital, whose truth is known."""


@hospital.command("make")
@click.option("--patients", required=True, type=click.IntRange(1), help="How many patients.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same bytes.")
@out_folder_option("The folder to write.")
@click.option("--leak", type=click.Choice(LEAKS), help="Plant one leak, for an audit to find.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["notes", "graph"]),
    help="Let the outcome not depend on this source; the files stay the same.",
)
@json_option
def make(
    patients: int, seed: int, out: Path, leak: str | None, without: tuple[str, ...], as_json: bool
) -> None:
    """Write a hospital in the layout of MIMIC-IV, with notes, and its truth in OUT/truth."""
    began = time.monotonic()
    with told_plainly():
        plan = Plan(patients, seed, leak or "", "notes" in without, "graph" in without)
        with _bar(as_json) as bar:
            task = bar.add_task("simulating", total=None)
            report = make_hospital(
                plan,
                out,
                lambda what, done, total: bar.update(
                    task, description=what, completed=done, total=total
                ),
            )
    if as_json:
        emit(dataclasses.asdict(report))
        return
    _print(report, out, time.monotonic() - began)


def _bar(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
        disable=quiet,
    )


def _print(report: Report, out: Path, seconds: float) -> None:
    table = Table("file", "rows")
    for name, rows in report.rows.items():
        table.add_row(name, f"{rows:,}")
    console.print(table)
    for task, told in report.tasks.items():
        share = told["events"] / told["rows"]
        console.print(
            f"{task}: {told['rows']:,.0f} predictions, {share:.1%} with the outcome; best "
            f"reachable AUROC {told['best_reachable_auroc']:.3f}, of it by tables "
            f"{told['added_last_structured']:.3f}, notes {told['added_last_notes']:.3f}, graph "
            f"{told['added_last_graph']:.3f} (each added last)"
        )
    console.print(
        f"Hospital in {out}, made in {seconds:.0f} s; its truth is in {out / 'truth'}, for "
        "evaluation only."
    )
