"""Readers of OBO, OBO graphs, SSSOM and tables of cross-references."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from ontologies.readers.items import UnreadableFileError
from tests.ontologies.reading import OBO, entries, faults, matches, read, write


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
