"""Answers over cited passages, as a query engine of LlamaIndex: with a language model or without.

from retrieval.llama import EvidenceRetriever
from retrieval.query_engine import cited_query_engine
print(cited_query_engine(EvidenceRetriever("my-graph")).query("Does vitamin D prevent falls?"))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.llms import LLM
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import MetadataMode, NodeWithScore

from retrieval.claims import Claim, ConceptsOf, claims_of, marked
from retrieval.llama import node_of
from retrieval.llama_defaults import NoLanguageModel
from retrieval.passages import Passage

ANSWER = PromptTemplate(
    "You answer a clinician's question from sentences of the medical literature, and from nothing "
    "else. Each sentence is given with the PMID of its article, its year, and what it is evidence "
    "for or against.\n"
    "Rules: write short sentences; end each with the PMIDs of the sentences that say so, as "
    "[PMID 123, PMID 456]; cite no other PMIDs; where sentences disagree, say what each side "
    "found; where they do not answer the question, say so.\n\n"
    "Sentences:\n{passages}\n\n"
    "Question: {question}\n"
    "Answer:"
)
NOTHING_FOUND = "The graph holds no sentence about this; try other words, or codes."
CHAT_TOKENS = 64
"""Tokens set aside for what a chat template puts around a prompt."""

_GIVEN = re.compile(r"\[PMID (\d+)\] (.*)", re.DOTALL)


class PromptTooLongError(ValueError):
    """Not even one passage fits into the context of a language model beside the question."""


class CitedText(str):
    """An answer as text, with its claims, and the number of passages that did not fit."""

    __slots__ = ("claims", "left_out")

    claims: tuple[Claim, ...]
    left_out: int

    def __new__(cls, text: str, claims: tuple[Claim, ...] = (), left_out: int = 0) -> CitedText:
        made = super().__new__(cls, text)
        made.claims, made.left_out = claims, left_out
        return made


class CitedSynthesizer(BaseSynthesizer):
    """Writes an answer whose every claim carries PMIDs, or is marked as unsupported.

    Without a language model the answer is the passages themselves in their order, each with its
    PMID and what it is evidence for or against; one is never chosen for you. With one, it is asked
    once, with as many of the first passages as its context holds beside `num_output` tokens of
    answer; `count` counts tokens as the model does (`count_tokens` of the model where it has that,
    else one a byte, which no byte-level tokenizer exceeds). The response's metadata hold the
    `claims` and how many passages were `left_out`, beside those of the nodes.
    """

    def __init__(
        self,
        llm: LLM | None = None,
        *,
        count: Callable[[str], int] | None = None,
        concepts_of: ConceptsOf | None = None,
        template: BasePromptTemplate = ANSWER,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        model = llm or NoLanguageModel()
        super().__init__(
            llm=model,
            callback_manager=callback_manager or model.callback_manager,
            empty_response=NOTHING_FOUND,
        )
        self._writes = llm is not None
        self._count = count or getattr(llm, "count_tokens", None) or _bytes
        self._concepts_of = concepts_of
        self._template = template

    def _get_prompts(self) -> dict[str, Any]:
        return {"answer_template": self._template}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        self._template = prompts.get("answer_template", self._template)

    def get_response(
        self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any
    ) -> CitedText:
        """The answer. Raises `PromptTooLongError` where the first passage does not fit."""
        if not self._writes:
            return CitedText("\n".join(text_chunks))
        fitting = self.fitting(query_str, text_chunks)
        written = self._llm.predict(self._template, question=query_str, passages="\n".join(fitting))
        return self._checked(written, fitting, len(text_chunks))

    async def aget_response(
        self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any
    ) -> CitedText:
        """The same as `get_response`."""
        if not self._writes:
            return CitedText("\n".join(text_chunks))
        fitting = self.fitting(query_str, text_chunks)
        written = await self._llm.apredict(
            self._template, question=query_str, passages="\n".join(fitting)
        )
        return self._checked(written, fitting, len(text_chunks))

    def fitting(self, question: str, passages: Sequence[str]) -> list[str]:
        """The first passages that fit with the question and the answer into the context."""
        known = self._llm.metadata
        room = known.context_window - known.num_output - CHAT_TOKENS * known.is_chat_model
        chosen: list[str] = []
        for passage in passages:
            longer = "\n".join([*chosen, passage])
            prompt = self._template.format(question=question, passages=longer)
            if self._count(prompt) > room:
                break
            chosen.append(passage)
        if not chosen:
            raise PromptTooLongError(
                f"the question and one passage do not fit into {room} tokens, which the context "
                f"of {known.context_window} leaves beside {known.num_output} of answer: ask more "
                "shortly, or give the model's tokenizer and true context"
            )
        return chosen

    def _checked(self, written: str, fitting: Sequence[str], passages: int) -> CitedText:
        given: dict[int, str] = {}
        for found in filter(None, map(_GIVEN.match, fitting)):
            given[int(found[1])] = f"{given.get(int(found[1]), '')} {found[2]}".strip()
        claims = claims_of(written, given, self._concepts_of)
        return CitedText(marked(claims), claims, passages - len(fitting))

    def _prepare_response_output(
        self, response_str: Any, source_nodes: list[NodeWithScore]
    ) -> Response:
        metadata = self._get_metadata_for_response([found.node for found in source_nodes]) or {}
        if isinstance(response_str, CitedText):
            metadata["claims"] = [asdict(claim) for claim in response_str.claims]
            metadata["left_out"] = response_str.left_out
        return Response(str(response_str), source_nodes=source_nodes, metadata=metadata)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def cited_query_engine(
    retriever: BaseRetriever, llm: LLM | None = None, **options: Any
) -> RetrieverQueryEngine:
    """A query engine over a retriever; `options` are those of `CitedSynthesizer`."""
    return RetrieverQueryEngine(retriever, CitedSynthesizer(llm, **options))


def write_answer(
    llm: LLM,
    question: str,
    passages: Iterable[Passage],
    names: Mapping[str, str],
    *,
    count: Callable[[str], int] | None = None,
    concepts_of: ConceptsOf | None = None,
) -> CitedText:
    """An answer from passages that are at hand already; `names` are those of their concepts."""
    writer = CitedSynthesizer(llm, count=count, concepts_of=concepts_of)
    nodes = [node_of(passage, names).node for passage in passages]
    return writer.get_response(question, [n.get_content(MetadataMode.LLM) for n in nodes])
