"""The reader with a model, over a script."""

from __future__ import annotations

import pytest

from extractor.answers import grammar
from extractor.combined import CombinedReader
from extractor.linking import FindingLinker
from extractor.llm import ScriptedLLM
from extractor.model_reader import ModelReader, merged
from extractor.prompt import PROMPTS, answer, windows
from extractor.rules import RuleReader
from extractor.schema import Finding, Kind, Note, State, Stated, Status
from ontologies import open_linker
from ontologies.starter_vocabulary import starter_vocabulary


@pytest.fixture(scope="module")
def linker(rules: RuleReader) -> FindingLinker:
    vocabulary = starter_vocabulary()
    return FindingLinker(vocabulary, open_linker("lexicon", vocabulary, notes=True))


def problem(quote: str, status: Status = Status.PRESENT) -> Stated:
    return Stated(quote, Kind.PROBLEM, status)


def test_quotes_become_spans_of_the_note_with_concepts(linker: FindingLinker) -> None:
    note = Note(1, 'PMH:\n- "Hypertension"\n- gout\nDenies  chest\tpain.')
    llm = ScriptedLLM(
        {
            "Hypertension": answer([problem("Hypertension")]),
            "gout": answer([problem("gout")]),
            "chest": answer([problem("chest pain", Status.ABSENT), problem("fever")]),
        }
    )
    (read,) = ModelReader(llm, linker).read([note])
    assert [(f.quote, f.status.value, f.concept) for f in read.findings] == [
        ("Hypertension", "present", "UMLS:C0020538"),
        ("gout", "present", "UMLS:C0018099"),
        ("chest\tpain", "absent", "UMLS:C0008031"),
    ]
    assert all(note.text[f.start : f.end] == f.quote for f in read.findings)
    assert [item.quote for item in read.ungrounded] == [" fever"]
    assert (read.state, read.windows, read.truncated, read.invalid) == (State.OK, 3, 0, 0)


def test_a_cut_answer_is_a_state_of_its_own_and_what_stood_before_it_is_kept(
    linker: FindingLinker,
) -> None:
    llm = ScriptedLLM({"pain": answer([problem("pain"), problem("cough")])})
    (read,) = ModelReader(llm, linker, limit=9).read([Note(1, "pain and cough")])
    assert read.state is State.TRUNCATED
    assert read.truncated == 1
    assert [f.quote for f in read.findings] == ["pain"]


def test_an_answer_that_does_not_parse_is_counted_and_gives_nothing(linker: FindingLinker) -> None:
    (read,) = ModelReader(ScriptedLLM({"pain": "none"}), linker).read([Note(1, "pain")])
    assert (read.invalid, read.findings, read.state) == (1, (), State.OK)


def test_of_overlapping_findings_the_longest_is_kept() -> None:
    text = "severe chest pain"
    made = [
        Finding(a, b, text[a:b], Kind.PROBLEM, Status.PRESENT)
        for a, b in ((7, 12), (0, 17), (7, 17))
    ]
    assert merged(made) == (made[1],)


@pytest.mark.parametrize("form", PROMPTS)
def test_the_grammar_lets_only_the_window_s_own_words_be_quoted(form: str) -> None:
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer

    from extractor.small_tokenizer import train_tokenizer

    (window,) = windows("No chest pain (mild) or x-ray.")
    tokenizer = train_tokenizer([window.text] * 5, 700)
    ends = from_tokenizer(tokenizer)

    def allowed(said: str) -> bool:
        ids = tokenizer(said, add_special_tokens=False)["input_ids"]
        matcher = LLMatcher(ends, grammar(window, form))
        assert not matcher.get_error()
        return bool(matcher.validate_tokens(ids) == len(ids))

    for quote in ("chest pain", "mild", "x-ray", "No chest pain (mild) or x-ray"):
        assert allowed(answer([problem(quote)], form)), quote
    for quote in ("chest mild", "hest pain", "fever", "Chest pain"):
        assert not allowed(answer([problem(quote)], form)), quote
    assert allowed("[]")
    assert allowed(answer([problem("chest pain", Status.FAMILY), problem("mild")], form))
    assert not allowed(answer([problem("mild"), problem("chest pain")], form))
    assert not allowed(answer([problem("mild"), problem("mild")], form))
    assert not allowed(answer([problem("mild")], form).replace("problem", "person"))


def test_rules_add_what_the_model_missed_and_the_vocabulary_knows(
    linker: FindingLinker, rules: RuleReader
) -> None:
    llm = ScriptedLLM({"asthma": answer([problem("wobbles", Status.POSSIBLE)])})
    note = Note(1, "No asthma but wobbles and odd swelling of gout.")
    (read,) = CombinedReader(ModelReader(llm, linker), rules).read([note])
    said = [(f.quote, f.status.value) for f in read.findings]
    assert ("asthma", "absent") in said
    assert ("wobbles", "possible") in said
    assert all(note.text[f.start : f.end] == f.quote for f in read.findings)
    assert all(f.concept for f in read.findings if f.quote != "wobbles")
