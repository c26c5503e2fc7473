"""Abbreviations that a text defines itself: `heart rate (HR)`.

The algorithm is that of Schwartz and Hearst (A simple algorithm for identifying abbreviation
definitions in biomedical text, PSB 2003): the letters of the short form are sought from the right
in the words before the bracket, and its first letter must begin a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SHORT = re.compile(r"[(\[]\s?([^\W_][\w\-/.+'’]{1,9})(?=\s?[)\];,])")
_WORD_START = re.compile(r"[^\W_](?<![^\W_][^\W_])")
_CLAUSE = re.compile(r"[()\[\];:\n]|\.\s")


class Abbreviation(NamedTuple):
    """A short form and the span of the long form that defines it, ends exclusive."""

    short: str
    short_start: int
    long_start: int
    long_end: int


def _looks_short(short: str) -> bool:
    return not short.islower() and not short.isdigit() and any(map(str.isalpha, short))


def _long_start(short: str, text: str, low: int, high: int) -> int | None:
    """Where the long form begins within `text[low:high]`, or `None` where no letters match."""
    window = _lowered(text[low:high])
    at = len(window)
    for sign in reversed(_lowered(short[1:])):
        if sign.isalnum():
            at = window.rfind(sign, 0, at)
            if at < 0:
                return None
    first = _lowered(short[0])
    at = window.rfind(first, 0, at)
    while at > 0 and window[at - 1].isalnum():
        at = window.rfind(first, 0, at)
    return None if at < 0 else low + at


def _lowered(text: str) -> str:
    """In lower case, every character still in its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)


def _window(text: str, end: int, words: int) -> int:
    """Start of the last `words` words before `end` in the same clause."""
    low = max(0, end - 20 * words)
    for stop in _CLAUSE.finditer(text, low, end):
        low = stop.end()
    starts = [match.start() for match in _WORD_START.finditer(text, low, end)]
    return starts[-words] if len(starts) > words else low


def occurrences(text: str, short: str) -> Iterator[tuple[int, int]]:
    """Where a short form stands as a word of its own, with its plural's `s`.

    >>> list(occurrences("HR, HRs, CHR and HRT", "HR"))
    [(0, 2), (4, 7)]
    """
    at = text.find(short)
    while at >= 0:
        end = at + len(short)
        if not at or not _in_word(text[at - 1]):
            end += text[end : end + 1] == "s"
            if end == len(text) or not _in_word(text[end]):
                yield at, end
        at = text.find(short, at + len(short))


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def find_abbreviations(text: str) -> Iterator[Abbreviation]:
    """Every definition in the text, in order; a long form lies in the clause of its short form.

    >>> [(a.short, "low heart rate (HR)"[a.long_start:a.long_end])
    ...  for a in find_abbreviations("low heart rate (HR)")]
    [('HR', 'heart rate')]
    """
    for match in _SHORT.finditer(text):
        short = match.group(1).rstrip(".-'’/+")
        if len(short) < 2 or not _looks_short(short):
            continue
        end = match.start()
        while end and text[end - 1].isspace():
            end -= 1
        low = _window(text, end, min(len(short) + 5, 2 * len(short)))
        start = _long_start(short, text, low, end)
        if start is not None and end - start > len(short):
            yield Abbreviation(short, match.start(1), start, end)
