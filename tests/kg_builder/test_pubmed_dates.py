"""Dates as PubMed writes them."""

from __future__ import annotations

import calendar
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.model import PublicationDate
from kg_builder.sources.dates import earliest, iso_day, parse_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2001", (2001, None, None)),
        ("2001 Feb", (2001, 2, None)),
        ("2001 02", (2001, 2, None)),
        ("2001 02 03", (2001, 2, 3)),
        ("2001 Feb 3", (2001, 2, 3)),
        ("2001 September 30", (2001, 9, 30)),
        ("3 Feb 2001", (2001, 2, None)),  # the day stands elsewhere: less precise, never earlier
        ("Feb 3 2001", (2001, 2, 3)),
        ("1998 Dec-1999 Jan", (1999, 1, None)),
        ("Dec 1998-Jan 1999", (1999, 1, None)),
        ("1998 Dec 28-1999 Jan 4", (1999, 1, 4)),
        ("1999-2000", (2000, None, None)),
        ("1998 Dec-1999", (1999, None, None)),
        ("2000 Nov-Dec", (2000, 12, None)),
        ("2000 Dec-Jan", (2001, 1, None)),
        ("2008 Jul-Aug", (2008, 8, None)),
        ("1998 Feb 1-15", (1998, 2, 15)),
        ("2000 Jan 30-Feb 5", (2000, 2, 5)),
        ("2000 Spring", (2000, 6, None)),
        ("2000 Spring-Summer", (2000, 9, None)),
        ("Summer 1999", (1999, 9, None)),
        ("Winter 2001", (2001, 12, None)),
        ("2015 Winter-Spring", (2015, 6, None)),
        ("1976-1977 Winter", (1977, 12, None)),
        ("1977-1978 Fall-Winter", (1978, 12, None)),
        ("1979 1st Quart", (1979, 3, None)),
        ("1979 4th Quarter", (1979, 12, None)),
        ("2000 Christmas", (2000, None, None)),
        ("2001 13", (2001, None, None)),
        ("2001 Feb 31", (2001, 2, None)),
        ("2001 00 00", (2001, None, None)),
        ("2001/06/30", (2001, 6, 30)),
    ],
)
def test_forms(text: str, expected: tuple[int, int | None, int | None]) -> None:
    assert parse_date(text) == PublicationDate(*expected)


@pytest.mark.parametrize("text", ["", "unknown", "Spring", "Feb 3", "0000", "12345"])
def test_no_year_no_date(text: str) -> None:
    assert parse_date(text) is None


@given(st.dates(date(1000, 1, 1)))
def test_what_is_written_is_read(day: date) -> None:
    expected = PublicationDate(day.year, day.month, day.day)
    for month in (
        f"{day.month:02}",
        calendar.month_abbr[day.month],
        calendar.month_name[day.month],
    ):
        assert parse_date(f"{day.year} {month} {day.day}") == expected
    assert iso_day(f"{day.year} {day.month} {day.day}") == day.isoformat()


@given(st.text(alphabet="0123456789 -/JanFebSpringDec"))
def test_any_text_gives_a_possible_date_or_none(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.last_day().year >= 1000


@given(
    st.lists(
        st.none()
        | st.builds(PublicationDate, st.integers(1990, 1992), st.none() | st.integers(1, 12))
        | st.dates(date(1990, 1, 1), date(1992, 12, 31)).map(
            lambda d: PublicationDate(d.year, d.month, d.day)
        )
    )
)
def test_earliest_last_day(dates: list[PublicationDate | None]) -> None:
    known = sorted(d.last_day() for d in dates if d)
    found = earliest(dates)
    assert (found.last_day() if found else None) == (known[0] if known else None)
    assert found is None or found in dates


def test_of_equal_last_days_the_most_precise() -> None:
    dates = [PublicationDate(2000), PublicationDate(2000, 12, 31), PublicationDate(2000, 12)]
    assert earliest(dates) == PublicationDate(2000, 12, 31)


def test_revised_needs_a_day() -> None:
    assert iso_day("2019 01 05") == "2019-01-05"
    assert iso_day("2019 01") == ""
