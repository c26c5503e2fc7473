"""Concepts by name in a Neo4j database, by the full-text indexes that a publish makes there.

What the server gives are candidates: `kg_builder.search` ranks them, as it does for every store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from kg_builder.neo4j_rows import KEY_CHARACTERS
from kg_builder.search import code_key, normalize

WORDS_AT_ONCE = 500
"""Words of one full-text query, which may have 1,024."""

_EXACT = "CALL db.index.fulltext.queryNodes('medweave_keys', $query) YIELD node RETURN node.id"
_PREFIXED = """
CALL db.index.fulltext.queryNodes('medweave_keys', $query) YIELD node
WITH node.id AS id, reduce(least = 1000000, name IN node.search_names |
  CASE WHEN name STARTS WITH $text AND size(name) < least THEN size(name) ELSE least END) AS size
RETURN id ORDER BY size, id LIMIT $limit
"""
_SHARING = """
UNWIND $queries AS query
CALL db.index.fulltext.queryNodes('medweave_words', query) YIELD node
WITH DISTINCT node
WITH node.id AS id, [at IN range(0, size(node.search_names) - 1) |
  1.0 - 2.0 * size([word IN $words WHERE word IN split(node.search_names[at], ' ')])
    / (size($words) + node.search_words[at])] AS distances
WITH id, reduce(least = 2.0, d IN distances | CASE WHEN d < least THEN d ELSE least END) AS least
RETURN id ORDER BY least, id LIMIT $limit
"""


class Rows(Protocol):
    """Runs a statement that reads, and gives its rows."""

    def __call__(self, statement: str, /, **params: Any) -> list[list[Any]]: ...


def candidate_ids(rows: Rows, text: str, limit: int) -> set[str]:
    """Ids of all exact fits of a text, and of the nearest `limit` others by their beginning and
    by their words: see `name_index.candidates`.
    """
    known = text.encode("utf-8", "ignore").decode("utf-8")  # no name holds half a character
    name = normalize(known)[:KEY_CHARACTERS]
    code = code_key(known)[:KEY_CHARACTERS]
    found: list[list[Any]] = []
    if code:
        found += rows(_EXACT, query=f"search_codes:{_phrase(code)}")
    if name:
        found += rows(_EXACT, query=f"search_names:{_phrase(name)}")
        found += _alike(rows, name, limit)
    return {row[0] for row in found}


def _alike(rows: Rows, name: str, limit: int) -> Iterator[list[Any]]:
    prefix = name.replace(" ", "\\ ") + "*"
    yield from rows(_PREFIXED, query=f"search_names:{prefix}", text=name, limit=limit)
    words = sorted(set(name.split(" ")))
    starts = range(0, len(words), WORDS_AT_ONCE)
    queries = [" ".join(words[start : start + WORDS_AT_ONCE]) for start in starts]
    yield from rows(_SHARING, queries=queries, words=words, limit=limit)


def _phrase(text: str) -> str:
    """A text as one term of a full-text query."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
