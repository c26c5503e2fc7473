"""What a sentence states of its concepts: the best assertion of each pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kg_builder.arguments import Named, find_arguments
from kg_builder.triggers import Cue, Frame, Hit, Order


class Statement(NamedTuple):
    """A candidate assertion; the greatest by score, then nearness, wins for its pair."""

    score: int
    nearness: int
    frame: Frame
    subject: Named
    object: Named
    at: int


_BOUNDARY, _PASSIVE, _OBJECT_FIRST = Cue.BOUNDARY, Order.PASSIVE, Order.OBJECT_FIRST
"""Members of enumerations, which are slow to look up by name in an inner loop."""

_Stated = dict[tuple[int, int], Statement]


def statements(lowered: str, hits: Sequence[Hit], named: Sequence[Named]) -> _Stated:
    """The best statement of each pair of concepts, the smaller code first.

    `hits` are the words of the trigger table in a sentence, `named` its mentions, both in the
    order of the text.
    """
    best: _Stated = {}
    cuts = [start for start, _, entry in hits if entry[0] is _BOUNDARY]
    count = len(named)
    masks_from = _masks_from(named)
    left = right = before_mask = 0
    for at, hit in enumerate(hits):
        start, end, (_, frames, _) = hit
        if not frames:
            continue
        while left < count and named[left][1] <= start:
            before_mask |= named[left][3]
            left += 1
        right = max(right, left)
        while right < count and named[right][0] < end:
            right += 1
        if right == count:
            break
        after_mask = masks_from[right]
        for frame in frames:
            if _may_fit(frame, before_mask, after_mask):
                found = find_arguments(frame, hit, lowered, named, left, right)
                for subject in found[0]:
                    for object_ in found[1]:
                        _keep_best(best, frame, subject, object_, at, hit, cuts)
    return best


def _masks_from(named: Sequence[Named]) -> list[int]:
    """For each mention, the groups of it and of all that follow."""
    masks = [mention[3] for mention in named]
    for position in range(len(masks) - 2, -1, -1):
        masks[position] |= masks[position + 1]
    return masks


def _may_fit(frame: Frame, before_mask: int, after_mask: int) -> int:
    """Whether the groups that the frame wants stand on its sides of the trigger at all."""
    order, subject_mask, object_mask = frame[1], frame[2], frame[3]
    if order == _PASSIVE:
        return before_mask & object_mask and after_mask & subject_mask
    if order >= _OBJECT_FIRST:
        return after_mask & object_mask and after_mask & subject_mask
    return before_mask & subject_mask and after_mask & object_mask


def _keep_best(
    best: _Stated,
    frame: Frame,
    subject: Named,
    object_: Named,
    at: int,
    hit: Hit,
    cuts: list[int],
) -> None:
    """Keep the statement unless its pair has a better one, is one concept, or is cut in two."""
    a, b = subject[2], object_[2]
    if a == b or not subject[4] & object_[3]:
        return
    low = min(subject[1], object_[1], hit.end)
    high = max(subject[0], object_[0], hit.start)
    for cut in cuts:
        if low <= cut < high:
            return
    key = (a, b) if a < b else (b, a)
    known = best.get(key)
    statement = Statement(frame.score, low - high, frame, subject, object_, at)
    if known is None or statement[:2] > known[:2]:
        best[key] = statement
