"""The lexicon linker on a vocabulary of a handful of concepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontologies import Concept, Name, Vocabulary, open_linker
from ontologies.abbreviations import find_abbreviations
from ontologies.lexicon_linker import LexiconLinker, _Kept, with_abbreviations
from ontologies.linker import Linker
from ontologies.starter_vocabulary import starter_vocabulary


def concept(id_: str, kind: str, *names: Name | str) -> Concept:
    own = tuple(n if isinstance(n, Name) else Name(n, "MESH") for n in names)
    marks = (id_.replace("MESH", "MEDIC"),) if kind == "T047" else ()
    return Concept(id_, own[0].text, own, tuple(kind.split(" ")), (), (id_, *marks))


VOCABULARY = Vocabulary.from_concepts(
    [
        concept("MESH:D003924", "T047", "Diabetes Mellitus, Type 2", "NIDDM"),
        concept("MESH:D006973", "T047", "Hypertension", Name("HTN", "STARTER", "exact", True)),
        concept("MESH:D008687", "T109 T121", "Metformin"),
        concept("MESH:D008099", "T023", "Liver"),
        concept("MESH:D010361", "T101", "Patients"),
        concept("MESH:D013997", "T079", "Long Time Factors"),
        concept("MESH:D002289", "T047", "Carcinoma, Non-Small-Cell Lung"),
    ]
)


@pytest.fixture(scope="module")
def linker() -> Linker:
    return open_linker("lexicon", VOCABULARY)


def found(linker: Linker, text: str) -> list[tuple[str, str | None]]:
    return [(m.text, m.concept_id) for m in linker.link(text)]


def test_finds_names_in_other_order_and_case(linker: Linker) -> None:
    assert found(linker, "Metformin in type II diabetes mellitus.") == [
        ("Metformin", "MESH:D008687"),
        ("type II diabetes mellitus", "MESH:D003924"),
    ]


def test_a_possessive_is_no_part_of_the_name(linker: Linker) -> None:
    assert found(linker, "Metformin's effect")[0] == ("Metformin", "MESH:D008687")


def test_short_forms_take_the_concept_of_their_long_forms(linker: Linker) -> None:
    text = "Non-small cell lung carcinoma (NSCL) grew. NSCL shrank."
    assert found(linker, text) == [
        ("Non-small cell lung carcinoma", "MESH:D002289"),
        ("NSCL", "MESH:D002289"),
        ("NSCL", "MESH:D002289"),
    ]


def test_shorthand_is_for_notes(linker: Linker) -> None:
    notes = open_linker("lexicon", VOCABULARY, notes=True)
    assert ("HTN", "MESH:D006973") not in found(linker, "HTN, on metformin")
    assert ("HTN", "MESH:D006973") in found(notes, "HTN, on metformin")
    assert notes.version != linker.version


def test_what_says_nothing_is_left_out(linker: Linker) -> None:
    text = "Patients with long time factors had a liver."
    assert found(linker, text) == [("liver", "MESH:D008099")]


def test_words_of_method_and_route_say_nothing() -> None:
    names = {"MESH:D009055": "Oral", "MESH:D016032": "Confidence Intervals"}
    vocabulary = Vocabulary.from_concepts([concept(id_, "T062", n) for id_, n in names.items()])
    text = "Oral use (confidence interval 1-2), given orally"
    assert found(open_linker("lexicon", vocabulary), text) == []
    specific = Vocabulary.from_concepts([concept("MESH:D008099", "T023", "Oral mucosa")])
    assert found(open_linker("lexicon", specific), "Oral mucosa") == [
        ("Oral mucosa", "MESH:D008099")
    ]


def test_the_threshold_is_the_least_score() -> None:
    strict = LexiconLinker.open(VOCABULARY, threshold=0.8)
    text = "Metformin and the liver"
    everything = open_linker("lexicon", VOCABULARY).link(text)
    assert strict.link(text) == [m for m in everything if m.score >= 0.8] != everything


def kept(text: str, word: str, concept: int) -> _Kept:
    start = text.index(word)
    return _Kept(start, start + len(word), concept, 0.9)


def test_a_local_definition_beats_the_meaning_elsewhere() -> None:
    text = "Heart rate (HR) rose. HR, HRs, CHR."
    elsewhere = _Kept(22, 24, 7, 0.8)
    defined = list(find_abbreviations(text))
    after = with_abbreviations(text, defined, [kept(text, "Heart rate", 1), elsewhere])
    assert [(text[k.start : k.end], k.concept) for k in after] == [
        ("Heart rate", 1), ("HR", 1), ("HR", 1), ("HRs", 1),
    ]  # fmt: skip
    assert with_abbreviations(text, defined, [elsewhere]) == []


def test_a_long_form_that_names_something_in_part_decides_nothing() -> None:
    text = "Heart rate variability (HRV). HRV"
    part, other = kept(text, "Heart", 1), _Kept(30, 33, 7, 0.8)
    assert with_abbreviations(text, find_abbreviations(text), [part, other]) == [part, other]


def test_the_disease_that_people_mark_comes_before_a_subtype_of_one_vocabulary() -> None:
    subtype = Concept(
        "NCIT:C1", "Borderline Hypertension", (Name("Borderline Hypertension", "NCIT"),), ("T047",)
    )
    marked = concept("MESH:D006973", "T047", "Hypertension")
    text = "Metformin in borderline hypertension"
    linker = open_linker("lexicon", Vocabulary.from_concepts([marked, subtype]))
    assert found(linker, text) == [("hypertension", "MESH:D006973")]
    alone = open_linker("lexicon", Vocabulary.from_concepts([subtype]))
    assert found(alone, text) == [("borderline hypertension", "NCIT:C1")]


def test_a_small_vocabulary_finds_its_diseases_and_drugs_by_their_names() -> None:
    starter = starter_vocabulary()
    linker = open_linker("lexicon", starter)
    concepts = [
        c for c in map(starter.__getitem__, starter.ids().to_pylist())
        if {"T047", "T121"} & set(c.semantic_types)
    ]  # fmt: skip
    linked = linker.link_many(f"We studied {c.name} in hospital." for c in concepts)
    missed = [
        c.name for c, mentions in zip(concepts, linked, strict=True)
        if c.id not in {m.concept_id for m in mentions}
    ]  # fmt: skip
    assert len(concepts) > 1000
    assert len(missed) <= 0.05 * len(concepts), missed


def test_a_kept_lexicon_that_lost_a_file_is_compiled_anew(tmp_path: Path) -> None:
    Vocabulary.from_concepts([Concept("X:1", "heart failure", semantic_types=("T047",))]).save(
        tmp_path / "vocabulary"
    )
    saved = Vocabulary.load(tmp_path / "vocabulary")
    text = "Heart failure was common."
    before = LexiconLinker.open(saved).link(text)
    (kept,) = (tmp_path / "vocabulary").glob("lexicon-*")
    (kept / "concept_kind.npy").unlink()
    assert LexiconLinker.open(saved).link(text) == before
    assert (kept / "concept_kind.npy").is_file()
