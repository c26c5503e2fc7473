"""The starter vocabulary: whole in itself, and every identifier witnessed by the open data."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import networkx as nx
import pytest

from ontologies.concept import Concept, Name
from ontologies.curies import normalize
from ontologies.semantic_types import NAMES, group_of
from ontologies.starter.check import (
    Records,
    bare_title,
    name_key,
    read_records,
    reviewed_titles,
    unwitnessed,
)
from ontologies.starter_vocabulary import KINDS, SOURCE, StarterTableError, starter_concepts

SHARED_NAMES = {
    "egfr": {"EGFR", "glomerular filtration rate"},  # the gene, and the estimated rate
    "hiv": {"HIV", "urticaria"},  # `hives` and `HIV` share a key, though not a spelling
}
"""The only names that stand for two concepts, deliberately."""

GROUPS = {
    "diseases": {"DISO", "ACTI", "CONC"},
    "findings": {"DISO", "PHYS"},
    "drugs": {"CHEM"},
    "procedures": {"PROC", "DEVI", "OBJC", "CONC"},
    "measurements": {"PROC", "CHEM", "PHYS", "CONC"},
    "organisms": {"LIVB"},
    "anatomy": {"ANAT"},
    "genes": {"GENE"},
}


@pytest.fixture(scope="module")
def concepts() -> list[Concept]:
    return starter_concepts()


@pytest.fixture(scope="module")
def by_name(concepts: list[Concept]) -> dict[str, Concept]:
    return {concept.name: concept for concept in concepts}


@pytest.fixture(scope="module")
def records(data: Path) -> Records:
    return read_records(data / "ontologies")


def test_size_and_shares(concepts: list[Concept]) -> None:
    with_cui = sum(concept.id.startswith("UMLS:") for concept in concepts)
    prefixes = [{xref.split(":")[0] for xref in concept.xrefs} for concept in concepts]
    assert len(concepts) >= 1400
    assert with_cui / len(concepts) > 0.35
    assert sum("MESH" in p for p in prefixes) / len(concepts) > 0.85
    assert sum(bool({"ICD9CM", "ICD10CM"} & p) for p in prefixes) >= 600


def test_no_identifier_stands_twice(concepts: list[Concept]) -> None:
    counts = Counter(xref for concept in concepts for xref in concept.xrefs)
    assert [xref for xref, count in counts.items() if count > 1] == []


def test_ids_are_written_as_everywhere_else(concepts: list[Concept]) -> None:
    for concept in concepts:
        assert [normalize(xref) for xref in concept.xrefs] == list(concept.xrefs), concept.name
        assert concept.id in concept.xrefs


def test_the_id_is_the_cui_where_one_is_known_and_there_is_only_one(
    concepts: list[Concept],
) -> None:
    for concept in concepts:
        cuis = [xref for xref in concept.xrefs if xref.startswith("UMLS:")]
        assert cuis in ([], [concept.id]), concept.name


def test_hierarchy_has_its_parents_and_no_cycle(concepts: list[Concept]) -> None:
    graph = nx.DiGraph((c.id, parent) for c in concepts for parent in c.parents)
    assert set(graph) <= {concept.id for concept in concepts}
    assert nx.is_directed_acyclic_graph(graph)


def test_names_are_clean(concepts: list[Concept]) -> None:
    for concept in concepts:
        assert concept.names[0] == Name(concept.name, SOURCE, "preferred")
        for name in concept.names:
            assert name.text and name.text == " ".join(name.text.split()), concept.name
            assert name_key(name.text), concept.name
            assert not set("<>~^|=") & set(name.text), concept.name


def test_a_name_stands_for_one_concept(concepts: list[Concept]) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for concept in concepts:
        for name in concept.names:
            owners[name_key(name.text)].add(concept.name)
    assert {name: o for name, o in owners.items() if len(o) > 1} == SHARED_NAMES


@pytest.mark.parametrize("kind", KINDS)
def test_semantic_types_fit_the_kind(kind: str) -> None:
    for concept in starter_concepts(kind):
        assert concept.semantic_types
        assert set(concept.semantic_types) <= NAMES.keys()
        assert {group_of(tui) for tui in concept.semantic_types} <= GROUPS[kind], concept.name


@pytest.mark.parametrize(
    ("shorthand", "name"),
    [
        ("HTN", "hypertension"),
        ("CHF", "heart failure"),
        ("SOB", "dyspnea"),
        ("AF", "atrial fibrillation"),
        ("CKD", "chronic kidney disease"),
        ("MI", "myocardial infarction"),
        ("DM2", "type 2 diabetes mellitus"),
        ("UTI", "urinary tract infection"),
        ("CABG", "coronary artery bypass grafting"),
        ("Hgb", "hemoglobin measurement"),
    ],
)
def test_shorthand_is_for_notes_only(
    shorthand: str, name: str, by_name: dict[str, Concept]
) -> None:
    assert Name(shorthand, SOURCE, notes_only=True) in by_name[name].names


def test_two_letter_names_are_shorthand_or_symbols(concepts: list[Concept]) -> None:
    """Two letters are never safe in the literature: they are read in notes, or they are genes."""
    short = {n.text for c in concepts for n in c.names if len(n.text) <= 2 and not n.notes_only}
    assert short <= {"F2", "F5", "F8", "F9", "TB", "VT", "VF", "GI"}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("ICD10CM:I10", "hypertension"),
        ("ICD10CM:I50.9", "heart failure"),
        ("ICD9CM:428.0", "heart failure"),
        ("ICD9CM:427.31", "atrial fibrillation"),
        ("ICD10CM:N17.9", "acute kidney injury"),
        ("ICD9CM:496", "chronic obstructive pulmonary disease"),
        ("ICD10CM:E11.9", "type 2 diabetes mellitus"),
        ("ICD9CM:250.00", "type 2 diabetes mellitus"),
        ("ICD10CM:A41.9", "sepsis"),
        ("ICD9CM:410.71", "non-ST elevation myocardial infarction"),
        ("MESH:D014859", "warfarin"),
        ("DRUGBANK:DB00682", "warfarin"),
        ("HGNC:2623", "CYP2C9"),
    ],
)
def test_known_codes_find_their_concept(code: str, name: str, by_name: dict[str, Concept]) -> None:
    assert code in by_name[name].xrefs


def test_drugs_stand_below_their_classes(by_name: dict[str, Concept]) -> None:
    classes = {
        "apixaban": "anticoagulant",
        "lisinopril": "antihypertensive agent",
        "digoxin": "antiarrhythmic agent",
        "furosemide": "diuretic",
        "simvastatin": "lipid-lowering agent",
        "vancomycin": "anti-infective agent",
        "sertraline": "psychotropic drug",
        "dapagliflozin": "hypoglycemic agent",
    }
    concepts = {concept.id: concept for concept in by_name.values()}
    graph = nx.DiGraph((c.id, parent) for c in concepts.values() for parent in c.parents)
    for drug, group in classes.items():
        assert by_name[group].id in nx.descendants(graph, by_name[drug].id), drug


def test_every_identifier_has_a_witness(concepts: list[Concept], records: Records) -> None:
    missing = unwitnessed(concepts, records)
    assert [(concept.name, xref) for concept, xref in missing] == []


def test_no_identifier_is_unknown_to_the_data(concepts: list[Concept], records: Records) -> None:
    known = records.names.keys() | records.joins.keys()
    unknown = [x for c in concepts for x in c.xrefs if x not in known]
    assert unknown == []


def test_a_wrong_identifier_is_noticed(by_name: dict[str, Concept], records: Records) -> None:
    good = by_name["warfarin"]
    for wrong in ("MESH:D006493", "UMLS:C0018801", "ICD10CM:I10", "MESH:D999999"):
        bad = Concept(good.id, good.name, good.names, xrefs=(*good.xrefs, wrong))
        assert unwitnessed([bad], records) == [(bad, wrong)]


def test_reviews_are_of_identifiers_that_are_there(by_name: dict[str, Concept]) -> None:
    for concept, curie in reviewed_titles():
        assert curie in by_name[concept].xrefs


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Heart failure, unspecified", "Heart failure"),
        ("Unspecified atrial fibrillation", "atrial fibrillation"),
        ("Essential (primary) hypertension", "Essential hypertension"),
        ("Pneumonia, unspecified organism", "Pneumonia"),
        ("Gout due to renal impairment", "Gout due to renal impairment"),
    ],
)
def test_bare_title(title: str, bare: str) -> None:
    assert bare_title(title) == bare


def test_faults_in_a_table_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    header = "id\tname\tsynonyms\tnarrower\tshorthand\ttypes\tparents\txrefs\n"
    for kind in KINDS:
        (tmp_path / f"{kind}.tsv").write_text(header)
    (tmp_path / "drugs.tsv").write_text(header + "MESH:D1\tonein\t\t\t\tT121\tnothing\t\n")
    monkeypatch.setattr("ontologies.starter_vocabulary._FOLDER", tmp_path)
    with pytest.raises(StarterTableError, match=r"drugs.tsv, line 2: no concept .*'nothing'"):
        starter_concepts()
