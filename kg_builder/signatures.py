"""Which semantic groups a relation may join: the constraints that the types put on edges.

Groups are those of the UMLS (McCray, Burgun and Bodenreider 2001): DISO disorders, CHEM chemicals
and drugs, GENE genes and their products, PROC procedures, ANAT anatomy, PHYS physiology, LIVB
living beings, DEVI devices. The others (ACTI, CONC, GEOG, OBJC, OCCU, ORGA, PHEN) make no edge:
activities, places, occupations and ideas are named in every second sentence and tell nothing of
medicine. Sets of groups are kept as bit masks, so that a pair costs one `and`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ontologies.semantic_types import groups_of

_PEOPLE = frozenset({"T096", "T097", "T098", "T099", "T100", "T101"})
"""Groups of people: every second sentence names patients, and no edge of medicine ends in them."""

_GROUPS = ("DISO", "CHEM", "GENE", "PROC", "ANAT", "PHYS", "LIVB", "DEVI")
GROUP_COUNT = len(_GROUPS)
_BIT = {group: 1 << position for position, group in enumerate(_GROUPS)}

CHEMICAL = _BIT["CHEM"]
"""The bit of chemicals."""
HOST = _BIT["LIVB"]
"""The mask of what is a living being alone: a chemical at hand is given to it."""
MANNER = _BIT["PROC"]
"""The mask of what is a procedure alone: beside a chemical it is how that is given."""

_PARTNERS = {
    "DISO": "DISO CHEM GENE PROC ANAT PHYS LIVB DEVI",
    "CHEM": "DISO CHEM GENE PROC ANAT PHYS LIVB",
    "GENE": "DISO CHEM GENE ANAT PHYS",
    "PROC": "DISO CHEM ANAT DEVI PHYS",
    "ANAT": "DISO CHEM GENE PROC",
    "PHYS": "DISO CHEM GENE PROC",
    "LIVB": "DISO CHEM",
    "DEVI": "DISO PROC",
}

_SIGNATURES: dict[str, tuple[tuple[str, str], ...]] = {
    "TREATS": (("CHEM PROC DEVI", "DISO"),),
    "PREVENTS": (("CHEM PROC DEVI", "DISO"),),
    "CAUSES": (("CHEM DISO GENE LIVB PROC", "DISO PHYS"),),
    "PREDISPOSES": (("CHEM DISO GENE LIVB PROC PHYS", "DISO"),),
    "COMPLICATES": (("DISO PROC CHEM", "DISO"),),
    "DIAGNOSES": (("PROC DEVI GENE PHYS", "DISO"),),
    "AFFECTS": (("CHEM GENE DISO PROC PHYS LIVB DEVI", "DISO PHYS"),),
    "ASSOCIATED_WITH": (
        ("CHEM GENE LIVB PHYS DISO", "DISO"),
        ("DISO", "CHEM GENE LIVB PHYS"),
        ("GENE", "PHYS"),
        ("PHYS", "GENE"),
    ),
    "COEXISTS_WITH": (("DISO", "DISO"),),
    "INTERACTS_WITH": (("CHEM GENE", "CHEM GENE"),),
    "INHIBITS": (("CHEM GENE", "CHEM GENE PHYS"),),
    "STIMULATES": (("CHEM GENE", "CHEM GENE PHYS"),),
}


def edge_groups(semantic_types: Iterable[str]) -> frozenset[str]:
    """The groups by which a concept of these types may take part in an edge; often none.

    >>> sorted(edge_groups(["T047"])), sorted(edge_groups(["T101"]))
    (['DISO'], [])
    """
    return groups_of([tui for tui in semantic_types if tui not in _PEOPLE])


def mask_of(groups: Iterable[str]) -> int:
    """The groups as a bit mask; groups that make no edge have no bit."""
    mask = 0
    for group in groups:
        mask |= _BIT.get(group, 0)
    return mask


_PARTNER_MASKS = tuple((_BIT[group], mask_of(of.split())) for group, of in _PARTNERS.items())


def partners(mask: int) -> int:
    """The groups with which a concept of these groups may share an edge; symmetric."""
    found = 0
    for bit, of in _PARTNER_MASKS:
        if mask & bit:
            found |= of
    return found


def signatures(predicate: str) -> tuple[tuple[int, int], ...]:
    """(subject mask, object mask) of each kind of pair that the predicate may join.

    Raises `KeyError` for predicates that are never read from text: `ISA`, which comes from the
    vocabulary's hierarchy, and `CO_OCCURS_WITH`, which any partners may have.
    """
    rows = _SIGNATURES[predicate]
    return tuple((mask_of(subject.split()), mask_of(object_.split())) for subject, object_ in rows)
