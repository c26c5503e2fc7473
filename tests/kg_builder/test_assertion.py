"""Polarity and hedging of one relation; every sentence names the drug Xine and the harm pain."""

from __future__ import annotations

import pytest

from kg_builder.model import Article, Evidence
from kg_builder.relations import RelationExtractor
from ontologies.linker import Mention

GROUPS = {"Xine": frozenset({"CHEM"}), "pain": frozenset({"DISO"})}


def statement(sentence: str) -> Evidence:
    """The one evidence that the sentence gives, which must be more than co-occurrence."""
    mentions = sorted(
        Mention(sentence.index(name), sentence.index(name) + len(name), name, name, 1.0)
        for name in GROUPS
    )
    article = Article(1, 1, sentence, (), None)
    extractor = RelationExtractor(GROUPS.__getitem__)
    (evidence,) = extractor.relate(article, [(0, len(sentence))], mentions)
    assert evidence.predicate != "CO_OCCURS_WITH"
    return evidence


@pytest.mark.parametrize(
    "sentence",
    [
        "Xine did not cause pain.",
        "Xine does not prevent pain.",
        "Xine failed to reduce pain.",
        "Xine is not associated with pain.",
        "Neither Xine nor its salt caused pain.",
        "Xine caused no pain.",
        "Xine never caused or aggravated pain.",
        "There was no association between Xine and pain.",
        "No evidence was found for an association of Xine with pain.",
        "An association of Xine with pain was not confirmed.",
        "Lack of effect of Xine on pain.",
        "No Xine-induced pain was seen.",
        "None of the patients given Xine developed pain.",
        "In short, no Xine caused pain.",
        "Xine was not found to cause pain.",
    ],
)
def test_a_denied_relation_is_refuted(sentence: str) -> None:
    assert statement(sentence).polarity == "refutes"


@pytest.mark.parametrize(
    "sentence",
    [
        "Xine caused pain.",
        "Xine not only caused pain.",
        "It did not help, but Xine caused pain.",
        "It did not reverse Xine-induced pain.",
        "It did not alter the rate at which Xine caused pain.",
        "Xine caused pain, which was not severe.",
        "With or without food Xine caused pain.",
        "NO release and Xine caused pain.",
        "It is not superior to Xine in the treatment of pain.",
        "Independent of diet Xine caused pain.",
        "Sleep without Xine causes pain.",
        "In all without fever Xine caused pain.",
        "Those who did not sleep and rest felt Xine cause pain.",
    ],
)
def test_a_denial_out_of_scope_refutes_nothing(sentence: str) -> None:
    assert statement(sentence).polarity == "supports"


@pytest.mark.parametrize(
    "sentence",
    [
        "Xine may cause pain.",
        "These data suggest that Xine causes pain.",
        "We asked whether Xine causes pain.",
        "To determine the effect of Xine on pain.",
        "Xine is a possible cause of pain.",
        "Does Xine cause pain?",
        "Possible Xine-induced pain.",
        "The effect of Xine on pain is unknown.",
        "Fever, or pain possibly due to Xine.",
        "We asked whether pain was caused by Xine.",
        "Xine may relieve fever and cause pain.",
    ],
)
def test_a_doubted_relation_is_hedged(sentence: str) -> None:
    assert statement(sentence).hedged


@pytest.mark.parametrize(
    "sentence",
    [
        "Xine caused pain.",
        "It may help, but Xine caused pain.",
        "These data suggest that it relieves Xine-induced pain.",
        "Xine caused pain that may last.",
        "To study pain caused by Xine.",
        "To study the drug Xine, which causes pain.",
        "It may result from sleep when Xine causes pain.",
    ],
)
def test_a_doubt_out_of_scope_hedges_nothing(sentence: str) -> None:
    assert not statement(sentence).hedged


def test_denial_and_doubt_may_meet() -> None:
    both = statement("These data suggest that Xine does not cause pain.")
    assert (both.polarity, both.hedged) == ("refutes", True)
