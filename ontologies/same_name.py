"""Joins by an exact preferred name, for records that no cross-reference reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from ontologies.clusters import Clusters
from ontologies.evidence import Conflict
from ontologies.gather import Gathered
from ontologies.node_types import NodeTypes

Holders = dict[str, set[int]]


def join_by_name(
    gathered: Gathered,
    clusters: Clusters,
    types: NodeTypes,
    records: Iterable[int],
    among: Collection[str],
) -> Iterator[Conflict]:
    """Join each of the records that stands alone to the one concept of its kind with its name.

    `among` are the prefixes of the records to which it may be joined. Yields a conflict where
    the name fits several, on either side.
    """
    lone = {node for node in records if _is_lone(gathered, clusters, node)}
    seekers, holders = _by_name(gathered, lone, among)
    for node in sorted(lone, key=gathered.curies.__getitem__):
        for name in sorted(gathered.preferred(node)):
            groups = types.groups(node)
            fitting = {
                clusters.root(holder)
                for holder in holders.get(name, ())
                if types.groups(holder) & groups
            } - {clusters.root(node)}
            yield from _join(gathered, clusters, node, seekers[name], fitting)


def _join(
    gathered: Gathered, clusters: Clusters, node: int, alike: set[int], fitting: set[int]
) -> Iterator[Conflict]:
    if not fitting:
        return
    found = sorted(gathered.curies[root] for root in fitting)
    if len(alike) > 1 or len(fitting) > 1:
        others = [*found, *(gathered.curies[n] for n in alike if n != node)]
        reason = f"the name is not unique: {', '.join(sorted(others)[:5])}"
    else:
        against = clusters.join(node, next(iter(fitting)))
        if against is None:
            return
        reason = "would join {} and {}".format(*(gathered.curies[n] for n in against))
    yield Conflict(gathered.curies[node], found[0], gathered.prefix(node), "same-name", reason)


def _is_lone(gathered: Gathered, clusters: Clusters, node: int) -> bool:
    """Whether a node is a record, and the only one of its cluster."""
    if node not in gathered.names:
        return False
    return sum(member in gathered.names for member in clusters.members(node)) == 1


def _by_name(gathered: Gathered, lone: set[int], among: Collection[str]) -> tuple[Holders, Holders]:
    """Folded preferred names of the lone records, and of the others of the given prefixes."""
    seekers: Holders = defaultdict(set)
    for node in lone:
        for name in gathered.preferred(node):
            seekers[name].add(node)
    holders: Holders = defaultdict(set)
    for node in gathered.names:
        if node not in lone and gathered.prefix(node) in among:
            for name in gathered.preferred(node) & seekers.keys():
                holders[name].add(node)
    return seekers, holders
