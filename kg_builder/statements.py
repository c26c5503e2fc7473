"""What a sentence states of its concepts: the best assertion of each pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kg_builder.arguments import Named, find_arguments
from kg_builder.triggers import ANYTHING, Cue, Frame, Hit


class Statement(NamedTuple):
    """A candidate assertion; the greatest by score, then nearness, wins for its pair."""

    score: int
    nearness: int
    frame: Frame
    subject: Named
    object: Named
    at: int


_BOUNDARY = Cue.BOUNDARY
"""A member of an enumeration, which is slow to look up by name in an inner loop."""

_Stated = dict[tuple[int, int], Statement]


def statements(lowered: str, hits: Sequence[Hit], named: Sequence[Named]) -> _Stated:
    """The best statement of each pair of concepts, the smaller code first.

    `hits` are the words of the trigger table in a sentence that begin before its last mention,
    `named` its mentions, both in the order of the text.
    """
    best: _Stated = {}
    count = len(named)
    left = right = 0
    before_mask = ANYTHING
    masks_from: list[int] = []
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
        if not masks_from:
            masks_from = _masks_from(named)
        after_mask = masks_from[right]
        for frame in frames:
            if frame[10] & before_mask and frame[11] & after_mask and frame[12] & after_mask:
                found = find_arguments(frame, hit, lowered, named, left, right)
                if found[0]:
                    _keep_best(best, frame, found, at, hits)
    return best


def _masks_from(named: Sequence[Named]) -> list[int]:
    """For each mention, the groups of it and of all that follow."""
    masks = [mention[3] for mention in named]
    mask = ANYTHING
    for position in range(len(masks) - 1, -1, -1):
        masks[position] = mask = masks[position] | mask
    return masks


def _keep_best(
    best: _Stated,
    frame: Frame,
    arguments: tuple[Sequence[Named], Sequence[Named]],
    at: int,
    hits: Sequence[Hit],
) -> None:
    """Keep each pair's statement unless it has a better one, is one concept, or is cut in two."""
    start, end, _ = hits[at]
    cuts = [cut for cut, _, entry in hits if entry[0] is _BOUNDARY]
    for subject in arguments[0]:
        for object_ in arguments[1]:
            a, b = subject[2], object_[2]
            if a == b or not subject[4] & object_[3]:
                continue
            low = min(subject[1], object_[1], end)
            high = max(subject[0], object_[0], start)
            if cuts and any(low <= cut < high for cut in cuts):
                continue
            key = (a, b) if a < b else (b, a)
            known = best.get(key)
            if known is None or (frame.score, low - high) > known[:2]:
                best[key] = Statement(frame.score, low - high, frame, subject, object_, at)
