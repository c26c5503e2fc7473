"""The graph in LlamaIndex: nodes, engines, routers and tools, and that nothing hosted is asked."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from llama_index.core import Settings
from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine
from llama_index.core.retrievers import RouterRetriever
from llama_index.core.schema import MetadataMode, NodeRelationship, NodeWithScore, TextNode
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.storage.docstore.utils import doc_to_json, json_to_doc
from llama_index.core.tools import QueryEngineTool, RetrieverTool

from kg_builder.demo.questions import demo_questions
from kg_builder.model import REFUTES, SUPPORTS
from kg_builder.update import cut_snapshot
from retrieval import open_retriever
from retrieval.llama import EvidenceRetriever
from retrieval.llama_defaults import NoModelError
from retrieval.query_engine import NOTHING_FOUND, PromptTooLongError, cited_query_engine
from tests.retrieval.language_models import ScriptedLLM
from tests.retrieval.worlds import article, build

QUESTION = "Does aspirin prevent stroke?"
TOLD = [
    article(11, "Aspirin prevents stroke.", "The weather was fine."),
    article(12, "Aspirin did not prevent stroke.", year=2004),
    article(13, "Metformin causes lactic acidosis.", year=2010),
]


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("told"), [TOLD])


@pytest.fixture(scope="module")
def retriever(graph: str) -> EvidenceRetriever:
    return EvidenceRetriever(graph)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """LlamaIndex as a user finds it who has set nothing, but has a key in the environment."""
    monkeypatch.setattr(Settings, "_llm", None)
    monkeypatch.setattr(Settings, "_embed_model", None)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "0" * 48)
    monkeypatch.delenv("IS_TESTING", raising=False)

    def refused(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    yield


def test_a_node_is_the_passage(graph: str, retriever: EvidenceRetriever) -> None:
    passages = open_retriever(graph).retrieve(QUESTION)
    nodes = retriever.retrieve(QUESTION)
    assert [(n.node.metadata["pmid"], n.score, n.text) for n in nodes] == [
        (p.pmid, p.score, p.sentence) for p in passages
    ]
    told = {n.node.metadata["pmid"]: n.node.metadata for n in nodes}
    assert told[11]["polarity"], told[12]["polarity"] == (SUPPORTS, REFUTES)
    assert (told[12]["subject"], told[12]["predicate"]) == ("aspirin", "PREVENTS")
    assert (told[12]["object"], told[12]["hedged"]) == ("stroke", False)
    assert 0.0 <= told[12]["belief"] <= 1.0
    assert (told[12]["published"], told[12]["path"]) == ("2004-12-31", [])
    assert [edge["object"] for edge in told[12]["edges"]] == ["stroke"]
    shown = nodes[0].node.get_content(MetadataMode.LLM)
    assert shown in {
        "[PMID 11] (2001; for: aspirin PREVENTS stroke) Aspirin prevents stroke.",
        "[PMID 12] (2004; against: aspirin PREVENTS stroke) Aspirin did not prevent stroke.",
    }
    assert nodes[0].node.get_content(MetadataMode.EMBED) == nodes[0].text


def test_a_sentence_that_states_nothing_has_no_assertion(tmp_path: Path) -> None:
    nodes = EvidenceRetriever(build(tmp_path, [TOLD])).retrieve("fine weather")
    assert nodes[0].node.metadata["predicate"] is None
    assert nodes[0].node.metadata["edges"] == []
    assert nodes[0].node.get_content(MetadataMode.LLM) == "[PMID 11] (2001) The weather was fine."


def test_nodes_survive_serialization(retriever: EvidenceRetriever) -> None:
    for found in retriever.retrieve(QUESTION):
        node = found.node
        assert json.loads(json.dumps(node.metadata)) == node.metadata
        for again in (
            TextNode.from_dict(node.to_dict()),
            TextNode.from_json(node.to_json()),
            pickle.loads(pickle.dumps(node)),
        ):
            assert again == node
            assert again.hash == node.hash
            assert again.source_node == node.source_node
        assert json_to_doc(doc_to_json(node)) == node
        assert pickle.loads(pickle.dumps(found)) == found


def test_node_ids_are_stable(graph: str, retriever: EvidenceRetriever) -> None:
    first, again = retriever.retrieve(QUESTION), EvidenceRetriever(graph).retrieve(QUESTION)
    assert [n.node_id for n in first] == [n.node_id for n in again]
    assert len({n.node_id for n in first}) == len(first)
    source = first[0].node.relationships[NodeRelationship.SOURCE]
    assert source.node_id == f"PMID:{first[0].node.metadata['pmid']}"
    assert first[0].node.ref_doc_id == source.node_id


def test_async_equals_sync(retriever: EvidenceRetriever) -> None:
    questions = [QUESTION, "lactic acidosis", "weather"]

    async def at_once() -> list[list[NodeWithScore]]:
        return await asyncio.gather(*(retriever.aretrieve(one) for one in questions))

    assert asyncio.run(at_once()) == [retriever.retrieve(one) for one in questions]


def test_a_cut_and_a_bound_are_kept(tmp_path: Path) -> None:
    graph = build(tmp_path, [TOLD])
    cut_snapshot(graph, date(2003, 12, 31))
    early = EvidenceRetriever(graph, as_of=date(2003, 12, 31)).retrieve(QUESTION)
    assert [n.node.metadata["pmid"] for n in early] == [11]
    assert len(EvidenceRetriever(graph, similarity_top_k=1).retrieve(QUESTION)) == 1
    with pytest.raises(ValueError, match="similarity_top_k is 0"):
        EvidenceRetriever(graph, similarity_top_k=0)


# -- answers ----------------------------------------------------------------------------------

WRITTEN = "It does [PMID 11]. It does not. [PMID 12] It cures colds [PMID 99]. It is cheap."
MARKED = (
    "It does. [PMID 11]\nIt does not. [PMID 12]\n"
    "It cures colds. [PMID 99] (unsupported: no passage of PMID 99 was given)\n"
    "It is cheap. (unsupported: no passage is cited)"
)


def test_a_written_answer_cites_or_is_marked(retriever: EvidenceRetriever) -> None:
    llm = ScriptedLLM(answers=[WRITTEN])
    response = cited_query_engine(retriever, llm).query(QUESTION)
    assert str(response) == MARKED
    claims = response.metadata["claims"]
    assert [claim["support"] for claim in claims] == ["cited", "cited", "not given", "uncited"]
    assert {11, 12} <= {n.node.metadata["pmid"] for n in response.source_nodes}
    (prompt,) = llm.asked
    assert QUESTION in prompt
    assert "[PMID 12] (2004; against: aspirin PREVENTS stroke) Aspirin did not" in prompt
    later = asyncio.run(cited_query_engine(retriever, llm).aquery(QUESTION))
    assert (str(later), later.metadata) == (str(response), response.metadata)


def test_without_a_language_model_the_sentences_answer(retriever: EvidenceRetriever) -> None:
    engine = cited_query_engine(retriever)
    lines = str(engine.query(QUESTION)).splitlines()
    assert [line[:9] for line in lines[:2]] in (
        ["[PMID 11]", "[PMID 12]"],
        ["[PMID 12]", "[PMID 11]"],
    )
    assert str(engine.query("zzqx wvut")) == NOTHING_FOUND
    assert str(asyncio.run(engine.aquery(QUESTION))).splitlines() == lines


def test_what_does_not_fit_is_left_out_and_counted(graph: str) -> None:
    """With 100 words of answer: a context for the prompt and one passage, then for none."""
    retriever = EvidenceRetriever(graph)
    llm = ScriptedLLM(answers=[WRITTEN])
    response = cited_query_engine(retriever, llm).query(QUESTION)
    whole = len(llm.asked[0].split())
    first = [n.node.metadata["pmid"] for n in response.source_nodes]
    tight = ScriptedLLM(answers=[WRITTEN], window=100 + whole - 1)
    response = cited_query_engine(retriever, tight).query(QUESTION)
    assert response.metadata["left_out"] == 1
    assert len(tight.asked[0].split()) <= whole - 1
    assert f"[PMID {first[-1]}]" not in tight.asked[0]
    none = ScriptedLLM(answers=[WRITTEN], window=150)
    with pytest.raises(PromptTooLongError, match="50 tokens"):
        cited_query_engine(retriever, none).query(QUESTION)


def test_the_prompt_can_be_replaced(retriever: EvidenceRetriever) -> None:
    from llama_index.core.prompts import PromptTemplate

    llm = ScriptedLLM(answers=["Yes [PMID 11]."])
    engine = cited_query_engine(retriever, llm)
    assert "response_synthesizer:answer_template" in engine.get_prompts()
    engine.update_prompts(
        {"response_synthesizer:answer_template": PromptTemplate("Q {question} S {passages}")}
    )
    engine.query(QUESTION)
    assert llm.asked[0].startswith(f"Q {QUESTION} S [PMID ")


def test_routers_and_tools_take_it(retriever: EvidenceRetriever) -> None:
    choice = json.dumps([{"choice": 2, "reason": "literature"}])
    llm = ScriptedLLM(answers=[choice, "Yes [PMID 11].", choice])
    other = EvidenceRetriever(retriever._graph, similarity_top_k=1)
    tools = [
        QueryEngineTool.from_defaults(cited_query_engine(one, llm), name, description)
        for one, name, description in (
            (other, "one", "One sentence."),
            (retriever, "all", "All sentences."),
        )
    ]
    selector = LLMSingleSelector.from_defaults(llm=llm)
    router = RouterQueryEngine.from_defaults(tools, llm=llm, selector=selector)
    assert str(router.query(QUESTION)) == "Yes. [PMID 11]"
    retrievers = [RetrieverTool.from_defaults(one, description="it") for one in (other, retriever)]
    routed = RouterRetriever.from_defaults(retrievers, llm=llm, selector=selector)
    assert routed.retrieve(QUESTION) == retriever.retrieve(QUESTION)
    called = retrievers[1].call(QUESTION)
    assert "[PMID 11] (2001; for: aspirin PREVENTS stroke)" in called.content
    assert "PMID" in str(
        QueryEngineTool.from_defaults(cited_query_engine(retriever)).call(QUESTION)
    )


@pytest.mark.usefixtures("no_settings")
def test_nothing_hosted_is_resolved(graph: str) -> None:
    """With a key in the environment, LlamaIndex would send the question to its vendor."""
    retriever = EvidenceRetriever(graph)
    assert str(cited_query_engine(retriever).query(QUESTION)).startswith("[PMID 1")
    with pytest.raises(NoModelError, match="no language model was given"):
        RetrieverQueryEngine.from_args(retriever).query(QUESTION)
    with pytest.raises(NoModelError, match="no language model was given"):
        asyncio.run(RetrieverQueryEngine(retriever).aquery(QUESTION))
    with pytest.raises(NoModelError, match="no embedding model was given"):
        Settings.embed_model.get_query_embedding(QUESTION)


@pytest.mark.usefixtures("no_settings")
def test_what_a_user_set_stays(graph: str) -> None:
    llm = ScriptedLLM(answers=["Yes."])
    Settings.llm = llm
    EvidenceRetriever(graph)
    assert Settings.llm is llm


def test_the_demo_answers_through_llamaindex(demo_graph: Path) -> None:
    retriever = EvidenceRetriever(str(demo_graph), similarity_top_k=20)
    question = next(question for question in demo_questions() if question.demo)
    found = {n.node.metadata["pmid"] for n in retriever.retrieve(question.text)}
    assert set(question.supporting) <= found
