"""Relations of single sentences, each readable by eye; concepts are marked as [name|GROUP]."""

from __future__ import annotations

import re
from datetime import date

import pytest

from kg_builder.model import SYMMETRIC, Article, Evidence, PublicationDate, Section
from kg_builder.pairs import CROWDED, CROWDED_REACH
from kg_builder.relations import RelationExtractor
from kg_builder.sentences import sentence_spans
from ontologies.linker import Mention

_MARK = re.compile(r"\[([^|\]]+)\|([A-Z]+)\]")


def read(marked: str) -> tuple[Article, list[Evidence]]:
    """Evidence of a title written with marked concepts; the name in lower case is the id."""
    mentions, plain, groups, last = [], "", {}, 0
    for match in _MARK.finditer(marked):
        plain += marked[last : match.start()]
        concept = match[1].lower()
        groups[concept] = frozenset({match[2]})
        mentions.append(Mention(len(plain), len(plain) + len(match[1]), match[1], concept, 1.0))
        plain += match[1]
        last = match.end()
    article = Article(7, 2, plain + marked[last:], (), PublicationDate(1999, 2))
    extractor = RelationExtractor(groups.__getitem__)
    return article, extractor.relate(article, sentence_spans(article), mentions)


def stated(marked: str) -> list[tuple[str, str, str]]:
    return sorted(e[:3] for e in read(marked)[1] if e.predicate != "CO_OCCURS_WITH")


STATED = [
    ("[Aspirin|CHEM]-induced [asthma|DISO].", ("aspirin", "CAUSES", "asthma")),
    ("[Aspirin|CHEM] caused [asthma|DISO].", ("aspirin", "CAUSES", "asthma")),
    ("[Asthma|DISO] was caused by [aspirin|CHEM].", ("aspirin", "CAUSES", "asthma")),
    ("[Asthma|DISO] due to [aspirin|CHEM].", ("aspirin", "CAUSES", "asthma")),
    ("[Asthma|DISO] after [aspirin|CHEM].", ("aspirin", "CAUSES", "asthma")),
    ("[Asthma|DISO] is a side effect of [aspirin|CHEM].", ("aspirin", "CAUSES", "asthma")),
    ("Side effects of [aspirin|CHEM] include [asthma|DISO].", ("aspirin", "CAUSES", "asthma")),
    ("[Aspirin|CHEM] for the treatment of [fever|DISO].", ("aspirin", "TREATS", "fever")),
    ("Treatment of [fever|DISO] with [aspirin|CHEM].", ("aspirin", "TREATS", "fever")),
    ("[Fever|DISO] was treated with [aspirin|CHEM].", ("aspirin", "TREATS", "fever")),
    ("[Aspirin|CHEM] in patients with [fever|DISO].", ("aspirin", "TREATS", "fever")),
    ("[Aspirin|CHEM] prevents [stroke|DISO].", ("aspirin", "PREVENTS", "stroke")),
    ("[Smoking|CHEM] is a risk factor for [stroke|DISO].", ("smoking", "PREDISPOSES", "stroke")),
    ("Risk of [stroke|DISO] with [oestrogen|CHEM].", ("oestrogen", "PREDISPOSES", "stroke")),
    ("[Measles|DISO] complicated by [pneumonia|DISO].", ("pneumonia", "COMPLICATES", "measles")),
    ("[MRI|PROC] for the diagnosis of [stroke|DISO].", ("mri", "DIAGNOSES", "stroke")),
    ("Effect of [aspirin|CHEM] on [clotting|PHYS].", ("aspirin", "AFFECTS", "clotting")),
    ("Inhibition of [COX|GENE] by [aspirin|CHEM].", ("aspirin", "INHIBITS", "cox")),
    ("[Aspirin|CHEM] inhibits [COX|GENE].", ("aspirin", "INHIBITS", "cox")),
    ("[Insulin|CHEM] stimulates [growth|PHYS].", ("insulin", "STIMULATES", "growth")),
    ("[Warfarin|CHEM] interacts with [aspirin|CHEM].", ("aspirin", "INTERACTS_WITH", "warfarin")),
    (
        "Association of [BRCA1|GENE] with [cancer|DISO].",
        ("brca1", "ASSOCIATED_WITH", "cancer"),
    ),
    ("[Stroke|DISO] along with [anaemia|DISO].", ("anaemia", "COEXISTS_WITH", "stroke")),
]


@pytest.mark.parametrize(("sentence", "assertion"), STATED)
def test_what_a_sentence_states(sentence: str, assertion: tuple[str, str, str]) -> None:
    assert stated(sentence) == [assertion]


def test_the_table_of_examples_knows_each_predicate_that_is_read_from_text() -> None:
    from kg_builder.model import PREDICATES

    told = {assertion[1] for _, assertion in STATED}
    assert told == set(PREDICATES) - {"ISA", "CO_OCCURS_WITH"}


def test_listed_concepts_share_the_statement() -> None:
    assert stated(
        "[Aspirin|CHEM] and [iron|CHEM] cause [pain|DISO], [fever|DISO] and [rash|DISO]."
    ) == [
        (drug, "CAUSES", harm) for drug in ("aspirin", "iron") for harm in ("fever", "pain", "rash")
    ]


def test_a_chemical_goes_before_its_host_and_the_manner_in_which_it_is_given() -> None:
    assert stated("[Iron|CHEM] in [rats|LIVB] caused [pain|DISO].") == [("iron", "CAUSES", "pain")]
    assert stated("[Pain|DISO] due to [infusion|PROC] of [iron|CHEM].") == [
        ("iron", "CAUSES", "pain")
    ]
    assert stated("[Pain|DISO] due to [surgery|PROC].") == [("surgery", "CAUSES", "pain")]
    assert stated("[Yeast|LIVB] caused [fever|DISO].") == [("yeast", "CAUSES", "fever")]


def test_lists_that_are_introduced_share_the_statement() -> None:
    assert stated("[Nsaids|CHEM] (oral) such as [aspirin|CHEM] cause [pain|DISO].") == [
        ("aspirin", "CAUSES", "pain"),
        ("nsaids", "CAUSES", "pain"),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "[Aspirin|CHEM] led to relief of [pain|DISO].",
        "[Aspirin|CHEM] resulted in [pain|DISO] relief.",
        "Improvement of [pain|DISO] after [aspirin|CHEM].",
        "Patients with [asthma|DISO] after [aspirin|CHEM].",
        "[Aspirin|CHEM] was cheap; it caused [fever|DISO].",
    ],
)
def test_a_benefit_is_no_harm(sentence: str) -> None:
    assert [e for e in stated(sentence) if e[1] == "CAUSES"] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "[Fever|DISO] treats [aspirin|CHEM].",  # groups the wrong way round
        "[Aspirin|CHEM] treats [aspirin|CHEM].",  # a self-relation
        "[Aspirin|CHEM] and [fever|DISO] were seen.",  # no trigger
        "[Aspirin|CHEM] was cheap, but he caused [fever|DISO].",  # a clause between them
        "[London|GEOG] causes [fever|DISO].",  # a group that makes no edge
    ],
)
def test_what_is_not_stated(sentence: str) -> None:
    assert stated(sentence) == []


def test_a_pair_without_statement_co_occurs_once_smaller_id_first() -> None:
    article, evidence = read("[Zinc|CHEM], [aspirin|CHEM], [zinc|CHEM] and [London|GEOG].")
    (only,) = evidence
    assert only[:3] == ("aspirin", "CO_OCCURS_WITH", "zinc")
    assert article.text[only.subject_start : only.subject_end] == "aspirin"
    assert (only.object_start, only.object_end) == (0, 4)
    assert only.cue_start == only.cue_end
    assert (only.polarity, only.hedged) == ("supports", False)


def test_groups_that_may_not_relate_do_not_co_occur() -> None:
    assert read("[Arm|ANAT] and [leg|ANAT].")[1] == []
    assert len(read("[Arm|ANAT] and [fever|DISO].")[1]) == 1


def test_evidence_carries_spans_article_and_last_day_of_its_date() -> None:
    article, (evidence,) = read("[Warfarin|CHEM] interacts with [aspirin|CHEM].")
    text = article.text
    assert text[evidence.subject_start : evidence.subject_end] == "aspirin"
    assert text[evidence.object_start : evidence.object_end] == "Warfarin"
    assert text[evidence.cue_start : evidence.cue_end] == "interacts with"
    assert text[evidence.sentence_start : evidence.sentence_end] == text
    assert (evidence.pmid, evidence.version) == (7, 2)
    assert evidence.published == date(1999, 2, 28)
    assert evidence.extractor == RelationExtractor.version
    assert 0 < evidence.score <= 10_000


def test_the_mention_nearest_to_the_trigger_is_taken() -> None:
    article, evidence = read("[Iron|CHEM] or more [iron|CHEM] causes [pain|DISO].")
    assert [e.subject_start for e in evidence] == [article.text.index("iron")]


def test_mentions_without_concept_and_across_sentences_take_no_part() -> None:
    article = Article(1, 1, "Iron. Pain", (Section("", "caused by iron."),), None)
    mentions = [
        Mention(0, 8, "Iron. Pa", "c", 1.0),
        Mention(6, 10, "Pain", None, 1.0),
        Mention(21, 25, "iron", "c", 1.0),
    ]
    extractor = RelationExtractor({"c": frozenset({"CHEM"})}.__getitem__)
    assert extractor.relate(article, sentence_spans(article), mentions) == []


def test_capitals_that_become_two_letters_move_nothing() -> None:
    article, evidence = read("İ İ [iron|CHEM] causes [pain|DISO].")
    (only,) = evidence
    assert article.text[only.cue_start : only.cue_end] == "causes"


def test_crowded_sentences_pair_neighbours_and_count_the_rest() -> None:
    size = CROWDED + 5
    words = [f"c{position:02}" for position in range(size)]
    text = " ".join(words) + "."
    mentions = [Mention(4 * i, 4 * i + 3, word, word, 1.0) for i, word in enumerate(words)]
    article = Article(1, 1, text, (), None)
    extractor = RelationExtractor(lambda _: frozenset({"CHEM"}))
    spans = sentence_spans(article)
    pairs = {(e.subject_id, e.object_id) for e in extractor.relate(article, spans, mentions)}
    every = {(a, b) for i, a in enumerate(words) for b in words[i + 1 :]}
    near = {(a, b) for a, b in every if int(b[1:]) - int(a[1:]) <= CROWDED_REACH}
    assert pairs == near
    assert extractor.left_out(spans, mentions) == len(every - near)


def test_symmetric_predicates_have_the_smaller_id_first() -> None:
    for sentence, (_, predicate, _) in STATED:
        for evidence in read(sentence)[1]:
            if predicate in SYMMETRIC:
                assert evidence.subject_id < evidence.object_id
