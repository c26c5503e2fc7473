"""Options that commands share, the store that they open, and JSON as they print it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import click

from kg_builder.model import PREDICATES
from kg_builder.store import IMPLEMENTATIONS, GraphStore, open_store
from ray_jobs.config import AsOf

existing = click.Path(exists=True, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., object])


def number_option(
    *names: str, default: int, text: str, least: int = 1
) -> Callable[[Command], Command]:
    """An option whose value is `least` or more, and told in the help."""
    return click.option(
        *names, default=default, show_default=True, type=click.IntRange(least), help=text
    )


def out_folder_option(text: str) -> Callable[[Command], Command]:
    """The folder that a command writes to."""
    return _out_option(click.Path(file_okay=False, path_type=Path), text)


def out_file_option(text: str) -> Callable[[Command], Command]:
    """The file that a command writes."""
    return _out_option(click.Path(dir_okay=False, path_type=Path), text)


def _out_option(where: click.Path, text: str) -> Callable[[Command], Command]:
    return click.option("--out", required=True, type=where, help=text)


graph_option = click.option(
    "--graph", required=True, metavar="DIR|URL", help="What kg_build made, or neo4j://HOST:7687."
)


def _not_a_server(_context: click.Context, _option: click.Parameter, graph: str) -> str:
    if "://" in graph and graph.partition("://")[0] in IMPLEMENTATIONS:
        raise click.BadParameter(
            "a database holds one snapshot, not the ledger and the history that this command "
            "reads; give the directory that was published there"
        )
    return graph


directory_option = click.option(
    "--graph", required=True, metavar="DIR", callback=_not_a_server, help="What kg_build made."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
as_of_option = click.option(
    "--as-of", type=AsOf(), help="Only what was published by then (YYYY, YYYY-MM or YYYY-MM-DD)."
)
workers_option = click.option(
    "--workers",
    "count",
    type=click.IntRange(1),
    help="Processes; one a core, as far as there are files. 1: all in this process, without Ray.",
)
processes_option = number_option(
    "--workers", default=1, text="Processes; 1: all in this process, without Ray."
)
limit_option = number_option("--limit", default=20, text="So many at the most.")
predicate_option = click.option(
    "--predicate",
    "predicates",
    multiple=True,
    type=click.Choice(PREDICATES),
    help="Only edges of this predicate; may be given again.",
)
min_articles_option = number_option(
    "--min-articles",
    default=1,
    text="Only edges that so many articles state, for and against counted together.",
)
linker_option = click.option(
    "--linker",
    default="lexicon",
    show_default=True,
    metavar="lexicon|scispacy",
    help="What finds concepts in text.",
)


@contextmanager
def told_plainly() -> Iterator[None]:
    """What is wrong with a command's input ends it with that said, and nothing of the program."""
    try:
        yield
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def opened(graph: str) -> Iterator[GraphStore]:
    """The store at this address, closed afterwards; errors are told plainly."""
    with told_plainly(), closing(open_store(graph)) as store:
        yield store


def emit(rows: object) -> None:
    """Print a value as JSON, dates in ISO form."""
    click.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
