"""The graph as a retriever of LlamaIndex: `BaseRetriever`, sync and async.

from retrieval.llama import EvidenceRetriever
nodes = EvidenceRetriever("my-graph").retrieve("Does vitamin D prevent falls?")
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    ObjectType,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from kg_builder.model import REFUTES
from retrieval.embedding import EmbeddingSource
from retrieval.llama_defaults import refuse_hosted_defaults
from retrieval.passages import Passage, PassageEdge, Retriever, concepts_of, open_retriever

SHOWN = "citation"
"""The only metadata that a language model is shown."""


class EvidenceRetriever(BaseRetriever):
    """Ranked, cited sentences of a graph as nodes, one for each article.

    A node's text is the sentence. Its metadata are plain JSON: `pmid`, `title`, `published` (ISO
    date or `None`), `start` and `end` (of the sentence in `Article.text`), `score`; `subject`,
    `predicate`, `object` (names), `subject_id`, `object_id`, `polarity`, `hedged`, `belief` of
    the assertion that the sentence makes and that is believed most (each `None` where it makes
    none), and all of them as `edges`; `path`, the names of the concepts that lead to the sentence.
    A language model is shown the sentence behind its citation alone.

    Its id is a function of PMID, place and sentence; its `SOURCE` is the article. As soon as one is
    made, LlamaIndex's defaults refuse instead of asking a hosted model, where nobody set others.
    `retrieve` can be called from several threads; one is served at a time.
    """

    def __init__(
        self,
        graph: str | Retriever,
        *,
        similarity_top_k: int = 10,
        as_of: date | None = None,
        embedding: EmbeddingSource | None = None,
        callback_manager: CallbackManager | None = None,
        verbose: bool = False,
    ) -> None:
        """`graph` is an address, or a retriever that is open already.

        Raises what `open_retriever` raises, and `ValueError` where k is below 1.
        """
        if similarity_top_k < 1:
            raise ValueError(f"similarity_top_k is {similarity_top_k}, expected 1 or more")
        refuse_hosted_defaults()
        super().__init__(callback_manager=callback_manager, verbose=verbose)
        self._graph = open_retriever(graph, embedding) if isinstance(graph, str) else graph
        self._k = similarity_top_k
        self._as_of = as_of
        self._one_at_a_time = threading.Lock()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with self._one_at_a_time:
            passages = self._graph.retrieve(query_bundle.query_str, self._k, self._as_of)
            names = self._graph.names(concepts_of(passages), self._as_of)
        return [node_of(passage, names) for passage in passages]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def node_of(passage: Passage, names: Mapping[str, str]) -> NodeWithScore:
    """A passage as a node; `names` are those of its concepts, by id."""
    metadata = _metadata(passage, names)
    source = {"pmid": passage.pmid, "title": passage.title, "published": metadata["published"]}
    node = TextNode(
        id_=node_id(passage),
        text=passage.sentence,
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=[key for key in metadata if key != SHOWN],
        metadata_template="{value}",
        text_template="{metadata_str} {content}",
        relationships={
            NodeRelationship.SOURCE: RelatedNodeInfo(
                node_id=f"PMID:{passage.pmid}", node_type=ObjectType.DOCUMENT, metadata=source
            )
        },
    )
    return NodeWithScore(node=node, score=passage.score)


def node_id(passage: Passage) -> str:
    """Names a sentence: the same in every graph that holds this version of the article."""
    mark = sha256(passage.sentence.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"PMID:{passage.pmid}:{passage.start}-{passage.end}:{mark}"


def _metadata(passage: Passage, names: Mapping[str, str]) -> dict[str, Any]:
    edges = [_edge(edge, names) for edge in passage.edges]
    related = [edge for edge in edges if edge["predicate"] != "CO_OCCURS_WITH"]
    main = max(related or edges, key=lambda edge: edge["belief"], default=None)
    return {
        "pmid": passage.pmid,
        "title": passage.title,
        "published": passage.published.isoformat() if passage.published else None,
        "start": passage.start,
        "end": passage.end,
        "score": passage.score,
        **(main or dict.fromkeys(_EDGE_KEYS)),
        "edges": edges,
        "path": [names.get(concept_id, concept_id) for concept_id in passage.path],
        SHOWN: citation(passage, related),
    }


_EDGE_KEYS = (
    "subject",
    "subject_id",
    "predicate",
    "object",
    "object_id",
    "polarity",
    "hedged",
    "belief",
)


def _edge(edge: PassageEdge, names: Mapping[str, str]) -> dict[str, Any]:
    values = (
        names.get(edge.subject_id, edge.subject_id),
        edge.subject_id,
        edge.predicate,
        names.get(edge.object_id, edge.object_id),
        edge.object_id,
        edge.polarity,
        edge.hedged,
        edge.belief,
    )
    return dict(zip(_EDGE_KEYS, values, strict=True))


def citation(passage: Passage, related: Iterable[Mapping[str, Any]]) -> str:
    """How a passage is shown: `[PMID 123] (2001; against: aspirin CAUSES asthma)`."""
    told = [str(passage.published.year) if passage.published else "undated"]
    for edge in related:
        side = "against" if edge["polarity"] == REFUTES else "for"
        hedge = ", hedged" if edge["hedged"] else ""
        told.append(f"{side}: {edge['subject']} {edge['predicate']} {edge['object']}{hedge}")
    return f"[PMID {passage.pmid}] ({'; '.join(told)})"
