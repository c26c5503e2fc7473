"""One spelling for every id."""

from __future__ import annotations

import pytest

from ontologies.curies import InvalidCurieError, make, normalize


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("UMLS_CUI:C0018923", "UMLS:C0018923"),
        ("MSH:D003924", "MESH:D003924"),
        ("MeSH:C588423", "MESH:C588423"),
        ("Orphanet:124", "ORPHA:124"),
        ("ORDO:752", "ORPHA:752"),
        ("NCI:C3088", "NCIT:C3088"),
        ("MIM:264300", "OMIM:264300"),
        ("OMIM:PS203655", "OMIMPS:203655"),
        ("UMLS:CN228161", "MEDGEN:CN228161"),
        ("SNOMEDCT_US_2023_03_01:39000009", "SNOMEDCT:39000009"),
        ("HPO:HP:0000003", "HP:0000003"),
        ("ICD9CM:4280", "ICD9CM:428.0"),
        ("ICD9CM:428", "ICD9CM:428"),
        ("ICD9:E8809", "ICD9CM:E880.9"),
        ("ICD9:V4581", "ICD9CM:V45.81"),
        ("ICD9CM:401-405.99", "ICD9CM:401-405.99"),
        ("ICD10CM:i509", "ICD10CM:I50.9"),
        ("ICD10:E83.1+", "ICD10:E83.1"),
        ("UP:P05362", "UniProt:P05362"),
        ("X:1", "X:1"),
    ],
)
def test_normal_spelling(written: str, normal: str) -> None:
    assert normalize(written) == normal
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    "written",
    ["UMLS:C123", "MESH:1622152", "HP:12", "CAS:0", "DRUGBANK:DB1", "ICD10CM:QA0.0142", "X:", ":1",
     "no colon", "X:a b", "HGNC:A1BG"],
)  # fmt: skip
def test_what_is_no_id(written: str) -> None:
    with pytest.raises(InvalidCurieError):
        normalize(written)


def test_a_local_id_may_repeat_its_prefix() -> None:
    assert make("CHEBI", "CHEBI:135495") == "CHEBI:135495"
