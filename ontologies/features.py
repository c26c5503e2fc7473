"""What is known of a candidate before judging it: its written form, its place and its company.

Columns are numbers that the trees of `precision` compare with thresholds; keys are hashes under
which the training corpora's counts are looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from ontologies.candidates import (
    BRACKET,
    BREAK,
    COMMA,
    DIGIT,
    HYPHEN,
    INNER,
    JOINED,
    LOWER,
    SLASH,
    SPACE,
    TITLE,
    Batch,
    Candidates,
    Spans,
    TokenTable,
)
from ontologies.hashing import I32, U64, extend_hash
from ontologies.lexicon import Lexicon

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

KEYS: Final = (
    "pair", "name", "written", "concept", "first", "last", "tail", "left", "right", "left tail",
    "right tail", "type", "typed form", "parent", "name and left", "name and right", "anywhere",
)  # fmt: skip
"""Name with concept; name; name in its case; concept; first and last token; the end of the last
token; neighbours, and their ends; semantic types, and with the written form; parent; name and
neighbour; the name whatever it may mean. All but the first and the last are counted by kind of
concept."""

MISSING: Final = -1
"""What a column that speaks of a concept's sources holds where these say nothing."""

SPEAKING: Final = ("names", "source", "known to", "type", "typed form", "parent")
"""Columns and keys that speak of how the public vocabularies describe a concept."""

_NO_TOKEN: Final = np.uint64(7)
_FLAG_BITS: Final = 17
_SOURCE_BITS: Final = 8
_GIVEN_SOURCES: Final = 6
"""Sources that a vocabulary gives. That a concept has learned names at all is no feature: for the
articles that they were learned from it would tell the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Columns (name to one number a candidate) and keys (in the order of `KEYS`)."""

    columns: dict[str, npt.NDArray[np.generic]]
    keys: tuple[U64, ...]


Column = npt.NDArray[np.generic]
Columns = dict[str, Column]
Maker = Callable[[], Column]

_NESTING: Final = ("within", "overlaps")
_SOLID: Final = ("solid before", "solid after", "solid digits")


def features(
    batch: Batch,
    table: TokenTable,
    spans: Spans,
    found: Candidates,
    lexicon: Lexicon,
    wanted: frozenset[str] | None = None,
) -> Features:
    """What is known of each candidate of a batch.

    Only the columns and keys that are `wanted` (all, where `None`); a key that is not is empty.
    """
    place = _Place(batch, table, found)
    columns: Columns = {
        name: make()
        for name, make in _makers(place, spans, lexicon).items()
        if wanted is None or name in wanted
    }
    for names, group in ((_NESTING, partial(_nesting, spans, found)), (_SOLID, place.solid)):
        if wanted is None or not wanted.isdisjoint(names):
            columns |= group()
    return Features(columns, place.keys(lexicon, frozenset(KEYS) if wanted is None else wanted))


def _makers(place: _Place, spans: Spans, lexicon: Lexicon) -> dict[str, Maker]:
    """What makes each column."""
    batch, table, found = place.batch, place.table, place.found
    known = described(found, lexicon)

    def names_in_text() -> Column:
        return np.minimum(_repeats(batch.document[spans.first], spans.key), 20)[found.span]

    def told(make: Maker) -> Column:
        """How public vocabularies describe a concept; `MISSING` where they do not know it."""
        return np.where(known, make(), MISSING)

    descriptions: dict[str, Maker] = {
        "names": lambda: np.minimum(lexicon.concept_names[found.concept], 99)
    }
    for bit in range(_SOURCE_BITS):
        descriptions[f"source {bit}"] = partial(_bit, found.sources, bit)
    for bit in range(_GIVEN_SOURCES):
        descriptions[f"known to {bit}"] = partial(_bit, lexicon.concept_sources, bit, found.concept)
    makers: dict[str, Maker] = {
        "tokens": lambda: found.count,
        "characters": lambda: found.end - found.start,
        "kind": lambda: found.kind,
        "ambiguity": lambda: np.minimum(found.ambiguity, 9),
        "same kind": lambda: np.minimum(_repeats(found.span, found.kind), 9),
        "case": lambda: place.case,
        "gap before": lambda: place.gap_before,
        "gap after": lambda: place.gap_after,
        "first case": lambda: table.case[batch.token[found.first]],
        "last case": lambda: table.case[batch.token[place.last]],
        "concept repeats": lambda: np.minimum(_repeats(found.document, found.concept), 20),
        "name repeats": names_in_text,
    }
    for kind in (SPACE, HYPHEN, COMMA, SLASH, INNER, BRACKET):
        makers[f"inner {kind}"] = partial(place.inner, kind)
    for bit in range(_FLAG_BITS):
        makers[f"flag {bit}"] = partial(_bit, found.flags, bit)
    return makers | {name: partial(told, make) for name, make in descriptions.items()}


def described(found: Candidates, lexicon: Lexicon) -> npt.NDArray[np.bool_]:
    """Whether a public vocabulary that the model was trained with describes a concept."""
    given = np.uint32((1 << _GIVEN_SOURCES) - 1)
    return (lexicon.concept_sources[found.concept] & given) > 0


def _bit(values: npt.NDArray[np.uint32], bit: int, at: I32 | None = None) -> Column:
    """One bit of the values, or of those at some places."""
    chosen = values if at is None else values[at]
    return ((chosen >> np.uint32(bit)) & np.uint32(1)).astype(np.int8)


def _repeats(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> I64:
    """How often each pair of values stands in the two arrays."""
    pair = extend_hash(first.astype(np.uint64), second.astype(np.uint64))
    _, inverse, counts = np.unique(pair, return_inverse=True, return_counts=True)
    return counts[inverse]


def _nesting(spans: Spans, found: Candidates) -> dict[str, npt.NDArray[np.generic]]:
    """Whether a span lies within a longer name, or overlaps one that begins before it.

    Spans are ordered by first token, longer ones first, so all that can hold a span precede it.
    """
    end = spans.first + spans.count
    reach = np.zeros(len(end), dtype=end.dtype)
    reach[1:] = np.maximum.accumulate(end)[:-1]
    return {"within": (reach >= end)[found.span], "overlaps": (reach > spans.first)[found.span]}


def _counted(marks: npt.NDArray[np.bool_], low: I32, high: I32) -> I64:
    """How many marks stand in `[low, high)`."""
    total = np.zeros(len(marks) + 1, dtype=np.int64)
    np.cumsum(marks, out=total[1:])
    return total[high] - total[low]


def written_case(batch: Batch, table: TokenTable, found: Candidates) -> I64:
    """0: in lower case (or figures); 1: capitalized; 2: in capitals; 3: mixed."""
    case = table.case[batch.token]
    low, high = found.first, found.first + found.count
    lower, title = _counted(case == LOWER, low, high), _counted(case == TITLE, low, high)
    capital = _counted((case > TITLE) & (case != DIGIT), low, high)
    plain = np.where(title > 0, np.where(lower > 0, 0, 1), 0)
    return np.where(capital > 0, np.where(lower + title > 0, 3, 2), plain)


class _Place:
    """Where candidates stand: their last tokens, neighbours and written case."""

    def __init__(self, batch: Batch, table: TokenTable, found: Candidates) -> None:
        self.batch, self.table, self.found = batch, table, found
        self.last = found.first + found.count - 1
        after = self.last + 1
        self._ends = after >= batch.first[found.document + 1]
        self._begins = found.first == batch.first[found.document]
        self._after = np.minimum(after, len(batch.token) - 1)
        self.gap_before = batch.gap[found.first]
        self.gap_after = np.where(self._ends, BREAK, batch.gap[self._after])
        self.case = written_case(batch, table, found)

    def inner(self, kind: int) -> I64:
        """How many gaps of a kind lie within each candidate."""
        return _counted(self.batch.gap == kind, self.found.first + 1, self.last + 1)

    def solid(self) -> dict[str, npt.NDArray[np.generic]]:
        """How much of what is written without space around a candidate lies outside of it.

        `pyridine` says little of `2-methyl-6-(phenylethynyl)pyridine`.
        """
        gap, digit = self.batch.gap, self.table.case[self.batch.token] == DIGIT
        joined = (gap == JOINED) | (gap == HYPHEN) | (gap == INNER)
        joined[1:] |= (gap[1:] == COMMA) & digit[1:] & digit[:-1]
        starts = np.flatnonzero(~joined)
        stretch = np.cumsum(~joined) - 1
        ends = np.append(starts[1:], len(gap))
        low, high = starts[stretch[self.found.first]], ends[stretch[self.last]]
        digits = _counted(digit, low, high) - _counted(digit, self.found.first, self.last + 1)
        return {
            "solid before": np.minimum(self.found.first - low, 20),
            "solid after": np.minimum(high - self.last - 1, 20),
            "solid digits": np.minimum(digits, 20),
        }

    def keys(self, lexicon: Lexicon, wanted: frozenset[str]) -> tuple[U64, ...]:
        """The keys of all families, in the order of `KEYS`; empty where not wanted."""
        found, token = self.found, self.batch.token
        kind = found.kind.astype(np.uint64) + np.uint64(1)
        hashes, tails = self.table.hash, self.table.tail
        name = extend_hash(found.key, kind)
        before, after = token[found.first - 1], token[self._after]
        known = described(found, lexicon)

        def of(values: U64, salt: int) -> U64:
            return extend_hash(values, kind + np.uint64(salt))

        def left(values: U64) -> U64:
            return np.where(self._begins, _NO_TOKEN, values[before])

        def right(values: U64) -> U64:
            return np.where(self._ends, _NO_TOKEN, values[after])

        def description(values: U64) -> U64:
            return np.where(known, values[found.concept], _NO_TOKEN)

        def form() -> U64:
            return (np.minimum(found.count, 3) * 4 + self.case).astype(np.uint64)

        makers: dict[str, Callable[[], U64]] = {
            "pair": lambda: extend_hash(found.key, lexicon.concept_key[found.concept]),
            "name": lambda: name,
            "written": lambda: extend_hash(name, self.case.astype(np.uint64)),
            "concept": lambda: of(lexicon.concept_key[found.concept], 0),
            "first": lambda: of(hashes[token[found.first]], 100),
            "last": lambda: of(hashes[token[self.last]], 200),
            "tail": lambda: of(tails[token[self.last]], 300),
            "left": lambda: extend_hash(of(left(hashes), 400), self.gap_before.astype(np.uint64)),
            "right": lambda: extend_hash(of(right(hashes), 500), self.gap_after.astype(np.uint64)),
            "left tail": lambda: of(left(tails), 600),
            "right tail": lambda: of(right(tails), 700),
            "type": lambda: of(description(lexicon.concept_type), 800),
            "typed form": lambda: extend_hash(of(description(lexicon.concept_type), 900), form()),
            "parent": lambda: of(description(lexicon.concept_parent), 1000),
            "name and left": lambda: extend_hash(name, left(hashes)),
            "name and right": lambda: extend_hash(name, right(hashes) + np.uint64(1)),
            "anywhere": lambda: found.key,
        }
        nothing = np.zeros(0, dtype=np.uint64)
        return tuple(makers[key]() if key in wanted else nothing for key in KEYS)
