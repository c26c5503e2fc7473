"""The scispaCy linker over a vocabulary of a handful of concepts."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections import Counter
from math import log, sqrt
from pathlib import Path
from typing import Any

import pytest

from ontologies.concept import Concept, Name, Vocabulary
from ontologies.linker import Mention, open_linker

pytest.importorskip("scispacy")

from ontologies import scispacy_index
from ontologies.scispacy_index import EmptyVocabularyError, NameIndex, build_index, knowledge_base
from ontologies.scispacy_linker import NoMentionsError, ScispacyLinker

HYPERTENSION, FAILURE, ESTROGENS = "UMLS:C0020538", "UMLS:C0018802", "MESH:D004967"
CONCEPTS = (
    Concept(
        HYPERTENSION,
        "Hypertension",
        (Name("High Blood Pressure", "MESH"), Name("Pressure, raised", "X", "related")),
    ),
    Concept(
        FAILURE,
        "Congestive heart failure",
        (Name("Cardiac failure, congestive", "MESH"), Name("CCF", "X", notes_only=True)),
    ),
    Concept(ESTROGENS, "Estrogens"),
)
NAMES = [
    "Cardiac failure, congestive",
    "Congestive heart failure",
    "Estrogens",
    "High Blood Pressure",
    "Hypertension",
]
FOUND = re.compile(r"[Hh]ypertension|congestive heart failure|\bC[CH]F\b|estrogen|zebras")
TEXT = (
    "Prehypertension/hypertension in congestive heart failure (CHF), zebras with CHF, "
    "\U0001d6fc-estrogen\nand hypertensions."
)


def _spans(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in FOUND.finditer(text)]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_concepts(CONCEPTS)


@pytest.fixture(scope="module")
def linker(vocabulary: Vocabulary) -> ScispacyLinker:
    return ScispacyLinker.open(vocabulary, mentions=_spans)


def test_given_mentions_keep_their_place_and_get_their_concepts(linker: ScispacyLinker) -> None:
    mentions = linker.link(TEXT)
    assert [(m.start, m.end) for m in mentions] == _spans(TEXT)
    assert all(TEXT[m.start : m.end] == m.text for m in mentions)
    assert [(m.text, m.concept_id) for m in mentions] == [
        ("hypertension", HYPERTENSION),
        ("hypertension", HYPERTENSION),
        ("congestive heart failure", FAILURE),
        ("CHF", FAILURE),  # by its long form: no name has these letters
        ("zebras", None),
        ("CHF", FAILURE),
        ("estrogen", ESTROGENS),
        ("hypertension", HYPERTENSION),
    ]
    assert all((m.score > 0.7) == (m.concept_id is not None) and m.score <= 1 for m in mentions)


def test_an_abbreviation_means_nothing_where_it_is_not_defined(linker: ScispacyLinker) -> None:
    assert [m.concept_id for m in linker.link("CHF is not defined here.")] == [None]


def test_many_texts_are_linked_as_each_is(linker: ScispacyLinker) -> None:
    texts = ["", TEXT, "nothing", "Hypertension.", ""] * 30
    assert linker.link_many(iter(texts)) == [linker.link(text) for text in texts]
    assert linker.link_many([]) == []


def _cosine(a: str, b: str, names: list[str]) -> float:
    """Similarity of tf-idf vectors of the 3-grams of padded words, from the formula."""

    def grams(text: str) -> Counter[str]:
        words = [f" {word} " for word in text.lower().split()]
        return Counter(word[i : i + 3] for word in words for i in range(len(word) - 2))

    documents = [set(grams(name)) for name in names]
    known = set().union(*documents)

    def weights(text: str) -> dict[str, float]:
        count = {g: sum(g in document for document in documents) for g in known}
        idf = {g: log((1 + len(names)) / (1 + count[g])) + 1 for g in known}
        return {g: n * idf[g] for g, n in grams(text).items() if g in known}

    x, y = weights(a), weights(b)
    dot = sum(x[g] * y.get(g, 0.0) for g in x)
    lengths = sqrt(sum(v * v for v in x.values()) * sum(v * v for v in y.values()))
    return dot / lengths if lengths else 0.0


@pytest.mark.parametrize(
    "mention", ["hypertensive", "heart failure", "blood pressure", "estrogen", "pressure high"]
)
def test_the_nearest_name_is_the_one_found_by_brute_force(
    vocabulary: Vocabulary, mention: str
) -> None:
    linker = ScispacyLinker.open(vocabulary, mentions=lambda text: [(0, len(text))], threshold=0.01)
    (found,) = linker.link(mention)
    best = max(_cosine(mention, name, NAMES) for name in NAMES)
    nearest = {name for name in NAMES if abs(_cosine(mention, name, NAMES) - best) < 1e-6}
    assert found.score == pytest.approx(best, abs=1e-5)
    assert found.concept_id in {i for name in nearest for i in vocabulary.find(name)}


def test_threshold(vocabulary: Vocabulary) -> None:
    whole = lambda text: [(0, len(text))]  # noqa: E731
    (loose,) = ScispacyLinker.open(vocabulary, mentions=whole, threshold=0.3).link("estrogenic")
    (strict,) = ScispacyLinker.open(vocabulary, mentions=whole, threshold=0.95).link("estrogenic")
    assert loose.concept_id == ESTROGENS and 0.3 < loose.score < 0.95
    assert strict == Mention(0, 10, "estrogenic", None, 0.0)


def test_only_names_of_the_concept_itself_are_indexed(vocabulary: Vocabulary) -> None:
    assert sorted(knowledge_base(vocabulary).alias_to_cuis) == NAMES
    assert "CCF" in knowledge_base(vocabulary, notes=True).alias_to_cuis
    noted = ScispacyLinker.open(vocabulary, mentions=_spans, notes=True)
    assert [m.concept_id for m in noted.link("CCF")] == [FAILURE]


def _ruler() -> Any:
    import spacy

    language = spacy.blank("en")
    patterns = [{"label": "DISEASE", "pattern": [{"LOWER": "hypertension"}]}]
    language.add_pipe("entity_ruler").add_patterns(patterns)
    return language


def test_a_pipeline_that_finds_entities(vocabulary: Vocabulary, tmp_path: Path) -> None:
    text = "No hypertension; estrogens."
    (mention,) = ScispacyLinker.open(vocabulary, pipeline=_ruler()).link(text)
    assert mention == Mention(3, 15, "hypertension", HYPERTENSION, mention.score)
    assert mention.score == pytest.approx(1.0)
    _ruler().to_disk(tmp_path / "pipeline")
    named = open_linker("scispacy", vocabulary, pipeline=str(tmp_path / "pipeline"))
    assert named.link(text) == [mention]


def test_the_mentions_of_another_linker(vocabulary: Vocabulary, linker: ScispacyLinker) -> None:
    second = ScispacyLinker.open(vocabulary, mentions=linker)
    assert second.link(TEXT) == linker.link(TEXT)
    assert linker.version in second.version


def test_what_cannot_be_opened_says_why(vocabulary: Vocabulary) -> None:
    with pytest.raises(NoMentionsError, match=r"blank.*mentions="):
        ScispacyLinker.open(vocabulary)
    with pytest.raises(EmptyVocabularyError):
        ScispacyLinker.open(Vocabulary.from_concepts([]), mentions=_spans)


@pytest.mark.parametrize("span", [(0, 0), (0, 99), (3, 6)])
def test_spans_that_are_no_mentions_are_refused(vocabulary: Vocabulary, span: Any) -> None:
    linker = ScispacyLinker.open(vocabulary, mentions=lambda _: [span])
    with pytest.raises(ValueError, match="holds no words"):
        linker.link("one two")


def test_the_index_is_built_once_and_kept(tmp_path: Path, monkeypatch: Any) -> None:
    Vocabulary.from_concepts(CONCEPTS).save(tmp_path / "vocabulary")
    built = []

    def build(names: list[str]) -> NameIndex:
        built.append(names)
        return build_index(names)

    monkeypatch.setattr(scispacy_index, "build_index", build)
    first = ScispacyLinker.open(Vocabulary.load(tmp_path / "vocabulary"), mentions=_spans)
    second = ScispacyLinker.open(Vocabulary.load(tmp_path / "vocabulary"), mentions=_spans)
    assert built == [NAMES]
    assert [p.name for p in tmp_path.glob("vocabulary/scispacy-*/*.joblib")] == []
    assert second.link(TEXT) == first.link(TEXT)
    assert second.version == first.version


def test_nothing_is_asked_of_the_network(vocabulary: Vocabulary, monkeypatch: Any) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert ScispacyLinker.open(vocabulary, mentions=_spans).link("Hypertension.")


def test_spacy_is_imported_only_when_a_linker_is_opened() -> None:
    code = (
        "import sys, ontologies.linker, ontologies.scispacy_linker, ontologies.scispacy_index\n"
        "heavy = {'spacy', 'scispacy', 'sklearn', 'nmslib', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
