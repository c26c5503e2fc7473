"""A question, a problem list or a note in; ranked, cited sentences out."""

from retrieval.passages import Passage, PassageEdge, Retriever, open_retriever

__all__ = ["Passage", "PassageEdge", "Retriever", "open_retriever"]
