"""Subject and object of a trigger: which mentions around it a frame takes.

The mentions of a sentence are plain tuples in the order of the text, made by the dozen for every
article; `Named` says what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kg_builder.signatures import CHEMICAL, HOST, MANNER
from kg_builder.triggers import Frame, Hit, Order

Named = tuple[int, int, int, int, int]
"""A mention whose concept may have an edge: start, end, code of the concept (ordered as ids are),
its semantic groups, and the groups of its possible partners (bit masks of `signatures`)."""

_COORDINATION = re.compile(
    r"(?:\s*\([^()]{1,24}\))?[\s)\]\-]*"
    r"(?:[,;/(&\[]|\b(?:and|or|plus|nor|including|such as|as well as|with)\b)"
    r"(?:[\s,(]*(?:and|or|nor|the|a|an|such as|including)\b)*\s*(?:[\w-]+\s+){0,2}-?"
)
_COORDINATION_REACH = 36
_BENEFIT_NEXT = re.compile(
    r"[\s-](?:relief|control|healing|prevention|treatment|management|prophylaxis|reduction|relieving)\b"
)
"""What turns a disorder into its opposite: pain relief, ulcer healing."""

_LIST_LIMIT = 10
_EXCLUDED_REACH = 26
_MANNER_REACH = 30

_PASSIVE, _SUBJECT_FIRST, _OBJECT_FIRST = Order.PASSIVE, Order.SUBJECT_FIRST, Order.OBJECT_FIRST

_GIVEN = (HOST, MANNER)
_NONE: tuple[list[Named], list[Named]] = ([], [])


def find_arguments(
    frame: Frame, hit: Hit, lowered: str, named: Sequence[Named], left: int, right: int
) -> tuple[list[Named], list[Named]]:
    """Subjects and objects of the trigger in this frame; both empty where a part is missing.

    `named[:left]` end before the trigger, `named[right:]` begin after it. Each side gives its
    nearest mention of a fitting group and those that are listed with it.
    """
    order = frame.order
    if order >= _OBJECT_FIRST:
        return _after_noun(frame, hit, lowered, named, right)
    before_mask, after_mask = frame.subject_mask, frame.object_mask
    if order is _PASSIVE:
        before_mask, after_mask = after_mask, before_mask
    before = _nearest(lowered, named, left - 1, -1, before_mask, hit.start - frame.before)
    if not before:
        return _NONE
    after = _nearest(lowered, named, right, 1, after_mask, hit.end + frame.after)
    if not after:
        return _NONE
    subjects, objects = (after, before) if order is _PASSIVE else (before, after)
    return _NONE if _excluded(frame, hit, lowered, objects[0]) else (subjects, objects)


def _after_noun(
    frame: Frame, hit: Hit, lowered: str, named: Sequence[Named], right: int
) -> tuple[list[Named], list[Named]]:
    """The two arguments after a noun, with a linking word between them."""
    subject_first = frame.order is _SUBJECT_FIRST
    masks = (frame.subject_mask, frame.object_mask)
    first_mask, second_mask = masks if subject_first else masks[::-1]
    first = _nearest(lowered, named, right, 1, first_mask, hit.end + frame.before)
    if not first:
        return _NONE
    if " and " in frame.links:
        del first[1:]
    last = first[-1]
    after = named.index(last) + 1
    second = _nearest(lowered, named, after, 1, second_mask, last[1] + frame.after)
    if not second:
        return _NONE
    gap = lowered[last[1] : second[0][0]]
    if not any(link in gap for link in frame.links):
        return _NONE
    subjects, objects = (first, second) if subject_first else (second, first)
    return _NONE if _excluded(frame, hit, lowered, objects[0]) else (subjects, objects)


def _excluded(frame: Frame, hit: Hit, lowered: str, object_: Named) -> bool:
    """Whether a word that the frame excludes stands before the object or between it and the hit."""
    unless = frame.unless
    if unless is None:
        return False
    if _BENEFIT_NEXT.match(lowered, object_[1]):
        return True
    before = max(0, object_[0] - _EXCLUDED_REACH)
    if object_[0] >= hit.end:
        before = max(before, hit.end)
    if unless.search(lowered, before, object_[0]):
        return True
    return object_[1] < hit.start and unless.search(lowered, object_[1], hit.start) is not None


def _nearest(
    lowered: str, named: Sequence[Named], position: int, step: int, mask: int, limit: int
) -> list[Named]:
    """The nearest mention of one of the groups, not beyond the limit, and what is listed with it.

    Mentions are tried from `position` in direction `step`; those coordinated with the nearest
    (`nausea, vomiting and headache`) follow it in the result. A chemical goes before the living
    being that it is given to (`morphine in rats`) and before the procedure beside it by which it
    is given (`infusion of morphine`).
    """
    second, count = -1, len(named)
    chemical = mask & CHEMICAL
    while 0 <= position < count:
        mention = named[position]
        if (mention[0] > limit) if step > 0 else (mention[1] < limit):
            break
        groups = mention[3]
        if groups & mask:
            if second >= 0 and not _goes_before(named, position, second, step):
                break
            if not chemical or groups not in _GIVEN:
                return _listed(lowered, named, position, step, mask)
            second = position if second < 0 else second
        position += step
    return _listed(lowered, named, second, step, mask) if second >= 0 else []


def _goes_before(named: Sequence[Named], position: int, second: int, step: int) -> bool:
    """Whether the mention at `position`, farther out, is to be taken before a host or manner."""
    mention, other = named[position], named[second]
    if not mention[3] & CHEMICAL:
        return False
    gap = mention[0] - other[1] if step > 0 else other[0] - mention[1]
    return other[3] == HOST or gap <= _MANNER_REACH


def _listed(
    lowered: str, named: Sequence[Named], position: int, step: int, mask: int
) -> list[Named]:
    """The mention and those that are coordinated with it, going outward."""
    mention = named[position]
    found = [mention]
    following, count = position + step, len(named)
    while 0 <= following < count:
        other = named[following]
        start, end = (mention[1], other[0]) if step > 0 else (other[1], mention[0])
        if not other[3] & mask or end - start > _COORDINATION_REACH:
            break
        if not _COORDINATION.fullmatch(lowered, start, end):
            break
        found.append(other)
        if len(found) == _LIST_LIMIT:
            break
        mention = other
        following += step
    return found
