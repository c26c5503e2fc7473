"""Semantic types, groups and the tables that give types to sources without any."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from ontologies import semantic_types
from ontologies.semantic_types import (
    GROUPS,
    ICD_CHAPTERS,
    MESH_TREE,
    NAMES,
    SOURCE_TYPES,
    UnknownSemanticTypeError,
    group_of,
    groups_of,
    specific,
    types_of_icd,
    types_of_mesh_tree,
)


def test_every_type_stands_in_exactly_one_group() -> None:
    members = [tui for tuis in GROUPS.values() for tui in tuis]
    assert len(members) == len(set(members)) == len(NAMES) == 127
    assert len(GROUPS) == 15


def test_the_names_are_those_of_the_semantic_network(data: Path) -> None:
    with (data / "ontologies/semantic-network/type.csv").open(encoding="utf-8") as lines:
        given = {row["identifier"]: row["semantic_type"] for row in csv.DictReader(lines)}
    assert given == NAMES


@pytest.mark.parametrize(
    ("tui", "group"),
    [("T047", "DISO"), ("T121", "CHEM"), ("T061", "PROC"), ("T028", "GENE"), ("T023", "ANAT")],
)
def test_groups_of_well_known_types(tui: str, group: str) -> None:
    assert group_of(tui) == group


def test_groups_of_several_and_of_none() -> None:
    assert groups_of(["T047", "T191", "T116"]) == {"DISO", "CHEM"}
    assert groups_of([]) == frozenset()


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownSemanticTypeError, match="T999"):
        groups_of(["T047", "T999"])


def test_the_tables_hold_known_types_only() -> None:
    tables = [MESH_TREE, SOURCE_TYPES, *ICD_CHAPTERS.values()]
    assert {tui for table in tables for tuis in table.values() for tui in tuis} <= set(NAMES)


def test_no_beginning_of_a_code_stands_under_two_types() -> None:
    table = tomllib.loads(Path(semantic_types.__file__).with_suffix(".toml").read_text("utf-8"))
    for source, chapters in table["icd"].items():
        beginnings = [start for starts in chapters.values() for start in starts.split()]
        assert sorted(beginnings) == sorted(ICD_CHAPTERS[source])


@pytest.mark.parametrize(
    ("tree", "types"),
    [
        ("C18.452.394.750", ("T047",)),
        ("C04.588.033", ("T191",)),
        ("C23.888.592", ("T184",)),
        ("C23", ("T047",)),
        ("D12.776.543.750.670", ("T116", "T192")),
        ("D27", ("T120",)),
        ("B01.050.150.900.649.313.988.400.112.400.400", ("T016",)),
        ("Z01.542", ("T083",)),
        ("Y01", ()),
        ("", ()),
    ],
)
def test_mesh_trees(tree: str, types: tuple[str, ...]) -> None:
    assert types_of_mesh_tree(tree) == types


def test_a_prefix_is_a_whole_node() -> None:
    assert types_of_mesh_tree("A11.284.430") == ("T026",)
    assert types_of_mesh_tree("A11.2845") == ("T025",)


@pytest.mark.parametrize(
    ("prefix", "code", "types"),
    [
        ("ICD10CM", "I50.9", ("T047",)),
        ("ICD10CM", "C34.1", ("T191",)),
        ("ICD10CM", "D12.0", ("T191",)),
        ("ICD10CM", "D50.0", ("T047",)),
        ("ICD10CM", "F32.9", ("T048",)),
        ("ICD9CM", "428.0", ("T047",)),
        ("ICD9CM", "162.9", ("T191",)),
        ("ICD9CM", "296.2", ("T048",)),
        ("ICD9CM", "780.6", ("T184",)),
        ("ICD9CM", "E880.9", ("T037",)),
        ("SNOMEDCT", "1234", ()),
    ],
)
def test_icd_chapters(prefix: str, code: str, types: tuple[str, ...]) -> None:
    assert types_of_icd(prefix, code) == types


def test_a_general_type_yields_to_a_specific_one_of_its_kind() -> None:
    assert specific(["T047", "T191"]) == ("T191",)
    assert specific(["T033", "T047"]) == ("T047",)
    assert specific(["T103", "T047"]) == ("T047", "T103")
    assert specific([]) == ()
