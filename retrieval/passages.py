"""What retrieval returns, and the plain way to ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from kg_builder.model import Subgraph
from ontologies.linker import Seed
from retrieval.embedding import EmbeddingSource


@dataclass(frozen=True, slots=True)
class PassageEdge:
    """An assertion that a passage's sentence supports or refutes.

    `belief` is that of the edge, 0 to 1, over the evidence left at the cut.
    """

    subject_id: str
    predicate: str
    object_id: str
    polarity: str
    hedged: bool
    belief: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the ledger that answers, with where it stands and what it states.

    `start` and `end` index `Article.text` of the article. `score` is comparable within one answer
    alone. `edges` may be empty. `path` are the concept ids that lead from a seed to the sentence,
    empty where the text itself matched.
    """

    pmid: int
    title: str
    sentence: str
    start: int
    end: int
    published: date | None
    score: float
    edges: tuple[PassageEdge, ...] = ()
    path: tuple[str, ...] = ()


def concepts_of(passages: Iterable[Passage]) -> set[str]:
    """The ids of all concepts that passages state something of, or were reached by."""
    told = list(passages)
    ends = {end for p in told for e in p.edges for end in (e.subject_id, e.object_id)}
    return ends | {concept_id for passage in told for concept_id in passage.path}


class Retriever(Protocol):
    """Ranked, cited sentences of one graph. The same query gives the same answer, to the digit.

    `as_of` is inclusive; it raises `ValueError` where it is in the future, and `MissingCutError`
    where the graph holds no cut at or before it. `k` below 1 raises `ValueError`.
    """

    def retrieve(self, text: str, k: int = 10, as_of: date | None = None) -> list[Passage]:
        """The `k` best passages for a question or a note, one for each article."""
        ...

    def retrieve_for_seeds(
        self, seeds: Sequence[Seed], k: int = 10, as_of: date | None = None
    ) -> tuple[list[Passage], Subgraph]:
        """Passages about the concepts, the best first, one for each article, and the part of the
        graph that they come from. A seed's weight is relative to the other seeds'.
        """
        ...

    def names(self, concept_ids: Iterable[str], as_of: date | None = None) -> Mapping[str, str]:
        """The preferred names of those concepts that the graph mentions, by id."""
        ...


def open_retriever(graph_url: str, embedding: EmbeddingSource | None = None) -> Retriever:
    """Open a retriever over a graph directory or a server's address.

    With `embedding`, the folder of a model of sentence-transformers or a LlamaIndex
    `BaseEmbedding`, vectors of the articles rank too; `medweave embed` makes them. Raises
    `FileNotFoundError` where there is no graph, `ValueError` for an address of no store, and for a
    server as `kg_builder.open_store` does; asking raises `MissingVectorsError` where the vectors
    are not made yet.
    """
    from retrieval.retriever import GraphRetriever

    return GraphRetriever.open(graph_url, embedding=embedding)
