"""The words by which phrases of clinical notes are known, read once from `phrases.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from extractor.schema import Kind


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a kind of finding is named: by nouns, by their endings, by adjectives, by phrases."""

    nouns: frozenset[str]
    endings: tuple[str, ...]
    not_endings: frozenset[str]
    adjectives: frozenset[str]

    def names(self, word: str) -> bool:
        """Whether the word (lower case) is a noun of this kind, singular or plural.

        >>> words().kinds[Kind.PROBLEM].names("abscesses"), words().kinds[Kind.TEST].names("knee")
        (True, False)
        """
        return any(
            form in self.nouns or (form.endswith(self.endings) and len(form) > 5)
            for form in singulars(word)
            if form not in self.not_endings
        )


@dataclass(frozen=True, slots=True)
class Words:
    """All words. `phrases` gives, by first word, phrases with their kind, longest first."""

    kinds: Mapping[Kind, KindWords]
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], Kind], ...]]
    openers: frozenset[str]
    deviations: frozenset[str]
    measured: frozenset[str]
    sites: frozenset[str]
    prepositions: frozenset[str]
    manoeuvres: frozenset[str]
    modifiers: frozenset[str]


def singulars(word: str) -> tuple[str, ...]:
    """The word, and what it may be the plural of."""
    forms = [word]
    if word.endswith("ies") and len(word) > 4:
        forms.append(word[:-3] + "y")
    if word.endswith("es") and len(word) > 4:
        forms.append(word[:-2])
    if word.endswith("s") and not word.endswith(("ss", "is", "us")) and len(word) > 3:
        forms.append(word[:-1])
    return tuple(forms)


TOKEN = re.compile(
    r"(?:w/o|h/o|s/p|c/o|p/w|r/o|y/o|b/l|o/e|m/r/g|w/)(?!\w)"
    r"|\d+(?:[./]\d+)*(?:[+%]|\b)"
    r"|covid-19|[^\W_]+(?:[-'’](?=[^\W\d_])[^\W_]+)*"
    r"|[^\w\s]|\w+",
    re.IGNORECASE,
)
"""A clinical short form with a slash, a number, a word with hyphens and apostrophes, or a mark."""


@cache
def words() -> Words:
    """The shipped words."""
    loaded = tomllib.loads(files("extractor").joinpath("phrases.toml").read_text("utf-8"))
    problem = loaded["problem"]
    return Words(
        {kind: _kind_words(loaded[kind.value]) for kind in Kind},
        _phrases(loaded),
        listed(problem["openers"]),
        listed(problem["deviations"]),
        listed(problem["measured"]),
        listed(loaded["site"]["words"]),
        listed(loaded["site"]["prepositions"]),
        listed(loaded["site"]["manoeuvres"]),
        listed(loaded["modifier"]["words"]),
    )


def _kind_words(table: Mapping[str, str]) -> KindWords:
    return KindWords(
        listed(table["nouns"]),
        tuple(table["endings"].split()),
        listed(table.get("not_endings", "")),
        listed(table.get("adjectives", "")),
    )


def _phrases(loaded: Mapping[str, Any]) -> dict[str, tuple[tuple[tuple[str, ...], Kind], ...]]:
    listed: dict[str, set[tuple[tuple[str, ...], Kind]]] = {}
    for kind in Kind:
        for line in loaded[kind.value]["phrases"].split("\n"):
            for phrase in filter(None, line.split("|")):
                parts = tuple(TOKEN.findall(phrase.lower().replace("’", "'")))
                listed.setdefault(parts[0], set()).add((parts, kind))
    return {
        first: tuple(sorted(phrases, key=lambda p: (-len(p[0]), p)))
        for first, phrases in listed.items()
    }
