"""The vocabulary: lookups, promises, saved form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies import Concept, Name, Vocabulary
from ontologies.concept import InconsistentVocabularyError
from ontologies.tables import FORMAT_VERSION, VocabularyFormatError

DIABETES = Concept(
    id="UMLS:C0011860",
    name="type 2 diabetes mellitus",
    names=(
        Name("NIDDM", "MESH"),
        Name("type 2 diabetes mellitus", "MONDO", "preferred"),
        Name("DM2", "STARTER", "exact", notes_only=True),
    ),
    semantic_types=("T047",),
    parents=("MESH:D003920",),
    xrefs=("MESH:D003924", "ICD9CM:250.00", "MONDO:0005148"),
    definition="A disease.",
)
PARENT = Concept("MESH:D003920", "Diabetes Mellitus", xrefs=("MESHTREE:C19.246",))
RECORD = Concept("MESH:C000001", "a record", parents=("MESH:D003920",))
ALL = (DIABETES, PARENT, RECORD)


@pytest.fixture(params=["memory", "disk"])
def vocabulary(request: pytest.FixtureRequest, tmp_path: Path) -> Vocabulary:
    made = Vocabulary.from_concepts(ALL)
    if request.param == "memory":
        return made
    made.save(tmp_path / "v")
    return Vocabulary.load(tmp_path / "v")


def test_a_concept_comes_back_whole(vocabulary: Vocabulary) -> None:
    concept = vocabulary["UMLS:C0011860"]
    assert concept.name == DIABETES.name
    assert set(concept.names) == set(DIABETES.names)
    assert concept.semantic_types == ("T047",)
    assert concept.parents == ("MESH:D003920",)
    assert concept.xrefs == ("ICD9CM:250.00", "MESH:D003924", "MONDO:0005148", "UMLS:C0011860")
    assert concept.definition == "A disease."
    assert concept.synonyms == ("NIDDM", "DM2")


def test_ids_are_sorted_and_counted(vocabulary: Vocabulary) -> None:
    assert list(vocabulary) == sorted(c.id for c in ALL) == vocabulary.ids().to_pylist()
    assert len(vocabulary) == 3
    assert "UMLS:C0011860" in vocabulary
    assert "MESH:D003924" not in vocabulary
    assert 5 not in vocabulary


@pytest.mark.parametrize(
    ("curie", "expected"),
    [
        ("UMLS:C0011860", "UMLS:C0011860"),
        ("MESH:D003924", "UMLS:C0011860"),
        ("mesh:D003924", "UMLS:C0011860"),
        ("ICD9CM:250.00", "UMLS:C0011860"),
        ("ICD9:25000", "UMLS:C0011860"),
        ("MESHTREE:C19.246", "MESH:D003920"),
        ("MESH:D999999", None),
        ("MESH:nonsense", None),
        ("diabetes", None),
        ("", None),
    ],
)
def test_resolve(vocabulary: Vocabulary, curie: str, expected: str | None) -> None:
    assert vocabulary.resolve(curie) == expected


def test_find_folds_case_and_nothing_else(vocabulary: Vocabulary) -> None:
    assert vocabulary.find("niddm") == ("UMLS:C0011860",)
    assert vocabulary.find("diabetes mellitus") == ("MESH:D003920",)
    assert vocabulary.find("diabetes") == ()


def test_an_unknown_id_names_itself_and_a_remedy(vocabulary: Vocabulary) -> None:
    with pytest.raises(KeyError, match=r"MESH:D003924.*resolve"):
        vocabulary["MESH:D003924"]


def test_names_as_columns(vocabulary: Vocabulary) -> None:
    table = vocabulary.names_table()
    assert table.column_names == ["concept", "text", "source", "scope", "notes_only"]
    row = vocabulary.row("UMLS:C0011860")
    mine = [r for r in table.to_pylist() if r["concept"] == row]
    assert {(r["text"], r["source"], r["notes_only"]) for r in mine} == {
        ("NIDDM", "MESH", False),
        ("type 2 diabetes mellitus", "MONDO", False),
        ("DM2", "STARTER", True),
    }
    assert vocabulary.name_count == table.num_rows == 5


def test_semantic_types_by_row_and_id(vocabulary: Vocabulary) -> None:
    row = vocabulary.row("UMLS:C0011860")
    assert vocabulary.semantic_types_of(row) == vocabulary.semantic_types_of("UMLS:C0011860")
    assert vocabulary.semantic_types_of("MESH:D003920") == ()


def test_mesh_trees_of_a_heading_and_of_a_record_below_it(vocabulary: Vocabulary) -> None:
    assert vocabulary.mesh_trees("MESH:D003920") == ("C19.246",)
    assert vocabulary.mesh_trees("MESH:C000001") == ("C19.246",)
    assert vocabulary.mesh_trees("UMLS:C0011860") == ()


def test_the_digest_is_of_the_content_and_not_of_its_order() -> None:
    turned = Concept(
        DIABETES.id,
        DIABETES.name,
        DIABETES.names[::-1],
        DIABETES.semantic_types,
        DIABETES.parents,
        DIABETES.xrefs[::-1],
        DIABETES.definition,
    )
    digest = Vocabulary.from_concepts(ALL).digest
    assert Vocabulary.from_concepts([RECORD, turned, PARENT]).digest == digest
    other = Concept("MESH:C000001", "a recorD", parents=("MESH:D003920",))
    assert Vocabulary.from_concepts([DIABETES, PARENT, other]).digest != digest
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("concepts", "culprit"),
    [
        ([PARENT, PARENT], "MESH:D003920"),
        ([Concept("X:1", "a", xrefs=("Y:1",)), Concept("X:2", "b", xrefs=("Y:1",))], "Y:1"),
        ([Concept("UMLS:C0000001", "a", xrefs=("UMLS:C0000002",))], "two CUIs"),
        ([Concept("X:1", "a", parents=("X:2",))], "X:2"),
        ([Concept("X:1", "a", xrefs=("ICD9CM:4280",))], "ICD9CM:428.0"),
        ([Concept("X:1", "a", (Name("b", "X", "wide"),))], "wide"),
    ],
)
def test_broken_promises_are_refused(concepts: list[Concept], culprit: str) -> None:
    with pytest.raises(InconsistentVocabularyError, match=culprit):
        Vocabulary.from_concepts(concepts)


def test_an_empty_vocabulary(tmp_path: Path) -> None:
    Vocabulary.from_concepts([]).save(tmp_path / "v")
    empty = Vocabulary.load(tmp_path / "v")
    assert len(empty) == 0
    assert empty.find("a") == ()
    assert empty.resolve("MESH:D003924") is None


def test_another_format_version_is_named_with_a_remedy(tmp_path: Path) -> None:
    Vocabulary.from_concepts(ALL).save(tmp_path / "v")
    manifest = tmp_path / "v" / "vocabulary.json"
    values = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**values, "format_version": 99}))
    with pytest.raises(VocabularyFormatError, match=rf"v holds .* 99, .* {FORMAT_VERSION} .*build"):
        Vocabulary.load(tmp_path / "v")


@pytest.mark.parametrize("damage", ["missing", "manifest", "table"])
def test_what_is_no_vocabulary_is_named(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "v"
    Vocabulary.from_concepts(ALL).save(folder)
    if damage == "missing":
        folder = tmp_path / "other"
    elif damage == "manifest":
        (folder / "vocabulary.json").write_text("{")
    else:
        (folder / "names.arrow").write_bytes(b"no arrow")
    with pytest.raises(VocabularyFormatError, match=r"(other|v).*(build|made)"):
        Vocabulary.load(folder)


def test_saving_replaces_a_vocabulary_and_spares_anything_else(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    Vocabulary.from_concepts([PARENT]).save(folder)
    Vocabulary.from_concepts(ALL).save(folder, {"notes.tsv": ["a\n", "b\n"]})
    assert len(Vocabulary.load(folder)) == 3
    assert (folder / "notes.tsv").read_text() == "a\nb\n"
    assert [p.name for p in tmp_path.iterdir()] == ["v"]
    other = tmp_path / "photos"
    other.mkdir()
    (other / "a.png").write_bytes(b"x")
    with pytest.raises(VocabularyFormatError, match="photos is not empty"):
        Vocabulary.from_concepts(ALL).save(other)
    assert [p.name for p in other.iterdir()] == ["a.png"]


def test_a_failed_save_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    Vocabulary.from_concepts([PARENT]).save(folder)

    def lines() -> object:
        yield "a\n"
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        Vocabulary.from_concepts(ALL).save(folder, {"notes.tsv": lines()})  # type: ignore[dict-item]
    assert len(Vocabulary.load(folder)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["v"]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(texts.filter(str.strip), st.lists(texts, max_size=4), max_size=12))
def test_lookups_agree_with_a_search_through_everything(named: dict[str, list[str]]) -> None:
    concepts = [
        Concept(f"X:{i}", name, tuple(Name(text, "X") for text in others))
        for i, (name, others) in enumerate(named.items())
    ]
    vocabulary = Vocabulary.from_concepts(concepts)
    for wanted in {text for c in concepts for text in (c.name, *(n.text for n in c.names))}:
        holds = sorted(
            c.id
            for c in concepts
            if wanted.casefold() in {t.casefold() for t in (c.name, *(n.text for n in c.names))}
        )
        assert vocabulary.find(wanted) == tuple(holds)
    assert all(vocabulary.resolve(c.id) == c.id for c in concepts)
    assert Vocabulary.from_concepts(concepts[::-1]).digest == vocabulary.digest
