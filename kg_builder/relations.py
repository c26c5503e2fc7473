"""Sentences with mentions -> Evidence: what each sentence states of each pair of its concepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from kg_builder.assertion import assess
from kg_builder.model import REFUTES, SUPPORTS, SYMMETRIC, Article, Evidence
from kg_builder.signatures import mask_of, partners
from kg_builder.triggers import Cue, Frame, Hit, Lexicon, Order, load_lexicon
from ontologies.linker import Mention

CO_OCCURRENCE_SCORE = 1000
"""Probability, in 1/10,000, that a pair named together is related in any way stated here."""

CROWDED = 20
"""A sentence with more concepts than this lists things: see `RelationExtractor.relate`."""

CROWDED_REACH = 8

_COORDINATION = re.compile(
    r"[\s)\]\-]*(?:[,;/(&\[]|\b(?:and|or|plus|nor)\b|as well as)"
    r"(?:[\s,(]*(?:and|or|nor|the|a|an)\b)*\s*(?:[\w-]+\s+){0,2}-?"
)
_COORDINATION_REACH = 36
_CHAIN_LIMIT = 6


class _Named(NamedTuple):
    """A mention whose concept may have an edge."""

    start: int
    end: int
    concept_id: str
    mask: int


class _Statement(NamedTuple):
    """A candidate assertion; the greatest by score, then nearness, wins for its pair."""

    score: int
    nearness: int
    frame: Frame
    subject: _Named
    object: _Named
    at: int


class RelationExtractor:
    """Reads relations by the patterns of `triggers.toml`; holds only a cache of groups.

    `groups` gives the semantic groups of a concept id (`frozenset({"DISO"})`); an empty set
    leaves the concept without edges. It is asked once for each concept.
    """

    version = "patterns/1"

    def __init__(self, groups: Callable[[str], frozenset[str]]) -> None:
        self._groups = groups
        self._masks: dict[str, int] = {}
        self._lexicon: Lexicon = load_lexicon()

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
        lowered = text.lower()
        if len(lowered) != len(text):  # a few capitals become two letters, which moves offsets
            lowered = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
        published = article.published.last_day() if article.published else None
        reading = _Reading(article, published, text, lowered, self.version)
        evidence: list[Evidence] = []
        for start, end, named in self._named(sentences, mentions):
            reading.read(self._lexicon, start, end, named, evidence)
        return evidence

    def left_out(self, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]) -> int:
        """How many pairs of concepts of crowded sentences are too far apart to co-occur."""
        count = 0
        for _, _, named in self._named(sentences, mentions):
            n = len({mention.concept_id for mention in named})
            if n > CROWDED:
                count += (n - CROWDED_REACH) * (n - CROWDED_REACH - 1) // 2
        return count

    def _named(
        self, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]
    ) -> list[tuple[int, int, list[_Named]]]:
        """Sentences with two or more mentions that may have an edge, and those mentions."""
        masks, found = self._masks, []
        position, count = 0, len(mentions)
        for start, end in sentences:
            named: list[_Named] = []
            while position < count and mentions[position][0] < end:
                left, right, _, concept_id, _ = mentions[position]
                position += 1
                if concept_id is None or left < start or right > end:
                    continue
                mask = masks.get(concept_id)
                if mask is None:
                    mask = masks[concept_id] = mask_of(self._groups(concept_id))
                if mask:
                    named.append(_Named(left, right, concept_id, mask))
            if len(named) > 1:
                found.append((start, end, named))
        return found


class _Reading:
    """One article being read: what all its evidence shares."""

    __slots__ = ("_extractor", "_lowered", "_pmid", "_published", "_text", "_title_end", "_version")

    def __init__(
        self, article: Article, published: date | None, text: str, lowered: str, extractor: str
    ) -> None:
        self._pmid, self._version = article.pmid, article.version
        self._title_end = len(article.title)
        self._published, self._text, self._lowered = published, text, lowered
        self._extractor = extractor

    def read(
        self, lexicon: Lexicon, start: int, end: int, named: list[_Named], out: list[Evidence]
    ) -> None:
        """Append the evidence of one sentence."""
        firsts: dict[str, _Named] = {}
        for mention in named:
            firsts.setdefault(mention.concept_id, mention)
        if len(firsts) < 2:
            return
        hits = lexicon.hits(self._lowered, start, end)
        stated = self._statements(hits, named, start, end)
        for statement in stated.values():
            out.append(self._assertion(statement, hits, start, end))
        self._co_occurrences(firsts, stated, start, end, out)

    def _co_occurrences(
        self,
        firsts: dict[str, _Named],
        stated: dict[tuple[str, str], _Statement],
        start: int,
        end: int,
        out: list[Evidence],
    ) -> None:
        """Append `CO_OCCURS_WITH` for the pairs of which nothing is stated."""
        make, pmid, version = Evidence._make, self._pmid, self._version
        published, extractor = self._published, self._extractor
        concepts = list(firsts.values())
        crowded = len(concepts) > CROWDED
        for position, one in enumerate(concepts):
            allowed, one_id = partners(one.mask), one.concept_id
            others = concepts[position + 1 : position + 1 + CROWDED_REACH if crowded else None]
            for other in others:
                if not other.mask & allowed:
                    continue
                other_id = other.concept_id
                a, b = (one, other) if one_id < other_id else (other, one)
                if (a.concept_id, b.concept_id) in stated:
                    continue
                out.append(
                    make((
                        a.concept_id, "CO_OCCURS_WITH", b.concept_id, pmid, version, start, end,
                        a.start, a.end, b.start, b.end, start, start,
                        SUPPORTS, False, CO_OCCURRENCE_SCORE, published, extractor,
                    ))
                )  # fmt: skip

    def _assertion(self, statement: _Statement, hits: list[Hit], start: int, end: int) -> Evidence:
        """The evidence of a statement, with its polarity and hedging."""
        subject, object_, frame = statement.subject, statement.object, statement.frame
        hit = hits[statement.at]
        first = min(subject.start, object_.start, hit.start)
        last = max(subject.end, object_.end, hit.end)
        refuted, hedged = assess(self._lowered, hits, statement.at, frame, (first, last, end))
        if frame.predicate in SYMMETRIC and subject.concept_id > object_.concept_id:
            subject, object_ = object_, subject
        return Evidence(
            subject.concept_id, frame.predicate, object_.concept_id, self._pmid, self._version,
            start, end, subject.start, subject.end, object_.start, object_.end,
            hit.start, hit.end, REFUTES if refuted else SUPPORTS, hedged, statement.score,
            self._published, self._extractor,
        )  # fmt: skip

    def _statements(
        self, hits: list[Hit], named: list[_Named], start: int, end: int
    ) -> dict[tuple[str, str], _Statement]:
        """The best statement of each pair (smaller id first)."""
        best: dict[tuple[str, str], _Statement] = {}
        boundaries = [hit.start for hit in hits if hit.entry.cue is Cue.BOUNDARY]
        title = end <= self._title_end
        for at, hit in enumerate(hits):
            if hit.entry.cue is not Cue.TRIGGER:
                continue
            left = sum(1 for mention in named if mention.end <= hit.start)
            right = next((i for i, m in enumerate(named) if m.start >= hit.end), len(named))
            for frame in hit.entry.frames:
                if frame.title_only and not title:
                    continue
                subjects, objects = self._arguments(frame, hit, named, left, right)
                for subject in subjects:
                    for object_ in objects:
                        _keep_best(best, at, hit, frame, subject, object_, boundaries)
        return best

    def _arguments(
        self, frame: Frame, hit: Hit, named: list[_Named], left: int, right: int
    ) -> tuple[list[_Named], list[_Named]]:
        """Subjects and objects of a trigger in a frame; empty where a part is missing."""
        order = frame.order
        if order >= Order.OBJECT_FIRST:
            return self._nominal_arguments(frame, hit, named, right)
        before_mask, after_mask = frame.subject_mask, frame.object_mask
        if order is Order.PASSIVE:
            before_mask, after_mask = after_mask, before_mask
        before = self._nearest(named, left - 1, -1, before_mask, hit.start - frame.before)
        if not before:
            return [], []
        after = self._nearest(named, right, 1, after_mask, hit.end + frame.after)
        return (after, before) if order is Order.PASSIVE else (before, after)

    def _nominal_arguments(
        self, frame: Frame, hit: Hit, named: list[_Named], right: int
    ) -> tuple[list[_Named], list[_Named]]:
        """The two arguments after a noun, with a linking word between them."""
        subject_first = frame.order is Order.SUBJECT_FIRST
        masks = (frame.subject_mask, frame.object_mask)
        first_mask, second_mask = masks if subject_first else masks[::-1]
        first = self._nearest(named, right, 1, first_mask, hit.end + frame.before)
        if not first:
            return [], []
        if " and " in frame.links:
            first = first[:1]
        last = first[-1]
        after = named.index(last) + 1
        second = self._nearest(named, after, 1, second_mask, last.end + frame.after)
        if not second or not _links(frame, self._lowered[last.end : second[0].start]):
            return [], []
        return (first, second) if subject_first else (second, first)

    def _nearest(
        self, named: list[_Named], position: int, step: int, mask: int, limit: int
    ) -> list[_Named]:
        """The nearest mention with one of the groups, within the limit, and what is listed with it.

        Mentions are tried from `position` in direction `step`; the ones coordinated with the
        nearest (`nausea, vomiting and headache`) follow it in the result.
        """
        while 0 <= position < len(named):
            mention = named[position]
            if (mention.start > limit) if step > 0 else (mention.end < limit):
                break
            if mention.mask & mask:
                return self._listed(named, position, step, mask)
            position += step
        return []

    def _listed(self, named: list[_Named], position: int, step: int, mask: int) -> list[_Named]:
        """The mention and those that are coordinated with it, going outward."""
        found = [named[position]]
        while len(found) < _CHAIN_LIMIT and 0 <= position + step < len(named):
            mention, other = named[position], named[position + step]
            a, b = (mention, other) if step > 0 else (other, mention)
            gap = self._lowered[a.end : b.start]
            if not other.mask & mask or len(gap) > _COORDINATION_REACH:
                break
            if not _COORDINATION.fullmatch(gap):
                break
            found.append(other)
            position += step
        return found


def _links(frame: Frame, gap: str) -> bool:
    return any(link in gap for link in frame.links)


def _keep_best(
    best: dict[tuple[str, str], _Statement],
    at: int,
    hit: Hit,
    frame: Frame,
    subject: _Named,
    object_: _Named,
    boundaries: list[int],
) -> None:
    """Take the statement unless its pair has a better one, is one concept, or is cut in two."""
    a, b = subject.concept_id, object_.concept_id
    if a == b or not partners(subject.mask) & object_.mask:
        return
    low = min(subject.end, object_.end, hit.end)
    high = max(subject.start, object_.start, hit.start)
    if any(low <= place < high for place in boundaries):
        return
    statement = _Statement(frame.score, low - high, frame, subject, object_, at)
    key = (a, b) if a < b else (b, a)
    known = best.get(key)
    if known is None or statement[:2] > known[:2]:
        best[key] = statement
