"""UMLS semantic types (TUIs), their fifteen semantic groups, and the types of other sources.

Where the UMLS gives a concept's types (MRSTY, MGSTY) they are used as they are. Elsewhere they
follow from the branch of the source in which the concept stands, by the tables of this module:
the longest matching prefix of a MeSH tree number or of an ICD code wins.

>>> group_of("T047")
'DISO'
>>> types_of_mesh_tree("C04.588.033")
('T191',)
>>> group_of("T999")
Traceback (most recent call last):
    ...
ontologies.semantic_types.UnknownSemanticTypeError: T999 is not one of the 127 semantic types ...
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NAMES: Final[dict[str, str]] = {
    "T001": "Organism",
    "T002": "Plant",
    "T004": "Fungus",
    "T005": "Virus",
    "T007": "Bacterium",
    "T008": "Animal",
    "T010": "Vertebrate",
    "T011": "Amphibian",
    "T012": "Bird",
    "T013": "Fish",
    "T014": "Reptile",
    "T015": "Mammal",
    "T016": "Human",
    "T017": "Anatomical Structure",
    "T018": "Embryonic Structure",
    "T019": "Congenital Abnormality",
    "T020": "Acquired Abnormality",
    "T021": "Fully Formed Anatomical Structure",
    "T022": "Body System",
    "T023": "Body Part, Organ, or Organ Component",
    "T024": "Tissue",
    "T025": "Cell",
    "T026": "Cell Component",
    "T028": "Gene or Genome",
    "T029": "Body Location or Region",
    "T030": "Body Space or Junction",
    "T031": "Body Substance",
    "T032": "Organism Attribute",
    "T033": "Finding",
    "T034": "Laboratory or Test Result",
    "T037": "Injury or Poisoning",
    "T038": "Biologic Function",
    "T039": "Physiologic Function",
    "T040": "Organism Function",
    "T041": "Mental Process",
    "T042": "Organ or Tissue Function",
    "T043": "Cell Function",
    "T044": "Molecular Function",
    "T045": "Genetic Function",
    "T046": "Pathologic Function",
    "T047": "Disease or Syndrome",
    "T048": "Mental or Behavioral Dysfunction",
    "T049": "Cell or Molecular Dysfunction",
    "T050": "Experimental Model of Disease",
    "T051": "Event",
    "T052": "Activity",
    "T053": "Behavior",
    "T054": "Social Behavior",
    "T055": "Individual Behavior",
    "T056": "Daily or Recreational Activity",
    "T057": "Occupational Activity",
    "T058": "Health Care Activity",
    "T059": "Laboratory Procedure",
    "T060": "Diagnostic Procedure",
    "T061": "Therapeutic or Preventive Procedure",
    "T062": "Research Activity",
    "T063": "Molecular Biology Research Technique",
    "T064": "Governmental or Regulatory Activity",
    "T065": "Educational Activity",
    "T066": "Machine Activity",
    "T067": "Phenomenon or Process",
    "T068": "Human-caused Phenomenon or Process",
    "T069": "Environmental Effect of Humans",
    "T070": "Natural Phenomenon or Process",
    "T071": "Entity",
    "T072": "Physical Object",
    "T073": "Manufactured Object",
    "T074": "Medical Device",
    "T075": "Research Device",
    "T077": "Conceptual Entity",
    "T078": "Idea or Concept",
    "T079": "Temporal Concept",
    "T080": "Qualitative Concept",
    "T081": "Quantitative Concept",
    "T082": "Spatial Concept",
    "T083": "Geographic Area",
    "T085": "Molecular Sequence",
    "T086": "Nucleotide Sequence",
    "T087": "Amino Acid Sequence",
    "T088": "Carbohydrate Sequence",
    "T089": "Regulation or Law",
    "T090": "Occupation or Discipline",
    "T091": "Biomedical Occupation or Discipline",
    "T092": "Organization",
    "T093": "Health Care Related Organization",
    "T094": "Professional Society",
    "T095": "Self-help or Relief Organization",
    "T096": "Group",
    "T097": "Professional or Occupational Group",
    "T098": "Population Group",
    "T099": "Family Group",
    "T100": "Age Group",
    "T101": "Patient or Disabled Group",
    "T102": "Group Attribute",
    "T103": "Chemical",
    "T104": "Chemical Viewed Structurally",
    "T109": "Organic Chemical",
    "T114": "Nucleic Acid, Nucleoside, or Nucleotide",
    "T116": "Amino Acid, Peptide, or Protein",
    "T120": "Chemical Viewed Functionally",
    "T121": "Pharmacologic Substance",
    "T122": "Biomedical or Dental Material",
    "T123": "Biologically Active Substance",
    "T125": "Hormone",
    "T126": "Enzyme",
    "T127": "Vitamin",
    "T129": "Immunologic Factor",
    "T130": "Indicator, Reagent, or Diagnostic Aid",
    "T131": "Hazardous or Poisonous Substance",
    "T167": "Substance",
    "T168": "Food",
    "T169": "Functional Concept",
    "T170": "Intellectual Product",
    "T171": "Language",
    "T184": "Sign or Symptom",
    "T185": "Classification",
    "T190": "Anatomical Abnormality",
    "T191": "Neoplastic Process",
    "T192": "Receptor",
    "T194": "Archaeon",
    "T195": "Antibiotic",
    "T196": "Element, Ion, or Isotope",
    "T197": "Inorganic Chemical",
    "T200": "Clinical Drug",
    "T201": "Clinical Attribute",
    "T203": "Drug Delivery Device",
    "T204": "Eukaryote",
}
"""The 127 semantic types of the UMLS Semantic Network, by TUI."""

_GROUP_MEMBERS: Final[dict[str, str]] = {
    "ACTI": "T051 T052 T053 T054 T055 T056 T057 T064 T066",
    "ANAT": "T017 T018 T021 T022 T023 T024 T025 T026 T029 T030 T031",
    "CHEM": "T103 T104 T109 T114 T116 T120 T121 T122 T123 T125 T126 T127 T129 T130 T131 T192 "
    "T195 T196 T197 T200",
    "CONC": "T077 T078 T079 T080 T081 T082 T089 T102 T169 T170 T171 T185",
    "DEVI": "T074 T075 T203",
    "DISO": "T019 T020 T033 T037 T046 T047 T048 T049 T050 T184 T190 T191",
    "GENE": "T028 T085 T086 T087 T088",
    "GEOG": "T083",
    "LIVB": "T001 T002 T004 T005 T007 T008 T010 T011 T012 T013 T014 T015 T016 T096 T097 T098 "
    "T099 T100 T101 T194 T204",
    "OBJC": "T071 T072 T073 T167 T168",
    "OCCU": "T090 T091",
    "ORGA": "T092 T093 T094 T095",
    "PHEN": "T034 T038 T067 T068 T069 T070",
    "PHYS": "T032 T039 T040 T041 T042 T043 T044 T045 T201",
    "PROC": "T058 T059 T060 T061 T062 T063 T065",
}

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    group: tuple(members.split()) for group, members in _GROUP_MEMBERS.items()
}
"""The semantic groups of the UMLS (McCray 2001), each with its types."""

_GROUP_OF: Final = {tui: group for group, tuis in GROUPS.items() for tui in tuis}

MESH_TREE: Final[dict[str, tuple[str, ...]]] = {
    "A": ("T023",),
    "A01": ("T029",),
    "A10": ("T024",),
    "A11": ("T025",),
    "A11.284": ("T026",),
    "A12": ("T031",),
    "A16": ("T018",),
    "A20": ("T026",),
    "A21": ("T026",),
    "B": ("T001",),
    "B01": ("T204",),
    "B01.050": ("T008",),
    "B01.050.150.900": ("T010",),
    "B01.050.150.900.090": ("T011",),
    "B01.050.150.900.248": ("T012",),
    "B01.050.150.900.493": ("T013",),
    "B01.050.150.900.649": ("T015",),
    "B01.050.150.900.833": ("T014",),
    "B01.050.150.900.649.313.988.400.112.400.400": ("T016",),
    "B01.300": ("T004",),
    "B01.650": ("T002",),
    "B01.875": ("T002",),
    "B02": ("T194",),
    "B03": ("T007",),
    "B04": ("T005",),
    "C": ("T047",),
    "C04": ("T191",),
    "C16.131": ("T019",),
    "C23.300": ("T190",),
    "C23.550": ("T046",),
    "C23.888": ("T184",),
    "C25.723": ("T037",),
    "C26": ("T037",),
    "D": ("T103",),
    "D01": ("T197",),
    "D01.268": ("T196",),
    "D02": ("T109", "T121"),
    "D03": ("T109", "T121"),
    "D04": ("T109", "T121"),
    "D05": ("T104",),
    "D06": ("T125",),
    "D08": ("T116", "T126"),
    "D09": ("T109",),
    "D10": ("T109",),
    "D12": ("T116",),
    "D12.776.543.750": ("T116", "T192"),
    "D13": ("T114",),
    "D20.215.894": ("T121", "T129"),
    "D23": ("T123",),
    "D23.946": ("T131",),
    "D25": ("T122",),
    "D26": ("T121",),
    "D27": ("T120",),
    "D27.505": ("T121",),
    "D27.720": ("T130",),
    "D27.505.696.494.600": ("T127",),
    "D27.505.954.122.085": ("T195",),
    "D27.888": ("T131",),
    "E": ("T058",),
    "E01": ("T060",),
    "E01.370.225": ("T059",),
    "E02": ("T061",),
    "E03": ("T061",),
    "E04": ("T061",),
    "E05": ("T062",),
    "E05.200": ("T059",),
    "E05.393": ("T063",),
    "E06": ("T061",),
    "E07": ("T074",),
    "F": ("T041",),
    "F01": ("T053",),
    "F03": ("T048",),
    "F04": ("T091",),
    "F04.711": ("T060",),
    "F04.754": ("T061",),
    "G": ("T070",),
    "G03": ("T044",),
    "G04": ("T043",),
    "G05": ("T045",),
    "G05.360": ("T028",),
    "G07": ("T039",),
    "G08": ("T040",),
    "G09": ("T042",),
    "G10": ("T042",),
    "G11": ("T042",),
    "G12": ("T042",),
    "G13": ("T042",),
    "G16": ("T038",),
    "G17": ("T081",),
    "H": ("T090",),
    "H02": ("T091",),
    "I": ("T090",),
    "I02": ("T065",),
    "I03": ("T056",),
    "J": ("T073",),
    "J01": ("T057",),
    "J02": ("T168",),
    "K": ("T090",),
    "L": ("T170",),
    "M": ("T098",),
    "M01.060": ("T100",),
    "M01.526": ("T097",),
    "M01.643": ("T101",),
    "N": ("T058",),
    "N01": ("T102",),
    "N02.278": ("T093",),
    "N03": ("T057",),
    "N06": ("T070",),
    "V": ("T170",),
    "Z": ("T083",),
}
"""Semantic types by prefix of a MeSH tree number, whole nodes only."""

SOURCE_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "MONDO": ("T047",),
    "DOID": ("T047",),
    "ORPHA": ("T047",),
    "MEDIC": ("T047",),
    "OMIM": ("T047",),
    "HP": ("T033",),
    "HGNC": ("T028",),
    "NCBIGene": ("T028",),
    "DRUGBANK": ("T121",),
    "CHEBI": ("T103",),
    "CAS": ("T103",),
}
"""Semantic types by source, where the source says no more."""

BRANCH_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "MONDO:0005070": ("T191",),
    "MONDO:0002025": ("T048",),
    "MONDO:0021178": ("T037",),
    "MONDO:0029000": ("T037",),
    "MONDO:0021125": ("T169",),
    "DOID:14566": ("T191",),
    "DOID:150": ("T048",),
    "HP:0000005": ("T169",),
    "HP:0012823": ("T080",),
    "HP:0031797": ("T079",),
    "HP:0032223": ("T032",),
    "HP:0040279": ("T079",),
    "HP:0002664": ("T191",),
    "HP:0000708": ("T048",),
    "HP:0025142": ("T184",),
    "HP:0012531": ("T184",),
    "NCIT:C2991": ("T047",),
    "NCIT:C3262": ("T191",),
    "NCIT:C2893": ("T048",),
    "NCIT:C3671": ("T037",),
    "NCIT:C3367": ("T033",),
    "NCIT:C7057": ("T033",),
    "NCIT:C16612": ("T028",),
    "NCIT:C12219": ("T017",),
    "NCIT:C12913": ("T025",),
    "NCIT:C20633": ("T044",),
    "NCIT:C17828": ("T038",),
    "NCIT:C1908": ("T103",),
    "NCIT:C26548": ("T116",),
    "NCIT:C3910": ("T049",),
    "NCIT:C14250": ("T001",),
    "NCIT:C20189": ("T080",),
    "NCIT:C20047": ("T078",),
    "ORPHA:C001": ("T047",),
    "ORPHA:C003": ("T081",),
    "ORPHA:C005": ("T169",),
    "ORPHA:C009": ("T083",),
    "ORPHA:C010": ("T028",),
    "ORPHA:C023": ("T079",),
    "ORPHA:377789": ("T019",),
}
"""Semantic types of a term and all terms below it. Terms below none of their source's branches
have the types of `SOURCE_TYPES`."""

ICD_CHAPTERS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "ICD10CM": {
        **dict.fromkeys("ABDEGHIJKLMNOPQU", ("T047",)),
        "C": ("T191",),
        **{f"D{i}": ("T191",) for i in range(5)},
        "F": ("T048",),
        "Q": ("T019",),
        "R": ("T184",),
        "S": ("T037",),
        "T": ("T037",),
        **dict.fromkeys("VWXY", ("T037",)),
        "Z": ("T033",),
    },
    "ICD9CM": {
        **dict.fromkeys("01234567", ("T047",)),
        **{str(i): ("T191",) for i in (*range(14, 21), 22, 23)},
        "21": ("T191",),
        "29": ("T048",),
        **{str(i): ("T048",) for i in (30, 31)},
        **{str(i): ("T019",) for i in (74, 75)},
        "78": ("T184",),
        "79": ("T184",),
        "8": ("T037",),
        "9": ("T037",),
        "E": ("T037",),
        "V": ("T033",),
    },
}
"""Semantic types by the first characters of an ICD code, longest first."""

_GENERAL: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("T047", frozenset({"T019", "T037", "T048", "T191"})),
    ("T033", frozenset(GROUPS["DISO"]) - {"T033"}),
    ("T103", frozenset(GROUPS["CHEM"]) - {"T103"}),
)


class UnknownSemanticTypeError(ValueError):
    """A TUI that the Semantic Network does not have."""


def group_of(tui: str) -> str:
    """The semantic group (`DISO`, `CHEM`, ...) of a semantic type."""
    try:
        return _GROUP_OF[tui]
    except KeyError:
        raise UnknownSemanticTypeError(
            f"{tui} is not one of the {len(NAMES)} semantic types of the UMLS (T001 to T204); "
            "correct it where the concept was read"
        ) from None


def groups_of(semantic_types: Iterable[str]) -> frozenset[str]:
    """The semantic groups of several types; empty for a concept without types."""
    return frozenset(group_of(tui) for tui in semantic_types)


def types_of_mesh_tree(tree_number: str) -> tuple[str, ...]:
    """Semantic types of a MeSH tree number, by its longest known ancestor."""
    node = tree_number
    while node:
        if node in MESH_TREE:
            return MESH_TREE[node]
        node = node.rpartition(".")[0] if "." in node else node[:1] if len(node) > 1 else ""
    return ()


def types_of_icd(prefix: str, code: str) -> tuple[str, ...]:
    """Semantic types of an ICD code (`ICD9CM` or `ICD10CM`) by its chapter."""
    chapters = ICD_CHAPTERS.get(prefix, {})
    for length in (2, 1):
        if code[:length] in chapters:
            return chapters[code[:length]]
    return ()


def specific(semantic_types: Iterable[str]) -> tuple[str, ...]:
    """The types, sorted, without a general one where a more specific one of its kind stands.

    A neoplasm that MeSH also lists among the diseases of an organ is `T191` alone, as in the
    UMLS.
    """
    types = set(semantic_types)
    for general, better in _GENERAL:
        if general in types and types & better:
            types.discard(general)
    return tuple(sorted(types))
