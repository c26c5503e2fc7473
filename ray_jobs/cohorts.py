"""`medweave cohort`: who is predicted; `medweave seeds`: the concepts of each prediction."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ontologies.concept import Vocabulary
from predictor.cohort import Cohort, load_task, make_cohort
from predictor.patient_concepts import patient_seeds, write_seeds
from predictor.sources import Records, open_records
from predictor.sources.draft import draft_layout
from ray_jobs.options import emit, json_option, told_plainly

console = Console(highlight=False)

data_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="The folder (or file) of the records; the source is recognized by its layout.",
)
layout_option = click.option(
    "--layout",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML that names the columns of a plain table.",
)
task_option = click.option(
    "--task", required=True, metavar="NAME|FILE", help="A task by name, or a YAML file."
)


@click.command()
@data_option
@layout_option
@task_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows as Parquet.")
@json_option
def cohort(data: Path, layout: Path | None, task: str, out: Path | None, as_json: bool) -> None:
    """Show who a task predicts, and how many rows each exclusion takes."""
    with told_plainly(), open_records(data, layout) as records:
        made = make_cohort(records, load_task(task, records))
        if out is not None:
            import pyarrow.parquet as pq

            pq.write_table(made.rows, out)
        emit(_told(records, made)) if as_json else _show(records, made)


@click.command()
@data_option
@layout_option
@task_option
@click.option(
    "--vocabulary",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `medweave vocabulary build` made.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="JSON lines to write.")
@json_option
def seeds(
    data: Path, layout: Path | None, task: str, vocabulary: Path, out: Path, as_json: bool
) -> None:
    """Write the concepts known of each patient by the prediction time, for retrieval."""
    with told_plainly(), open_records(data, layout) as records:
        loaded = load_task(task, records)
        made = make_cohort(records, loaded)
        found = patient_seeds(records, made, loaded, Vocabulary.load(vocabulary))
        write_seeds(out, found.rows)
    told = [{**dataclasses.asdict(one), "share": round(one.share, 4)} for one in found.resolved]
    if as_json:
        emit({"rows": len(found.rows), "resolved": told})
        return
    for one in found.resolved:
        console.print(
            f"{one.kind}: {one.resolved:,} of {one.records:,} resolve ({one.share:.1%}), "
            f"{one.named:,} to concepts that the literature names"
        )
    console.print(f"{len(found.rows):,} predictions in {out}")


@click.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def layout(table: Path) -> None:
    """Draft the layout of a TABLE of your own, to be corrected: `... > layout.yaml`."""
    with told_plainly():
        click.echo(draft_layout(table), nl=False)


def _told(records: Records, made: Cohort) -> dict[str, object]:
    return {
        "source": records.name,
        "calendar": dataclasses.asdict(records.calendar),
        "task": dataclasses.asdict(made.task),
        "rows": len(made),
        "patients": len(made.rows["subject_id"].unique()),
        "events": made.events,
        "flow": [dataclasses.asdict(step) for step in made.flow],
    }


def _show(records: Records, made: Cohort) -> None:
    console.print(f"[bold]{made.task.title}[/bold] in {records.name}")
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("step", overflow="fold")
    table.add_column("excluded", justify="right")
    table.add_column("left", justify="right")
    table.add_column("", overflow="fold")
    for step in made.flow:
        table.add_row(step.name, f"{step.excluded:,}" if step.excluded else "", f"{step.left:,}",
                      step.told)  # fmt: skip
    console.print(table)
    console.print(f"Literature: {records.calendar.rule}.")
