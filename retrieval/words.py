"""The words of a text as the index knows them: case folded, stemmed, without function words."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from Stemmer import Stemmer

WORDS_VERSION = 1
"""Raised when the words of a text change: indexes are made again."""

_WORD = re.compile(r"[^\W_]+")
_FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "but",
        "by",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
    ]
)


@cache
def _stemmer() -> Stemmer:
    from Stemmer import Stemmer

    return Stemmer("english")


def stems(text: str) -> list[str]:
    """Stems (Snowball's English, Porter 2001) in the order of the text, repeated ones too.

    >>> stems("Does aspirin prevent heart attacks?")
    ['aspirin', 'prevent', 'heart', 'attack']
    """
    words = [word for word in _WORD.findall(text.casefold()) if word not in _FUNCTION_WORDS]
    stemmed: list[str] = _stemmer().stemWords(words)
    return stemmed
