"""Our predicates and semantic types in the terms of the Biolink Model, for exchange.

Predicates follow the model's own mappings from SemMedDB's names. `TREATS` becomes the predicate
that the model sets apart for what text mining finds; inhibition and stimulation are `affects`
with qualifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ontologies.semantic_types import UnknownSemanticTypeError, group_of


class BiolinkPredicate(NamedTuple):
    """A predicate with the qualifiers that say the rest of what ours says."""

    predicate: str
    qualified_predicate: str = ""
    object_aspect: str = ""
    object_direction: str = ""


_ACTIVITY = "activity_or_abundance"

PREDICATES: Mapping[str, BiolinkPredicate] = {
    "TREATS": BiolinkPredicate("biolink:treats_or_applied_or_studied_to_treat"),
    "PREVENTS": BiolinkPredicate("biolink:preventative_for_condition"),
    "CAUSES": BiolinkPredicate("biolink:causes"),
    "PREDISPOSES": BiolinkPredicate("biolink:predisposes_to_condition"),
    "COMPLICATES": BiolinkPredicate("biolink:exacerbates_condition"),
    "DIAGNOSES": BiolinkPredicate("biolink:diagnoses"),
    "AFFECTS": BiolinkPredicate("biolink:affects"),
    "ASSOCIATED_WITH": BiolinkPredicate("biolink:associated_with"),
    "COEXISTS_WITH": BiolinkPredicate("biolink:coexists_with"),
    "INTERACTS_WITH": BiolinkPredicate("biolink:interacts_with"),
    "INHIBITS": BiolinkPredicate("biolink:affects", "biolink:causes", _ACTIVITY, "decreased"),
    "STIMULATES": BiolinkPredicate("biolink:affects", "biolink:causes", _ACTIVITY, "increased"),
    "ISA": BiolinkPredicate("biolink:subclass_of"),
    "CO_OCCURS_WITH": BiolinkPredicate("biolink:occurs_together_in_literature_with"),
}

_BY_TYPE: Mapping[str, str] = {
    "T019": "biolink:Disease",
    "T025": "biolink:Cell",
    "T026": "biolink:CellularComponent",
    "T028": "biolink:Gene",
    "T033": "biolink:PhenotypicFeature",
    "T047": "biolink:Disease",
    "T048": "biolink:Disease",
    "T116": "biolink:Polypeptide",
    "T126": "biolink:Protein",
    "T168": "biolink:Food",
    "T184": "biolink:PhenotypicFeature",
    "T191": "biolink:Disease",
    "T192": "biolink:Protein",
    "T200": "biolink:Drug",
    **dict.fromkeys(("T098", "T099", "T100", "T101"), "biolink:PopulationOfIndividualOrganisms"),
}
_BY_GROUP: Mapping[str, str] = {
    "ACTI": "biolink:Activity",
    "ANAT": "biolink:AnatomicalEntity",
    "CHEM": "biolink:ChemicalEntity",
    "CONC": "biolink:InformationContentEntity",
    "DEVI": "biolink:Device",
    "DISO": "biolink:DiseaseOrPhenotypicFeature",
    "GENE": "biolink:BiologicalEntity",
    "GEOG": "biolink:GeographicLocation",
    "LIVB": "biolink:OrganismTaxon",
    "OBJC": "biolink:PhysicalEntity",
    "OCCU": "biolink:NamedThing",
    "ORGA": "biolink:Agent",
    "PHEN": "biolink:Phenomenon",
    "PHYS": "biolink:PhysiologicalProcess",
    "PROC": "biolink:Procedure",
}


def categories(semantic_types: Iterable[str]) -> tuple[str, ...]:
    """The Biolink classes of a concept, sorted; `biolink:NamedThing` where no type is known.

    >>> categories(("T047",))
    ('biolink:Disease',)
    """
    found = set()
    for tui in semantic_types:
        try:
            found.add(_BY_TYPE.get(tui) or _BY_GROUP[group_of(tui)])
        except UnknownSemanticTypeError:
            found.add("biolink:NamedThing")
    return tuple(sorted(found)) or ("biolink:NamedThing",)
