"""Compute a graph's digest from its content, whatever keeps that content.

Building takes the content hashes that were computed when a file was mined. Here nothing is taken
on trust: every article, mention, piece of evidence and concept is hashed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.concepts_table import concepts_of
from kg_builder.digest import SPANS, concept_hash, contents, snapshot_digest
from kg_builder.schema import ARTICLE_ROWS
from kg_builder.snapshot_tables import SnapshotTables
from ontologies.concept import Concept

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Content:
    """Some articles with all that belongs to them, as `kg_builder.digest.contents` takes it.

    `articles` has the columns of `LEDGER_ARTICLES` but for the hash, in the order of PMIDs.
    `mentions` needs `article` and `concept`, in any order and as often as one likes; `evidence`
    the columns of `LEDGER_EVIDENCE`. In both, `article` is the row in `articles`.
    """

    articles: pa.Table
    mentions: pa.Table
    evidence: pa.Table


def digest_of_content(parts: Iterable[Content], concepts: Iterable[Concept]) -> str:
    """The digest of a graph: articles in the order of PMIDs, concepts mentioned in that of ids."""
    pmids: list[Array] = [np.zeros(0, np.int64)]
    hashes: list[bytes] = []
    for part in parts:
        pmids.append(np.asarray(part.articles["pmid"]))
        hashes += contents(part.articles, part.mentions, part.evidence).hashes
    matrix = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
    return snapshot_digest(np.concatenate(pmids), matrix, map(concept_hash, concepts))


def digest_of_snapshot(path: Path) -> str:
    """The digest that a snapshot's tables say; equal to its name unless they were altered."""
    tables = SnapshotTables(path)
    return digest_of_content(snapshot_contents(tables), concepts_of(tables["concepts"]))


def snapshot_contents(tables: SnapshotTables) -> Iterator[Content]:
    """All that a snapshot's tables say of its articles."""
    ids = tables.array("concepts", "id")
    mentioned = tables.column("mentions", "article")
    by_article = np.argsort(tables.column("evidence", "article"), kind="stable")
    related = tables.column("evidence", "article")[by_article]
    for start in range(0, tables["articles"].num_rows, ARTICLE_ROWS):
        ends = (start, start + ARTICLE_ROWS)
        first, last = np.searchsorted(mentioned, ends)
        mentions = pa.table(
            {
                "article": mentioned[first:last] - start,
                "concept": ids.take(pa.array(tables.column("mentions", "concept")[first:last])),
            }
        )
        rows = by_article[slice(*np.searchsorted(related, ends))]
        articles = tables["articles"].slice(start, ARTICLE_ROWS)
        yield Content(articles, mentions, _evidence(tables, ids, rows, start))


def _evidence(tables: SnapshotTables, ids: pa.StringArray, rows: Array, start: int) -> pa.Table:
    edge = tables.column("evidence", "edge")[rows]
    ends = {
        name: pa.DictionaryArray.from_arrays(
            pa.array(tables.column("edges", name)[edge]), ids.cast(pa.string())
        )
        for name in ("subject", "object")
    }
    columns = {
        "article": tables.column("evidence", "article")[rows] - start,
        **ends,
        "predicate": tables.column("edges", "predicate")[edge],
        "extractor": tables.array("evidence", "extractor").take(pa.array(rows)),
    }
    for name in (*SPANS, "refutes", "hedged", "score"):
        columns[name] = tables.column("evidence", name)[rows]
    return pa.table(columns)
