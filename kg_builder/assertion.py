"""Polarity and hedging of a stated relation, read from the words in whose scope it stands.

The rules follow the idea of NegEx and ConText (Chapman 2001, Harkema 2009): a denial or a doubt
reaches forward to the next trigger of its clause; some words only look like denials; some doubts
(`suggest`, `whether`) govern the rest of the sentence. Four departures: a denial of a noun (`no`,
`without`) reaches only the words right after it; a trigger that presupposes its relation
(`clonidine-induced hypotension`) is reached only by a word right before its arguments; a denial
may also stand between trigger and object (`caused no bleeding`); a relation named by a noun may be
denied or doubted after its arguments (`the association of X with Y was not confirmed`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kg_builder.triggers import Cue, Frame, Hit, Order

_DENIAL_REACH = {Cue.DENIAL: 60, Cue.DENIAL_WIDE: 140}
_DOUBT_REACH = 90
_NEXT_REACH = 14
_AFTER_REACH = 60
_ABSENCE_WORDS = 3
_OPEN_GAPS = frozenset(
    ("or", "nor", "and/or", "/", ",", ", or", "or to", "either", "or significantly")
)
_COORDINATED = re.compile(r"\b(?:and|or)\b|,")
_NOT_FOUND = re.compile(
    r"\s+(?:be |been |being )?(?:statistically |clinically |yet |so )?"
    r"(?:confirmed|found|observed|seen|detected|significant|supported|demonstrated|evident|shown"
    r"|apparent|present|noted|identified|verified|substantiated|reach)"
)


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
        return _assess_factual(hits, at, first)
    anchor = first if frame.order is Order.PASSIVE else hits[at].start
    denied = _denied_before(lowered, hits, at, anchor)
    if not denied and frame.order is not Order.PASSIVE:
        denied = _denied_next(hits, at, last)
    if not denied:
        denied = _denied_after(lowered, hits, at, last, frame)
    doubted = (
        lowered[sentence_end - 1] == "?"
        or _doubted_before(lowered, hits, at)
        or _doubted_after(lowered, hits, at, last, frame)
    )
    return denied, doubted


def _assess_factual(hits: Sequence[Hit], at: int, first: int) -> tuple[bool, bool]:
    """Denial and doubt of a presupposed relation: only by a word right before it, or within."""
    denied = doubted = False
    for hit in reversed(hits[:at]):
        if hit.end < first - 2:
            break
        cue = hit.entry.cue
        doubted |= cue is Cue.DOUBT
        denied |= cue is Cue.ABSENCE or cue is Cue.DENIAL
    return denied, doubted


def _denied_before(lowered: str, hits: Sequence[Hit], at: int, anchor: int) -> bool:
    """Denial by a word before the trigger, back to the boundary of its clause.

    `anchor` is where the noun begins that a `no` would have to precede.
    """
    for position in range(at - 1, -1, -1):
        hit = hits[position]
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            return False
        if hit.entry.closes:
            gap = lowered[hit.end : hits[position + 1].start].strip()
            if cue is not Cue.TRIGGER or gap not in _OPEN_GAPS:
                return False
        elif cue is Cue.ABSENCE:
            gap = lowered[hit.end : anchor]
            if len(gap.split()) <= _ABSENCE_WORDS and "," not in gap and ")" not in gap:
                return True
        elif cue in _DENIAL_REACH and hits[at].start - hit.end <= _DENIAL_REACH[cue]:
            return True
    return False


def _denied_next(hits: Sequence[Hit], at: int, last: int) -> bool:
    """Whether a denial follows the trigger at once: `caused no`, `was associated with no`."""
    if at + 1 == len(hits):
        return False
    hit = hits[at + 1]
    near = hit.start - hits[at].end <= _NEXT_REACH
    return near and hit.entry.cue is Cue.ABSENCE and hit.end < last


def _denied_after(lowered: str, hits: Sequence[Hit], at: int, last: int, frame: Frame) -> bool:
    """Whether a relation named by a noun is denied after its arguments: `was not confirmed`."""
    if frame.order < Order.OBJECT_FIRST:
        return False
    for hit in hits[at + 1 :]:
        if hit.start >= last and hit.entry.cue is Cue.DENIAL:
            return (
                hit.start - last <= _AFTER_REACH and _NOT_FOUND.match(lowered, hit.end) is not None
            )
        if hit.entry.cue is Cue.BOUNDARY or (hit.start >= last and hit.entry.closes):
            return False
    return False


def _doubted_before(lowered: str, hits: Sequence[Hit], at: int) -> bool:
    """Doubt by a word before the trigger, back to the boundary of its clause.

    A doubt reaches over another trigger only to one that is coordinated with it (`may reduce
    pain and improve sleep`).
    """
    following = start = hits[at].start
    near = True
    for hit in reversed(hits[:at]):
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            return False
        if cue is Cue.DOUBT_ALL or (cue is Cue.DOUBT and near and start - hit.end <= _DOUBT_REACH):
            return True
        if cue is Cue.TRIGGER and hit.entry.closes:
            near = near and _COORDINATED.search(lowered, hit.end, following) is not None
            following = hit.start
    return False


def _doubted_after(lowered: str, hits: Sequence[Hit], at: int, last: int, frame: Frame) -> bool:
    """Doubt by a word within the relation, or of a noun's relation by a word after it."""
    noun = frame.order >= Order.OBJECT_FIRST
    for hit in hits[at + 1 :]:
        cue = hit.entry.cue
        past = hit.start - last
        if cue is Cue.BOUNDARY or (past >= 0 and (not noun or cue is Cue.TRIGGER)):
            return False
        if past > _AFTER_REACH:
            return False
        if cue is Cue.DOUBT or (cue is Cue.DOUBT_ALL and (past < 0 or _is_open(lowered, hit))):
            return True
    return False


def _is_open(lowered: str, hit: Hit) -> bool:
    """Whether the doubt says that something is not known, rather than that it is studied."""
    return lowered.startswith(("un", "no", "controversial", "remain", "cannot"), hit.start)
