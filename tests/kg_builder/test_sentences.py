"""Sentence spans, on texts short enough to split by eye and on any text at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_builder.model import Article, Section
from kg_builder.sentences import sentence_spans, split_sentences

ONE_SENTENCE = [
    "Drugs, e.g. aspirin, and foods, i.e. bread, were stopped.",
    "It rose (Fig. 2) against placebo vs. 5 mg as Smith et al. reported.",
    "Dr. Roe and J. Smith treated approx. 20 patients with No. 5 tablets.",
    "The P value was < .05 and the ratio 1.5 (95% CI 1.2-2.0).",
    "Escherichia coli and S. aureus grew.",
    "It fell (P was low. It stayed low) in all.",
    "Doses of 5 mg i.v. were given",
]

TWO_SENTENCES = [
    ("We gave vitamin C. The patients recovered.", "We gave vitamin C."),
    ("Did it help? It did.", "Did it help?"),
    ('He said "no." We agreed.', 'He said "no."'),
    ("It bound p53. mRNA rose.", "It bound p53."),
    ("It rose to 5. In all it fell.", "It rose to 5."),
    ("Values fell (all P < .05). They rose later.", "Values fell (all P < .05)."),
    ("An (unclosed bracket stays. It ends here.", "An (unclosed bracket stays."),
    ("They saw hepatitis B. Patients were few.", "They saw hepatitis B."),
    ("All said no. Thirty said yes.", "All said no."),
]


@pytest.mark.parametrize("text", ONE_SENTENCE)
def test_abbreviations_numbers_and_brackets_end_no_sentence(text: str) -> None:
    assert split_sentences(text) == [(0, len(text))]


@pytest.mark.parametrize(("text", "first"), TWO_SENTENCES)
def test_a_sentence_ends_where_the_next_begins(text: str, first: str) -> None:
    spans = split_sentences(text)
    assert [text[a:b] for a, b in spans] == [first, text[len(first) + 1 :]]


def test_a_part_of_a_text_is_split_in_its_own_bounds() -> None:
    text = "One. Two. Three."
    assert [text[a:b] for a, b in split_sentences(text, 5, 12)] == ["Two.", "Th"]


def test_no_sentence_crosses_a_section() -> None:
    article = Article(1, 1, "A title", (Section("AIM", "to see"), Section("", "It did. So.")), None)
    text = article.text
    assert [text[a:b] for a, b in sentence_spans(article)] == [
        "A title",
        "to see",
        "It did.",
        "So.",
    ]


def test_nothing_gives_nothing() -> None:
    assert split_sentences("") == []
    assert split_sentences(" \n ") == []


@given(st.text(alphabet=st.sampled_from("aZ1 .?!\n()[]\"',;\u2003\u00c9e"), max_size=60))
def test_each_character_that_is_not_space_lies_in_one_sentence(text: str) -> None:
    spans = split_sentences(text)
    covered = [place for a, b in spans for place in range(a, b)]
    assert len(covered) == len(set(covered))
    visible = {place for place, letter in enumerate(text) if not letter.isspace()}
    assert visible <= set(covered)
    assert all(not text[a].isspace() and not text[b - 1].isspace() for a, b in spans)
    assert spans == sorted(spans)
