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
_BESIDE = 2
_NEAR_DOUBT = 12
_AFTER_REACH = 60
_ABSENCE_WORDS = 3
_OPEN_GAPS = frozenset(
    ("or", "nor", "and/or", "/", ",", ", or", "or to", "either", "or significantly")
)
_COORDINATED = re.compile(r"\b(?:and|or)\b|,")
_VERBS = frozenset(("is", "are", "was", "were", "and"))
_PARTICIPLES = ("associated ", "related ", "linked ", "correlated ")
_MODALS = ("may", "might", "could", "would", "appear", "seem", "tend")
_PREDICATED = re.compile(
    r"\b(?:is|are|was|were|be|been|being|occur|occurs|occurred|developed?|develops|aris(?:e|es)"
    r"|resulted)(?:\s+\w+){0,2}\s*$"
)
"""What stands before a passive trigger that is stated; without it the trigger modifies a noun."""

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
        return _assess_factual(hits, at, frame, first)
    start = hits[at].start
    denied = _denied_before(lowered, hits, at, first, frame.order is Order.PASSIVE)
    if not denied and frame.order is not Order.PASSIVE:
        denied = _denied_next(hits, at, last)
    if not denied:
        denied = _denied_after(lowered, hits, at, last, frame)
    modifies = frame.order is Order.PASSIVE or lowered.startswith(_PARTICIPLES, start)
    if modifies and not _is_predicated(lowered, start):
        return denied, _is_beside_doubt(hits, at)
    doubted = (
        lowered[sentence_end - 1] == "?"
        or _doubted_before(lowered, hits, at)
        or _doubted_after(lowered, hits, at, last, frame)
    )
    return denied, doubted


def _is_predicated(lowered: str, start: int) -> bool:
    """Whether a passive trigger is what its clause states: `pain was caused by`.

    Where it only modifies a noun (`to study pain caused by aspirin`) the relation is presupposed.
    """
    return _PREDICATED.search(lowered, max(0, start - 36), start) is not None


def _is_beside_doubt(hits: Sequence[Hit], at: int) -> bool:
    """Whether a doubt stands right before the trigger: `pain possibly due to aspirin`."""
    before = hits[at - 1] if at else None
    if before is None or before.entry.cue is not Cue.DOUBT:
        return False
    return hits[at].start - before.end <= _NEAR_DOUBT


def _assess_factual(hits: Sequence[Hit], at: int, frame: Frame, first: int) -> tuple[bool, bool]:
    """Denial and doubt of a presupposed relation: only by a word that stands right before it.

    For the passive that is the trigger (`not treated with`), else the first argument (`no
    aspirin-induced bleeding`): that a disease is denied tells nothing of its treatment.
    """
    anchor = hits[at].start if frame.order is Order.PASSIVE else first
    for hit in reversed(hits[:at]):
        if hit.end <= anchor:
            near = hit.end >= anchor - _BESIDE
            cue = hit.entry.cue
            return near and cue in (Cue.ABSENCE, Cue.DENIAL), near and cue is Cue.DOUBT
    return False, False


def _denied_before(lowered: str, hits: Sequence[Hit], at: int, first: int, passive: bool) -> bool:
    """Denial by a word before the trigger, back to the boundary of its clause."""
    for position in range(at - 1, -1, -1):
        hit = hits[position]
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            return False
        gap = lowered[hit.end : hits[position + 1].start]
        if hit.entry.closes:
            if cue is not Cue.TRIGGER or gap.strip() not in _OPEN_GAPS:
                return False
        elif cue is Cue.ABSENCE:
            if _denies_noun(lowered, hit.end, first, hits[at].start, passive):
                return True
        elif cue in _DENIAL_REACH and hits[at].start - hit.end <= _DENIAL_REACH[cue]:
            listed = lowered.startswith(("neither", "none"), hit.start)
            return listed or ("," not in gap and " and " not in gap)
    return False


def _denies_noun(lowered: str, end: int, first: int, start: int, passive: bool) -> bool:
    """Whether a `no` that ends at `end` denies the trigger, or the noun that carries it.

    That noun is the trigger itself, the object of a passive (`no pain was caused`), or the
    subject right after it (`no drug caused`; not so in `without fever aspirin caused`).
    """
    if end <= first < start and not passive:
        return lowered.startswith("no ", end - 2) and not lowered[end:first].strip()
    gap = lowered[end : start if first < end else first]
    words = gap.split()
    if len(words) > _ABSENCE_WORDS or "," in gap or ")" in gap:
        return False
    return _VERBS.isdisjoint(words)


def _denied_next(hits: Sequence[Hit], at: int, last: int) -> bool:
    """Whether a denial follows the trigger at once: `caused no`, `was associated with no`."""
    if at + 1 == len(hits):
        return False
    hit = hits[at + 1]
    near = hit.start - hits[at].end <= _BESIDE
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
    pain and improve sleep`), and none into a relative clause (`may be the drug which reduces`).
    """
    following = start = hits[at].start
    near = True
    for hit in reversed(hits[:at]):
        cue = hit.entry.cue
        if cue is Cue.BOUNDARY:
            return False
        if cue is Cue.DOUBT_ALL or (cue is Cue.DOUBT and near and start - hit.end <= _DOUBT_REACH):
            return " which " not in lowered[hit.end : start]
        if cue is Cue.TRIGGER and hit.entry.closes:
            near = near and _COORDINATED.search(lowered, hit.end, following) is not None
            following = hit.start
    return False


def _doubted_after(lowered: str, hits: Sequence[Hit], at: int, last: int, frame: Frame) -> bool:
    """Doubt by an adjective within the relation, or of a noun's relation by a verb after it."""
    noun = frame.order >= Order.OBJECT_FIRST
    for hit in hits[at + 1 :]:
        cue = hit.entry.cue
        past = hit.start - last
        if cue is Cue.BOUNDARY or past > _AFTER_REACH:
            return False
        if past >= 0 and (not noun or cue is Cue.TRIGGER):
            return False
        modal = lowered.startswith(_MODALS, hit.start)
        if cue is Cue.DOUBT and modal == (past >= 0):
            return True
        if cue is Cue.DOUBT_ALL and past >= 0 and _is_open(lowered, hit):
            return True
    return False


def _is_open(lowered: str, hit: Hit) -> bool:
    """Whether the doubt says that something is not known, rather than that it is studied."""
    return lowered.startswith(("un", "no", "controversial", "remain", "cannot"), hit.start)
