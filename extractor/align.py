"""Quotes to characters: where in a note stands what an answer quotes.

A quote is looked for as it is, then without regard to case and to the kind and amount of white
space. The same quote given several times means successive mentions of it. What is found nowhere
is ungrounded; nothing is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from extractor.schema import Finding, Stated

_EDGE = re.compile(r"^[\s.,;:]+|[\s.,;:]+$")
_INNER = re.compile(r"\s+")


def align(text: str, stated: Iterable[Stated]) -> tuple[tuple[Finding, ...], tuple[Stated, ...]]:
    """Findings in the order of the text, and the statements whose quote stands nowhere in it.

    >>> from extractor.schema import Kind, Status
    >>> twice = [Stated("pain", Kind.PROBLEM, status) for status in (Status.PRESENT, Status.ABSENT)]
    >>> found, ungrounded = align("Pain today, no  PAIN before.", twice)
    >>> [(f.start, f.quote, f.status.value) for f in found], ungrounded
    ([(0, 'Pain', 'present'), (16, 'PAIN', 'absent')], ())
    """
    used: dict[str, list[tuple[int, int]]] = defaultdict(list)
    found: list[Finding] = []
    ungrounded: list[Stated] = []
    for item in stated:
        quote = _EDGE.sub("", item.quote)
        place = _next_place(text, quote, used[_key(quote)])
        if place is None:
            ungrounded.append(item)
            continue
        used[_key(quote)].append(place)
        found.append(_finding(text, place, item))
    return tuple(sorted(found, key=lambda f: (f.start, f.end))), tuple(ungrounded)


def _finding(text: str, place: tuple[int, int], item: Stated) -> Finding:
    start, end = place
    return Finding(
        start, end, text[start:end], item.kind, item.status,
        time=item.time, value=item.value, unit=item.unit, score=item.score,
    )  # fmt: skip


def _key(quote: str) -> str:
    return _INNER.sub(" ", quote).casefold()


def _next_place(text: str, quote: str, used: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The first mention of the quote after those that are used."""
    if not quote:
        return None
    for places in (_exact(text, quote), _tolerant(text, quote)):
        for place in places:
            if all(place[0] >= end or place[1] <= start for start, end in used):
                return place
    return None


def _exact(text: str, quote: str) -> Iterator[tuple[int, int]]:
    """Mentions of the quote, letter by letter, that neither begin nor end within a word."""
    pattern = re.compile(_bounded(re.escape(quote), quote))
    return (match.span() for match in pattern.finditer(text))


def _tolerant(text: str, quote: str) -> Iterator[tuple[int, int]]:
    """Mentions whatever their case and white space."""
    words = [re.escape(word) for word in quote.split()]
    pattern = re.compile(_bounded(r"\s+".join(words), quote), re.IGNORECASE)
    return (match.span() for match in pattern.finditer(text))


def _bounded(pattern: str, quote: str) -> str:
    before = r"(?<!\w)" if quote[0].isalnum() else ""
    after = r"(?!\w)" if quote[-1].isalnum() else ""
    return f"{before}{pattern}{after}"
