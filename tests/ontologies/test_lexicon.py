"""The compiled lexicon against a plain search of every stretch of tokens in a dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies import Concept, Name, Vocabulary
from ontologies.candidates import GapKinds, TokenTable, expand, find_spans, tokenize
from ontologies.compiled import compile_lexicon, compiled_lexicon
from ontologies.lexicon import MAX_TOKENS, ConceptRows, Lexicon, NameRow, compile_names
from ontologies.name_forms import (
    ADJECTIVE,
    DIRECT,
    INVERTED,
    REWORDED,
    SOLID,
    SWAPPED,
    SYMBOL,
    WORD,
    variants,
    written_form,
)
from ontologies.normalize import normal_name

WORDS = ("acute", "renal", "failure", "B", "12", "of")
PHRASES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


def lexicon_of(names: list[tuple[int, str]], block_size: int = 200_000) -> Lexicon:
    size = 1 + max((concept for concept, _ in names), default=0)
    numbers = np.arange(size, dtype=np.uint64)
    ones = np.ones(size, dtype=np.uint8)
    rows = ConceptRows(kind=ones, key=numbers, type=numbers, parent=numbers, marked=ones)
    return compile_names((NameRow(c, text, 1 << 12, 1) for c, text in names), rows, block_size)


def found(lexicon: Lexicon, text: str) -> set[tuple[str, int]]:
    table = TokenTable()
    batch = tokenize([text], table, GapKinds())
    candidates = expand(batch, find_spans(batch, table, lexicon), lexicon)
    columns = (candidates.start, candidates.end, candidates.concept)
    return {(text[s:e], c) for s, e, c in zip(*(x.tolist() for x in columns), strict=True)}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), PHRASES), min_size=1, max_size=12), PHRASES)
def test_finds_what_a_plain_search_finds(names: list[tuple[int, str]], text: str) -> None:
    known: dict[str, set[int]] = {}
    for concept, name in names:
        for form in (name, *(form for form, _ in variants(name, disease=True))):
            if len(form) > 1:
                known.setdefault(normal_name(form), set()).add(concept)
    words = text.split(" ")
    stretches = (
        " ".join(words[low:high])
        for low in range(len(words))
        for high in range(low + 1, len(words) + 1)
    )
    expected = {(s, c) for s in stretches for c in known.get(normal_name(s), ())}
    assert found(lexicon_of(names), text) == expected
    assert found(lexicon_of(names, block_size=2), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("renal-failure", {"renal-failure"}),
        ("renal failures", {"renal failures"}),
        ("renal. Failure", set()),
        ("renal\nfailure", set()),
        ("renal (failure)", set()),
        ("renal; failure", set()),
        ("😀 renal\u00a0failure", {"renal\u00a0failure"}),
        ("E. coli and e coli, xe coli", {"E. coli", "e coli"}),
    ],
)
def test_what_may_stand_between_tokens(text: str, expected: set[str]) -> None:
    lexicon = lexicon_of([(0, "renal failure"), (1, "E. coli")])
    assert {span for span, _ in found(lexicon, text)} == expected


def test_variants() -> None:
    assert dict(variants("Diabetes Mellitus, Type 2")) == {"Type 2 Diabetes Mellitus": INVERTED}
    assert dict(variants("Ischemia, Acute, Renal"))["Renal Acute Ischemia"] == INVERTED
    assert dict(variants("Hypertension")) == {"hypertensive": ADJECTIVE}
    assert dict(variants("breast cancers"))["breast neoplasm"] == SWAPPED
    assert not list(variants("1-(2-Chloro, 3-oxo)benzene"))


def test_what_ails_an_organ_may_be_said_otherwise() -> None:
    forms = dict(variants("Kidney Diseases", disease=True))
    for form in ("renal disease", "damage of the kidney", "impaired renal function"):
        assert forms[form] == REWORDED
    assert "renal disease" not in dict(variants("Kidney Diseases"))
    assert "hepatic cancer" in dict(variants("liver tumors", disease=True))
    assert "impaired hepatic function" not in dict(variants("liver tumors", disease=True))


def test_written_forms() -> None:
    assert written_form("BRCA1") == SYMBOL | SOLID
    assert written_form("Epilepsy") == written_form("EPILEPSY") == WORD | SOLID
    assert written_form("HAND OEDEMA") == WORD


def test_names_that_are_left_out_are_counted() -> None:
    lexicon = lexicon_of([(0, "a"), (0, " ".join(["x"] * (MAX_TOKENS + 1))), (0, "--"), (0, "ab")])
    assert lexicon.dropped == 3
    assert found(lexicon, "a ab") == {("ab", 0)}


def test_is_kept_beside_the_vocabulary(tmp_path: Path) -> None:
    name = Name("Renal failure", "MESH", "preferred")
    concepts = [Concept("MESH:D051437", "Renal failure", (name,), ("T047",))]
    Vocabulary.from_concepts(concepts).save(tmp_path / "v")
    vocabulary = Vocabulary.load(tmp_path / "v")
    first = compiled_lexicon(vocabulary, [("kidney fails", "MESH:D051437")])
    (kept,) = (tmp_path / "v").glob("lexicon-*")
    stamp = kept.stat().st_mtime_ns
    again = compiled_lexicon(vocabulary, [("kidney fails", "MESH:D051437")])
    assert kept.stat().st_mtime_ns == stamp
    assert found(first, "kidney fails") == found(again, "kidney fails") == {("kidney fails", 0)}
    assert found(compile_lexicon(vocabulary), "kidney fails") == set()


END = ("renal failure", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hepatic and renal failure", {("hepatic", 0), END}),
        (
            "Cardiac, hepatic or renal failure",
            {("Cardiac", 2), ("hepatic", 0), END},
        ),
        ("cardiac hepatic and renal failure", {("hepatic", 0), END}),
        ("hepatic and/or renal failure", {("hepatic", 0), END}),
        ("the gut and renal failure", {END}),
        ("It was hepatic. And renal failure", {END}),
        ("hepatic and, renal failure", {END}),
        ("and renal failure", {END}),
        ("renal failure and hepatic", {END}),
    ],
)
def test_words_written_once_for_several_names(text: str, expected: set[tuple[str, int]]) -> None:
    names = [(0, "hepatic failure"), (1, "renal failure"), (2, "cardiac failure")]
    assert found(lexicon_of(names), text) == expected


def test_what_a_source_names_is_told_from_what_is_made_of_its_names() -> None:
    """`renal disease` is a name that concept 0 is given, and made of one of concept 1."""
    rows = ConceptRows(
        kind=np.ones(2, dtype=np.uint8),
        key=np.arange(2, dtype=np.uint64),
        type=np.arange(2, dtype=np.uint64),
        parent=np.arange(2, dtype=np.uint64),
        marked=np.ones(2, dtype=np.uint8),
    )
    given_, open_ = 1, 1 << 12
    names = [
        NameRow(0, "renal disease", given_ | open_, 2),
        NameRow(0, "renal injury", given_ | open_, 4),
        NameRow(1, "renal damage", given_ | open_, 8),
    ]
    lexicon = compile_names(names, rows)
    table = TokenTable()
    batch = tokenize(["renal disease"], table, GapKinds())
    candidates = expand(batch, find_spans(batch, table, lexicon), lexicon)
    order = np.argsort(candidates.concept)
    flags, sources = candidates.flags[order], candidates.sources[order].tolist()
    made = np.uint32(DIRECT | SWAPPED)
    assert (flags & made).tolist() == [DIRECT, SWAPPED]
    assert sources == [2, 8]
