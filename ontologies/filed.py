"""Ids that a source files under another: when they mean the same, and when only something like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ontologies.clusters import Clusters
from ontologies.evidence import FILED_UNDER, Pair
from ontologies.gather import Gathered
from ontologies.namesakes import BORROWED
from ontologies.readers.items import PREFERRED
from ontologies.wording import words

OWN_CODES = frozenset({"MEDIC", "MESHTREE"})
"""Ids that every record of MEDIC or MeSH has, so that they do not say that it was placed."""


class Filed:
    """Judges links of the kind `FILED_UNDER` as the clusters stand when it is asked."""

    def __init__(self, gathered: Gathered, clusters: Clusters, ordered: Iterable[Pair]) -> None:
        self._gathered = gathered
        self._clusters = clusters
        self._filed = Counter(p.subject for p in ordered if p.evidence == FILED_UNDER)

    def against(self, pair: Pair) -> str | None:
        """Why the link is not followed, or `None`."""
        if self._lone(pair.object) or self._narrow(pair.subject):
            return None
        if self._common_name(pair.subject, pair.object):
            return None
        return "filed under a concept that may be wider, and placed by better evidence"

    def _lone(self, node: int) -> bool:
        """Whether nothing but the link says what the id is."""
        own = [m for m in self._clusters.members(node) if self._kept(m)]
        return own == [node] and not self._names([node])

    def _kept(self, member: int) -> bool:
        return self._gathered.prefix(member) not in OWN_CODES

    def _narrow(self, heading: int) -> bool:
        """Whether a supplementary record, not placed so far, has this one id filed under it."""
        members = [m for m in self._clusters.members(heading) if self._kept(m)]
        supplementary = self._gathered.curies[heading].startswith("MESH:C")
        return supplementary and members == [heading] and self._filed[heading] == 1

    def _common_name(self, one: int, other: int) -> bool:
        first, second = self._clusters.members(one), self._clusters.members(other)
        return bool(
            self._names(first, PREFERRED) & self._names(second)
            or self._names(second, PREFERRED) & self._names(first)
        )

    def _names(self, members: list[int], scope: str | None = None) -> set[str]:
        return {
            words(text)
            for member in members
            for text, source, its in self._gathered.names.get(member, ())
            if source not in BORROWED and (scope is None or its == scope)
        }
