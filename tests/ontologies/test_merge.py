"""Joining by exact cross-references, on sources small enough to join by hand."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies import Concept, Vocabulary
from ontologies.concept import Name
from ontologies.gather import Gathered
from ontologies.merge import ONE_TO_ONE, Merged, merge
from ontologies.preferred import preferred_name
from ontologies.readers.items import Entry, Match


def gathered(items: Iterable[Entry | Match]) -> Gathered:
    found = Gathered()
    for item in items:
        found.add(item)
    return found


def merged(*items: Entry | Match) -> Merged:
    return merge(gathered(items))


def term(curie: str, name: str, **more: Any) -> Entry:
    return Entry(curie, curie.partition(":")[0], ((name, "preferred"),), **more)


def by_id(result: Merged) -> dict[str, Concept]:
    return {concept.id: concept for concept in result.concepts}


def refused(result: Merged) -> set[tuple[str, str]]:
    return {(c.subject, c.object) for c in result.conflicts}


def test_sources_join_over_a_cui_and_the_cui_is_the_id() -> None:
    result = merged(
        term("MONDO:0005148", "type 2 diabetes mellitus"),
        Match("MONDO:0005148", "UMLS:C0011860", "MONDO", exact=True),
        term("DOID:9352", "diabetes 2", xrefs=("UMLS:C0011860", "SNOMEDCT:44054006")),
        term("MESH:D003924", "Diabetes Mellitus, Type 2", exact_xrefs=("MESHTREE:C19.246.300",)),
        Match("MONDO:0005148", "MESH:D003924", "MONDO", exact=True),
    )
    (concept,) = result.concepts
    assert concept.id == "UMLS:C0011860"
    assert concept.name == "type 2 diabetes mellitus"
    assert concept.xrefs == (
        "DOID:9352",
        "MESH:D003924",
        "MESHTREE:C19.246.300",
        "MONDO:0005148",
        "SNOMEDCT:44054006",
        "UMLS:C0011860",
    )
    assert {(n.text, n.source) for n in concept.names} == {
        ("type 2 diabetes mellitus", "MONDO"),
        ("diabetes 2", "DOID"),
        ("Diabetes Mellitus, Type 2", "MESH"),
    }
    assert concept.semantic_types == ("T047",)
    assert result.conflicts == []


def test_a_curated_match_beats_a_cross_reference_to_another_cui() -> None:
    result = merged(
        term("MONDO:0000001", "a", xrefs=("UMLS:C0000001",)),
        Match("MONDO:0000001", "UMLS:C0000002", "MONDO", exact=True),
    )
    assert [c.id for c in result.concepts] == ["UMLS:C0000002"]
    assert refused(result) == {("MONDO:0000001", "UMLS:C0000001")}


def test_no_transitive_closure_through_a_conflict() -> None:
    result = merged(
        Match("MONDO:0000001", "UMLS:C0000001", "MONDO", exact=True),
        Match("MONDO:0000002", "UMLS:C0000002", "MONDO", exact=True),
        term("MONDO:0000001", "disease a", xrefs=("DOID:1",)),
        term("MONDO:0000002", "disease b", xrefs=("DOID:1",)),
        term("DOID:1", "disease c", xrefs=("MONDO:0000002",)),
    )
    assert {c.id: c.xrefs for c in result.concepts} == {
        "UMLS:C0000001": ("MONDO:0000001", "UMLS:C0000001"),
        "UMLS:C0000002": ("DOID:1", "MONDO:0000002", "UMLS:C0000002"),
    }
    assert refused(result) == {("MONDO:0000001", "DOID:1")}


def test_of_several_cuis_the_lowest_and_the_other_is_listed() -> None:
    result = merged(term("HP:0000001", "a", xrefs=("UMLS:C0000009", "UMLS:C0000003")))
    assert [c.id for c in result.concepts] == ["UMLS:C0000003"]
    (conflict,) = result.conflicts
    assert conflict.object == "UMLS:C0000009"
    assert conflict.reason == "would join UMLS:C0000003 and UMLS:C0000009"


def test_one_of_several_other_ids_is_not_guessed() -> None:
    result = merged(term("ORPHA:124", "a", xrefs=("OMIM:105650", "OMIM:612527")))
    assert result.concepts[0].xrefs == ("ORPHA:124",)
    assert refused(result) == {("ORPHA:124", "OMIM:105650"), ("ORPHA:124", "OMIM:612527")}


def test_what_both_sides_state_beats_what_one_side_states() -> None:
    result = merged(
        term("MONDO:0000001", "disease a", xrefs=("DOID:1",)),
        term("MONDO:0000002", "disease b"),
        term("DOID:1", "disease c", xrefs=("MONDO:0000002", "MONDO:0000001")),
    )
    assert by_id(result)["MONDO:0000001"].xrefs == ("DOID:1", "MONDO:0000001")
    assert refused(result) == {("DOID:1", "MONDO:0000002")}


def test_merged_terms_of_a_source_stand_beside_their_term() -> None:
    result = merged(
        term("DOID:1", "a", alternates=("DOID:2", "DOID:3")),
        term("DOID:3", "still a term"),
    )
    assert by_id(result)["DOID:1"].xrefs == ("DOID:1", "DOID:2")
    assert by_id(result)["DOID:3"].xrefs == ("DOID:3",)
    assert refused(result) == {("DOID:1", "DOID:3")}


def test_a_retired_mesh_id_joins_its_disease_and_a_live_one_does_not() -> None:
    rows = (
        term("MESH:D002311", "Cardiomyopathy, Dilated"),
        term("MESH:C000002", "live record", parents=("MESH:D002311",)),
        Entry(
            "MESH:D002311",
            "MEDIC",
            (("Cardiomyopathy, Dilated", "preferred"),),
            grouped=("MESH:C580047", "MESH:C000002"),
        ),
    )
    found = by_id(merged(*rows))
    assert found["MESH:D002311"].xrefs == ("MESH:C580047", "MESH:D002311")
    assert found["MESH:C000002"].xrefs == ("MESH:C000002",)
    assert found["MESH:C000002"].parents == ("MESH:D002311",)


def named(*names: tuple[str, str, str]) -> str:
    return preferred_name([Name(text, source, scope) for text, source, scope in names])


def test_the_name_is_the_one_that_most_sources_prefer() -> None:
    hypertension = (
        ("hypertensive disorder", "MONDO", "preferred"),
        ("Hypertension", "MESH", "preferred"),
        ("hypertension", "DOID", "preferred"),
        ("Essential (primary) hypertension", "ICD10CM", "related"),
    )
    assert named(*hypertension) == "Hypertension"
    assert named(*hypertension[:2]) == "hypertensive disorder"
    assert named(hypertension[3]) == "Essential (primary) hypertension"


def test_the_name_is_not_turned_where_a_source_has_it_straight() -> None:
    turned = ("Arrhythmias, Cardiac", "MESH", "preferred")
    assert named(turned, ("Cardiac Arrhythmia", "MESH", "exact")) == "Cardiac Arrhythmia"
    assert named(turned, ("Rhythm trouble", "MESH", "exact")) == "Arrhythmias, Cardiac"
    # a name that is preferred nowhere does not win by being known more widely
    known = [("Dysrhythmia", source, "exact") for source in ("MESH", "HP", "NCIT")]
    assert named(turned, *known) == "Arrhythmias, Cardiac"


def medic(curie: str, name: str, *grouped: str) -> tuple[Entry | Match, ...]:
    codes = (Match(curie, f"MEDIC:{c.partition(':')[2]}", "MEDIC", True) for c in (curie, *grouped))
    return Entry(curie, "MEDIC", ((name, "preferred"),), grouped=grouped), *codes


def test_what_a_source_files_under_a_disease_joins_only_where_nothing_places_it_better() -> None:
    found = by_id(
        merged(
            term("MESH:D001145", "Arrhythmias, Cardiac"),
            *medic("MESH:D001145", "Arrhythmias, Cardiac", "OMIM:115000", "OMIM:115001"),
            term("MONDO:0020745", "calcium release deficiency syndrome"),
            Match("MONDO:0020745", "OMIM:115000", "MONDO", exact=True),
            term("HP:0011675", "Cardiac arrhythmia", xrefs=("MESH:D001145", "UMLS:C0003811")),
        )
    )
    assert found["MONDO:0020745"].xrefs == ("MONDO:0020745", "OMIM:115000")
    assert found["UMLS:C0003811"].xrefs == (
        *("HP:0011675", "MEDIC:115000", "MEDIC:115001", "MEDIC:D001145", "MESH:D001145"),
        *("OMIM:115001", "UMLS:C0003811"),
    )


def test_a_filed_id_joins_two_concepts_by_a_common_name_or_under_a_supplementary_record() -> None:
    found = by_id(
        merged(
            term("MESH:D000001", "Fever, Wide"),
            *medic("MESH:D000001", "Fever, Wide", "OMIM:100001"),
            term("MONDO:0000001", "wide fever"),
            Match("MONDO:0000001", "OMIM:100001", "MONDO", exact=True),
            term("MESH:C000002", "Rare Thing"),
            *medic("MESH:C000002", "Rare Thing", "OMIM:100002"),
            term("MONDO:0000002", "another name of it"),
            Match("MONDO:0000002", "OMIM:100002", "MONDO", exact=True),
        )
    )
    assert set(found) == {"MONDO:0000001", "MONDO:0000002"}
    assert "MESH:D000001" in found["MONDO:0000001"].xrefs
    assert "MESH:C000002" in found["MONDO:0000002"].xrefs


def test_names_speak_for_a_link_and_against_it() -> None:
    result = merged(
        term("MESH:D001259", "Ataxia"),
        term("HP:0001251", "Ataxia"),
        term("HP:0002070", "Limb ataxia", xrefs=("MESH:D001259",)),
        term("MESH:D012640", "Seizures"),
        term("MESH:D004827", "Epilepsy"),
        Entry(
            "HP:0001250",
            "HP",
            (("Seizure", "preferred"), ("Epilepsy", "exact")),
            ("MESH:D012640", "MESH:D004827"),
        ),
        term("MONDO:0001386", "visual epilepsy"),
        Match("MONDO:0001386", "MESH:D012640", "MONDO", exact=True),
        term("MESH:D008548", "Melanosis"),
        term("HP:0001480", "Freckling", xrefs=("MESH:D008548",)),
    )
    found = by_id(result)
    assert found["MONDO:0001386"].xrefs == ("HP:0001250", "MESH:D012640", "MONDO:0001386")
    assert found["MESH:D004827"].xrefs == ("MESH:D004827",)
    assert {(c.subject, c.evidence) for c in result.conflicts} >= {
        ("HP:0002070", "contradicted"),
        ("HP:0001480", "strange"),
    }


def test_supplementary_records_do_not_collapse_and_have_the_types_of_their_headings() -> None:
    found = by_id(
        merged(
            term("MESH:D001561", "Benzilates", exact_xrefs=("MESHTREE:D02.241",)),
            term("MESH:C000002", "bevonium", parents=("MESH:D001561",)),
        )
    )
    assert set(found) == {"MESH:D001561", "MESH:C000002"}
    assert found["MESH:C000002"].semantic_types == ("T109", "T121")


def test_drugs_join_by_a_preferred_name_that_is_unique_within_its_kind() -> None:
    result = merged(
        term("MESH:D001241", "Aspirin", exact_xrefs=("MESHTREE:D02.455",)),
        term("DRUGBANK:DB00945", "aspirin"),
        term("MESH:D000001", "Radon", exact_xrefs=("MESHTREE:D01.268",)),
        term("MESH:D000002", "radon", exact_xrefs=("MESHTREE:D01.632",)),
        term("DRUGBANK:DB00002", "Radon"),
        term("MESH:D000003", "Cold", exact_xrefs=("MESHTREE:C01.748",)),
        term("DRUGBANK:DB00003", "Cold"),
    )
    found = by_id(result)
    assert found["MESH:D001241"].xrefs == ("DRUGBANK:DB00945", "MESH:D001241", "MESHTREE:D02.455")
    assert {"DRUGBANK:DB00002", "DRUGBANK:DB00003"} <= set(found)
    assert [(c.subject, c.evidence) for c in result.conflicts] == [
        ("DRUGBANK:DB00002", "same-name")
    ]


def test_every_icd_code_resolves_and_is_in_one_concept() -> None:
    result = merged(
        term("MONDO:0000001", "heart failure", xrefs=("ICD9CM:428.0", "ICD9CM:428.9")),
        term("MONDO:0000002", "rare one", xrefs=("ICD9CM:759.89",)),
        term("MONDO:0000003", "rare two", xrefs=("ICD9CM:759.89",)),
        term("MONDO:0000004", "failure of it", xrefs=("ICD9CM:428.9",), parents=("MONDO:0000001",)),
        term("MONDO:0000005", "fever", xrefs=("ICD9CM:780.6",)),
        term("MONDO:0000006", "chills", xrefs=("ICD9CM:780.6",)),
        term("ICD9CM:428.0", "CHF, unspecified", parents=("ICD9CM:428",)),
        term("ICD9CM:428.9", "HF"),
        term("ICD9CM:759.89", "Other anomalies"),
        term("ICD9CM:780.6", "Fever, unspecified"),
        term("ICD9CM:428", "No one has it"),
        term("ICD10CM:R07", "Pain in chest"),
        Match("ICD9CM:428", "ICD10CM:R07", "GEM", exact=True),
    )
    vocabulary = Vocabulary.from_concepts(result.concepts)
    assert {
        code: vocabulary.resolve(f"ICD9CM:{code}")
        for code in ("4280", "428.9", "759.89", "780.6", "428")
    } == {
        "4280": "MONDO:0000001",
        "428.9": "MONDO:0000001",  # it stands above the other claimant
        "759.89": "ICD9CM:759.89",  # claimed alike
        "780.6": "MONDO:0000005",  # has the name
        "428": "ICD10CM:R07",
    }
    failure = vocabulary["MONDO:0000001"]
    assert {n.text: n.scope for n in failure.names}["CHF, unspecified"] == "related"
    assert failure.parents == ()
    assert refused(result) == {
        ("MONDO:0000002", "ICD9CM:759.89"),
        ("MONDO:0000003", "ICD9CM:759.89"),
        ("MONDO:0000004", "ICD9CM:428.9"),
        ("MONDO:0000006", "ICD9CM:780.6"),
    }


def test_a_gene_and_its_product_are_one_concept() -> None:
    (concept,) = merged(
        term("HGNC:5344", "ICAM1", xrefs=("NCBIGene:3383", "UniProt:P05362")),
        term("MESH:C573420", "ICAM1 protein, human"),
        Match("MESH:C573420", "UniProt:P05362", "MAPPING"),
    ).concepts
    assert concept.id == "HGNC:5344"
    assert "MESH:C573420" in concept.xrefs


def test_umls_types_are_taken_as_given() -> None:
    (concept,) = merged(
        term("MONDO:0000001", "a", xrefs=("UMLS:C0000001",)),
        Entry("UMLS:C0000001", "UMLS", semantic_types=("T184",)),
    ).concepts
    assert concept.semantic_types == ("T184",)


def test_cycles_of_parents_are_tolerated() -> None:
    found = by_id(
        merged(
            term("MESH:D000001", "a", parents=("MESH:D000002",)),
            term("MESH:D000002", "b", parents=("MESH:D000001",)),
            term("NCIT:C1", "c", parents=("NCIT:C1", "NCIT:C2")),
        )
    )
    assert found["MESH:D000001"].parents == ("MESH:D000002",)
    assert found["MESH:D000002"].parents == ("MESH:D000001",)
    assert found["NCIT:C1"].parents == ()


def test_citations_are_no_cross_references() -> None:
    (concept,) = merged(term("MONDO:0000001", "a", xrefs=("PMID:1", "GARD:2"))).concepts
    assert concept.xrefs == ("GARD:2", "MONDO:0000001")


PREFIXES = ("UMLS:C000000{}", "MONDO:000000{}", "DOID:{}", "MESH:D00000{}", "ICD9CM:00{}")
curie = st.builds(lambda form, n: form.format(n), st.sampled_from(PREFIXES), st.integers(1, 4))
items = st.lists(
    st.one_of(
        st.builds(
            lambda c, name, xrefs, parents: term(
                c, name, xrefs=tuple(xrefs), parents=tuple(parents)
            ),
            curie,
            st.sampled_from("abcd"),
            st.lists(curie, max_size=3),
            st.lists(curie, max_size=2),
        ),
        st.builds(Match, curie, curie, st.sampled_from(["A", "B"]), st.booleans()),
    ),
    max_size=16,
)


@settings(max_examples=150, deadline=None)
@given(items, st.randoms(use_true_random=False))
def test_the_promises_hold_for_any_input_in_any_order(
    given_items: list[Entry | Match], order: random.Random
) -> None:
    named = {i.id for i in given_items if isinstance(i, Entry)}
    result = merged(*given_items)
    holders: dict[str, str] = {}
    for concept in result.concepts:
        for xref in concept.xrefs:
            assert holders.setdefault(xref, concept.id) == concept.id
        live = [x for x in concept.xrefs if x in named or not x.startswith("MESH:")]
        prefixes = [x.partition(":")[0] for x in live]
        assert all(prefixes.count(p) <= 1 for p in ONE_TO_ONE)
    assert named <= set(holders)
    shuffled = list(given_items)
    order.shuffle(shuffled)
    again = merged(*shuffled)
    assert again.conflicts == result.conflicts
    digest = Vocabulary.from_concepts(result.concepts).digest
    assert Vocabulary.from_concepts(again.concepts).digest == digest


@settings(max_examples=80, deadline=None)
@given(items)
def test_every_link_is_followed_or_listed(given_items: list[Entry | Match]) -> None:
    found = gathered(given_items)
    result = merge(found)
    owner = {xref: concept.id for concept in result.concepts for xref in concept.xrefs}
    listed = {frozenset((c.subject, c.object)) for c in result.conflicts}
    for link in found.links:
        ends = found.curies[link.subject], found.curies[link.object]
        together = ends[0] in owner and owner[ends[0]] == owner.get(ends[1])
        nameless = ends[0] not in owner and ends[1] not in owner
        assert together or nameless or frozenset(ends) in listed
