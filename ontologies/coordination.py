"""Names that a text writes once for two: `hepatic and renal failure`.

Where `B HEAD` is a name and stands after `A and`, `A HEAD` is sought as well; its mention is `A`,
the part of it that stands in the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ontologies.hashing import U64, extend_hash, text_hash

if TYPE_CHECKING:
    from ontologies.candidates import Batch, Spans
    from ontologies.lexicon import Lexicon

I64 = npt.NDArray[np.int64]

JOINING: Final = np.array(sorted(text_hash(word) for word in ("and", "or")), dtype=np.uint64)
LONGEST: Final = 4
"""Tokens of the longest name that is completed so."""

MEMBERS: Final = 5
"""Members of a list that may stand before the whole name."""


def shared_heads(
    batch: Batch, hashes: U64, spans: Spans, lexicon: Lexicon, *, space: int, comma: int
) -> Spans:
    """The names whose head stands with the next one, in the order of `spans`.

    `hashes` are those of the batch's tokens; `space` and `comma` are the gaps that may stand around
    the joining word, and between the members of a list before it.
    """
    before = spans.first - 1
    named = (spans.count > 1) & (spans.count <= LONGEST) & (before > 0)
    named[named] &= np.isin(hashes[before[named]], JOINING)
    at = np.flatnonzero(named)
    # In `A and/or B`, the member stands before both joining words.
    both = np.isin(hashes[before[at] - 1], JOINING)
    plain = both | (batch.gap[before[at]] <= comma)
    at, single = at[plain], (before[at] - 1 - both)[plain]
    found = []
    # The member beside the joining word, and those before it where commas part them.
    for _ in range(MEMBERS):
        plain = (single >= 0) & (batch.document[single] == batch.document[spans.first[at]])
        at, single = at[plain], single[plain]
        found.append((single, at, _completed(hashes, spans, at, single)))
        more = batch.gap[single] == comma
        at, single = at[more], single[more] - 1
    first, at, keys = (np.concatenate(part) for part in zip(*found, strict=True))
    value = lexicon.nodes.lookup(keys)
    ends = (value >= 0) & (batch.gap[spans.first[at]] == space)
    return type(spans)(
        first[ends].astype(np.int32),
        np.ones(int(ends.sum()), dtype=np.int32),
        value[ends] >> 1,
        keys[ends],
        np.ones(int(ends.sum()), dtype=bool),
    )


def _completed(hashes: U64, spans: Spans, at: I64, single: I64) -> U64:
    """The hash of each single token followed by the rest of its span after the first token."""
    keys = extend_hash(np.zeros(len(at), dtype=np.uint64), hashes[single])
    for depth in range(1, LONGEST):
        longer = spans.count[at] > depth
        keys[longer] = extend_hash(keys[longer], hashes[spans.first[at[longer]] + depth])
    return keys
