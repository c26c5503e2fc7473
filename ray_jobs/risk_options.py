"""The options that the commands of the risk model share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ray_jobs.options import existing

Command = TypeVar("Command", bound=Callable[..., Any])
KINDS = ("blend", "lightgbm", "xgboost", "balanced_forest", "logistic")
run_option = click.option("--run", required=True, type=existing, help="What `medweave train` made.")
seed_option = click.option(
    "--seed", default=0, show_default=True, help="The same seed gives the same figures."
)
kind_option = click.option(
    "--model", "kind", type=click.Choice(KINDS), help="Which of the run's models; its first else."
)


def inputs_options(command: Command) -> Command:
    """Where findings, stage-1 outputs and graph features lie."""
    for option in (
        click.option("--findings", type=existing, help="What `medweave extract` wrote."),
        click.option("--outcomes", type=existing, help="The note model's outputs (stage 1)."),
        click.option("--graph", metavar="DIR|URL", help="Ask this graph about every row."),
        click.option("--contexts", type=existing, help="What `medweave contexts` wrote instead."),
        click.option(
            "--vocabulary",
            type=click.Path(exists=True, file_okay=False),
            help="What names concepts, and finds them in records; the starter unless given.",
        ),
    ):
        command = option(command)
    return command
