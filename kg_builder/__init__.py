"""Articles become evidence, evidence a ledger, the ledger a snapshot, the snapshot a store."""

from kg_builder.model import Article, Edge, Evidence, Subgraph
from kg_builder.store import GraphStore, open_store

__all__ = ["Article", "Edge", "Evidence", "GraphStore", "Subgraph", "open_store"]
