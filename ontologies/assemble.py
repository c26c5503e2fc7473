"""Clusters of ids into concepts: which id, name, types and parents a concept gets."""

from __future__ import annotations

from collections.abc import Collection

from ontologies import semantic_types
from ontologies.clusters import Clusters
from ontologies.concept import SCOPES, Concept, Name
from ontologies.curies import prefix_of
from ontologies.gather import Gathered
from ontologies.node_types import NodeTypes
from ontologies.preferred import CLASSIFICATIONS, preferred_name, rank
from ontologies.readers.items import MAPPING


def assemble(
    gathered: Gathered, clusters: Clusters, types: NodeTypes, identities: Collection[str]
) -> list[Concept]:
    """A concept of each cluster that has a name, sorted by id; others have no concept."""
    ids = {}
    for root in clusters.roots():
        members = clusters.members(root)
        if any(member in gathered.names for member in members):
            ids[root] = _id(gathered, members)
    concepts = [_concept(gathered, clusters, types, ids, root, identities) for root in ids]
    return sorted(concepts, key=lambda concept: concept.id)


def _id(gathered: Gathered, members: list[int]) -> str:
    """The CUI, or the id of the first of `SOURCES` that has a record here."""
    curies = gathered.curies
    cuis = [curies[member] for member in members if gathered.prefix(member) == "UMLS"]
    named = [curies[member] for member in members if member in gathered.names]
    return min(cuis or named, key=lambda curie: (rank(prefix_of(curie)), curie))


def _concept(
    gathered: Gathered,
    clusters: Clusters,
    types: NodeTypes,
    ids: dict[int, str],
    root: int,
    identities: Collection[str],
) -> Concept:
    members = clusters.members(root)
    telling = [member for member in members if gathered.prefix(member) in identities]
    classified = not telling
    telling = telling or members
    names = _names(gathered, members, classified)
    above = {
        clusters.root(parent) for member in telling for parent in gathered.parents.get(member, ())
    }
    return Concept(
        id=ids[root],
        name=preferred_name(names),
        names=names,
        semantic_types=_types(gathered, types, telling),
        parents=tuple(sorted(ids[r] for r in above - {root} if r in ids)),
        xrefs=tuple(sorted(gathered.curies[member] for member in members)),
        definition=_definition(gathered, members),
    )


def _names(gathered: Gathered, members: list[int], classified: bool) -> tuple[Name, ...]:
    """Names with the closest scope in which a source gives each."""
    scopes: dict[tuple[str, str], str] = {}
    for member in members:
        for text, source, scope in gathered.names.get(member, ()):
            kept = "related" if source in CLASSIFICATIONS and not classified else scope
            known = scopes.get((text, source), kept)
            scopes[text, source] = min(known, kept, key=SCOPES.index)
    if any(source != MAPPING for _, source in scopes):
        scopes = {key: scope for key, scope in scopes.items() if key[1] != MAPPING}
    return tuple(Name(text, source, scope) for (text, source), scope in scopes.items())


def _types(gathered: Gathered, types: NodeTypes, members: list[int]) -> tuple[str, ...]:
    """What the UMLS gives, else what the records' own sources or branches give."""
    for member in members:
        if gathered.prefix(member) == "UMLS" and member in gathered.types:
            return tuple(sorted(gathered.types[member]))
    found = {tui for member in members for tui in types.of(member)}
    return semantic_types.specific(found)


def _definition(gathered: Gathered, members: list[int]) -> str:
    given = [pair for member in members for pair in gathered.definitions.get(member, ())]
    return min(given, key=lambda pair: (rank(pair[0]), pair[1]))[1] if given else ""
