"""Readers of MEDIC, HGNC, DrugBank and the ICD tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontologies.readers import icd
from ontologies.readers.items import Entry
from ontologies.recognize import Left, recognize
from tests.ontologies.reading import entries, faults, matches, read, write


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
