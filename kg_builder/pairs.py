"""Which concepts the sentences of many articles name, and which of them are named together.

All in columns: a batch of articles has thousands of mentions and tens of thousands of pairs, and
none of them becomes a Python object.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]

CROWDED = 20
"""A sentence with more concepts than this lists things: see `together`."""

CROWDED_REACH = 8


class Naming(NamedTuple):
    """Mentions in sentences that name several concepts, in the order of the text.

    `sentence` is a row of the table of sentences; `start` and `end` are the span in the article;
    `concept` is a code. `firsts` are the places, in these columns, of the first mention of each
    concept in each sentence.
    """

    sentence: Array
    start: Array
    end: Array
    concept: Array
    firsts: Array


def naming(sentences: pa.Table, mentions: pa.Table, codes: Array, takes_part: Array) -> Naming:
    """The mentions that take part in the relations of their sentences.

    Both tables are those of the ledger, ordered by article and start. `codes` are the concepts
    of `mentions`, -1 where none fits; `takes_part` says of each code whether its concept may have
    an edge. A mention across the edge of a sentence takes no part.
    """
    begins, ends = _keys(sentences), np.asarray(sentences["end"])
    article, start, end = (np.asarray(mentions[name]) for name in ("article", "start", "end"))
    sentence = np.searchsorted(begins, _keys(mentions), side="right") - 1
    inside = (sentence >= 0) & (codes >= 0)
    inside[inside] = takes_part[codes[inside]]
    inside[inside] = (np.asarray(sentences["article"])[sentence[inside]] == article[inside]) & (
        end[inside] <= ends[sentence[inside]]
    )
    sentence, start, end, codes = (sentence[inside], start[inside], end[inside], codes[inside])
    keys = sentence * np.int64(len(takes_part)) + codes
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    several = np.bincount(sentence[first], minlength=len(begins)) > 1
    stays = several[sentence]
    return Naming(
        sentence[stays], start[stays], end[stays], codes[stays], np.flatnonzero(first[stays])
    )


def together(found: Naming, crowded: int = CROWDED) -> tuple[Array, Array]:
    """Pairs of first mentions of two concepts in a sentence, as places in the columns of `found`.

    In a sentence with more than `crowded` concepts only those at most `CROWDED_REACH` places
    apart, in the order of first mention, are a pair: such sentences are lists, and their pairs
    grow with the square.
    """
    sentence = found.sentence[found.firsts]
    starts = np.flatnonzero(np.diff(sentence, prepend=-1))
    sizes = np.diff(starts, append=len(sentence))
    last = np.repeat(starts + sizes - 1, sizes)
    places = np.arange(len(sentence))
    following = last - places
    following = np.where(
        np.repeat(sizes > crowded, sizes), np.minimum(following, CROWDED_REACH), following
    )
    one = np.repeat(places, following)
    before = np.cumsum(following) - following
    other = one + 1 + np.arange(len(one)) - np.repeat(before, following)
    return found.firsts[one], found.firsts[other]


def sentences_with(found: Naming, one: Array, joinable: Array) -> Array:
    """Sentences in which two concepts may be joined, ascending.

    `one` has a mention of each pair that is named together, `joinable` whether the pair's
    concepts may be joined. Of a crowded sentence not all pairs are given: it is always taken.
    """
    sizes = np.bincount(found.sentence[found.firsts])
    chosen: Array = sizes > CROWDED
    chosen[found.sentence[one[joinable]]] = True
    return np.flatnonzero(chosen)


def _keys(table: pa.Table) -> Array:
    """Article and start as one integer, in the order of the text."""
    article, start = np.asarray(table["article"]), np.asarray(table["start"])
    keys: Array = (article.astype(np.int64) << 32) | start
    return keys
