"""The fast linker: names by memory-mapped longest match, judged by a learned model.

Tokens of a batch of texts are looked up as arrays (`candidates`), every name found is scored with
every concept that has it (`precision`), the longest sufficiently probable ones are kept, and short
forms that the text defines take the concept of their long forms (`abbreviations`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ontologies.abbreviations import Abbreviation, find_abbreviations, occurrences
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
from ontologies.caution import cautious_scores, is_shorthand
from ontologies.compiled import compiled_lexicon
from ontologies.features import described, features, written_case
from ontologies.hashing import I32
from ontologies.kernels import compiled, first_come
from ontologies.lexicon import JUDGED, KINDS, Lexicon
from ontologies.linker import Mention
from ontologies.precision import Precision, log_odds

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

METHOD = "lexicon-4"
BATCH = 256
THRESHOLD = 0.4
DISEASE_THRESHOLD = 0.34
CHEMICAL_THRESHOLD = 0.46
"""The least probability of a mention, by kind: best F1 of documents' concepts in cross-validation
over the training articles."""

REMEMBERED = 100_000
HOPELESS = -3.4
"""Log odds of a name that is not worth scoring: met ten times in training and never right."""

_POSSESSIVE = ("'s", "’s")
UNMET = log_odds(np.zeros(1), np.zeros(1))[0]
_IS_JUDGED = np.array([kind in JUDGED for kind in KINDS])


class _Kept(NamedTuple):
    start: int
    end: int
    concept: int
    score: float


_kept = partial(tuple.__new__, _Kept)
_mention = partial(tuple.__new__, Mention)
"""Named tuples of the tuples that `zip` gives, without a call of Python's own for each."""


class LexiconLinker:
    """Finds a vocabulary's concepts in text; see `Linker` for what it promises."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        lexicon: Lexicon,
        precision: Precision,
        *,
        notes: bool = False,
        threshold: float | None = None,
    ) -> None:
        """Not for callers: use `open`."""
        self._ids = vocabulary.ids()
        self._lexicon = lexicon
        self._precision = precision
        self._wanted = precision.wanted()
        self._notes = notes
        self._threshold = threshold
        self._least = least_scores(threshold)
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

        `notes` turns on clinical shorthand. `threshold` is the least probability of a mention, of
        every kind (the default differs by kind). The first call for a vocabulary compiles its
        names and keeps the result beside it (or in the user's cache, where that is not writable).
        """
        from ontologies.weights import load_weights

        loaded = load_weights(None if weights is None else Path(weights))
        lexicon = compiled_lexicon(vocabulary, loaded.names)
        return cls(vocabulary, lexicon, loaded.precision, notes=notes, threshold=threshold)

    @property
    def version(self) -> str:
        """Method, weights, and the options that change what is found."""
        notes = "+notes" if self._notes else ""
        least = "" if self._threshold is None else f"/{self._threshold:g}"
        return f"{METHOD}{notes}/{self._precision.digest[:12]}{least}"

    def link(self, text: str) -> list[Mention]:
        return self._link_batch([text])[0]

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        source, linked = iter(texts), []
        while batch := list(islice(source, BATCH)):
            linked += self._link_batch(batch)
        return linked

    def _link_batch(self, texts: Sequence[str]) -> list[list[Mention]]:
        kept = self._keep(texts)
        ids = self._concept_ids({k.concept for of_text in kept for k in of_text})
        return [_mentions(text, k, ids) for text, k in zip(texts, kept, strict=True)]

    def _keep(self, texts: Sequence[str]) -> list[list[_Kept]]:
        """The accepted candidates of each text, ordered by start, without overlaps."""
        self._tokens.forget()
        batch = tokenize(texts, self._tokens, self._gaps)
        spans = find_spans(batch, self._tokens, self._lexicon)
        found = expand(batch, spans, self._lexicon, notes=self._notes)
        spans, found = restrict(spans, found, np.ones(len(found.span), dtype=bool))
        scores = self._scores(batch, spans, found)
        marked = self._lexicon.concept_marked[found.concept] > 0
        likely = scores >= self._least[found.kind]
        best = longest(found, scores, marked, likely, len(batch.token))
        columns = (found.start, found.end, found.concept, scores)
        rows = list(map(_kept, zip(*(column[best].tolist() for column in columns), strict=True)))
        bounds = np.searchsorted(found.document[best], np.arange(len(texts) + 1)).tolist()
        kept = [rows[low:high] for low, high in pairwise(bounds)]
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
        given = features(batch, self._tokens, spans, chosen, self._lexicon, self._wanted)
        # Where the model knows nothing of a concept, nor ill of its name, a rule tells as much; so
        # it does of shorthand, which the articles that taught the model hardly hold.
        taught = described(found, self._lexicon) & ~is_shorthand(found)
        strange = judged & (odds >= UNMET) & ~taught
        scores[judged & ~strange] = 0.0
        scores[learned] = np.maximum(self._precision.score(given, chosen.kind), scores[learned])
        return scores

    def _concept_ids(self, concepts: set[int]) -> dict[int, str]:
        """The ids of concept rows, and of others that were asked for before."""
        known = self._known
        new = sorted(concepts - known.keys())
        if len(known) + len(new) > REMEMBERED:
            known.clear()
            new = sorted(concepts)
        known.update(zip(new, self._ids.take(pa.array(new, pa.int64())).to_pylist(), strict=True))
        return known


def _mentions(text: str, kept: Sequence[_Kept], ids: Mapping[int, str]) -> list[Mention]:
    """What was kept of a text, as mentions; a possessive ending is no part of one."""
    if not kept:
        return []
    starts, ends, concepts, scores = zip(*kept, strict=True)
    names = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    if any(sign in text for sign in _POSSESSIVE):
        names = [name[:-2] if name.endswith(_POSSESSIVE) else name for name in names]
        ends = tuple(start + len(name) for start, name in zip(starts, names, strict=True))
    found = map(ids.__getitem__, concepts)
    return list(map(_mention, zip(starts, ends, names, found, scores, strict=True)))


def least_scores(threshold: float | None) -> npt.NDArray[np.float64]:
    """The least score of a mention by kind of concept (place in `KINDS`)."""
    if threshold is not None:
        return np.full(len(KINDS), threshold)
    own = {"DISO": DISEASE_THRESHOLD, "CHEM": CHEMICAL_THRESHOLD}
    return np.array([own.get(kind, THRESHOLD) for kind in KINDS])


def longest(
    found: Candidates,
    scores: npt.NDArray[np.float64],
    marked: npt.NDArray[np.bool_],
    likely: npt.NDArray[np.bool_],
    tokens: int,
) -> npt.NDArray[np.int64]:
    """Of the likely candidates those to keep, in text order: the longest, of equal spans the most
    probable.

    First come concepts with an id that people mark in texts (a rare subtype known to one
    vocabulary would take the place of the disease that all know), then others that the learned
    model has judged, then those scored by rule.
    """
    at = np.flatnonzero(likely)
    rank = np.where(_IS_JUDGED[found.kind[at]], np.where(marked[at], 0, 1), 2)
    order = at[np.lexsort((-scores[at], found.first[at], -found.count[at], rank))]
    firsts, counts = found.first[order], found.count[order]
    kept = _first_come(firsts, counts, tokens)
    best: npt.NDArray[np.int64] = order[kept][np.argsort(firsts[kept])]
    return best


def _first_come(firsts: I32, counts: I32, tokens: int) -> npt.NDArray[np.bool_]:
    """Of stretches of tokens in order of precedence, those of which no token is taken before."""
    if (loop := compiled(first_come, len(firsts))) is not None:
        kept = np.zeros(len(firsts), dtype=np.uint8)
        loop(firsts, counts, np.zeros(tokens, dtype=np.uint8), kept)
        return kept > 0
    free, taken = [], bytearray(tokens)
    for first, count in zip(firsts.tolist(), counts.tolist(), strict=True):
        free.append(1 not in taken[first : first + count])
        if free[-1]:
            taken[first : first + count] = b"\x01" * count
    return np.array(free, dtype=bool)


def with_abbreviations(
    text: str, defined: Iterable[Abbreviation], kept: list[_Kept]
) -> list[_Kept]:
    """Give short forms, wherever they stand, the concept of the long form that defines them.

    A short form whose long form names nothing means nothing either, whatever it means elsewhere.
    One whose long form names something else in part is left as it is.
    """
    for short, _, low, high in defined:
        within = _within(kept, low, high)
        long = next((k for k in within if k.end == high and _covers(k, low)), None)
        if long is None and within:
            continue
        places = list(occurrences(text, short))
        kept = _outside(kept, places)
        if long is not None:
            free = [place for place in places if not _meets(kept, *place)]
            kept = sorted(kept + [_Kept(*place, long.concept, long.score) for place in free])
    return kept


def _outside(kept: list[_Kept], places: Iterable[tuple[int, int]]) -> list[_Kept]:
    """The mentions that lie in none of the places; both are ordered and do not overlap."""
    inside = set()
    for low, high in places:
        at = bisect_left(kept, (low,))
        while at < len(kept) and kept[at].end <= high:
            inside.add(at)
            at += 1
    return [k for at, k in enumerate(kept) if at not in inside] if inside else kept


def _within(kept: list[_Kept], low: int, high: int) -> list[_Kept]:
    """The mentions that overlap a place."""
    first = end = bisect_left(kept, (high,))
    while first and kept[first - 1].end > low:
        first -= 1
    return kept[first:end]


def _meets(kept: list[_Kept], low: int, high: int) -> bool:
    """Whether any mention overlaps a place."""
    at = bisect_left(kept, (high,))
    return at > 0 and kept[at - 1].end > low


def _covers(kept: _Kept, low: int) -> bool:
    """Whether a mention takes at least half of the long form that begins at `low`."""
    return 2 * (kept.end - max(low, kept.start)) >= kept.end - low
