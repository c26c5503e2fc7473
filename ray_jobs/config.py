"""Where medweave keeps what it can make again, and how it reads a date from a command line."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import click

from kg_builder.model import PublicationDate


def cache_directory() -> Path:
    """`MEDWEAVE_CACHE`, else `medweave` in `XDG_CACHE_HOME`, else `~/.cache/medweave`."""
    if named := os.environ.get("MEDWEAVE_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medweave"


def vocabulary_directory(given: str | None) -> Path:
    """The folder of a vocabulary: the one given, else the starter vocabulary's in the cache."""
    if given is not None:
        return Path(given).resolve()
    from ontologies.starter_vocabulary import starter_vocabulary

    starter = starter_vocabulary()
    directory = cache_directory() / "vocabularies" / starter.digest
    if not directory.is_dir():
        starter.save(directory)
    return directory


def parse_cut(text: str, today: date) -> date:
    """The day that a cut names: `YYYY`, `YYYY-MM` (their last days) or `YYYY-MM-DD`.

    The year or month that is running now is cut at `today`; any other day after it raises
    `ValueError`, as does what is no date.
    """
    found = re.fullmatch(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?", text)
    if found is None:
        raise ValueError(f"{text!r} is not a date; write YYYY, YYYY-MM or YYYY-MM-DD")
    parts = [int(part) for part in found.groups() if part]
    try:
        day = PublicationDate(*parts).last_day()
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: {error}") from error
    if len(parts) < 3 and parts == [today.year, today.month][: len(parts)]:
        return today
    if day > today:
        raise ValueError(f"{day} lies in the future; nothing is known of it yet")
    return day


class AsOf(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """An option's date, as `parse_cut` reads it."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """The day; what is no date, or lies in the future, is a usage error."""
        if isinstance(value, date):
            return value
        try:
            return parse_cut(str(value), date.today())
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error
