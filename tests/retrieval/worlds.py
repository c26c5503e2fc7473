"""Graphs built in this process: the demo's corpus, and small ones of a test's own articles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

from kg_builder.demo.questions import corpus_files
from kg_builder.ledger import Ledger, ShardKey
from kg_builder.mine import mine
from kg_builder.model import Article, Deletion, Failure, PublicationDate, Section
from kg_builder.relations import RelationExtractor
from kg_builder.signatures import edge_groups
from kg_builder.snapshot import build_snapshot, set_current
from kg_builder.sources.pubmed import read
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, open_linker
from ontologies.starter_vocabulary import starter_vocabulary

Record = Article | Deletion | Failure


@cache
def tools() -> tuple[Vocabulary, Linker, RelationExtractor]:
    """The starter vocabulary with its linker and extractor."""
    vocabulary = starter_vocabulary()
    extractor = RelationExtractor(lambda c: edge_groups(vocabulary.semantic_types_of(c)))
    return vocabulary, open_linker("lexicon", vocabulary), extractor


def build(graph: Path, files: Iterable[Iterable[Record]]) -> str:
    """Build the graph of some files of records, in their order; return its address."""
    vocabulary, linker, extractor = tools()
    ledger = Ledger.open(graph)
    for number, records in enumerate(files):
        key = ShardKey(f"file {number}", linker.version, extractor.version, vocabulary.digest)
        tables = mine(records, linker, extractor)
        ledger.commit([ledger.write(key, (26, number), f"file {number}", tables)])
    set_current(graph, build_snapshot(graph, vocabulary).digest)
    return str(graph)


def demo_records() -> list[list[Record]]:
    """The records of the demo's corpus, by file."""
    return [list(read(path)) for path in corpus_files()]


def in_force_until(day: date) -> list[Record]:
    """The newest versions of the demo's articles that were published by a day."""
    newest: dict[int, Article] = {}
    for record in (record for records in demo_records() for record in records):
        if isinstance(record, Article):
            newest[record.pmid] = record
        elif isinstance(record, Deletion):
            newest.pop(record.pmid, None)
    return [a for a in newest.values() if a.published is not None and a.published.last_day() <= day]


def article(pmid: int, *sentences: str, year: int = 2001, retracted: bool = False) -> Article:
    """An article without title whose abstract is these sentences."""
    return Article(
        pmid,
        1,
        "",
        (Section("", " ".join(sentences)),),
        PublicationDate(year),
        retracted=retracted,
    )
