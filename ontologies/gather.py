"""What all sources say, put together by id: the input of the merge."""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern
from typing import Final, NamedTuple

from ontologies import curies
from ontologies.readers.items import PREFERRED, Entry, Match

ALTERNATE: Final = "alternate"
EXACT: Final = "exact"
XREF: Final = "xref"
GROUPED: Final = "grouped"

CITATIONS: Final = frozenset({"PMID", "DOI", "ISBN", "HTTP", "HTTPS", "URL", "Wikipedia"})
"""Prefixes of documents: a reference to one does not say what a concept is."""


class Link(NamedTuple):
    """A source's statement that two nodes are the same; `kind` is how it says so."""

    subject: int
    object: int
    source: str
    kind: str


class Gathered:
    """Nodes are all CURIEs that any source names; the lists and dicts are by node number.

    A node with a name is a record. What two sources say of one id is kept beside each other;
    nothing here depends on the order of files but the node numbers, which no rule may use.
    """

    def __init__(self) -> None:
        self.curies: list[str] = []
        self.prefixes: list[str] = []
        self.numbers: dict[str, int] = {}
        self.names: dict[int, set[tuple[str, str, str]]] = {}
        self.types: dict[int, set[str]] = {}
        self.parents: dict[int, set[int]] = {}
        self.definitions: dict[int, set[tuple[str, str]]] = {}
        self.links: set[Link] = set()
        self._preferred: dict[int, frozenset[str]] = {}

    def node(self, curie: str) -> int:
        """The number of a CURIE, a new one where it was not named before."""
        number = self.numbers.get(curie)
        if number is None:
            number = self.numbers[curie] = len(self.curies)
            self.curies.append(curie)
            self.prefixes.append(intern(curies.prefix_of(curie)))
        return number

    def add(self, item: Entry | Match) -> None:
        """Take in one item of a reader."""
        if isinstance(item, Match):
            kind = EXACT if item.exact else XREF
            self._link(self.node(item.subject), [item.object], item.source, kind)
        else:
            self._add_entry(item)

    def _add_entry(self, entry: Entry) -> None:
        node, source = self.node(entry.id), entry.source
        if any(text.strip() for text, _ in entry.names):
            named = self.names.setdefault(node, set())
            named.update(
                (" ".join(text.split()), intern(source), intern(scope))
                for text, scope in entry.names
                if text
            )
        if entry.semantic_types:
            self.types.setdefault(node, set()).update(entry.semantic_types)
        if entry.parents:
            self.parents.setdefault(node, set()).update(map(self.node, entry.parents))
        if entry.definition:
            self.definitions.setdefault(node, set()).add((source, entry.definition))
        self._link(node, entry.alternates, source, ALTERNATE)
        self._link(node, entry.exact_xrefs, source, EXACT)
        self._link(node, entry.xrefs, source, XREF)
        self._link(node, entry.grouped, source, GROUPED)

    def _link(self, node: int, others: Iterable[str], source: str, kind: str) -> None:
        for curie in others:
            if curies.prefix_of(curie) in CITATIONS:
                continue
            other = self.node(curie)
            if other != node:
                self.links.add(Link(node, other, source, kind))

    def preferred(self, node: int) -> frozenset[str]:
        """Case folded preferred names of a record; not to be asked before all is gathered."""
        known = self._preferred.get(node)
        if known is None:
            named = self.names.get(node, ())
            found = (text.casefold() for text, _, scope in named if scope == PREFERRED)
            known = self._preferred[node] = frozenset(found)
        return known

    def prefix(self, node: int) -> str:
        """The prefix of a node's CURIE."""
        return self.prefixes[node]
