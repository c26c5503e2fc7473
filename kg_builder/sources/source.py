"""The seam between a file of citations and what is mined from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kg_builder.model import Article, Deletion, Failure

Record = Article | Deletion | Failure
"""What a file holds: a citation, an order to delete one, or something that could not be read."""

SOURCES = ("pubmed",)
"""Names that `open_source` knows; each runs the contract suite."""


class Source(Protocol):
    """Reads files of citations as a stream of records, in the order of the file.

    Reading never raises for what is in the file, or for a file that cannot be opened: whatever is
    wrong comes as a `Failure` that names file and place, after every good record before it.
    The same bytes give the same records; memory does not grow with the file.
    """

    def read(self, path: str | Path) -> Iterator[Record]:
        """The articles, deletions and failures of a file."""
        ...


def open_source(name: str) -> Source:
    """Open a source by name; `ValueError` lists the known ones."""
    if name == "pubmed":
        from kg_builder.sources.pubmed import PubmedSource

        return PubmedSource()
    raise ValueError(f"unknown source {name!r}; known: {', '.join(SOURCES)}")
