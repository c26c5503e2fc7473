"""Whether the names of two linked records speak for the link or against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ontologies.gather import Gathered
from ontologies.readers.items import MAPPING, PREFERRED
from ontologies.wording import words

BORROWED = frozenset({"MEDIC", MAPPING})
"""Sources that repeat the names of others, or of what they file under a record."""


class Namesakes:
    """Which of the given pairs of nodes have a name in common, and which have it with others."""

    def __init__(self, gathered: Gathered, pairs: Iterable[tuple[int, int]]) -> None:
        self._gathered = gathered
        self._names: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        strangers = [pair for pair in pairs if self.named(*pair) and not self.agree(*pair)]
        self._holders = self._find({node for pair in strangers for node in pair})

    def named(self, one: int, other: int) -> bool:
        """Whether both are records with a name of their own source."""
        return bool(self._of(one)[0] and self._of(other)[0])

    def agree(self, one: int, other: int) -> bool:
        """Whether the preferred name of one is a name of the other."""
        (first, all_first), (second, all_second) = self._of(one), self._of(other)
        return bool(first & all_second or second & all_first)

    def alike(self, one: int, other: int) -> bool:
        """Whether both have the same preferred name."""
        return bool(self._of(one)[0] & self._of(other)[0])

    def strangers(self, one: int, other: int) -> bool:
        """Whether no word stands in a name of both."""
        first, second = ({w for name in self._of(n)[1] for w in name.split()} for n in (one, other))
        return not first & second

    def elsewhere(self, one: int, other: int) -> bool:
        """Whether a third record, in the vocabulary of one, has the preferred name of the other.

        Only for pairs that were given.
        """
        return self._other_holder(one, other) or self._other_holder(other, one)

    def _other_holder(self, one: int, other: int) -> bool:
        prefix = self._gathered.prefix(one)
        found = {n for name in self._of(other)[0] for n in self._holders.get((prefix, name), ())}
        return bool(found - {one})

    def _of(self, node: int) -> tuple[frozenset[str], frozenset[str]]:
        """Preferred and all names of a record, as words."""
        known = self._names.get(node)
        if known is None:
            kept = [n for n in self._gathered.names.get(node, ()) if n[1] not in BORROWED]
            known = self._names[node] = (
                frozenset(words(text) for text, _, scope in kept if scope == PREFERRED),
                frozenset(words(text) for text, _, _ in kept),
            )
        return known

    def _find(self, nodes: set[int]) -> dict[tuple[str, str], set[int]]:
        """The records that have a preferred name of the given nodes, by their vocabulary."""
        wanted = {name for node in nodes for name in self._of(node)[0]}
        prefixes = {self._gathered.prefix(node) for node in nodes}
        holders: dict[tuple[str, str], set[int]] = defaultdict(set)
        for node, named in self._gathered.names.items():
            prefix = self._gathered.prefix(node)
            if prefix not in prefixes:
                continue
            for text, source, scope in named:
                if scope == PREFERRED and source not in BORROWED and words(text) in wanted:
                    holders[prefix, words(text)].add(node)
        return holders
