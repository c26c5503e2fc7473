"""What a source's dates mean in the world: the literature must be cut at a real date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Precision = Literal["day", "year", "none"]


class CalendarError(ValueError):
    """A cut of the literature that a source's dates cannot give; tells the remedy."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """How dates of a source relate to the calendar of the literature.

    `precision`: `day`: dates are real; `year`: the earliest possible year of a row is known and
    the literature is cut at its first of January; `none`: dates are shifted beyond recall.
    `rule` says in words where the year comes from.
    """

    precision: Precision
    rule: str

    def sql(self, time: str, shift: str) -> str:
        """The literature date of a row in SQL, from its time and its shift in years."""
        if self.precision == "none":
            return "NULL::DATE"
        if self.precision == "day":
            return f"({time})::DATE"
        return f"make_date((year({time}) + {shift})::INTEGER, 1, 1)"


NO_CALENDAR = Calendar("none", "dates are shifted for each patient and no real year is known")


def check_cut(cut: date, today: date) -> date:
    """The cut, if it is not in the future; `CalendarError` otherwise."""
    if cut > today:
        raise CalendarError(
            f"literature cut at {cut}, which is after today ({today}): shifted dates are no dates "
            "of the literature; give a real `literature_as_of` in the task"
        )
    return cut
