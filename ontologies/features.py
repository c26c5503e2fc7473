"""What is known of a candidate before judging it: its written form, its place and its company.

Columns are numbers that the trees of `precision` compare with thresholds; keys are hashes under
which the training corpora's counts are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
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
_FLAG_BITS: Final = 16
_SOURCE_BITS: Final = 8
_GIVEN_SOURCES: Final = 6
"""Sources that a vocabulary gives. That a concept has learned names at all is no feature: for the
articles that they were learned from it would tell the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Columns (name to one number a candidate) and keys (in the order of `KEYS`)."""

    columns: dict[str, npt.NDArray[np.generic]]
    keys: tuple[U64, ...]


def features(
    batch: Batch, table: TokenTable, spans: Spans, found: Candidates, lexicon: Lexicon
) -> Features:
    """What is known of each candidate of a batch."""
    place = _Place(batch, table, found)
    columns = {
        "tokens": found.count,
        "characters": found.end - found.start,
        "kind": found.kind,
        "ambiguity": np.minimum(found.ambiguity, 9),
        "same kind": np.minimum(_repeats(found.span, found.kind), 9),
        "case": place.case,
        "gap before": place.gap_before,
        "gap after": place.gap_after,
        "first case": table.case[batch.token[found.first]],
        "last case": table.case[batch.token[place.last]],
        "concept repeats": np.minimum(_repeats(found.document, found.concept), 20),
        "name repeats": np.minimum(_repeats(batch.document[spans.first], spans.key), 20)[
            found.span
        ],
        **_nesting(spans, found),
        **{
            f"inner {kind}": place.inner(kind)
            for kind in (SPACE, HYPHEN, COMMA, SLASH, INNER, BRACKET)
        },
        **_bits("flag", found.flags, _FLAG_BITS),
        **_described(found, lexicon),
    }
    return Features(columns, place.keys(spans, lexicon))


def described(found: Candidates, lexicon: Lexicon) -> npt.NDArray[np.bool_]:
    """Whether a public vocabulary that the model was trained with describes a concept."""
    given = np.uint32((1 << _GIVEN_SOURCES) - 1)
    return (lexicon.concept_sources[found.concept] & given) > 0


def _described(found: Candidates, lexicon: Lexicon) -> dict[str, npt.NDArray[np.generic]]:
    """How public vocabularies describe a concept; `MISSING` where they do not know it."""
    columns: dict[str, npt.NDArray[np.generic]] = {
        "names": np.minimum(lexicon.concept_names[found.concept], 99),
        **_bits("source", found.sources, _SOURCE_BITS),
        **_bits("known to", lexicon.concept_sources[found.concept], _GIVEN_SOURCES),
    }
    known = described(found, lexicon)
    return {name: np.where(known, column, MISSING) for name, column in columns.items()}


def _bits(
    name: str, values: npt.NDArray[np.uint32], count: int
) -> dict[str, npt.NDArray[np.generic]]:
    return {
        f"{name} {bit}": ((values >> np.uint32(bit)) & np.uint32(1)).astype(np.int8)
        for bit in range(count)
    }


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

    def keys(self, spans: Spans, lexicon: Lexicon) -> tuple[U64, ...]:
        found, token = self.found, self.batch.token
        kind = found.kind.astype(np.uint64) + np.uint64(1)
        hashes, tails = self.table.hash[token], self.table.tail[token]
        name = extend_hash(found.key, kind)
        before, after = found.first - 1, self._after
        no_left, no_right = self._begins, self._ends

        def of(values: U64, salt: int) -> U64:
            return extend_hash(values, kind + np.uint64(salt))

        known = described(found, lexicon)
        types = np.where(known, lexicon.concept_type[found.concept], _NO_TOKEN)
        parent = np.where(known, lexicon.concept_parent[found.concept], _NO_TOKEN)
        form = (np.minimum(found.count, 3) * 4 + self.case).astype(np.uint64)
        left = np.where(no_left, _NO_TOKEN, hashes[before])
        right = np.where(no_right, _NO_TOKEN, hashes[after])
        return (
            extend_hash(found.key, lexicon.concept_key[found.concept]),
            name,
            extend_hash(name, self.case.astype(np.uint64)),
            of(lexicon.concept_key[found.concept], 0),
            of(hashes[found.first], 100),
            of(hashes[self.last], 200),
            of(tails[self.last], 300),
            extend_hash(of(left, 400), self.gap_before.astype(np.uint64)),
            extend_hash(of(right, 500), self.gap_after.astype(np.uint64)),
            of(np.where(no_left, _NO_TOKEN, tails[before]), 600),
            of(np.where(no_right, _NO_TOKEN, tails[after]), 700),
            of(types, 800),
            extend_hash(of(types, 900), form),
            of(parent, 1000),
            extend_hash(name, left),
            extend_hash(name, right + np.uint64(1)),
            found.key,
        )
