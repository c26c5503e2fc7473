"""Concepts of many sources joined into one vocabulary.

The rule, in full:

1. Two ids mean the same only where a source says so by an exact cross-reference. Each such
   statement is a link. Links are taken in the order of their evidence; alike, those between two
   records come before those over an id that no source describes, then the CURIEs decide, so that
   the result does not depend on the order of files:

   - a source's own other ids for its term (merged terms);
   - matches that a curator states to be exact (SSSOM `skos:exactMatch`, the UMLS, tree numbers);
   - other cross-references between two records with the same preferred name, then between two of
     which one has the preferred name of the other among its names;
   - cross-references that both ends state, or two sources;
   - cross-references of one side, where it gives this one id of that vocabulary for its term and
     this one term for that id;
   - what is left that leads to a CUI: of several CUIs the lowest is taken, of several terms that
     claim a CUI the lowest;
   - links between two records without a common name, where the one is also claimed by a third
     that has a common name with it (MONDO's visual epilepsy and HP's seizure both claim MeSH's
     seizures), or where, for a curator's match, another record of one of the two vocabularies has
     the preferred name of the other. Cross-references of which the latter is true are refused
     (HP's limb ataxia is not MeSH's ataxia: HP has an ataxia), and so are those between records
     of which no name has a word in common;
   - ids that a source files under another (MEDIC's further ids of a row). They may be narrower,
     so they join only what nothing better has placed: an id that stands alone joins; two concepts
     are joined where they have a common name, or where one is a lone supplementary record of
     MeSH with this one id, for these are as narrow as OMIM's entries.

2. A link that would put two ids of one one-to-one vocabulary (`ONE_TO_ONE`, the CUIs among them)
   into one concept is refused. So a concept has at most one CUI, one MeSH record, one MONDO term,
   and nothing is closed transitively through a conflict. A source's own other ids, where no
   record stands behind them, do not count as second ids.

3. Codes of classifications and of vocabularies outside `IDENTITIES` join no two concepts. Each
   goes to the one concept for which the best evidence claims it; where several claim it alike,
   to the one that has the code's name, or that stands above all the others; else to none. An ICD
   code that no concept takes is a concept of its own.

4. A record of a vocabulary without cross-references (DrugBank, NCIt, ICD, ids that their source
   has since retired) that nothing joined is joined by its preferred name, where exactly one such
   record and exactly one concept of the same kind (semantic group) have it as preferred name.

Every link that was not followed is a `Conflict`, with what stood against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ontologies.assemble import assemble
from ontologies.claims import equate_codes, give_codes
from ontologies.clusters import Clusters
from ontologies.concept import Concept
from ontologies.evidence import (
    ALTERNATES,
    AMBIGUOUS,
    CONTRADICTED,
    FILED_UNDER,
    STRANGE,
    Conflict,
    Pair,
    conflict,
    pairs,
)
from ontologies.filed import Filed
from ontologies.gather import Gathered
from ontologies.node_types import NodeTypes
from ontologies.same_name import join_by_name

ONE_TO_ONE: Final = frozenset(
    {
        *("UMLS", "MESH", "MONDO", "DOID", "HP", "NCIT", "ORPHA", "OMIM", "HGNC", "NCBIGene"),
        *("DRUGBANK", "CHEBI", "RXNORM"),
    }
)
"""Vocabularies of which a concept holds at most one id."""

IDENTITIES: Final = ONE_TO_ONE | {"UniProt", "CAS", "MESHTREE", "MEDIC"}
"""Vocabularies whose ids may join concepts."""

COMPLETE: Final = frozenset({"MESH"})
"""Vocabularies that are read whole: an id that theirs does not have has been retired."""


class Merged(NamedTuple):
    """The concepts, sorted by id, and every link that was not followed, sorted."""

    concepts: list[Concept]
    conflicts: list[Conflict]


def merge(gathered: Gathered) -> Merged:
    """One vocabulary of all that was gathered, by the rule of this module."""
    clusters = Clusters(gathered, ONE_TO_ONE)
    gone = list(retired(gathered))
    for node in gone:
        clusters.free(node)
    types = NodeTypes(gathered)
    ordered = pairs(gathered, IDENTITIES)
    conflicts = list(join_identities(gathered, clusters, ordered))
    for records in (gone, *_records(gathered, "DRUGBANK", "NCIT")):
        conflicts += join_by_name(gathered, clusters, types, records, IDENTITIES)
    conflicts += give_codes(gathered, clusters, ordered, IDENTITIES)
    for records in _records(gathered, "ICD10CM", "ICD9CM"):
        conflicts += join_by_name(gathered, clusters, types, records, IDENTITIES)
    conflicts += equate_codes(gathered, clusters, ordered, IDENTITIES)
    concepts = assemble(gathered, clusters, types, IDENTITIES)
    return Merged(concepts, sorted(conflicts))


def _records(gathered: Gathered, *prefixes: str) -> Iterator[list[int]]:
    """The records of each vocabulary."""
    for prefix in prefixes:
        yield [node for node in gathered.names if gathered.prefix(node) == prefix]


def retired(gathered: Gathered) -> Iterator[int]:
    """Ids of a vocabulary that was read whole and that it does not have any more."""
    read = {source for names in gathered.names.values() for _, source, _ in names}
    for node in range(len(gathered.curies)):
        prefix = gathered.prefix(node)
        if prefix in COMPLETE and prefix in read:
            named = gathered.names.get(node, ())
            if all(source != prefix for _, source, _ in named):
                yield node


def join_identities(
    gathered: Gathered, clusters: Clusters, ordered: Iterable[Pair]
) -> Iterator[Conflict]:
    """Follow links between ids that may join concepts; yield those that were refused."""
    filed = Filed(gathered, clusters, ordered)
    for pair in ordered:
        prefixes = {gathered.prefix(pair.subject), gathered.prefix(pair.object)}
        if not prefixes <= IDENTITIES or clusters.same(pair.subject, pair.object):
            continue
        reason = _REFUSED.get(pair.evidence)
        if reason is None and pair.evidence == FILED_UNDER:
            reason = filed.against(pair)
        if reason is not None:
            yield conflict(gathered, pair, reason)
            continue
        if pair.evidence in (ALTERNATES, FILED_UNDER):
            clusters.release(pair.object)
        against = clusters.join(pair.subject, pair.object)
        if against is not None:
            first, second = (gathered.curies[node] for node in against)
            yield conflict(gathered, pair, f"would join {first} and {second}")


_REFUSED: Final = {
    AMBIGUOUS: "one of several ids that the source gives alike",
    CONTRADICTED: "no common name, and another record has the name",
    STRANGE: "the names have no word in common",
}
