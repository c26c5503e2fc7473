"""Sentences with mentions -> Evidence: what each sentence states of each pair of its concepts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import combinations
from typing import NamedTuple

from kg_builder.arguments import Named, find_arguments
from kg_builder.assertion import assess
from kg_builder.model import REFUTES, SUPPORTS, SYMMETRIC, Article, Evidence
from kg_builder.signatures import mask_of, partners
from kg_builder.triggers import Cue, Frame, Hit, Order, load_lexicon, lower
from ontologies.linker import Mention

CO_OCCURRENCE_SCORE = 4000
"""Probability, in 1/10,000, that a pair named together is related at all: the share that BioRED's
training split marks is 0.41; of pairs that a pattern joins it marks 0.63 to 0.97."""

CROWDED = 20
"""A sentence with more concepts than this lists things: see `RelationExtractor.relate`."""

CROWDED_REACH = 8


class _Statement(NamedTuple):
    """A candidate assertion; the greatest by score, then nearness, wins for its pair."""

    score: int
    nearness: int
    frame: Frame
    subject: Named
    object: Named
    at: int


_BOUNDARY, _PASSIVE, _OBJECT_FIRST = Cue.BOUNDARY, Order.PASSIVE, Order.OBJECT_FIRST
"""Members of enumerations, which are slow to look up by name in an inner loop."""

_Stated = dict[tuple[str, str], _Statement]


class _Source(NamedTuple):
    """What all evidence of an article shares."""

    lowered: str
    pmid: int
    version: int
    published: date | None
    extractor: str


class RelationExtractor:
    """Reads relations by the patterns of `triggers.toml`; holds only a cache of groups.

    `groups` gives the semantic groups of a concept id (`frozenset({"DISO"})`); an empty set
    leaves the concept without edges. It is asked once for each concept.
    """

    version = "patterns/1"

    def __init__(self, groups: Callable[[str], frozenset[str]]) -> None:
        self._groups = groups
        self._masks: dict[str, tuple[int, int]] = {}
        self._lexicon = load_lexicon()

    def relate(
        self,
        article: Article,
        sentences: Sequence[tuple[int, int]],
        mentions: Sequence[Mention],
    ) -> list[Evidence]:
        """The evidence of an article, ordered by sentence.

        Both sequences are ordered by start. A mention without a concept, or across the edge of
        a sentence, takes part in nothing. For a pair of concepts that the semantic groups allow
        to relate, a sentence gives one evidence: the assertion of the best pattern that fits, or
        else `CO_OCCURS_WITH`. In a sentence with more than `CROWDED` concepts only those at most
        `CROWDED_REACH` places apart, in the order of first mention, co-occur: such sentences are
        lists, and their pairs grow with the square; `left_out` counts what this leaves out.
        """
        text = article.text
        lowered = lower(text)
        published = article.published.last_day() if article.published else None
        source = _Source(lowered, article.pmid, article.version, published, self.version)
        hits_of = self._lexicon.hits_in(lowered)
        evidence: list[Evidence] = []
        for start, end, named, firsts in self._named(sentences, mentions):
            hits = hits_of(start, end)
            stated = _statements(lowered, hits, named)
            for statement in stated.values():
                evidence.append(_assertion(source, statement, hits, start, end))
            _co_occur(source, firsts, stated, start, end, evidence)
        return evidence

    def left_out(self, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]) -> int:
        """How many pairs of concepts of crowded sentences are too far apart to co-occur.

        Pairs whose groups could not relate anyway are not counted.
        """
        count = 0
        for _, _, _, concepts in self._named(sentences, mentions):
            if len(concepts) > CROWDED:
                near, every = _near(concepts), combinations(concepts, 2)
                count += sum(1 for a, b in every if a[4] & b[3])
                count -= sum(1 for a, b in near if a[4] & b[3])
        return count

    def _named(
        self, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]
    ) -> list[tuple[int, int, list[Named], list[Named]]]:
        """Sentences with two or more concepts that may have an edge.

        With each the mentions of such concepts, and the first mention of each concept.
        """
        masks, found = self._masks, []
        position, count = 0, len(mentions)
        for start, end in sentences:
            named: list[Named] = []
            firsts: dict[str, Named] = {}
            while position < count:
                left, right, _, concept_id, _ = mentions[position]
                if left >= end:
                    break
                position += 1
                if concept_id is None or left < start or right > end:
                    continue
                mask, allowed = masks.get(concept_id) or self._masks_of(concept_id)
                if mask:
                    mention = (left, right, concept_id, mask, allowed)
                    named.append(mention)
                    if concept_id not in firsts:
                        firsts[concept_id] = mention
            if len(firsts) > 1:
                found.append((start, end, named, list(firsts.values())))
        return found

    def _masks_of(self, concept_id: str) -> tuple[int, int]:
        mask = mask_of(self._groups(concept_id))
        self._masks[concept_id] = mask, partners(mask)
        return self._masks[concept_id]


def _near(concepts: list[Named]) -> list[tuple[Named, Named]]:
    """Pairs of concepts of a crowded sentence that are near enough to co-occur."""
    return [
        (one, other)
        for position, one in enumerate(concepts)
        for other in concepts[position + 1 : position + 1 + CROWDED_REACH]
    ]


def _co_occur(
    source: _Source,
    concepts: list[Named],
    stated: _Stated,
    start: int,
    end: int,
    out: list[Evidence],
) -> None:
    """Append `CO_OCCURS_WITH` for the pairs of which nothing is stated."""
    new, append = tuple.__new__, out.append
    _, pmid, version, published, extractor = source
    crowded = len(concepts) > CROWDED
    for a, b in _near(concepts) if crowded else combinations(concepts, 2):
        if not a[4] & b[3]:
            continue
        a_start, a_end, a_id, _, _ = a
        b_start, b_end, b_id, _, _ = b
        if b_id < a_id:
            a_start, a_end, a_id, b_start, b_end, b_id = b_start, b_end, b_id, a_start, a_end, a_id
        if stated and (a_id, b_id) in stated:
            continue
        # As `Evidence(...)`, at half the cost: pairs are the bulk of all evidence.
        append(
            new(Evidence, (
                a_id, "CO_OCCURS_WITH", b_id, pmid, version, start, end, a_start, a_end,
                b_start, b_end, start, start, SUPPORTS, False, CO_OCCURRENCE_SCORE,
                published, extractor,
            ))
        )  # fmt: skip


def _assertion(
    source: _Source, statement: _Statement, hits: list[Hit], start: int, end: int
) -> Evidence:
    """The evidence of a statement, with its polarity and hedging."""
    subject, object_, frame = statement.subject, statement.object, statement.frame
    hit = hits[statement.at]
    first = min(subject[0], object_[0], hit.start)
    last = max(subject[1], object_[1], hit.end)
    refuted, hedged = assess(source.lowered, hits, statement.at, frame, (first, last, end))
    if frame.predicate in SYMMETRIC and subject[2] > object_[2]:
        subject, object_ = object_, subject
    return Evidence(
        subject[2], frame.predicate, object_[2], source.pmid, source.version,
        start, end, subject[0], subject[1], object_[0], object_[1], hit.start, hit.end,
        REFUTES if refuted else SUPPORTS, hedged, statement.score,
        source.published, source.extractor,
    )  # fmt: skip


def _statements(lowered: str, hits: list[Hit], named: list[Named]) -> _Stated:
    """The best statement of each pair (smaller id first)."""
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


def _masks_from(named: list[Named]) -> list[int]:
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
    statement = _Statement(frame.score, low - high, frame, subject, object_, at)
    if known is None or statement[:2] > known[:2]:
        best[key] = statement
