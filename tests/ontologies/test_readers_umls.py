"""Readers of the UMLS, MedGen and the Semantic Network."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ontologies.readers.items import Entry
from ontologies.readers.rrf import Filters
from tests.ontologies.reading import entries, faults, matches, read, write

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
