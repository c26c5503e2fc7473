"""Every format, on small files written to its documentation, and OBO as published."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from ontologies.readers import icd, mesh
from ontologies.readers.items import Entry, Fault, Item, Match, UnreadableFileError
from ontologies.readers.rrf import Filters
from ontologies.recognize import Left, Recognized, recognize


def read(path: Path, filters: Filters | None = None) -> list[Item]:
    found = recognize(path, filters)
    assert isinstance(found, Recognized), found
    return list(found.reader(path))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def entries(items: list[Item]) -> dict[str, Entry]:
    return {item.id: item for item in items if isinstance(item, Entry)}


def matches(items: list[Item]) -> set[tuple[str, str, bool]]:
    return {(i.subject, i.object, i.exact) for i in items if isinstance(i, Match)}


def faults(items: list[Item]) -> list[tuple[str, str]]:
    return [(i.place.rsplit("/", 1)[-1], i.reason) for i in items if isinstance(i, Fault)]


OBO = """format-version: 1.2
data-version: 2024

[Term]
id: DOID:1
name: heart failure {source="x"}
alt_id: DOID:2
def: "A \\"weak\\" heart." [url:http\\://x.org]
synonym: "cardiac failure" EXACT [MSH:D006333]
synonym: "weak heart" RELATED LAY []
synonym: "heart disease" BROAD []
synonym: "left heart failure" NARROW []
synonym: "says no scope" []
xref: UMLS_CUI:C0018801
xref: MSH:D006333 {source="a"}
xref: UMLS_CUI:nonsense
is_a: DOID:114 ! heart disease

[Term]
id: DOID:9
name: obsolete thing
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


@pytest.mark.parametrize("zipped", [False, True])
def test_obo(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "x.obo"
    path.write_bytes(gzip.compress(OBO.encode()) if zipped else OBO.encode())
    items = read(path)
    assert list(entries(items)) == ["DOID:1"]
    term = entries(items)["DOID:1"]
    assert term.names == (
        ("heart failure", "preferred"),
        ("cardiac failure", "exact"),
        ("weak heart", "related"),
        ("heart disease", "broad"),
        ("left heart failure", "narrow"),
        ("says no scope", "related"),
    )
    assert term.xrefs == ("UMLS:C0018801", "MESH:D006333")
    assert term.alternates == ("DOID:2",)
    assert term.parents == ("DOID:114",)
    assert term.definition == 'A "weak" heart.'
    assert faults(items) == [("x.obo:4", "invalid-id")]


@pytest.mark.parametrize("name", ["doid-2016", "hp-2015"])
def test_obo_as_published_against_a_count_of_lines(data: Path, name: str) -> None:
    path = data / "obo-samples" / f"{name}.obo"
    text = path.read_text(encoding="utf-8")
    stanzas = [s for s in text.split("\n\n") if s.lstrip().startswith("[Term]")]
    alive = [s for s in stanzas if "\nis_obsolete: true" not in s]
    found = entries(read(path))
    assert len(found) == len(alive)
    scopes = Counter(scope for e in found.values() for _, scope in e.names[1:])
    counted = Counter(
        word.lower() for s in alive for word in re.findall(r'^synonym: ".*" ([A-Z]+)', s, re.M)
    )
    assert scopes == counted
    assert {"exact", "related", "narrow"} <= set(scopes)
    assert sum(len(e.parents) for e in found.values()) == sum(s.count("\nis_a: ") for s in alive)


def test_obo_graphs(tmp_path: Path) -> None:
    base = "http://www.orpha.net/ORDO/"
    graph = {
        "nodes": [
            {
                "id": f"{base}Orphanet_124",
                "type": "CLASS",
                "lbl": "Blackfan-Diamond anemia",
                "meta": {
                    "definition": {"val": "An anemia."},
                    "synonyms": [
                        {"pred": "hasExactSynonym", "val": "DBA"},
                        {"pred": "hasBroadSynonym", "val": "anemia"},
                    ],
                    "xrefs": [{"val": "UMLS:C2931850"}, {"val": "MESH:x"}],
                },
            },
            {"id": f"{base}Orphanet_5", "type": "CLASS", "lbl": "gone"},
            {"id": f"{base}Orphanet_C016", "type": "PROPERTY", "lbl": "p"},
            {"id": f"{base}Orphanet_6", "type": "CLASS", "lbl": "d", "meta": {"deprecated": True}},
            {"id": "http://x.org/y", "type": "CLASS", "lbl": "no id"},
        ],
        "edges": [
            {"sub": f"{base}Orphanet_124", "pred": "is_a", "obj": f"{base}Orphanet_377788"},
            {"sub": f"{base}Orphanet_124", "pred": "part_of", "obj": f"{base}Orphanet_1"},
            {"sub": f"{base}Orphanet_5", "pred": "is_a", "obj": f"{base}ObsoleteClass"},
        ],
    }
    items = read(write(tmp_path, "x.json", json.dumps({"graphs": [graph]})))
    assert list(entries(items)) == ["ORPHA:124"]
    term = entries(items)["ORPHA:124"]
    assert term.names == (
        ("Blackfan-Diamond anemia", "preferred"),
        ("DBA", "exact"),
        ("anemia", "broad"),
    )
    assert (term.xrefs, term.parents) == (("UMLS:C2931850",), ("ORPHA:377788",))
    assert sorted(reason for _, reason in faults(items)) == ["invalid-id", "no-id-or-name"]


def test_sssom_keeps_identities_and_counts_the_rest(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "m.sssom.tsv",
        "# curie_map:\n#   MONDO: http://x\n"
        "subject_id\tpredicate_modifier\tpredicate_id\tobject_id\n"
        "MONDO:0000001\t\tskos:exactMatch\tUMLS:C0012634\n"
        "MONDO:0000004\t\toboInOwl:hasDbXref\tICD9:255.4\n"
        "MONDO:0000005\t\tskos:broadMatch\tUMLS:C0000005\n"
        "MONDO:0000006\tNot\tskos:exactMatch\tUMLS:C0000006\n"
        "MONDO:0000007\t\tskos:exactMatch\n"
        "MONDO:0000008\t\tskos:exactMatch\tUMLS:8\n",
    )
    items = read(path)
    assert matches(items) == {
        ("MONDO:0000001", "UMLS:C0012634", True),
        ("MONDO:0000004", "ICD9CM:255.4", False),
    }
    assert faults(items) == [
        ("m.sssom.tsv:6", "not-exact"),
        ("m.sssom.tsv:7", "not-exact"),
        ("m.sssom.tsv:8", "short-row"),
        ("m.sssom.tsv:9", "invalid-id"),
    ]


def test_xref_table_and_subclass_edges(tmp_path: Path) -> None:
    table = write(tmp_path, "a.tsv", 'id\tlabel\txref\n"DOID:1"\t"x"\t"MIM:264300"\n')
    assert matches(read(table)) == {("DOID:1", "OMIM:264300", False)}
    edges = write(tmp_path, "b.tsv", "x\tp\ty\nMONDO:0000002\trdfs:subClassOf\tMONDO:0000001\n")
    assert entries(read(edges))["MONDO:0000002"].parents == ("MONDO:0000001",)
    wrong = write(tmp_path, "c.tsv", "x\tp\ty\nMONDO:0000002\tpart_of\tMONDO:0000001\n")
    with pytest.raises(UnreadableFileError, match=r"c\.tsv:2: .*part_of"):
        read(wrong)


def test_medic(tmp_path: Path) -> None:
    items = read(
        write(tmp_path, "medic.txt", "115200|D002311|C580047||Cardiomyopathy|CMD\nC||Diseases\nx\n")
    )
    disease = entries(items)["MESH:D002311"]
    assert disease.names == (("Cardiomyopathy", "preferred"), ("CMD", "exact"))
    assert disease.grouped == ("MESH:C580047", "OMIM:115200")
    assert (disease.alternates, disease.xrefs) == ((), ())
    assert matches(items) == {
        ("MESH:D002311", "MEDIC:D002311", True),
        ("MESH:D002311", "MEDIC:C580047", True),
        ("MESH:D002311", "MEDIC:115200", True),
    }
    assert faults(items) == [("medic.txt:2", "invalid-id"), ("medic.txt:3", "short-row")]


def test_medic_as_ctd_ships_it(tmp_path: Path) -> None:
    header = (
        "# Fields:\n# DiseaseName\tDiseaseID\tAltDiseaseIDs\tDefinition\tParentIDs\tTreeNumbers"
        "\tParentTreeNumbers\tSynonyms\tSlimMappings\n#\n"
    )
    row = "Angina\tMESH:D000787\tOMIM:100001\t\tMESH:D017202|MESH:C\tC14\tC14\tStenocardia|AP\tx\n"
    found = entries(read(write(tmp_path, "CTD_diseases.tsv", header + row)))["MESH:D000787"]
    assert [name for name, _ in found.names] == ["Angina", "Stenocardia", "AP"]
    assert (found.grouped, found.parents) == (("OMIM:100001",), ("MESH:D017202",))


@pytest.mark.parametrize("complete", [False, True])
def test_hgnc(tmp_path: Path, complete: bool) -> None:
    if complete:
        text = (
            "hgnc_id\tsymbol\tname\tstatus\talias_symbol\tprev_symbol\tentrez_id\tuniprot_ids\n"
            'HGNC:5\tA1BG\talpha-1-B\tApproved\t"A1B|ABG"\tOLD\t1\tP04217\n'
            "HGNC:6\tX\tgone\tEntry Withdrawn\t\t\t\t\n"
        )
    else:
        text = (
            "HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\t"
            "NCBI Gene ID(supplied by NCBI)\tUniProt ID(supplied by UniProt)\tPrevious symbols\n"
            "HGNC:5\tA1BG\talpha-1-B\tApproved\tA1B, ABG\t1\tP04217\tOLD\n"
            "HGNC:6\tX\tgone\tSymbol Withdrawn\t\t\t\t\n"
        )
    found = entries(read(write(tmp_path, "h.txt", text)))
    assert list(found) == ["HGNC:5"]
    assert found["HGNC:5"].names == (
        ("A1BG", "preferred"),
        ("alpha-1-B", "exact"),
        ("A1B", "exact"),
        ("ABG", "exact"),
        ("OLD", "related"),
    )
    assert found["HGNC:5"].xrefs == ("NCBIGene:1", "UniProt:P04217")


def test_drugbank_in_both_forms(tmp_path: Path) -> None:
    plain = write(
        tmp_path, "d.tsv", "drugbank_id\tname\tsynonyms\nDB00945\tAspirin\tasa|acetosal\nDB1\tx\t\n"
    )
    published = write(
        tmp_path,
        "d.csv",
        "DrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key\n"
        "DB00945,APRD1,Aspirin,50-78-2,R16,asa | acetosal,B\n",
    )
    names = (("Aspirin", "preferred"), ("asa", "exact"), ("acetosal", "exact"))
    items = read(plain)
    assert entries(items)["DRUGBANK:DB00945"].names == names
    assert faults(items) == [("d.tsv:3", "invalid-id")]
    drug = entries(read(published))["DRUGBANK:DB00945"]
    assert (drug.names, drug.xrefs) == (names, ("CAS:50-78-2",))


def test_icd_tables(tmp_path: Path) -> None:
    nine = read(
        write(
            tmp_path, "ICD9CM.csv", 'code,parent_code,name\n428.0,428,"CHF, unspecified"\n12,,x\n'
        )
    )
    assert entries(nine)["ICD9CM:428.0"] == Entry(
        "ICD9CM:428.0",
        "ICD9CM",
        (("CHF, unspecified", "preferred"),),
        parents=("ICD9CM:428",),
        semantic_types=("T047",),
    )
    assert faults(nine) == [("ICD9CM.csv:3", "invalid-id")]
    ten = entries(
        read(
            write(
                tmp_path,
                "icd10cm-2021.csv",
                "code,billable,short,long\nI50,0,HF,Heart failure\nI5020,1,HF u,Unsp HF\n",
            )
        )
    )
    assert ten["ICD10CM:I50.20"].parents == ("ICD10CM:I50",)
    assert ten["ICD10CM:I50"].names == (("Heart failure", "preferred"), ("HF", "exact"))
    assert isinstance(recognize(write(tmp_path, "codes.csv", "code,parent_code,name\n")), Left)


def test_icd10_in_fixed_columns(tmp_path: Path) -> None:
    line = f"00001 A00     0 {'Cholera':<60} Cholera\n00002 A000    1 {'Ch 01':<60} Cholera 01\nx\n"
    path = write(tmp_path, "icd10cm-order-2021.txt", line)
    items = read(path)
    assert entries(items)["ICD10CM:A00.0"].parents == ("ICD10CM:A00",)
    assert [n for n, _ in entries(items)["ICD10CM:A00.0"].names] == ["Cholera 01", "Ch 01"]
    assert faults(items) == [("icd10cm-order-2021.txt:3", "short-row")]


def test_only_exact_equivalences_of_icd_are_matches(tmp_path: Path) -> None:
    path = write(tmp_path, "g.csv", "icd_9,icd_10,flags\n0010,A000,00000\n0020,A0100,10000\n")
    items = list(icd.read_equivalence(path))
    assert matches(items) == {("ICD9CM:001.0", "ICD10CM:A00.0", True)}
    assert faults(items) == [("g.csv:3", "approximate")]


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


MRCONSO = (
    "C0011860|ENG|P|L1|PF|S1|Y|A1||M1|D003924|MSH|MH|D003924|Diabetes Mellitus, Type 2|0|N|256|\n"
    "C0011860|ENG|S|L2|PF|S2|Y|A2||M2|D003924|MSH|ET|D003924|NIDDM|0|N||\n"
    "C0011860|ENG|S|L3|PF|S3|Y|A3|44|44054006||SNOMEDCT_US|PT|44054006|Type 2 diabetes|9|N||\n"
    "C0011860|ENG|S|L4|PF|S4|Y|A4||||MTH|PN|NOCODE|T2D|0|O||\n"
    "C0011860|SPA|P|L5|PF|S5|Y|A5||||MSHSPA|MH|D003924|Diabetes tipo 2|3|N||\n"
    "C0011860|ENG|too short|\n"
    "X1|ENG|P|L1|PF|S1|Y|A1||M1|D1|MSH|MH|D1|x|0|N||\n"
)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(), {"Diabetes Mellitus, Type 2", "NIDDM", "Type 2 diabetes"}),
        (Filters(languages=("SPA",)), {"Diabetes tipo 2"}),
        (Filters(sources=("MSH",)), {"Diabetes Mellitus, Type 2", "NIDDM"}),
        (
            Filters(suppressed=True),
            {"Diabetes Mellitus, Type 2", "NIDDM", "Type 2 diabetes", "T2D"},
        ),
    ],
)
def test_umls_names(tmp_path: Path, filters: Filters, names: set[str]) -> None:
    items = read(write(tmp_path, "MRCONSO.RRF", MRCONSO), filters)
    found = [i for i in items if isinstance(i, Entry)]
    assert {text for entry in found for text, _ in entry.names} == names
    assert ("MRCONSO.RRF:6", "short-row") in faults(items)
    if filters == Filters():
        assert matches(items) == {
            ("UMLS:C0011860", "MESH:D003924", True),
            ("UMLS:C0011860", "SNOMEDCT:44054006", True),
        }
        assert {(e.source, e.names[0][1]) for e in found} == {
            ("UMLS", "preferred"),
            ("MESH", "exact"),
            ("SNOMEDCT", "exact"),
        }
        assert ("MRCONSO.RRF:7", "invalid-id") in faults(items)


def test_umls_types_definitions_and_parents(tmp_path: Path) -> None:
    types = read(
        write(
            tmp_path,
            "MRSTY.RRF",
            "C0011860|T047|B2.2.1.2.1|Disease or Syndrome|AT1|256|\nC0011860|T999|B|x|A||\n",
        )
    )
    assert entries(types)["UMLS:C0011860"].semantic_types == ("T047",)
    assert faults(types) == [("MRSTY.RRF:2", "unknown-type")]
    texts = read(
        write(
            tmp_path,
            "MRDEF.RRF",
            "C0011860|A1|AT1||MSH|A disease.|N||\nC0011861|A1|AT1||MSH|Old.|Y||\n",
        )
    )
    assert {e.id: e.definition for e in entries(texts).values()} == {"UMLS:C0011860": "A disease."}
    relations = read(
        write(
            tmp_path,
            "MRREL.RRF",
            "C0000002|A1|AUI|PAR|C0000001|A2|AUI|inverse_isa|R1||MSH|MSH|||N||\n"
            "C0000001|A1|AUI|CHD|C0000003|A2|AUI|isa|R2||MSH|MSH|||N||\n"
            "C0000001|A1|AUI|RO|C0000004|A2|AUI|treats|R3||MSH|MSH|||N||\n",
        )
    )
    assert {e.id: e.parents for e in entries(relations).values()} == {
        "UMLS:C0000002": ("UMLS:C0000001",),
        "UMLS:C0000003": ("UMLS:C0000001",),
    }


def test_medgen_has_a_header_and_ids_of_its_own(tmp_path: Path) -> None:
    text = (
        "#CUI|TS|STT|ISPREF|AUI|SAUI|SCUI|SDUI|SAB|TTY|CODE|STR|SUPPRESS|\n"
        "C0000039|P|PF|Y|A1||M1|D015060|MSH|MH|D015060|1,2-Dipalmitoyl|N|\n"
        "CN000001|P|PF|Y|A2|||HP_0000001|HPO|PT|HP:0000001|All|N|\n"
    )
    path = tmp_path / "MGCONSO.RRF.gz"
    path.write_bytes(gzip.compress(text.encode()))
    items = read(path)
    assert set(entries(items)) == {"UMLS:C0000039", "MEDGEN:CN000001"}
    assert matches(items) == {
        ("UMLS:C0000039", "MESH:D015060", True),
        ("MEDGEN:CN000001", "HP:0000001", True),
    }


def test_semantic_network_is_checked(tmp_path: Path) -> None:
    good = "STY|T047|Disease or Syndrome|B2|a||||dsyn||\nRL|T147|causes|R3|x||||CA||\n"
    assert read(write(tmp_path, "SRDEF", good)) == []
    wrong = read(write(tmp_path, "SRDEF2", "STY|T047|Disease|B2|a||||dsyn||\n"))
    assert faults(wrong) == [("SRDEF2:1", "unknown-type")]
    table = "semantic_type,definition ,identifier,note\nFinding,x,T033,\nThing,x,T555,\n"
    assert faults(read(write(tmp_path, "t.csv", table))) == [("t.csv:3", "unknown-type")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"some words\n"),
        ("b.png", b"\x89PNG\r\n\x1a\n\xff\xfe"),
        ("c.json", b'{"a": 1}'),
        ("d.csv", b"code,name\n1,x\n"),
        ("ICD10CM_to_CCSCM.csv", b"ICD10CM,CCSCM\nA15.0,1\n"),
    ],
)
def test_other_files_are_left_with_a_reason(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = recognize(path)
    assert isinstance(found, Left)
    assert found.reason


@pytest.mark.parametrize("content", [b"", gzip.compress(OBO.encode() * 200, mtime=0)[:60]])
def test_empty_and_truncated_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.obo.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"x\.obo\.gz: .*fetch"):
        read(path)


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", '{"graphs": [\n{"nodes": [')
    with pytest.raises(UnreadableFileError, match=r"x\.json:2: broken JSON"):
        read(path)
