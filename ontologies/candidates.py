"""From texts to candidates: where a name of the lexicon stands, and what it may mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ontologies.coordination import shared_heads
from ontologies.hashing import I32, U64, extend_hash, text_hash
from ontologies.known_words import KnownWords
from ontologies.lexicon import KINDS, MAX_TOKENS, UNWANTED, Lexicon
from ontologies.name_forms import OPEN, SHARED
from ontologies.normalize import normal_form
from ontologies.tokens import COMMON, code_points, token_bounds

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
Bool = npt.NDArray[np.bool_]

LOWER, TITLE, UPPER, MIXED, DIGIT, OTHER = range(6)
JOINED, SPACE, HYPHEN, COMMA, SLASH, INNER, BRACKET, STOP, BREAK = range(9)
"""What stands before a token: nothing; white space; a hyphen; a comma; a slash; other signs
without space; signs with space; a full stop and space; the end of a sentence or line."""

_HYPHENS = frozenset("-‐‑‒–−")


def letter_case(token: str) -> int:
    """How a token is written: `LOWER`, `DIGIT`, `UPPER`, `TITLE`, `MIXED` or `OTHER`."""
    if token.islower():
        return LOWER
    if token.isdigit():
        return DIGIT
    if token.isupper():
        return UPPER
    return TITLE if token.istitle() else MIXED if token.isalpha() else OTHER


def gap_kind(gap: str) -> int:
    """The kind of the characters between two tokens."""
    bare = gap.strip()
    if not bare:
        return (SPACE if "\n" not in gap else BREAK) if gap else JOINED
    if "\n" in gap or any(sign in bare for sign in ";:?!"):
        return BREAK
    if len(bare) < len(gap):
        return {",": COMMA, ".": STOP, "/": SLASH}.get(
            bare, HYPHEN if bare in _HYPHENS else BREAK if "." in bare else BRACKET
        )
    return {",": COMMA, "/": SLASH}.get(bare, HYPHEN if bare in _HYPHENS else INNER)


class GapKinds(dict[str, int]):
    """`gap_kind` remembered; forgets all when a stream of odd gaps has filled it."""

    def __missing__(self, gap: str) -> int:
        if len(self) > 20_000:
            self.clear()
        kind = self[gap] = gap_kind(gap)
        return kind


class TokenTable(dict[str, int]):
    """Numbers the distinct tokens that it has seen; arrays hold what is known of each.

    Bounded: `refresh` forgets everything once it holds more than `limit` tokens.
    """

    def __init__(self, limit: int = 200_000) -> None:
        super().__init__()
        self.limit = limit
        self._new: list[str] = []
        self.hash: U64 = np.zeros(0, dtype=np.uint64)
        self.case: U8 = np.zeros(0, dtype=np.uint8)
        self.length: U8 = np.zeros(0, dtype=np.uint8)
        self.tail: U64 = np.zeros(0, dtype=np.uint64)
        self._roots: I32 = np.zeros(0, dtype=np.int32)
        self._words = KnownWords()

    def __missing__(self, token: str) -> int:
        number = self[token] = len(self)
        self._new.append(token)
        return number

    def numbers(self, tokens: Sequence[str]) -> list[int]:
        """The number of each token; `refresh` before the arrays are asked for new ones."""
        known = [number for number in map(self.get, tokens) if number is not None]
        return known if len(known) == len(tokens) else [self[token] for token in tokens]

    def numbers_at(self, text: str, codes: U32, starts: I64, ends: I64) -> I32 | None:
        """The number of the token at each place, as `numbers`; `None` where few are asked for."""
        looked_up = self._words.look_up(codes, starts, ends)
        if looked_up is None:
            return None
        keys, numbers = looked_up
        new = np.flatnonzero(numbers < 0)
        if len(new):
            spans = zip(starts[new].tolist(), ends[new].tolist(), strict=True)
            numbers[new] = [self[text[low:high]] for low, high in spans]
            self._words.learn(keys[new], numbers[new])
        return numbers

    def refresh(self) -> None:
        """Bring the arrays up to the tokens numbered since the last call."""
        new, self._new = self._new, []
        forms = [normal_form(token) for token in new]
        self.hash = _grown(self.hash, [text_hash(form) for form in forms])
        self.tail = _grown(self.tail, [text_hash(form[-4:] + "$") for form in forms])
        self.case = _grown(self.case, [letter_case(token) for token in new])
        self.length = _grown(self.length, [min(len(token), 255) for token in new])

    def roots(self, lexicon: Lexicon) -> I32:
        """The node of each token as the first of a name; always of the same lexicon."""
        new = self.hash[len(self._roots) :]
        if len(new):
            keys = extend_hash(np.zeros(len(new), dtype=np.uint64), new)
            self._roots = np.concatenate([self._roots, lexicon.nodes.lookup(keys)])
        return self._roots

    def forget(self) -> None:
        """Start anew where the table has outgrown its limit; call between batches only."""
        if len(self) > self.limit:
            self.clear()
            self.__init__(self.limit)  # type: ignore[misc]


_Number = TypeVar("_Number", bound=np.generic)


def _grown(array: npt.NDArray[_Number], values: list[int]) -> npt.NDArray[_Number]:
    return np.concatenate([array, np.array(values, dtype=array.dtype)]) if values else array


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Texts as arrays over all their tokens: number in the table, document, span, gap before."""

    texts: Sequence[str]
    token: I32
    document: I32
    start: I32
    end: I32
    gap: U8
    first: I32  # the first token of each document, and the number of tokens at the end


def tokenize(texts: Sequence[str], table: TokenTable, gaps: GapKinds) -> Batch:
    """All texts at once: joined by line ends, which no token crosses."""
    text = "\n".join(texts)
    codes = code_points(text)
    starts, ends = token_bounds(text, codes)
    count = len(starts)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    begins = np.cumsum(lengths) - lengths
    first = np.searchsorted(starts, np.append(begins, len(text) + 1)).astype(np.int32)
    document = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(first))
    offset = begins[document]
    start, end = (starts - offset).astype(np.int32), (ends - offset).astype(np.int32)
    token = table.numbers_at(text, codes, starts, ends)
    if token is None:
        token = _numbers(texts, start, end, first, table)
    gap = _gaps(text, codes, starts, ends, gaps)
    table.refresh()
    long_before = np.zeros(count, dtype=bool)
    long_before[1:] = table.length[token[:-1]] > 1
    gap[(gap == STOP) & long_before] = BREAK  # but not in `E. coli`
    gap[first[:-1][np.diff(first) > 0]] = BREAK
    return Batch(texts, token, document, start, end, gap, first)


def _numbers(texts: Sequence[str], start: I32, end: I32, first: I32, table: TokenTable) -> I32:
    """The numbers of all tokens; text by text, so that the tokens cut stay in the cache."""
    numbers: list[int] = []
    lows, highs, bounds = start.tolist(), end.tolist(), pairwise(first.tolist())
    for text, (at, to) in zip(texts, bounds, strict=True):
        spans = zip(lows[at:to], highs[at:to], strict=True)
        numbers += table.numbers([text[low:high] for low, high in spans])
    return np.array(numbers, dtype=np.int32)


@lru_cache(maxsize=1)
def _single_gaps() -> U8:
    return np.array([gap_kind(chr(code)) for code in range(COMMON)], dtype=np.uint8)


def _gaps(text: str, codes: U32, starts: I64, ends: I64, gaps: GapKinds) -> U8:
    """The kind of what stands before each token."""
    low = np.zeros(len(starts), dtype=np.int64)
    low[1:] = ends[:-1]
    width = starts - low
    kind = np.full(len(starts), JOINED, dtype=np.uint8)
    single = (width == 1) & (codes[np.minimum(low, len(codes) - 1)] < COMMON)
    kind[single] = _single_gaps()[codes[low[single]]]
    at = np.flatnonzero((width > 0) & ~single)
    bounds = zip(low[at].tolist(), starts[at].tolist(), strict=True)
    kind[at] = [gaps[text[start:end]] for start, end in bounds]
    return kind


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Stretches of tokens that are names: first token, number of tokens, group of entries.

    Those that are `shared` take their last words from the name after them (see `coordination`).
    """

    first: I32
    count: I32
    group: I32
    key: U64
    shared: Bool


def find_spans(batch: Batch, table: TokenTable, lexicon: Lexicon) -> Spans:
    """Every stretch of tokens that is a name, ordered by first token, longer ones first."""
    token_keys = table.hash[batch.token]
    at = np.arange(len(token_keys))
    key = np.zeros(len(at), dtype=np.uint64)
    found: list[tuple[npt.NDArray[np.int64], int, I32, U64]] = []
    open_ = np.append((batch.gap != BREAK) & (batch.gap != BRACKET), False)
    for depth in range(MAX_TOKENS):
        key = extend_hash(key, token_keys[at + depth])
        value = lexicon.nodes.lookup(key) if depth else table.roots(lexicon)[batch.token]
        ends = value >= 0
        found.append((at[ends], depth + 1, value[ends] >> 1, key[ends]))
        on = ((value & 1) == 1) & open_[at + depth + 1]
        at, key = at[on], key[on]
        if not len(at):
            break
    first = np.concatenate([hit[0] for hit in found]).astype(np.int32)
    count = np.concatenate([np.full(len(hit[0]), hit[1], dtype=np.int32) for hit in found])
    group = np.concatenate([hit[2] for hit in found])
    keys = np.concatenate([hit[3] for hit in found])
    spans = Spans(first, count, group, keys, np.zeros(len(first), dtype=bool))
    return _ordered(
        spans, shared_heads(batch, token_keys, spans, lexicon, space=SPACE, comma=COMMA)
    )


def _ordered(*parts: Spans) -> Spans:
    joined = [np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Spans)]
    order = np.lexsort((-joined[1], joined[0]))
    return Spans(*(column[order] for column in joined))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Each span with each concept that has its name; arrays by candidate.

    `span` counts in `Spans`; `start` and `end` are offsets in the document, end exclusive.
    """

    span: npt.NDArray[np.int64]
    concept: I32
    flags: npt.NDArray[np.uint32]
    sources: npt.NDArray[np.uint32]
    ambiguity: I32
    kind: U8
    first: I32
    count: I32
    key: U64
    document: I32
    start: I32
    end: I32


_WANTED = np.array([kind not in UNWANTED for kind in KINDS])


def expand(batch: Batch, spans: Spans, lexicon: Lexicon, *, notes: bool = False) -> Candidates:
    """The candidates of spans, in order: wanted kinds, and clinical shorthand only with `notes`."""
    low = lexicon.group_start[spans.group]
    ambiguity = lexicon.group_start[spans.group + 1] - low
    span = np.repeat(np.arange(len(spans.first)), ambiguity)
    within = np.arange(len(span)) - np.repeat(np.cumsum(ambiguity) - ambiguity, ambiguity)
    entry = low[span] + within
    wanted = _WANTED[lexicon.concept_kind[lexicon.entry_concept[entry]]]
    if not notes:
        wanted &= (lexicon.entry_flags[entry] & np.uint32(OPEN)) > 0
    span, entry, ambiguity = span[wanted], entry[wanted], ambiguity[span[wanted]]
    concept = lexicon.entry_concept[entry]
    first, count = spans.first[span], spans.count[span]
    shared = np.where(spans.shared[span], np.uint32(SHARED), np.uint32(0))
    return Candidates(
        span,
        concept,
        lexicon.entry_flags[entry] | shared,
        lexicon.entry_sources[entry],
        ambiguity,
        lexicon.concept_kind[concept],
        first,
        count,
        spans.key[span],
        batch.document[first],
        batch.start[first],
        batch.end[first + count - 1],
    )


def take(found: Candidates, chosen: Bool) -> Candidates:
    """The chosen candidates."""
    return Candidates(*(getattr(found, field.name)[chosen] for field in fields(Candidates)))


def restrict(spans: Spans, found: Candidates, chosen: Bool) -> tuple[Spans, Candidates]:
    """The chosen candidates as if there had been no others, nor spans without any."""
    kept = take(found, chosen)
    ambiguity = np.bincount(kept.span, minlength=len(spans.first))
    used = ambiguity > 0
    number = np.cumsum(used) - 1
    left = Spans(*(getattr(spans, field.name)[used] for field in fields(Spans)))
    return left, replace(
        kept, span=number[kept.span], ambiguity=ambiguity[kept.span].astype(np.int32)
    )
