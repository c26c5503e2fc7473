"""Articles, sentences and mentions as rows of the ledger's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from kg_builder.model import Article
from kg_builder.schema import LEDGER_TABLES
from ontologies.linker import Mention


def article_table(articles: Iterable[Article]) -> pa.Table:
    """Articles as rows of the ledger; their content hashes are null yet."""
    return table_of("articles", columns_of([_article_row(article) for article in articles], 18))


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


def sentence_table(spans: Sequence[Sequence[tuple[int, int]]]) -> pa.Table:
    """Sentences of many articles as rows of the ledger."""
    return table_of("sentences", [_owners(spans), *columns_of([*chain.from_iterable(spans)], 2)])


def mention_table(linked: Sequence[Sequence[Mention]]) -> pa.Table:
    """Mentions of many articles as rows of the ledger."""
    starts, ends, _, concepts, scores = columns_of([*chain.from_iterable(linked)], 5)
    score = np.rint(np.asarray(scores, float) * 10_000).astype(np.int16)
    words = pa.array(concepts, pa.string()).dictionary_encode()
    return table_of("mentions", [_owners(linked), starts, ends, words, score])


def _owners(groups: Sequence[Sequence[Any]]) -> np.ndarray[Any, Any]:
    """For each member of each group, the number of the group."""
    return np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])


def columns_of(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """Columns of rows; as many empty ones where there is no row."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def table_of(name: str, columns: Sequence[Any]) -> pa.Table:
    """The columns of a ledger's table, in the order of its schema."""
    schema = LEDGER_TABLES[name]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
