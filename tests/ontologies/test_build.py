"""From a folder of files to a saved vocabulary."""

from __future__ import annotations

import gzip
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import pytest

from ontologies import Vocabulary
from ontologies.build import NothingToBuildError, build_vocabulary, files

OBO = """format-version: 1.2

[Term]
id: MONDO:0005148
name: type 2 diabetes mellitus
xref: UMLS:C0011860
xref: MESH:D003924
"""
MESH = "mesh_id\tname\tentry_terms\ttree_numbers\nD003924\tDiabetes Mellitus, Type 2\tNIDDM\tC19\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "deep").mkdir(parents=True)
    (folder / "mondo.obo").write_text(OBO)
    (folder / "deep" / "mesh.tsv").write_text(MESH)
    return folder


def test_a_folder_is_walked_and_joined(sources: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    report = build_vocabulary([sources], tmp_path / "v", progress=steps.append)
    assert (report.concepts, report.names, report.with_cui, report.conflicts) == (1, 3, 1, 0)
    assert [Path(f.path).name for f in report.read] == ["mesh.tsv", "mondo.obo"]
    assert report.left == ()
    vocabulary = Vocabulary.load(tmp_path / "v")
    assert vocabulary.digest == report.digest
    assert vocabulary.resolve("MESH:D003924") == "UMLS:C0011860"
    assert steps[-1] == "saving"


def test_the_order_of_paths_does_not_matter(sources: Path, tmp_path: Path) -> None:
    a, b = sources / "mondo.obo", sources / "deep" / "mesh.tsv"
    one = build_vocabulary([a, b], tmp_path / "v")
    two = build_vocabulary([b, a, sources], tmp_path / "w")
    assert one.digest == two.digest


def test_other_and_broken_files_are_named_and_the_rest_is_done(
    sources: Path, tmp_path: Path
) -> None:
    (sources / "photo.png").write_bytes(b"\x89PNG\xff")
    (sources / "cut.obo.gz").write_bytes(gzip.compress((OBO * 9).encode())[:80])
    (sources / "empty.obo").write_bytes(b"")
    (sources / ".hidden").write_text("x")
    report = build_vocabulary([sources], tmp_path / "v")
    assert {(Path(f.path).name, f.broken) for f in report.left} == {
        ("photo.png", False),
        ("cut.obo.gz", True),
        ("empty.obo", True),
    }
    assert report.concepts == 1


def test_nothing_of_a_damaged_file_is_used(sources: Path, tmp_path: Path) -> None:
    many = OBO.replace("MONDO:0005148", "DOID:1").encode()
    body = many + b"".join(b"\n[Term]\nid: DOID:%d\nname: n%d\n" % (i, i) for i in range(2, 4000))
    (sources / "doid.obo.gz").write_bytes(gzip.compress(body)[:-2000])
    report = build_vocabulary([sources], tmp_path / "v")
    assert [Path(f.path).name for f in report.left] == ["doid.obo.gz"]
    assert report.concepts == 1


def test_unusable_rows_are_counted_with_examples(sources: Path, tmp_path: Path) -> None:
    (sources / "mondo.obo").write_text(OBO + "xref: UMLS:1\nxref: UMLS:2\n")
    read = build_vocabulary([sources / "mondo.obo"], tmp_path / "v").read[0]
    assert read.faults == {"invalid-id": 2}
    assert read.examples[0].place.endswith("mondo.obo:3")


def test_conflicts_stand_beside_the_vocabulary(sources: Path, tmp_path: Path) -> None:
    (sources / "mondo.obo").write_text(OBO + "xref: UMLS:C0000009\n")
    report = build_vocabulary([sources], tmp_path / "v")
    lines = (tmp_path / "v" / "conflicts.tsv").read_text().splitlines()
    assert lines[0] == "subject\tobject\tsource\tevidence\treason"
    assert report.conflicts == len(lines) - 1 == 1
    assert lines[1].startswith("MONDO:0005148\tUMLS:C0011860\tMONDO\tambiguous\twould join")


def test_the_releases_that_files_state_are_kept(sources: Path, tmp_path: Path) -> None:
    stated = OBO.replace("1.2\n", "1.2\ndata-version: releases/2024-01-03\n")
    (sources / "mondo.obo").write_text(stated)
    (sources / "mesh2025.tsv").write_text(MESH)
    build_vocabulary([sources], tmp_path / "v")
    kept = Vocabulary.load(tmp_path / "v").sources
    assert {name: release.split("sha256:")[0] for name, release in kept.items()} == {
        "mesh.tsv": "",
        "mesh2025.tsv": "2025 (",
        "mondo.obo": "releases/2024-01-03 (",
    }
    assert sha256(MESH.encode()).hexdigest()[:12] in kept["mesh.tsv"]


def test_filters_reach_the_umls(tmp_path: Path) -> None:
    row = "C0011860|{}|P|L1|PF|S1|Y|A1||M1||MSH|MH|D003924|{}|0|N|256|\n"
    (tmp_path / "MRCONSO.RRF").write_text(row.format("ENG", "Diabetes") + row.format("SPA", "D2"))
    build_vocabulary([tmp_path / "MRCONSO.RRF"], tmp_path / "v", languages=("SPA",))
    assert Vocabulary.load(tmp_path / "v")["UMLS:C0011860"].name == "D2"


def test_nothing_of_a_damaged_umls_file_is_used(sources: Path, tmp_path: Path) -> None:
    row = "C{:07d}|ENG|P|L1|PF|S1|Y|A1||M1||MSH|MH|D{:06d}|name {}|0|N|256|\n"
    rows = "".join(row.format(i, i, i) for i in range(20_000)).encode()
    (sources / "MRCONSO.RRF.gz").write_bytes(gzip.compress(rows)[:-2000])
    report = build_vocabulary([sources], tmp_path / "v")
    assert [(Path(f.path).name, f.broken) for f in report.left] == [("MRCONSO.RRF.gz", True)]
    assert report.concepts == 1


def test_nothing_to_build_and_a_missing_path_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(NothingToBuildError, match=r"a\.txt: no known format"):
        build_vocabulary([tmp_path], tmp_path / "v")
    with pytest.raises(FileNotFoundError, match="missing"):
        files([tmp_path / "missing"])
    assert not (tmp_path / "v").exists()


@pytest.mark.accept
def test_the_public_ontologies_join_as_promised(data: Path, tmp_path: Path) -> None:
    report = build_vocabulary([data / "ontologies"], tmp_path / "v")
    assert report.concepts >= 400_000
    assert report.names >= 1_000_000
    assert report.with_cui >= 30_000
    assert not any(left.broken for left in report.left)
    vocabulary = Vocabulary.load(tmp_path / "v")
    holders: dict[str, str] = {}
    mesh_with_cui = 0
    for row, concept_id in enumerate(vocabulary):
        xrefs = vocabulary.at(row).xrefs
        assert sum(xref.startswith("UMLS:") for xref in xrefs) <= 1
        mesh_with_cui += concept_id.startswith("UMLS:") * sum(x.startswith("MESH:") for x in xrefs)
        for xref in xrefs:
            assert holders.setdefault(xref, concept_id) == concept_id
    assert mesh_with_cui >= 8_500
    unresolved: dict[str, list[str]] = defaultdict(list)
    for prefix, name, column in (
        ("ICD9CM", "ICD9CM.csv", 0),
        ("ICD10CM", "icd10cm-order-Jan-2021.csv.gz", 0),
    ):
        path = data / "ontologies" / "icd" / name
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        for line in text.decode().splitlines()[1:]:
            code = line.split(",")[column].replace(".", "")
            if vocabulary.resolve(f"{prefix}:{code}") is None:
                unresolved[prefix].append(code)
    assert not unresolved
