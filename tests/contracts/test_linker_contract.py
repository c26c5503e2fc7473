"""What every linker promises, run on each that `open_linker` knows.

To add a linker: register it in `open_linker`, and put its sample into `SAMPLES`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontologies import Concept, Name, Vocabulary, open_linker
from ontologies.linker import Linker

CONCEPTS = (
    Concept(
        "MESH:D006331",
        "Heart Diseases",
        (Name("Heart Diseases", "MESH", "preferred"), Name("heart disease", "MESH")),
        ("T047",),
    ),
    Concept(
        "MESH:D008687", "Metformin", (Name("Metformin", "MESH", "preferred"),), ("T109", "T121")
    ),
    Concept(
        "MESH:D051436",
        "Chronic Kidney Disease",
        (Name("Chronic Kidney Disease", "MESH", "preferred"),),
        ("T047",),
    ),
)
VOCABULARY = Vocabulary.from_concepts(CONCEPTS)


def _scispacy() -> Linker:
    """The mentions that a pipeline of spaCy finds, linked by scispaCy."""
    pytest.importorskip("scispacy")
    import spacy

    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    names = [name.text for concept in CONCEPTS for name in concept.names]
    ruler.add_patterns([{"label": "NAME", "pattern": name} for name in names])
    return open_linker("scispacy", VOCABULARY, pipeline=pipeline)


SAMPLES: dict[str, Callable[[], Linker]] = {
    "lexicon": lambda: open_linker("lexicon", VOCABULARY),
    "scispacy": _scispacy,
}


def known_linkers() -> set[str]:
    """The names that `open_linker` lists when it is asked for one that does not exist."""
    with pytest.raises(ValueError, match="known:") as caught:
        open_linker("no such linker", VOCABULARY)
    return set(str(caught.value).partition("known: ")[2].split(", "))


def test_no_linker_is_left_out() -> None:
    assert set(SAMPLES) == known_linkers()


@pytest.fixture(scope="module", params=sorted(SAMPLES))
def linker(request: pytest.FixtureRequest) -> Linker:
    return SAMPLES[request.param]()


TEXT = "Metformin helped in chronic kidney disease.\nNo heart disease was seen."


def test_finds_concepts_by_their_names(linker: Linker) -> None:
    found = {m.text.lower(): m.concept_id for m in linker.link(TEXT)}
    assert found["metformin"] == "MESH:D008687"
    assert found["chronic kidney disease"] == "MESH:D051436"
    assert found["heart disease"] == "MESH:D006331"


def test_an_empty_text_has_no_mentions(linker: Linker) -> None:
    assert linker.link("") == []
    assert linker.link_many([]) == []
    assert linker.link_many(["", TEXT, ""]) == [[], linker.link(TEXT), []]


def test_the_version_is_stable_and_says_the_method(linker: Linker) -> None:
    assert linker.version == linker.version != ""


PIECES = st.sampled_from(
    [
        "metformin",
        "Heart disease",
        "chronic kidney",
        "disease",
        "😀",
        "e\u0301",
        "\u00a0",
        "\n",
        "(",
    ]
)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.lists(PIECES | st.text(max_size=4), max_size=9).map(" ".join), max_size=3))
def test_spans_are_exact_ordered_and_apart(linker: Linker, texts: list[str]) -> None:
    linked = linker.link_many(texts)
    assert linked == [linker.link(text) for text in texts]
    for text, mentions in zip(texts, linked, strict=True):
        assert all(text[m.start : m.end] == m.text != "" for m in mentions)
        assert all(a.end <= b.start for a, b in pairwise(mentions))
        assert all(m.concept_id is None or m.concept_id in VOCABULARY for m in mentions)
        assert all(0 <= m.score <= 1 for m in mentions)
