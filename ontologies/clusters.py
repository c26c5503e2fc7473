"""Union of nodes under the constraint that no cluster holds two ids of a one-to-one vocabulary."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ontologies.gather import Gathered


class Clusters:
    """Disjoint sets of the nodes of what was gathered; each starts alone."""

    def __init__(self, gathered: Gathered, one_to_one: Collection[str]) -> None:
        self._gathered = gathered
        self._parent = list(range(len(gathered.curies)))
        self._limited: dict[int, dict[str, int]] = {}
        self._members: dict[int, list[int]] = {}
        for node in self._parent:
            prefix = gathered.prefix(node)
            if prefix in one_to_one:
                self._limited[node] = {prefix: node}

    def root(self, node: int) -> int:
        """The node that stands for the cluster."""
        parent = self._parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def same(self, one: int, other: int) -> bool:
        """Whether two nodes are in one cluster."""
        return self.root(one) == self.root(other)

    def members(self, node: int) -> list[int]:
        """All nodes of the cluster of a node."""
        root = self.root(node)
        return self._members.get(root, [root])

    def roots(self) -> Iterator[int]:
        """One node of each cluster."""
        return (node for node, parent in enumerate(self._parent) if node == parent)

    def free(self, node: int) -> None:
        """Let an id stand beside others of its vocabulary; before anything is joined to it."""
        self._limited.pop(node, None)

    def release(self, node: int) -> None:
        """Let a lone id without a record stand beside another of its vocabulary."""
        if node not in self._gathered.names and self.members(node) == [node]:
            self._limited.pop(node, None)

    def join(self, one: int, other: int) -> tuple[int, int] | None:
        """Join two clusters, or return the two ids that may not stand together."""
        first, second = self.root(one), self.root(other)
        if first == second:
            return None
        held, added = self._limited.get(first, {}), self._limited.get(second, {})
        for prefix in sorted(held.keys() & added.keys()):
            return held[prefix], added[prefix]
        if len(self.members(first)) < len(self.members(second)):
            first, second, held, added = second, first, added, held
        self._parent[second] = first
        self._members.setdefault(first, [first]).extend(self._members.pop(second, [second]))
        if added:
            self._limited[first] = {**held, **added}
        return None
