"""Words of the trigger table in the sentences of many articles, found in one pass.

The same words as `Lexicon.hits_in` finds, sentence by sentence; a test holds the two equal.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kg_builder.triggers import Hit, Lexicon, padded
from ontologies.kernels import compiled
from ontologies.tokens import code_points

Array = npt.NDArray[Any]

_ROOT = 0
_NO_LETTER = 0


class Trie(NamedTuple):
    """The words of a lexicon by their letters.

    `letter` numbers the code points that occur in words, from 1; 0 is any other, and those beyond
    its end. `step` is the node after each node and letter, 0 where no word goes on; `word` is the
    number of the word that ends at a node, or -1. `in_word` is whether a code
    point is a letter or a figure.
    """

    letter: Array
    step: Array
    word: Array
    in_word: Array


def trie_of(words: Sequence[str]) -> Trie:
    """The trie of some words, numbered in their order."""
    letters = sorted({sign for word in words for sign in word})
    number = {sign: place for place, sign in enumerate(letters, 1)}
    steps: list[list[int]] = [[0] * (len(letters) + 1)]
    ends = [-1]
    for place, word in enumerate(words):
        node = _ROOT
        for sign in word:
            if not steps[node][number[sign]]:
                steps[node][number[sign]] = len(steps)
                steps.append([0] * (len(letters) + 1))
                ends.append(-1)
            node = steps[node][number[sign]]
        ends[node] = place
    letter = np.zeros(max(map(ord, letters)) + 1, np.int32)
    letter[[ord(sign) for sign in letters]] = list(number.values())
    return Trie(letter, np.array(steps, np.int32), np.array(ends, np.int32), _in_word())


@functools.cache
def _in_word() -> Array:
    found = np.zeros(sys.maxunicode + 1, np.bool_)
    for match in re.finditer(r"\w+", "".join(map(chr, range(sys.maxunicode + 1)))):
        found[match.start() : match.end()] = True
    return found


def find_words(
    codes: Array, trie: Trie, starts: Array, ends: Array, found: Array, counts: Array
) -> int:
    """Of each stretch of code points the longest words, from left to right, without overlap.

    A word ends where the stretch does or no letter follows. Rows of `found` are start, end and
    number of a word, `counts` how many words each stretch has; returns how many there are.
    """
    letter, step, word, in_word = trie
    total = 0
    for at in range(len(starts)):
        place, end, before = starts[at], ends[at], total
        while place < end:
            node, here, last, number = 0, place, -1, -1
            while here < end:
                code = codes[here]
                sign = letter[code] if code < len(letter) else 0
                node = step[node, sign] if sign else 0
                if node == 0:
                    break
                here += 1
                if word[node] >= 0 and (here == end or not in_word[codes[here]]):
                    last, number = here, word[node]
            if last < 0:
                place += 1
                continue
            found[total, 0], found[total, 1], found[total, 2] = place, last, number
            total += 1
            place = last
        counts[at] = total - before
    return total


class TriggerSearch:
    """Finds the words of a lexicon in many stretches of text at once."""

    def __init__(self, lexicon: Lexicon) -> None:
        words = list(lexicon.entries)
        self._lexicon = lexicon
        self._trie = trie_of(words)
        self._entries = list(lexicon.entries.values())
        self._marks = np.array([word[0] != " " for word in words])

    def hits(
        self, texts: Sequence[str], owners: Array, starts: Array, ends: Array
    ) -> list[list[Hit]]:
        """The hits of stretches of lower-case texts, as `Lexicon.hits_in` finds them.

        `owners` are the places in `texts` of the text of each stretch.
        """
        if (loop := compiled(find_words, sum(map(len, texts)))) is None:
            found = [self._lexicon.hits_in(text) for text in texts]
            rows = zip(owners.tolist(), starts.tolist(), ends.tolist(), strict=True)
            return [found[owner](start, end, end) for owner, start, end in rows]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        offsets = (np.cumsum(lengths) - lengths)[owners]
        codes = code_points("".join(map(padded, texts)))
        # As many words as signs at most; what is not written costs no memory.
        words = np.empty((int((ends + 1 - starts).sum()), 3), np.int64)
        counts = np.zeros(len(starts), np.int64)
        total = loop(codes, self._trie, starts + offsets, ends + 1 + offsets, words, counts)
        return self._cut(words[:total], counts, np.repeat(offsets, counts))

    def _cut(self, words: Array, counts: Array, offsets: Array) -> list[list[Hit]]:
        """Words found in joined texts as hits in their own, by stretch."""
        left, right, word = words.T
        # Places in padded texts are one more than in the text; a mark is part of its word.
        starts, ends = left - offsets - self._marks[word], right - offsets - 1
        entries = map(self._entries.__getitem__, word.tolist())
        hits = list(map(_hit, zip(starts.tolist(), ends.tolist(), entries, strict=True)))
        borders = np.append(0, np.cumsum(counts)).tolist()
        return [hits[low:high] for low, high in pairwise(borders)]


_hit = partial(tuple.__new__, Hit)
