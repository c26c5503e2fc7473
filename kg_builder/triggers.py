"""The trigger table: which words state, deny or doubt a relation, read from `triggers.toml`."""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kg_builder.signatures import GROUP_COUNT, mask_of, signatures

Array = npt.NDArray[Any]


class Cue(IntEnum):
    """What a word of the table does in a sentence."""

    TRIGGER = 0
    BOUNDARY = 1
    DENIAL = 2
    DENIAL_WIDE = 3
    ABSENCE = 4
    INNOCENT = 5
    DOUBT = 6
    DOUBT_ALL = 7


class Order(IntEnum):
    """Where subject and object stand around a trigger."""

    ACTIVE = 0
    PASSIVE = 1
    COMPOUND = 2
    OBJECT_FIRST = 3
    SUBJECT_FIRST = 4


class Frame(NamedTuple):
    """One reading of a trigger: what it states, of which groups, and where they stand.

    `wants_before`, `wants_after` and `wants_also_after` are the groups of which one must stand on
    each side for the frame to fit; `ANYTHING`, which is always there, where nothing must.
    """

    predicate: str
    order: Order
    subject_mask: int
    object_mask: int
    before: int
    after: int
    links: tuple[str, ...]
    score: int
    factual: bool
    unless: re.Pattern[str] | None
    wants_before: int
    wants_after: int
    wants_also_after: int


ANYTHING = 1 << 30
"""A bit above those of all groups."""


class Entry(NamedTuple):
    """A word of the table: its cue, and for a trigger its frames.

    `closes` is whether it ends the scope of a denial before it.
    """

    cue: Cue
    frames: tuple[Frame, ...] = ()
    closes: bool = False


class Hit(NamedTuple):
    """A word of the table found in a text."""

    start: int
    end: int
    entry: Entry


class TriggerError(ValueError):
    """The trigger table contradicts itself or names what is unknown."""


@dataclass(frozen=True)
class Lexicon:
    """All words of the table, and one compiled pattern that finds them.

    The keys of `entries` begin with what is searched for: a space before the word, or the mark
    with which it begins, as the hyphen of `-induced`.
    """

    entries: Mapping[str, Entry]
    pattern: re.Pattern[str]

    @functools.cached_property
    def statable(self) -> Array:
        """Whether any frame can join concepts of two masks of groups, in either order.

        An array of booleans, by one mask and the other.
        """
        masks = np.arange(1 << GROUP_COUNT)
        joined = np.zeros((len(masks), len(masks)), bool)
        frames = itertools.chain.from_iterable(entry.frames for entry in self.entries.values())
        for subject, object_ in {(frame.subject_mask, frame.object_mask) for frame in frames}:
            joined |= ((masks & subject) > 0)[:, None] & ((masks & object_) > 0)
        either: Array = joined | joined.T
        return either

    def hits_in(self, lowered: str) -> Callable[[int, int, int], list[Hit]]:
        """A function that finds the words between two places of the lower-case text.

        The longest words are found from left to right, without overlap; the search ends with the
        last word that begins before a third place. A word begins after white space, a bracket or
        a slash: all are made spaces first, one before the text, so that the search can leap from
        space to space.
        """
        spaced = padded(lowered)
        entries, finditer, new = self.entries, self.pattern.finditer, tuple.__new__

        def hits(start: int, end: int, until: int) -> list[Hit]:
            found = []
            for match in finditer(spaced, start, end + 1):
                left, right = match.span()
                word = match[0]
                # Places in `spaced` are one more than in the text; a mark is part of its word.
                if word[0] != " ":
                    left -= 1
                if left >= until:
                    break
                found.append(new(Hit, (left, right - 1, entries[word])))
            return found

        return hits


_OPENERS = ("\n", "(", "[", "/", '"', "\u2003")


def padded(lowered: str) -> str:
    """The text with a space before it, and spaces for all that a word begins after."""
    spaced = " " + lowered
    for mark in _OPENERS:
        spaced = spaced.replace(mark, " ")
    return spaced


def lower(text: str) -> str:
    """The text in small letters, each at its place; what would mislead is left as it is.

    That is the few capitals that become two letters, and `NO`, which is nitric oxide.
    """
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    if "NO" in text:
        for match in _NITRIC_OXIDE.finditer(text):
            lowered = f"{lowered[: match.start()]}NO{lowered[match.end() :]}"
    return lowered


_NITRIC_OXIDE = re.compile(r"(?<!\w)NO(?!\w)")


@functools.cache
def load_lexicon() -> Lexicon:
    """The table that ships with the package, compiled."""
    text = resources.files("kg_builder").joinpath("triggers.toml").read_text(encoding="utf-8")
    return compile_lexicon(tomllib.loads(text))


def compile_lexicon(table: Mapping[str, Any]) -> Lexicon:
    """Compile a parsed table; raises `TriggerError` with the offending word or entry."""
    frames: dict[str, list[Frame]] = defaultdict(list)
    lists = {name: re.compile("|".join(words)) for name, words in table["lists"].items()}
    for row in table["trigger"]:
        unless = lists[row["unless"]] if "unless" in row else None
        for word in itertools.chain.from_iterable(map(expand, row["words"])):
            frames[word] += _frames(row, unless)
    open_words = set(table["scope"]["open"])
    if not open_words <= frames.keys():
        raise TriggerError(
            f"[scope] open names {open_words - frames.keys()}, which are no triggers"
        )
    entries = {
        word: Entry(Cue.TRIGGER, tuple(of), word not in open_words) for word, of in frames.items()
    }
    for cue_name, patterns in table["cues"].items():
        entry = Entry(Cue[cue_name.upper()], closes=cue_name == "innocent")
        for word in itertools.chain.from_iterable(map(expand, patterns)):
            if entries.setdefault(word, entry) != entry:
                raise TriggerError(f"{word!r} is listed as {cue_name} and as something else")
    keyed = {f" {word}" if word[0].isalpha() else word: entry for word, entry in entries.items()}
    return Lexicon(keyed, re.compile(words_pattern(keyed)))


def _frames(row: Mapping[str, Any], unless: re.Pattern[str] | None) -> list[Frame]:
    """A table row as frames, one for each kind of pair that its predicate may join."""
    try:
        pairs = signatures(row["predicate"])
        order = Order[row["frame"].upper()]
    except KeyError as error:
        raise TriggerError(f"unknown predicate or frame {error} in the entry {row}") from error
    subject = mask_of(row["subject"]) if "subject" in row else -1
    object_ = mask_of(row["object"]) if "object" in row else -1
    before, after = row.get("near", (90, 90))
    return [
        Frame(
            row["predicate"], order, subject & subjects, object_ & objects, before, after,
            tuple(row.get("link", ())), row["score"], row.get("factual", False),
            unless, *_wants(order, subject & subjects, object_ & objects),
        )
        for subjects, objects in pairs
        if subject & subjects and object_ & objects
    ]  # fmt: skip


def _wants(order: Order, subject: int, object_: int) -> tuple[int, int, int]:
    """Groups that must stand before the trigger, after it, and also after it."""
    if order >= Order.OBJECT_FIRST:
        return ANYTHING, object_, subject
    return (object_, subject, ANYTHING) if order is Order.PASSIVE else (subject, object_, ANYTHING)


def expand(pattern: str) -> list[str]:
    """All words that a pattern with choices in braces stands for.

    >>> expand("caus{e,ing} {of,}")
    ['cause of', 'cause ', 'causing of', 'causing ']
    """
    parts = re.split(r"\{([^{}]*)\}", pattern)
    choices = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def words_pattern(words: Iterable[str]) -> str:
    r"""A regular expression for the longest of the words that ends as a word, shared by prefix.

    Sharing prefixes spares the engine from trying thousands of words at each place.

    >>> words_pattern([" cause", " caused by", " may"])
    '(?:\\ (?:cause(?:d\\ by(?!\\w)|(?!\\w))|may(?!\\w)))'
    """
    trie: dict[str, Any] = {}
    for word in words:
        node = trie
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return f"(?:{_branch(trie)})"


def _branch(node: dict[str, Any]) -> str:
    """The pattern of what can follow at a node; the longest way first."""
    ways = [re.escape(letter) + _branch(below) for letter, below in node.items() if letter]
    if not ways:
        return r"(?!\w)"
    if "" in node:
        ways.append(r"(?!\w)")
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
