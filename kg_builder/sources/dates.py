"""Publication dates, in all the ways in which PubMed writes them.

A range counts as its end (`1998 Dec-1999 Jan` is January 1999): what is read here is cut by
`as_of`, and nothing may be known before the last day on which it can have been published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from kg_builder.model import PublicationDate

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}
# PubMed files a season under the first month of a quarter (Spring: April) whatever the
# hemisphere, so a season ends with its quarter. Winter runs over the turn of the year, and the
# year it is printed with may be either: it counts as the end of that year.
_SEASONS = {"spring": 6, "summer": 9, "autumn": 12, "fall": 12, "winter": 12}
_TOKEN = re.compile(
    r"(?P<year>(?<!\d)\d{4}(?!\d))"
    r"|(?P<quarter>[1-4])(?:st|nd|rd|th)?\s*quart(?:er)?\b"
    r"|(?P<number>(?<!\d)\d{1,2}(?!\d))"
    r"|(?P<word>[^\W\d_]+)",
    re.IGNORECASE,
)

_Token = tuple[str, int]


@lru_cache(maxsize=1 << 16)
def parse_date(text: str) -> PublicationDate | None:
    """The last date that the text can mean, as precise as it says; `None` without a year.

    What cannot be (a 13th month, 31 February) is left out, so the date is less precise and
    counts later, never earlier.

    >>> parse_date("1998 Dec-1999 Jan")
    PublicationDate(year=1999, month=1, day=None)
    >>> parse_date("unknown") is None
    True
    """
    tokens = [token for match in _TOKEN.finditer(text) if (token := _token(match))]
    years = [place for place, (kind, _) in enumerate(tokens) if kind == "year"]
    if not years:
        return None
    year = max(tokens[place][1] for place in years)
    if years[0] == 0:  # '1998 Dec-1999 Jan': what follows the last year belongs to it
        rest = tokens[years[-1] + 1 :]
    else:  # 'Dec 1998-Jan 1999': what stands between the last two years does
        rest = tokens[years[-2] + 1 if len(years) > 1 else 0 : years[-1]]
    return _within_year(year, rest)


def earliest(dates: Iterable[PublicationDate | None]) -> PublicationDate | None:
    """The date whose last possible day comes first; of equal ones the most precise."""
    known = [found for found in dates if found is not None]
    if len(known) < 2:
        return known[0] if known else None
    return min(known, key=lambda d: (d.last_day(), d.month is None, d.day is None))


def iso_day(text: str) -> str:
    """`YYYY-MM-DD` for a text that names a day, else an empty string."""
    found = parse_date(text)
    return found.last_day().isoformat() if found is not None and found.day else ""


def _token(match: re.Match[str]) -> _Token | None:
    kind, text = match.lastgroup, match.group(match.lastgroup or 0)
    if kind == "year":
        return ("year", int(text)) if int(text) >= 1000 else None
    if kind == "quarter":
        return "season", 3 * int(text)
    if kind == "number":
        return "number", int(text)
    word = text.lower()
    if word in _MONTHS:
        return "month", _MONTHS[word]
    return ("season", _SEASONS[word]) if word in _SEASONS else None


def _within_year(year: int, tokens: list[_Token]) -> PublicationDate:
    named = [place for place, (kind, _) in enumerate(tokens) if kind != "number"]
    if not named:
        return _numeric(year, [value for _, value in tokens])
    kind, month = tokens[named[-1]]
    first_kind, first = tokens[named[0]]
    if kind == first_kind == "month" and month < first:  # '2000 Dec-Jan' ends in 2001
        year += 1
    days = [value for _, value in tokens[named[-1] + 1 :]] if kind == "month" else []
    return _checked(year, month, days[-1] if days else None)


def _numeric(year: int, numbers: list[int]) -> PublicationDate:
    """Year, month, day as in `2015 06 30`; anything else in numbers is not understood."""
    if not numbers or len(numbers) > 2 or not 1 <= numbers[0] <= 12:
        return PublicationDate(year)
    return _checked(year, numbers[0], numbers[1] if len(numbers) == 2 else None)


def _checked(year: int, month: int, day: int | None) -> PublicationDate:
    if day is None:
        return PublicationDate(year, month)
    try:
        date(year, month, day)
    except ValueError:
        return PublicationDate(year, month)
    return PublicationDate(year, month, day)
