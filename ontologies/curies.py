r"""Compact identifiers: one spelling for each prefix, and the local ids that are valid under it.

Sources write the same vocabulary in many ways (`MSH`, `MeSH`, `mesh`; `NCI`, `NCIT`). Everything
that enters a vocabulary, and every id that a user asks for, passes through `normalize`.

>>> normalize("MeSH:D003924"), normalize("ICD9:4280"), normalize("ICD10CM:i509")
('MESH:D003924', 'ICD9CM:428.0', 'ICD10CM:I50.9')
>>> normalize("UMLS:C123")
Traceback (most recent call last):
    ...
ontologies.curies.InvalidCurieError: UMLS:C123: expected a local id of the form C\d{7} ...
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ALIASES: Final[dict[str, str]] = {
    "CUI": "UMLS",
    "UMLS_CUI": "UMLS",
    "MSH": "MESH",
    "MESHD": "MESH",
    "MIM": "OMIM",
    "ORDO": "ORPHA",
    "ORPHANET": "ORPHA",
    "NCI": "NCIT",
    "NCI_THESAURUS": "NCIT",
    "HPO": "HP",
    "SNOMED": "SNOMEDCT",
    "SNOMED_CT": "SNOMEDCT",
    "SNOMEDCT_US": "SNOMEDCT",
    "SCTID": "SNOMEDCT",
    "ICD9": "ICD9CM",
    "ICD-9": "ICD9CM",
    "ICD-9-CM": "ICD9CM",
    "ICD-10-CM": "ICD10CM",
    "ICD-10": "ICD10",
    "ICD10WHO": "ICD10",
    "ICD-O": "ICDO",
    "NCBIGENE": "NCBIGene",
    "NCBI_GENE": "NCBIGene",
    "GENEID": "NCBIGene",
    "EGID": "NCBIGene",
    "ENTREZ": "NCBIGene",
    "UP": "UniProt",
    "UNIPROT": "UniProt",
    "UNIPROTKB": "UniProt",
    "SWISSPROT": "UniProt",
    "ENSEMBL": "Ensembl",
    "MDR": "MedDRA",
    "MEDDRA": "MedDRA",
    "DB": "DRUGBANK",
    "LNC": "LOINC",
    "LN": "LOINC",
    "PUBCHEM": "PubChem",
    "FYLER": "Fyler",
    "GENATLAS": "Genatlas",
    "REACTOME": "Reactome",
    "WIKIPEDIA": "Wikipedia",
}
"""Upper-cased spelling of a prefix, and the one used here. Others are upper-cased."""

LOCAL_IDS: Final[dict[str, str]] = {
    "UMLS": r"C\d{7}",
    "MESH": r"[CDQ]\d{6,9}",
    "MESHTREE": r"[A-Z]\d{2}(\.\d{3})*",
    "MEDIC": r"[CD]\d{6,9}|\d{6}",
    "MONDO": r"\d{7}",
    "DOID": r"\d+",
    "HP": r"\d{7}",
    "OMIM": r"\d{6}",
    "OMIMPS": r"\d{6}",
    "ORPHA": r"C?\d+",
    "NCIT": r"[CR]\d+",
    "SNOMEDCT": r"\d{6,18}",
    "ICD9CM": r"(\d{3}(\.\d{1,2})?|V\d{2}(\.\d{1,2})?|E\d{3}(\.\d)?)"
    r"(-(\d{3}(\.\d{1,2})?|V\d{2}(\.\d{1,2})?|E\d{3}(\.\d)?))?",
    "ICD10CM": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?(-[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?)?",
    "ICD10": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?(-[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?)?",
    "HGNC": r"\d+",
    "NCBIGene": r"\d+",
    "DRUGBANK": r"DB\d{5}",
    "CHEBI": r"\d+",
    "CAS": r"\d{2,7}-\d{2}-\d",
    "RXNORM": r"\d+",
    "LOINC": r"[A-Z0-9]+-\d",
    "MedDRA": r"\d{8}",
    "UniProt": r"[A-Z0-9]{6,10}(-\d+)?",
    "MEDGEN": r"(CN)?\d+",
}
"""The form of a local id, where it is known; ids of other prefixes are only not empty."""

_PATTERNS: Final = {prefix: re.compile(pattern) for prefix, pattern in LOCAL_IDS.items()}
_DATED_SNOMED: Final = re.compile(r"SNOMEDCT_US_\d{4}(_\d{2}){2}")
_ELSEWHERE: Final = {"UMLS": ("CN", "MEDGEN"), "OMIM": ("PS", "OMIMPS")}
"""Ids that are written under one prefix and belong to another, by how they begin."""
_DOT_AFTER: Final = {"ICD9CM": 3, "ICD10CM": 3, "ICD10": 3}


class InvalidCurieError(ValueError):
    """Text that is no CURIE, or whose local id its prefix does not allow."""


def prefix_of(curie: str) -> str:
    """The prefix of a normalized CURIE."""
    return curie.partition(":")[0]


@lru_cache(maxsize=1024)
def normal_prefix(prefix: str) -> str:
    """The one spelling of a prefix that is used here."""
    upper = prefix.strip().upper()
    if _DATED_SNOMED.fullmatch(upper):
        return "SNOMEDCT"
    return ALIASES.get(upper, upper)


def normalize(curie: str) -> str:
    """The CURIE in the one spelling used here; `InvalidCurieError` where it is none."""
    prefix, colon, local = curie.partition(":")
    if not colon or not prefix.strip() or not local.strip():
        raise InvalidCurieError(
            f"{curie!r}: expected PREFIX:ID, such as UMLS:C0011860; write the vocabulary's prefix "
            "before the id"
        )
    return make(prefix, local)


def make(prefix: str, local: str) -> str:
    """The CURIE of a local id, which may repeat its prefix (`CHEBI`, `CHEBI:135495`)."""
    normal = normal_prefix(prefix)
    local = local.strip()
    head, colon, tail = local.partition(":")
    if colon and normal_prefix(head) == normal:
        local = tail.strip()
    if normal in _ELSEWHERE and local.startswith(_ELSEWHERE[normal][0]):
        normal, local = _ELSEWHERE[normal][1], local.removeprefix("PS")
    if normal in _DOT_AFTER:
        local = dotted(normal, local.rstrip("+*"))
    pattern = _PATTERNS.get(normal)
    if pattern is not None and not pattern.fullmatch(local):
        raise InvalidCurieError(
            f"{normal}:{local}: expected a local id of the form {pattern.pattern} after {normal}; "
            "correct the id or its prefix"
        )
    if len(local.split()) != 1:
        raise InvalidCurieError(f"{normal}:{local}: a local id is not empty and holds no spaces")
    return f"{normal}:{local}"


def dotted(prefix: str, code: str) -> str:
    """An ICD code with its dot, which hospital records leave out; ranges keep both ends so."""
    if "-" in code:
        return "-".join(dotted(prefix, end) for end in code.split("-"))
    bare = code.strip().upper().replace(".", "")
    length = _DOT_AFTER[prefix] + (prefix == "ICD9CM" and bare.startswith("E"))
    return bare if len(bare) <= length else f"{bare[:length]}.{bare[length:]}"
