"""What the commands of the risk model share: their options, and errors told plainly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from ray_jobs.options import existing

Command = TypeVar("Command", bound=Callable[..., Any])
run_option = click.option("--run", required=True, type=existing, help="What `medweave train` made.")
KINDS = ("blend", "lightgbm", "xgboost", "balanced_forest", "logistic")


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
