"""Polarity and hedging of a stated relation, read from the words in whose scope it stands.

The rules follow the idea of NegEx and ConText (Chapman 2001, Harkema 2009): a denial or a doubt
reaches forward to the next trigger of its clause; some words only look like denials; some doubts
(`suggest`, `whether`) govern the rest of the sentence. Three departures: a trigger that
presupposes its relation (`clonidine-induced hypotension`) is reached only by a word right before
its arguments; a denial may also stand between trigger and object (`caused no bleeding`); the
relation named by a noun may be denied or doubted after its arguments (`no` aside, `the
association of X with Y was not confirmed`).
"""

from __future__ import annotations

from collections.abc import Sequence

from kg_builder.triggers import Cue, Frame, Hit, Order

_DENIAL_REACH = 60
_LONG_DENIALS = frozenset(("neither", "none of", "nor", "no evidence", "nor did"))
_LONG_REACH = 140
_DOUBT_REACH = 90
_NEXT_WORD_REACH = 14
_OPEN_GAPS = frozenset(("or", "nor", "and/or", "/", ",", ", or", "or to", "either"))
_AFTER_REACH = 60


def assess(
    lowered: str, hits: Sequence[Hit], at: int, frame: Frame, extent: tuple[int, int, int]
) -> tuple[bool, bool]:
    """Whether the relation stated by `hits[at]` is denied, and whether it is doubted.

    `hits` are all words of the table in the sentence, in order. `extent` is the start of the
    leftmost part of the relation (subject, trigger or object), the end of its rightmost part, and
    the end of the sentence.
    """
    first, last, sentence_end = extent
    if frame.factual:
        return _assess_factual(lowered, hits, at, first)
    denied, doubted = _before(lowered, hits, at)
    if not denied and frame.order is not Order.PASSIVE:
        denied = _denied_next(lowered, hits, at, last)
    after_denied, after_doubted = _after(lowered, hits, at, last, frame)
    question = lowered[sentence_end - 1] == "?"
    return denied or after_denied, doubted or after_doubted or question


def _assess_factual(lowered: str, hits: Sequence[Hit], at: int, first: int) -> tuple[bool, bool]:
    """Denial and doubt of a presupposed relation: only by a word right before it, or within."""
    denied = doubted = False
    for hit in reversed(hits[:at]):
        if hit.end < first - _NEXT_WORD_REACH:
            break
        cue = hit.entry.cue
        doubted |= cue is Cue.DOUBT
        denied |= cue is Cue.DENIAL and hit.end >= first - 2
    return denied, doubted


def _before(lowered: str, hits: Sequence[Hit], at: int) -> tuple[bool, bool]:
    """Denial and doubt by words before the trigger, back to the boundary of its clause."""
    start = hits[at].start
    denied = doubted = False
    open_to_denial = True
    for position in range(at - 1, -1, -1):
        hit = hits[position]
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            break
        if hit.entry.closes:
            gap = lowered[hit.end : hits[position + 1].start].strip()
            open_to_denial &= cue is Cue.TRIGGER and gap in _OPEN_GAPS
        elif cue is Cue.DENIAL:
            denied |= open_to_denial and start - hit.end <= _denial_reach(lowered, hit)
        elif cue is Cue.DOUBT:
            doubted |= start - hit.end <= _DOUBT_REACH
        elif cue is Cue.DOUBT_ALL:
            doubted = True
    return denied, doubted


def _denial_reach(lowered: str, hit: Hit) -> int:
    return _LONG_REACH if lowered[hit.start : hit.end] in _LONG_DENIALS else _DENIAL_REACH


def _denied_next(lowered: str, hits: Sequence[Hit], at: int, last: int) -> bool:
    """Whether a denial follows the trigger at once: `caused no`, `was associated with no`."""
    if at + 1 == len(hits):
        return False
    hit = hits[at + 1]
    return (
        hit.entry.cue is Cue.DENIAL
        and hit.end < last
        and hit.start - hits[at].end <= _NEXT_WORD_REACH
        and lowered[hit.start : hit.end] != "not"
    )


def _after(
    lowered: str, hits: Sequence[Hit], at: int, last: int, frame: Frame
) -> tuple[bool, bool]:
    """Denial and doubt by words after the trigger, up to the boundary of its clause."""
    denied = doubted = False
    noun = frame.order in (Order.SUBJECT_FIRST, Order.OBJECT_FIRST)
    for hit in hits[at + 1 :]:
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            break
        past = hit.start - last
        if cue is Cue.DOUBT:
            doubted |= past < 0 or (noun and past <= _AFTER_REACH)
        elif cue is Cue.DOUBT_ALL:
            doubted |= past < 0
            doubted |= noun and past <= _AFTER_REACH and lowered[hit.start : hit.start + 2] in (
                "un", "no", "co", "re", "ca",
            )  # fmt: skip
        elif cue is Cue.DENIAL and noun and frame.predicate not in ("TREATS", "PREVENTS"):
            denied |= 0 <= past <= 20 and lowered[hit.start : hit.end] in ("not", "no", "cannot")
        elif cue is Cue.TRIGGER and past >= 0:
            break
    return denied, doubted
