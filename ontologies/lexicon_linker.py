"""The fast linker: names by memory-mapped longest match, judged by a learned model.

Tokens of a batch of texts are looked up as arrays (`candidates`), every name found is scored with
every concept that has it (`precision`), the longest sufficiently probable ones are kept, and short
forms that the text defines take the concept of their long forms (`abbreviations`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ontologies.abbreviations import Abbreviation, find_abbreviations
from ontologies.candidates import (
    Batch,
    Candidates,
    GapKinds,
    Spans,
    TokenTable,
    expand,
    find_spans,
    restrict,
    take,
    tokenize,
)
from ontologies.caution import cautious_scores
from ontologies.compiled import compiled_lexicon, source_bit
from ontologies.features import features, written_case
from ontologies.lexicon import JUDGED, KINDS, Lexicon
from ontologies.linker import Mention
from ontologies.precision import Precision

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

METHOD = "lexicon-1"
BATCH = 64
THRESHOLD = 0.4
REMEMBERED = 100_000
HOPELESS = -3.4
"""Log odds of a name that is not worth scoring: met ten times in training and never right."""

UNMARKED = 0.9
"""Factor for concepts whose ids no corpus could mark: of equals the one that it could is meant."""

_MARKED_SOURCES = np.uint32(sum(source_bit(source) for source in ("MEDIC", "MESH", "HGNC")))
_IS_JUDGED = np.array([kind in JUDGED for kind in KINDS])


class _Kept(NamedTuple):
    start: int
    end: int
    concept: int
    score: float


class LexiconLinker:
    """Finds a vocabulary's concepts in text; see `Linker` for what it promises."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        lexicon: Lexicon,
        precision: Precision,
        *,
        notes: bool = False,
        threshold: float = THRESHOLD,
    ) -> None:
        """Not for callers: use `open`."""
        self._ids = vocabulary.ids()
        self._lexicon = lexicon
        self._precision = precision
        self._notes = notes
        self._threshold = threshold
        self._tokens = TokenTable()
        self._gaps = GapKinds()
        self._known: dict[int, str] = {}

    @classmethod
    def open(
        cls,
        vocabulary: Vocabulary,
        *,
        notes: bool = False,
        weights: str | Path | None = None,
        threshold: float | None = None,
    ) -> LexiconLinker:
        """A linker over a vocabulary, with the shipped weights or those of a directory.

        `notes` turns on clinical shorthand. `threshold` is the least probability of a mention. The
        first call for a vocabulary compiles its names and keeps the result beside it (or in
        the user's cache, where that is not writable).
        """
        from ontologies.weights import load_weights

        loaded = load_weights(None if weights is None else Path(weights))
        lexicon = compiled_lexicon(vocabulary, loaded.names)
        least = THRESHOLD if threshold is None else threshold
        return cls(vocabulary, lexicon, loaded.precision, notes=notes, threshold=least)

    @property
    def version(self) -> str:
        """Method, weights, and the options that change what is found."""
        notes = "+notes" if self._notes else ""
        return f"{METHOD}{notes}/{self._precision.digest[:12]}/{self._threshold:g}"

    def link(self, text: str) -> list[Mention]:
        return self._link_batch([text])[0]

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        source, linked = iter(texts), []
        while batch := list(islice(source, BATCH)):
            linked += self._link_batch(batch)
        return linked

    def _link_batch(self, texts: Sequence[str]) -> list[list[Mention]]:
        kept = self._keep(texts)
        return [self._mentions(text, kept.get(document, ())) for document, text in enumerate(texts)]

    def _keep(self, texts: Sequence[str]) -> dict[int, list[_Kept]]:
        """The accepted candidates of each text, ordered by start, without overlaps."""
        self._tokens.forget()
        batch = tokenize(texts, self._tokens, self._gaps)
        spans = find_spans(batch, self._tokens, self._lexicon)
        found = expand(batch, spans, self._lexicon, notes=self._notes)
        spans, found = restrict(spans, found, np.ones(len(found.span), dtype=bool))
        scores = self._scores(batch, spans, found)
        best = longest(found, scores, self._threshold, len(batch.token))
        kept: dict[int, list[_Kept]] = defaultdict(list)
        columns = (found.document, found.start, found.end, found.concept, scores)
        for document, *rest in zip(*(column[best].tolist() for column in columns), strict=True):
            kept[document].append(_Kept(*rest))
        for document, text in enumerate(texts):
            if "(" in text or "[" in text:
                defined = list(find_abbreviations(text))
                if defined:
                    kept[document] = with_abbreviations(text, defined, kept[document])
        return kept

    def _scores(self, batch: Batch, spans: Spans, found: Candidates) -> npt.NDArray[np.float64]:
        """The learned model's scores for the kinds that it knows, scores by rule for the others."""
        odds, seen = self._precision.met(found.key)
        judged = _IS_JUDGED[found.kind]
        scores = cautious_scores(found, seen, written_case(batch, self._tokens, found) == 0)
        learned = judged & (odds > HOPELESS)
        chosen = take(found, learned)
        given = features(batch, self._tokens, spans, chosen, self._lexicon)
        scores[judged] = 0.0
        scores[learned] = self._precision.score(given)
        shared = self._lexicon.concept_sources[found.concept] & _MARKED_SOURCES
        scores[judged & (shared == 0)] *= UNMARKED
        return scores

    def _mentions(self, text: str, kept: Iterable[_Kept]) -> list[Mention]:
        known = self._id
        mentions = []
        for start, end, concept, score in kept:
            named = text[start:end]
            if named.endswith(("'s", "’s")):
                named = named[:-2]
            mentions.append(Mention(start, start + len(named), named, known(concept), score))
        return mentions

    def _id(self, concept: int) -> str:
        found = self._known.get(concept)
        if found is None:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            found = self._known[concept] = self._ids[concept].as_py()
        return found


def longest(
    found: Candidates, scores: npt.NDArray[np.float64], threshold: float, tokens: int
) -> list[int]:
    """Candidates to keep, in text order: the longest, of equal spans the most probable.

    Those that the learned model has judged come before those scored by rule.
    """
    likely = np.flatnonzero(scores >= threshold)
    by_rule = ~_IS_JUDGED[found.kind[likely]]
    order = np.lexsort((-scores[likely], found.first[likely], -found.count[likely], by_rule))
    order = likely[order]
    taken = bytearray(tokens)
    kept = []
    firsts, counts = found.first[order].tolist(), found.count[order].tolist()
    for candidate, first, count in zip(order.tolist(), firsts, counts, strict=True):
        if 1 not in taken[first : first + count]:
            taken[first : first + count] = b"\x01" * count
            kept.append((first, candidate))
    return [candidate for _, candidate in sorted(kept)]


def with_abbreviations(
    text: str, defined: Iterable[Abbreviation], kept: list[_Kept]
) -> list[_Kept]:
    """Give short forms, wherever they stand, the concept of the long form that defines them.

    A short form whose long form names nothing means nothing either, whatever it means elsewhere.
    One whose long form names something else in part is left as it is.
    """
    for short, _, low, high in defined:
        within = [k for k in kept if k.start < high and low < k.end]
        long = next((k for k in within if k.end == high and _covers(k, low)), None)
        if long is None and within:
            continue
        places = [m.span() for m in re.finditer(rf"(?<!\w){re.escape(short)}s?(?!\w)", text)]
        kept = [k for k in kept if not any(a <= k.start and k.end <= b for a, b in places)]
        if long is not None:
            free = [p for p in places if not any(k.start < p[1] and p[0] < k.end for k in kept)]
            kept = sorted(kept + [_Kept(*place, long.concept, long.score) for place in free])
    return kept


def _covers(kept: _Kept, low: int) -> bool:
    """Whether a mention takes at least half of the long form that begins at `low`."""
    return 2 * (kept.end - max(low, kept.start)) >= kept.end - low
