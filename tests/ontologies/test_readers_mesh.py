"""Readers of MeSH: tables, mappings and XML."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ontologies.readers import mesh
from ontologies.readers.items import UnreadableFileError
from tests.ontologies.reading import entries, faults, matches, read, write


def test_mesh_tables(tmp_path: Path) -> None:
    headings = write(
        tmp_path,
        "d.tsv",
        "mesh_id\tname\tentry_terms\ttree_numbers\n"
        "D003924\tDiabetes Mellitus, Type 2\tNIDDM|MODY\tC18.452.394.750.149|C19.246.300\n",
    )
    found = entries(read(headings))["MESH:D003924"]
    assert found.names[0] == ("Diabetes Mellitus, Type 2", "preferred")
    assert found.exact_xrefs == ("MESHTREE:C18.452.394.750.149", "MESHTREE:C19.246.300")
    assert found.parents == ("MESHTREE:C18.452.394.750", "MESHTREE:C19.246")
    records = write(
        tmp_path,
        "s.tsv",
        "mesh_id\tname\tentry_terms\theading_mapped_to\n"
        "C000002\tbevonium\t\tD001561,*D000001\nX1\ty\t\t\n",
    )
    items = read(records)
    assert entries(items)["MESH:C000002"].parents == ("MESH:D001561", "MESH:D000001")
    assert faults(items) == [("s.tsv:3", "invalid-id")]


def test_mesh_mappings(tmp_path: Path) -> None:
    path = write(tmp_path, "m.tsv", "MESH\tC000002\tbevonium\tCHEBI\tCHEBI:135495\tbevonium\n")
    assert matches(read(path)) == {("MESH:C000002", "CHEBI:135495", False)}
    cas = write(tmp_path, "c.tsv", "C000009\t2776-93-4\nC000011\tnone\n")
    items = list(mesh.read_cas(cas))
    assert matches(items) == {("MESH:C000009", "CAS:2776-93-4", False)}
    assert faults(items) == [("c.tsv:2", "invalid-id")]


DESCRIPTORS = """<?xml version="1.0"?>
<!DOCTYPE DescriptorRecordSet SYSTEM "https://www.nlm.nih.gov/databases/dtd/x.dtd">
<DescriptorRecordSet LanguageCode="eng">
<DescriptorRecord DescriptorClass="1"><DescriptorUI>D000001</DescriptorUI>
<DescriptorName><String>Calcimycin</String></DescriptorName>
<TreeNumberList><TreeNumber>D03.633.100</TreeNumber></TreeNumberList>
<ConceptList><Concept PreferredConceptYN="Y"><ConceptUI>M1</ConceptUI>
<ConceptName><String>Calcimycin</String></ConceptName>
<RegistryNumberList><RegistryNumber>37H9VM9WZL</RegistryNumber>
<RegistryNumber>52665-69-7</RegistryNumber></RegistryNumberList>
<ScopeNote>An ionophore. </ScopeNote>
<TermList><Term><String>Calcimycin</String></Term><Term><String>A-23187</String></Term></TermList>
</Concept><Concept PreferredConceptYN="N"><TermList><Term><String>A23187</String></Term></TermList>
</Concept></ConceptList></DescriptorRecord>
<DescriptorRecord><DescriptorUI>bad</DescriptorUI></DescriptorRecord>
</DescriptorRecordSet>
"""
SUPPLEMENT = """<?xml version="1.0"?>
<SupplementalRecordSet LanguageCode="eng"><SupplementalRecord SCRClass="1">
<SupplementalRecordUI>C000002</SupplementalRecordUI>
<SupplementalRecordName><String>bevonium</String></SupplementalRecordName>
<HeadingMappedToList><HeadingMappedTo><DescriptorReferredTo><DescriptorUI>*D001561</DescriptorUI>
</DescriptorReferredTo></HeadingMappedTo></HeadingMappedToList>
<ConceptList><Concept PreferredConceptYN="Y"><TermList><Term><String>bevonium</String></Term>
<Term><String>Acabel</String></Term></TermList></Concept></ConceptList>
</SupplementalRecord></SupplementalRecordSet>
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_mesh_xml(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "desc.xml"
    path.write_bytes(gzip.compress(DESCRIPTORS.encode()) if zipped else DESCRIPTORS.encode())
    items = read(path)
    record = entries(items)["MESH:D000001"]
    assert record.names == (("Calcimycin", "preferred"), ("A-23187", "exact"), ("A23187", "exact"))
    assert record.exact_xrefs == ("MESHTREE:D03.633.100",)
    assert record.parents == ("MESHTREE:D03.633",)
    assert record.definition == "An ionophore."
    assert matches(items) == {("MESH:D000001", "CAS:52665-69-7", False)}
    assert {reason for _, reason in faults(items)} == {"invalid-id", "no-id-or-name"}


def test_mesh_supplementary_xml(tmp_path: Path) -> None:
    record = entries(read(write(tmp_path, "supp.xml", SUPPLEMENT)))["MESH:C000002"]
    assert record.names == (("bevonium", "preferred"), ("Acabel", "exact"))
    assert record.parents == ("MESH:D001561",)


def test_xml_expands_no_entities_and_names_the_broken_line(tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.txt", "hidden words")
    bomb = DESCRIPTORS.replace(
        'DescriptorRecordSet SYSTEM "https://www.nlm.nih.gov/databases/dtd/x.dtd"',
        f'DescriptorRecordSet [<!ENTITY e SYSTEM "file://{secret}">]',
    ).replace("<String>A-23187", "<String>&e;")
    names = [n for e in entries(read(write(tmp_path, "b.xml", bomb))).values() for n, _ in e.names]
    assert "hidden words" not in " ".join(names)
    with pytest.raises(UnreadableFileError, match=r"c\.xml:\d+: broken XML"):
        read(write(tmp_path, "c.xml", DESCRIPTORS[:400]))
