"""What a person sees of a job: bars while it runs, a table of figures at its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

console = Console(stderr=True, highlight=False)
"""Standard error: what a command tells besides its result."""


def bars() -> Progress:
    """Progress bars with count, rate and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def tell_figures(figures: Mapping[str, Any], as_json: bool, title: str) -> None:
    """A job's figures on standard output: as JSON, or as a table for people."""
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        print_figures(figures, Console(highlight=False), title)


def print_figures(figures: Mapping[str, Any], out: Console, title: str) -> None:
    """The final table, for people; figures that are not known are left out."""
    table = Table(title=title, show_header=False, title_justify="left")
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for key, part in value.items():
                shown = f"{part:,}" if isinstance(part, int) else str(part)
                table.add_row(f"{name.replace('_', ' ')}: {key}", shown)
        elif value is not None:
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
            table.add_row(name.replace("_", " "), shown)
    out.print(table)


@contextmanager
def resumable() -> Iterator[None]:
    """An interruption says that the same command goes on, and ends with status 130."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("Interrupted. What is complete is kept; the same command goes on from there.")
        sys.exit(130)
