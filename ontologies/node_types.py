"""Semantic types of every gathered id: as its source gives them, or by the branch it stands in."""

from __future__ import annotations

from collections import defaultdict

from ontologies import semantic_types
from ontologies.gather import Gathered


class NodeTypes:
    """Semantic types by node, worked out when first asked for and then remembered."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._known: dict[int, frozenset[str]] = {}
        self._trees: dict[int, set[str]] = defaultdict(set)
        for link in gathered.links:
            tree = gathered.curies[link.object]
            if tree.startswith("MESHTREE:"):
                self._trees[link.subject].add(tree.partition(":")[2])

    def of(self, node: int) -> frozenset[str]:
        """Types of one id; none for an id of which no source tells more than that it exists."""
        given = self._gathered.types.get(node)
        if given:
            return frozenset(given)
        found = self._inherited(node)
        if found or node not in self._gathered.names:
            return found
        sources = {self._gathered.prefix(node), *(s for _, s, _ in self._gathered.names[node])}
        tables = (semantic_types.SOURCE_TYPES.get(source, ()) for source in sources)
        return frozenset(tui for types in tables for tui in types)

    def groups(self, node: int) -> frozenset[str]:
        """Semantic groups of one id."""
        return semantic_types.groups_of(self.of(node))

    def _inherited(self, node: int) -> frozenset[str]:
        """Types of the branches in which the node stands; a cycle adds nothing."""
        if node in self._known:
            return self._known[node]
        self._known[node] = frozenset()
        own = {
            tui
            for tree in self._trees.get(node, ())
            for tui in semantic_types.types_of_mesh_tree(tree)
        } | set(semantic_types.BRANCH_TYPES.get(self._gathered.curies[node], ()))
        if not own:
            for parent in sorted(self._gathered.parents.get(node, ())):
                own |= self._inherited(parent)
        self._known[node] = frozenset(own)
        return self._known[node]
