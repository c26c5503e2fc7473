"""When two names are the same words: case, plural, hyphens and MeSH's turned order aside."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_SINGULAR = ("ss", "is", "us")


@lru_cache(maxsize=1 << 16)
def words(name: str) -> str:
    """The words of a name in alphabetical order, which names of the same words share.

    >>> words("Arrhythmias, Cardiac") == words("cardiac arrhythmia")
    True
    >>> words("Crohn's disease") == words("Crohn Disease")
    True
    >>> words("type 1 diabetes") == words("type 2 diabetes")
    False
    """
    text = name.casefold().replace("'s", "").replace("\N{RIGHT SINGLE QUOTATION MARK}s", "")
    return " ".join(sorted(map(_singular, _WORD.findall(text))))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    plural = word.endswith("s") and len(word) > 3 and not word.endswith(_SINGULAR)
    return word[:-1] if plural else word
