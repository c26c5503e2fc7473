"""From records of a file to the tables of a ledger shard: link, split, relate, hash.

Pure: the same records under the same linker and extractor give the same tables, however they
are split into batches. Memory is that of one file's tables, and of one batch's objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from kg_builder.digest import contents
from kg_builder.model import PREDICATES, REFUTES, Article, Deletion, Evidence, Failure
from kg_builder.schema import LEDGER_TABLES
from kg_builder.sentences import sentence_spans
from ontologies.linker import Linker, Mention

BATCH = 256
"""Articles linked at once."""

Spans = Sequence[tuple[int, int]]
_CODE = {name: code for code, name in enumerate(PREDICATES)}


class Extractor(Protocol):
    """Relates the mentions of an article's sentences; `version` names method and version."""

    @property
    def version(self) -> str: ...

    def relate(
        self, article: Article, sentences: Spans, mentions: Sequence[Mention]
    ) -> list[Evidence]: ...


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
        builder.add(articles, linker.link_many(a.text for a in articles), extractor)
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
        self, articles: list[Article], linked: list[list[Mention]], extractor: Extractor
    ) -> None:
        spans = [sentence_spans(article) for article in articles]
        found = [
            extractor.relate(article, own, mentions)
            for article, own, mentions in zip(articles, spans, linked, strict=True)
        ]
        rows = article_table(articles)
        mentions, evidence = _mention_table(linked), _evidence_table(found)
        hashed = contents(rows, mentions, evidence)
        self._parts["articles"].append(_with_hashes(rows, hashed.hashes))
        self._keep("sentences", _sentence_table(spans))
        self._keep("mentions", mentions)
        self._keep("evidence", evidence.take(hashed.order))
        self._rows += len(articles)

    def _keep(self, name: str, table: pa.Table) -> None:
        """Keep a part whose `article` counts from 0 under the shard's own row numbers."""
        numbers = np.asarray(table["article"]) + np.int32(self._rows)
        self._parts[name].append(table.set_column(0, table.schema.field(0), pa.array(numbers)))

    def tables(self) -> ShardTables:
        self._parts["deletions"] = [_table("deletions", [sorted(set(self._deleted))])]
        self._parts["failures"] = [_table("failures", _columns(self._failed, 4))]
        return ShardTables(
            **{
                name: pa.concat_tables([LEDGER_TABLES[name].empty_table(), *parts])
                .unify_dictionaries()
                .combine_chunks()
                for name, parts in self._parts.items()
            }
        )


def article_table(articles: Iterable[Article]) -> pa.Table:
    """Articles as rows of the ledger; their content hashes are null yet."""
    return _table("articles", _columns([_article_row(article) for article in articles], 18))


def _article_row(article: Article) -> tuple[Any, ...]:
    date = article.published
    return (
        article.pmid,
        article.version,
        article.title,
        [section.label for section in article.sections],
        [section.text for section in article.sections],
        date.year if date else None,
        date.month if date else None,
        date.day if date else None,
        date.last_day() if date else None,
        article.types,
        article.mesh,
        article.languages,
        article.retracted,
        article.revised,
        article.journal,
        article.doi,
        article.vernacular_title,
        None,
    )


def _with_hashes(articles: pa.Table, hashes: list[bytes]) -> pa.Table:
    place = articles.schema.get_field_index("content_hash")
    field = articles.schema.field(place)
    return articles.set_column(place, field, pa.array(hashes, field.type))


def _sentence_table(spans: list[list[tuple[int, int]]]) -> pa.Table:
    return _table("sentences", [_owners(spans), *_columns([*chain.from_iterable(spans)], 2)])


def _mention_table(linked: list[list[Mention]]) -> pa.Table:
    starts, ends, _, concepts, scores = _columns([*chain.from_iterable(linked)], 5)
    score = np.rint(np.asarray(scores, float) * 10_000).astype(np.int16)
    return _table("mentions", [_owners(linked), starts, ends, _words(concepts), score])


def _evidence_table(found: list[list[Evidence]]) -> pa.Table:
    columns = dict(zip(Evidence._fields, _columns([*chain.from_iterable(found)], 18), strict=True))
    return _table(
        "evidence",
        [
            _owners(found),
            _words(columns["subject_id"]),
            [_CODE[name] for name in columns["predicate"]],
            _words(columns["object_id"]),
            *(columns[name] for name in LEDGER_TABLES["evidence"].names[4:12]),
            [polarity == REFUTES for polarity in columns["polarity"]],
            columns["hedged"],
            columns["score"],
            _words(columns["extractor"]),
        ],
    )


def _owners(groups: Sequence[Sequence[Any]]) -> np.ndarray[Any, Any]:
    """For each member of each group, the number of the group."""
    return np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])


def _words(texts: Sequence[str | None]) -> pa.DictionaryArray:
    return pa.array(texts, pa.string()).dictionary_encode()


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """Columns of rows; as many empty ones where there is no row."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _table(name: str, columns: Sequence[Any]) -> pa.Table:
    schema = LEDGER_TABLES[name]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
