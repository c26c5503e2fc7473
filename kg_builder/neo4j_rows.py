"""What a snapshot is in Neo4j: its nodes and relationships as rows, with hashes to compare by.

Every node has the second label `:Medweave`. A row is a list of values in the order of its columns,
a list where a property is one. `publish` sends rows over Bolt, `neo4j_import` writes the same
rows as CSV, so that both make the same database.

- `edge` numbers an assertion; evidence and the relationship that it supports share it. `hash` is
  what a publish compares: it follows from all that a node or relationship says. Of an article it
  covers its evidence and mentions, which are always written with it in one transaction.
- `article` of evidence is the PMID, `spans` are start and end of sentence, subject, object and
  cue in the article's text (`Evidence` of `kg_builder.model`).
- `search_names` are the distinct normalized names, `search_words` the number of distinct words of
  each, `search_codes` the identifiers in lower case: what the full-text indexes hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.digest import SPANS, hash_matrix
from kg_builder.edge_table import spread
from kg_builder.model import PREDICATES, REFUTES, SUPPORTS, EdgeKey
from kg_builder.search import normalize
from kg_builder.snapshot_tables import SnapshotTables
from kg_builder.snapshot_values import hierarchy
from ontologies.concept import Concept, Name

Array = npt.NDArray[Any]
Row = list[Any]

LAYOUT = 1
"""Raised when rows change, so that a publish writes anew what an older version wrote."""
SNAPSHOT_ID = "medweave"
"""The id of the one `:Snapshot` node; no concept's, since those are CURIEs."""
HASH_BITS = 40
"""Bits of a relationship's hash: the sum over a concept's 8 million edges fits an integer."""
KEY_CHARACTERS = 4000
"""Characters of a name that are searched: an index holds no longer words (32,766 bytes)."""
HIERARCHY = len(PREDICATES)
"""The code of an `ISA` that the vocabulary states, apart from one that articles state."""

COUNTS = ("supporting", "refuting", "hedged", "first_year", "last_year")

Columns = tuple[tuple[str, str], ...]
CONCEPT: Columns = (
    ("id", "string"), ("name", "string"), ("names", "string[]"), ("name_sources", "string[]"),
    ("name_scopes", "string[]"), ("name_notes_only", "boolean[]"), ("semantic_types", "string[]"),
    ("parents", "string[]"), ("xrefs", "string[]"), ("definition", "string"),
    ("articles", "long"), ("search_names", "string[]"), ("search_words", "long[]"),
    ("search_codes", "string[]"), ("hash", "long"),
)  # fmt: skip
ARTICLE: Columns = (
    ("pmid", "long"), ("version", "long"), ("title", "string"), ("sections", "long"),
    ("section_labels", "string[]"), ("section_texts", "string[]"), ("year", "long"),
    ("month", "long"), ("day", "long"), ("published", "date"), ("types", "string[]"),
    ("mesh", "string[]"), ("languages", "string[]"), ("retracted", "boolean"),
    ("revised", "string"), ("journal", "string"), ("doi", "string"),
    ("vernacular_title", "string"), ("sentences", "long"), ("mentions", "long"),
    ("evidence", "long"), ("hash", "long"),
)  # fmt: skip
EVIDENCE: Columns = (
    ("article", "long"), ("edge", "long"), ("subject_id", "string"), ("predicate", "string"),
    ("object_id", "string"), ("spans", "long[]"), ("polarity", "string"), ("hedged", "boolean"),
    ("score", "long"), ("extractor", "string"), ("published", "date"), ("retracted", "boolean"),
    ("sentence", "string"),
)  # fmt: skip
EDGE: Columns = (*((name, "long") for name in COUNTS), ("edge", "long"), ("hash", "long"))
_CONCEPT_TABLE = ("id", "name", "semantic_types", "parents", "xrefs", "definition", "articles")
_ARTICLE_TABLE = (
    "pmid", "version", "title", "section_labels", "section_texts", "year", "month", "day",
    "published", "types", "mesh", "languages", "retracted", "revised", "journal", "doi",
    "vernacular_title",
)  # fmt: skip


def mix(values: Array) -> Array:
    """Spread 64-bit numbers over all bits (the finalizer of SplitMix64, Steele et al. 2014)."""
    mixed = values.astype(np.uint64, copy=True)
    with np.errstate(over="ignore"):
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def folded(start: Array, *columns: Array) -> Array:
    """One 64-bit number for each row of integers."""
    value = mix(start)
    for column in columns:
        with np.errstate(over="ignore"):
            value = mix(value + column.astype(np.int64).astype(np.uint64) + np.uint64(LAYOUT))
    return value


def concept_codes(ids: Iterable[str]) -> Array:
    """A 64-bit number for each id."""
    hashes = [hashlib.blake2b(i.encode("utf-8"), digest_size=8).digest() for i in ids]
    return np.frombuffer(b"".join(hashes), "<u8")


def edge_numbers(subjects: Array, predicates: Array, objects: Array) -> Array:
    """The property `edge` of assertions, from the codes of their ends and predicates."""
    numbers: Array = (folded(subjects, predicates, objects.view(np.int64)) >> np.uint64(1)).view(
        np.int64
    )
    return numbers


def edge_number(key: EdgeKey) -> int:
    """The property `edge` of one assertion, which must be in its stored direction."""
    subject, object_ = concept_codes((key.subject_id, key.object_id))
    predicate = np.array([PREDICATES.index(key.predicate)])
    return int(edge_numbers(np.array([subject]), predicate, np.array([object_]))[0])


class EdgeRows(NamedTuple):
    """Relationships between concepts as columns, in the order of `subject`, a row of concepts.

    `predicate` is a code, `HIERARCHY` for the vocabulary's. Counts are -1 where they are null.
    """

    subject: Array
    predicate: Array
    object: Array
    counts: Array
    edge: Array
    hash: Array


class Neo4jRows:
    """Rows of one snapshot. `evidence` tells whether evidence is among them.

    Holds 8 bytes for each row of evidence and of occurrence, and about 80 for each edge in memory.
    """

    def __init__(self, tables: SnapshotTables, *, evidence: bool = True) -> None:
        self.tables = tables
        self.digest = str(tables.build["digest"])
        self.with_evidence = evidence

    @cached_property
    def ids(self) -> list[str]:
        """Concept ids, in order."""
        ids: list[str] = self.tables["concepts"].column("id").to_pylist()
        return ids

    @cached_property
    def concept_hashes(self) -> Array:
        """The property `hash` of each concept."""
        said = _first_eight(self.tables["concepts"].column("content_hash"))
        counted = self.tables.column("concepts", "articles")
        hashes: Array = (folded(said, counted) >> np.uint64(1)).view(np.int64)
        return hashes

    def concepts(self, rows: Array) -> Iterator[Row]:
        """Values of `CONCEPT`."""
        table = self.tables["concepts"].take(pa.array(rows, pa.int64())).combine_chunks()
        names = table["names"].combine_chunks()
        ends = np.cumsum(names.value_lengths().fill_null(0).to_numpy()).tolist()
        parts = [_values(column) for column in names.flatten().flatten()]
        plain = [table[name].to_pylist() for name in _CONCEPT_TABLE]
        start = 0
        for end, number, record in zip(
            ends, self.concept_hashes[rows].tolist(), zip(*plain, strict=True), strict=True
        ):
            yield [*_concept(record, [part[start:end] for part in parts]), number]
            start = end

    @cached_property
    def edges(self) -> EdgeRows:
        """All relationships between concepts: edges that count, and the hierarchy."""
        columns = [self.tables.column("edges", name, null=-1) for name in COUNTS]
        shown = np.flatnonzero(columns[0] + columns[1] > 0)
        mined: list[Array] = [
            self.tables.column("edges", n)[shown] for n in ("subject", "predicate", "object")
        ]
        child, parent = hierarchy(self.tables)
        stated: list[Array] = [
            child.astype(np.int32),
            np.full(len(child), HIERARCHY, np.int8),
            parent,
        ]
        ends: list[Array] = [np.concatenate(pair) for pair in zip(mined, stated, strict=True)]
        order = np.argsort(ends[0], kind="stable")
        subject, predicate, object_ = (column[order] for column in ends)
        counts = np.full((len(order), len(COUNTS)), -1, np.int32)
        for place, column in enumerate(columns):
            counts[: len(shown), place] = column[shown]
        counts = counts[order]
        edge = edge_numbers(self._codes[subject], predicate, self._codes[object_])
        hashes = folded(edge, *counts.T) >> np.uint64(64 - HASH_BITS)
        return EdgeRows(subject, predicate, object_, counts, edge, hashes.view(np.int64))

    def edge_values(self, rows: Sequence[int] | Array) -> Iterator[tuple[str, Row]]:
        """(relationship type, [subject id, object id, values of `EDGE`]) of rows of `edges`."""
        edges = EdgeRows(*(column[np.array(rows, np.int64)] for column in self.edges))
        for subject, code, object_, counts, edge, number in zip(
            *(column.tolist() for column in edges), strict=True
        ):
            values = [None if count < 0 else count for count in counts]
            name = "ISA" if code == HIERARCHY else PREDICATES[code]
            yield name, [self.ids[subject], self.ids[object_], *values, edge, number]

    @cached_property
    def _article_counts(self) -> tuple[Array, Array, Array]:
        """Sentences, mentions and pieces of evidence of each article."""
        size = self.tables["articles"].num_rows
        names = ("sentences", "mentions", "evidence")
        counts = [
            np.bincount(self.tables.column(name, "article"), minlength=size) for name in names
        ]
        if not self.with_evidence:
            counts[2] = np.zeros(size, np.int64)
        return counts[0], counts[1], counts[2]

    @cached_property
    def article_hashes(self) -> Array:
        """The property `hash` of each article."""
        said = _first_eight(self.tables["articles"].column("content_hash"))
        hashes: Array = (folded(said, *self._article_counts) >> np.uint64(1)).view(np.int64)
        return hashes

    def weights(self) -> Array:
        """How many nodes and relationships each article takes, itself included."""
        occurring = self.tables.column("occurrence", "article")
        mentioned = np.bincount(occurring, minlength=len(self.article_hashes))
        weights: Array = 1 + mentioned + self._article_counts[2]
        return weights

    def articles(self, rows: Array) -> Iterator[Row]:
        """Values of `ARTICLE`."""
        table = self.tables["articles"].select(_ARTICLE_TABLE).take(pa.array(rows, pa.int64()))
        counts = [column[rows].tolist() for column in self._article_counts]
        hashes = self.article_hashes[rows].tolist()
        for record, *numbers in zip(table.to_pylist(), *counts, hashes, strict=True):
            values = [record[name] for name in _ARTICLE_TABLE]
            yield [*values[:3], len(record["section_texts"]), *values[3:], *numbers]

    def mentions(self, rows: Array) -> Iterator[tuple[int, list[str]]]:
        """(PMID, ids of the concepts mentioned, each once) of these articles that mention any."""
        at, counts = self._of_articles("occurrence", rows)
        concepts = iter(self.tables.column("occurrence", "concept")[at].tolist())
        pmids = self.tables.column("articles", "pmid")[rows].tolist()
        for pmid, count in zip(pmids, counts, strict=True):
            if count:
                yield pmid, [self.ids[concept] for concept in islice(concepts, count)]

    def evidence(self, rows: Array) -> Iterator[tuple[int, list[Row]]]:
        """(PMID, values of `EVIDENCE`) of these articles that have any; none where left out."""
        if not self.with_evidence:
            return
        at, counts = self._of_articles("evidence", rows)
        said = self._said(at)
        columns = ["pmid", "title", "section_texts", "published", "retracted"]
        table = self.tables["articles"].select(columns).take(pa.array(rows, pa.int64()))
        for count, article in zip(counts, table.to_pylist(), strict=True):
            if count:
                text = "\n".join((article["title"], *article["section_texts"]))
                pmid, *last = (article[name] for name in ("pmid", "published", "retracted"))
                found = islice(said, count)
                yield pmid, [[pmid, *v, *last, text[slice(*v[4][:2])]] for v in found]

    def _said(self, rows: Array) -> Iterator[tuple[Any, ...]]:
        """Values of `EVIDENCE` from `edge` to `extractor`, of rows of evidence."""
        edge = self.tables.column("evidence", "edge")[rows]
        subject = self.tables.column("edges", "subject")[edge]
        predicate = self.tables.column("edges", "predicate")[edge]
        object_ = self.tables.column("edges", "object")[edge]
        numbers = edge_numbers(self._codes[subject], predicate, self._codes[object_])
        spans = np.stack([self.tables.column("evidence", name)[rows] for name in SPANS], axis=1)
        refutes = self.tables.bits("evidence", "refutes")[rows].tolist()
        return zip(
            numbers.tolist(),
            [self.ids[row] for row in subject.tolist()],
            [PREDICATES[code] for code in predicate.tolist()],
            [self.ids[row] for row in object_.tolist()],
            spans.tolist(),
            [REFUTES if refuting else SUPPORTS for refuting in refutes],
            self.tables.bits("evidence", "hedged")[rows].tolist(),
            self.tables.column("evidence", "score")[rows].tolist(),
            self.tables.array("evidence", "extractor").take(pa.array(rows)).to_pylist(),
            strict=True,
        )

    @cached_property
    def _codes(self) -> Array:
        return concept_codes(self.ids)

    def _of_articles(self, table: str, rows: Array) -> tuple[Array, list[int]]:
        """Rows of a table that belong to these articles, one article after the other, and how
        many belong to each.
        """
        if table not in self._orders:
            articles = self.tables.column(table, "article")
            order = np.argsort(articles, kind="stable")
            self._orders[table] = (order.astype(np.uint32), articles[order])
        order, articles = self._orders[table]
        keys = rows.astype(articles.dtype)
        starts = np.searchsorted(articles, keys, "left")
        counts = np.searchsorted(articles, keys, "right") - starts
        return order[spread(starts, counts)].astype(np.int64), counts.tolist()

    @cached_property
    def _orders(self) -> dict[str, tuple[Array, Array]]:
        return {}


def _first_eight(column: pa.ChunkedArray) -> Array:
    return np.ascontiguousarray(hash_matrix(column)[:, :8]).view("<u8").reshape(-1)


def _values(column: pa.Array) -> list[Any]:
    """The values of a column, one object for all that are equal: texts come again and again."""
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    return [values[code] for code in encoded.indices.to_pylist()]


def _concept(record: Sequence[Any], names: list[list[Any]]) -> Row:
    """Values of `CONCEPT` but for the hash; `names` are texts, sources, scopes, notes only."""
    concept_id, name, types, parents, xrefs, definition, articles = record
    keys = sorted({normalize(text)[:KEY_CHARACTERS] for text in {name, *names[0]}} - {""})
    codes = sorted({code.casefold()[:KEY_CHARACTERS] for code in (concept_id, *xrefs)})
    return [
        concept_id, name, *names, types, parents, xrefs, definition, articles, keys,
        [len(set(key.split(" "))) for key in keys], codes,
    ]  # fmt: skip


def concept_from(node: dict[str, Any]) -> Concept:
    """A concept from the properties of its node; an absent list is one of nothing.

    `neo4j-admin` cannot tell a list of one empty text from an empty list: how many names there
    are is read from `name_notes_only`.
    """
    notes = node.get("name_notes_only") or []
    texts = [node.get(name) or [""] * len(notes) for name in ("names", "name_sources")]
    scopes = node.get("name_scopes") or [""] * len(notes)
    return Concept(
        id=node["id"],
        name=node["name"],
        names=tuple(Name(*name) for name in zip(*texts, scopes, notes, strict=True)),
        semantic_types=tuple(node.get("semantic_types") or ()),
        parents=tuple(node.get("parents") or ()),
        xrefs=tuple(node.get("xrefs") or ()),
        definition=node.get("definition") or "",
    )


def article_from(node: dict[str, Any]) -> dict[str, Any]:
    """A row of the articles table but for its hash, from the properties of its node."""
    sections = node["sections"]
    lists = {name: node.get(name) or [] for name in ("types", "mesh", "languages")}
    texts = {
        name: node.get(name) or [""] * sections for name in ("section_labels", "section_texts")
    }
    row = {name: node.get(name) for name in _ARTICLE_TABLE}
    empty = {name: row[name] or "" for name in ("revised", "journal", "doi", "vernacular_title")}
    return {**row, **lists, **texts, **empty, "title": row["title"] or ""}


def snapshot_values(rows: Neo4jRows) -> dict[str, Any]:
    """What the one `:Snapshot` node says of a whole graph."""
    return {"digest": rows.digest, "evidence": rows.with_evidence, "layout": LAYOUT}
