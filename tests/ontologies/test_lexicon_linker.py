"""The lexicon linker on a vocabulary of a handful of concepts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies import Concept, Name, Vocabulary, open_linker
from ontologies.linker import Linker

CONCEPTS = [
    Concept(
        "MESH:D003924",
        "Diabetes Mellitus, Type 2",
        (Name("Diabetes Mellitus, Type 2", "MESH", "preferred"), Name("NIDDM", "MEDIC")),
        ("T047",),
        (),
        ("MEDIC:D003924", "MESH:D003924"),
    ),
    Concept(
        "MESH:D008687",
        "Metformin",
        (Name("Metformin", "MESH", "preferred"),),
        ("T121",),
        (),
        ("MESH:D008687",),
    ),
]


@pytest.fixture(scope="module")
def linker() -> Linker:
    return open_linker("lexicon", Vocabulary.from_concepts(CONCEPTS))


def test_finds_names_in_other_order_and_case(linker: Linker) -> None:
    text = "Metformin in type II diabetes mellitus."
    assert [(m.text, m.concept_id) for m in linker.link(text)] == [
        ("Metformin", "MESH:D008687"),
        ("type II diabetes mellitus", "MESH:D003924"),
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["metformin", "type 2", "diabetes mellitus", "\u00a0", "\n", "😀", "e\u0301", " (", ")"]
        )
        | st.text(max_size=5),
        max_size=12,
    ).map(" ".join)
)
def test_spans_hold_their_text_in_order(linker: Linker, text: str) -> None:
    mentions = linker.link(text)
    assert all(text[m.start : m.end] == m.text and m.text for m in mentions)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
    assert linker.link_many([text, "", text]) == [mentions, [], mentions]
