"""From records of a file to the tables of a ledger shard: link, split, relate, hash.

Pure: the same records under the same linker and extractor give the same tables, however they
are split into batches. Memory is that of one file's tables, and of one batch's objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
import pyarrow as pa

from kg_builder.digest import contents
from kg_builder.ledger_rows import (
    article_table,
    columns_of,
    mention_table,
    sentence_table,
    table_of,
)
from kg_builder.model import Article, Deletion, Failure
from kg_builder.schema import LEDGER_TABLES
from kg_builder.sentences import sentence_spans
from ontologies.linker import Linker, Mention

BATCH = 1024
"""Articles mined at once: what a table costs however few rows it has is shared by so many."""


class Extractor(Protocol):
    """Relates the mentions of the sentences of articles; `version` names method and version.

    `sentences` and `mentions` are tables of the ledger, ordered by article and start; `article`
    is the place of an article's text in `texts`. What is found has the schema of the ledger's
    evidence, in any order.
    """

    @property
    def version(self) -> str:
        """Name and version of the method; part of what makes evidence unique."""
        ...

    def relate_many(
        self, texts: Sequence[str], sentences: pa.Table, mentions: pa.Table
    ) -> pa.Table:
        """The evidence of many articles at once."""
        ...


@dataclass(frozen=True, slots=True)
class ShardTables:
    """What was mined from one file: tables with the schemas of `schema.LEDGER_TABLES`."""

    articles: pa.Table
    sentences: pa.Table
    mentions: pa.Table
    evidence: pa.Table
    deletions: pa.Table
    failures: pa.Table

    def by_name(self) -> Mapping[str, pa.Table]:
        """The tables by their names in the ledger."""
        return {name: getattr(self, name) for name in LEDGER_TABLES}


def mine(
    records: Iterable[Article | Deletion | Failure],
    linker: Linker,
    extractor: Extractor,
    *,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
) -> ShardTables:
    """Mine one file's records into the tables of its shard.

    `progress` is called after each batch with the number of articles in it. Raises
    `UnmentionedConceptError` where the extractor relates what the linker did not find.
    """
    builder = _Builder()
    for articles in _batched(builder.articles_of(records), batch):
        texts = [article.text for article in articles]
        builder.add(articles, texts, linker.link_many(texts), extractor)
        if progress is not None:
            progress(len(articles))
    return builder.tables()


def _batched(articles: Iterator[Article], size: int) -> Iterator[list[Article]]:
    while some := list(islice(articles, size)):
        yield some


class _Builder:
    """Collects the parts of a shard batch by batch."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in LEDGER_TABLES}
        self._deleted: list[int] = []
        self._failed: list[tuple[str, int | None, str, str]] = []
        self._rows = 0

    def articles_of(self, records: Iterable[Article | Deletion | Failure]) -> Iterator[Article]:
        """The articles among the records; the others are set aside."""
        for record in records:
            if isinstance(record, Article):
                yield record
            elif isinstance(record, Deletion):
                self._deleted.append(record.pmid)
            else:
                self._failed.append((record.place, record.pmid, record.reason, record.detail))

    def add(
        self,
        articles: list[Article],
        texts: list[str],
        linked: list[list[Mention]],
        extractor: Extractor,
    ) -> None:
        rows, mentions = article_table(articles), mention_table(linked)
        sentences = sentence_table([sentence_spans(article) for article in articles])
        evidence = extractor.relate_many(texts, sentences, mentions)
        hashed = contents(rows, mentions, evidence)
        self._parts["articles"].append(_with_hashes(rows, hashed.hashes))
        self._keep("sentences", sentences)
        self._keep("mentions", mentions)
        self._keep("evidence", evidence.take(hashed.order))
        self._rows += len(articles)

    def _keep(self, name: str, table: pa.Table) -> None:
        """Keep a part whose `article` counts from 0 under the shard's own row numbers."""
        numbers = np.asarray(table["article"]) + np.int32(self._rows)
        self._parts[name].append(table.set_column(0, table.schema.field(0), pa.array(numbers)))

    def tables(self) -> ShardTables:
        self._parts["deletions"] = [table_of("deletions", [sorted(set(self._deleted))])]
        self._parts["failures"] = [table_of("failures", columns_of(self._failed, 4))]
        return ShardTables(
            **{
                name: pa.concat_tables([LEDGER_TABLES[name].empty_table(), *parts])
                .unify_dictionaries()
                .combine_chunks()
                for name, parts in self._parts.items()
            }
        )


def _with_hashes(articles: pa.Table, hashes: list[bytes]) -> pa.Table:
    place = articles.schema.get_field_index("content_hash")
    field = articles.schema.field(place)
    return articles.set_column(place, field, pa.array(hashes, field.type))
