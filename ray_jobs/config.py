"""Where medweave keeps what it can make again, and how it reads a date from a command line."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import click

from kg_builder.model import PublicationDate


def cache_directory() -> Path:
    """`MEDWEAVE_CACHE`, else `medweave` in `XDG_CACHE_HOME`, else `~/.cache/medweave`."""
    if named := os.environ.get("MEDWEAVE_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medweave"


class AsOf(click.ParamType):
    """A date as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; a shorter one means its last day."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Parse the option's text; a date that is none, or in the future, fails with the remedy."""
        if isinstance(value, date):
            return value
        try:
            parts = [int(part) for part in str(value).split("-")]
            if len(parts) > 3 or len(str(value).split("-")[0]) != 4:
                raise ValueError(value)
            day = PublicationDate(*parts).last_day()
        except (ValueError, TypeError, IndexError):
            self.fail(f"{value!r} is not a date; write YYYY, YYYY-MM or YYYY-MM-DD", param, ctx)
        if day > date.today() and PublicationDate(parts[0]).last_day() > date.today():
            return self._not_later_than_today(day, parts, param, ctx)
        return day

    def _not_later_than_today(
        self,
        day: date,
        parts: list[int],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> date:
        """The current year or month, written short, is cut at today; any later date fails."""
        today = date.today()
        if len(parts) < 3 and parts == [today.year, today.month][: len(parts)]:
            return today
        self.fail(f"{day} lies in the future; nothing is known of it yet", param, ctx)
