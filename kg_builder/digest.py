"""What a graph says, as a hash: of an article's content, of a concept's, of a snapshot.

All is hashed over canonical bytes: integers of fixed width, little endian; texts in UTF-8, their
lengths told before; strings of an article in order, rows pointing into them. No floats, no
statistics, no file names, no bytes of Parquet. So the same articles under the same versions of
the code give the same digest, however they came.

- An article's content is its row, the ids of the concepts it mentions, and its evidence.
- A concept's content is its row of the vocabulary.
- A snapshot's digest is taken over buckets of a thousand PMIDs, each hashed over the PMID and
  the content hash of its articles in force, and over the hashes of the concepts mentioned.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.canonical import Texts, list_starts, many_texts, one_text, row_hashes
from kg_builder.model import PREDICATES
from kg_builder.schema import LEDGER_ARTICLES
from ontologies.concept import Concept

if TYPE_CHECKING:
    from hashlib import _Hash

Array = npt.NDArray[Any]
_Bytes = tuple[memoryview, list[int]]
"""Bytes of all rows, and where those of each row begin, and the last one's end."""

DIGEST_VERSION = b"medweave snapshot 1\n"
PMIDS_PER_BUCKET = 1000

SPANS = (
    "sentence_start",
    "sentence_end",
    "subject_start",
    "subject_end",
    "object_start",
    "object_end",
    "cue_start",
    "cue_end",
)
_TEXTS = ("title", "revised", "journal", "doi", "vernacular_title")
_LISTS = ("section_labels", "section_texts", "types", "mesh", "languages")
_NUMBERS = ("pmid", "version", "year", "month", "day", "retracted")

PREDICATE_RANK: Array = np.argsort(np.argsort(np.array(PREDICATES))).astype(np.int8)
"""Place of each predicate code in the order of the predicates' names."""


class UnmentionedConceptError(ValueError):
    """Evidence names a concept that its article does not mention."""


class Contents(NamedTuple):
    """Content hashes of articles, and the canonical order of the evidence rows given."""

    hashes: list[bytes]
    order: Array


def contents(articles: pa.Table, mentions: pa.Table, evidence: pa.Table) -> Contents:
    """The content hash of each article, from tables with the columns of the ledger.

    Rows of `mentions` and `evidence` may come in any order, mentions without a concept among
    them; their `concept`, `subject` and `object` are texts or dictionaries of texts. The column
    `content_hash` of `articles` is not read. Evidence is ordered by article, subject, predicate's
    name, object, spans from left to right, and then the rest.
    """
    words, (mentioned, subjects, objects) = _coded(
        mentions["concept"], evidence["subject"], evidence["object"]
    )
    named = mentioned >= 0
    occurrence = Pairs(_integers(mentions["article"])[named], mentioned[named])
    rows = EvidenceRows.of(evidence, occurrence, subjects, objects)
    starts = np.arange(articles.num_rows + 1)
    parts = [
        *_listed(occurrence, words, starts),
        *_listed(rows.signed, rows.extractors, starts),
        (memoryview(rows.matrix.tobytes()), _row_borders(rows, starts)),
    ]
    hashes = []
    for row, sha in enumerate(_article_hashes(articles)):
        for data, borders in parts:
            sha.update(data[borders[row] : borders[row + 1]])
        hashes.append(sha.digest())
    return Contents(hashes, rows.order)


def _listed(pairs: Pairs, words: pa.Array, majors: Array) -> list[_Bytes]:
    """For each major how many words it has, and then those words, each with its length."""
    prefixed = pa.array([_prefixed(word) for word in words.to_pylist()], pa.large_binary())
    listed = one_text(prefixed.take(pa.array(pairs.minor)))
    starts = np.searchsorted(pairs.major, majors)
    counts = np.diff(starts).astype("<i8").tobytes()
    return [
        (memoryview(counts), (8 * majors).tolist()),
        (listed.data, listed.ends[starts].tolist()),
    ]


def _row_borders(rows: EvidenceRows, articles: Array) -> list[int]:
    """Where the bytes of each article's evidence begin in the matrix."""
    width = rows.matrix.shape[1] * rows.matrix.itemsize
    borders: list[int] = (np.searchsorted(rows.article, articles) * width).tolist()
    return borders


def _article_hashes(articles: pa.Table) -> Iterator[_Hash]:
    columns = {
        name: articles[name].cast(LEDGER_ARTICLES.field(name).type)
        for name in (*_NUMBERS, *_TEXTS, *_LISTS)
    }
    lists = [many_texts(columns[name]) for name in _LISTS]
    numbers = [_integers(columns[name].fill_null(-1)) for name in _NUMBERS[:-1]]
    numbers += [_integers(columns["retracted"]), *(texts.counts for texts in lists)]
    return row_hashes(numbers, [*(one_text(columns[name]) for name in _TEXTS), *lists])


class Pairs:
    """Distinct (major, minor) pairs of non-negative integers, in order."""

    def __init__(self, major: Array, minor: Array) -> None:
        self._keys = np.unique((major.astype(np.int64) << 32) | minor)
        self.major = self._keys >> 32
        self.minor = self._keys & 0xFFFFFFFF

    def place(self, major: Array, minor: Array) -> Array:
        """The place of `minor` among the pairs of its `major`; -1 where there is no such pair."""
        key = (major.astype(np.int64) << 32) | minor
        at = np.searchsorted(self._keys, key)
        first = np.searchsorted(self._keys, major.astype(np.int64) << 32)
        inside = np.minimum(at, max(len(self._keys) - 1, 0))
        known = self._keys[inside] == key if len(self._keys) else np.zeros(len(key), bool)
        places: Array = np.where(known, at - first, -1)
        return places


class EvidenceRows(NamedTuple):
    """Evidence in canonical order: a matrix of integers that point into its article's strings."""

    article: Array
    order: Array
    matrix: Array
    signed: Pairs
    extractors: pa.Array

    @classmethod
    def of(cls, table: pa.Table, mentioned: Pairs, subjects: Array, objects: Array) -> EvidenceRows:
        """The rows of an evidence table whose concepts have these codes."""
        article = _integers(table["article"])
        extractors, (extractor,) = _coded(table["extractor"])
        signed = Pairs(article, extractor)
        columns = [
            mentioned.place(article, subjects),
            PREDICATE_RANK[_integers(table["predicate"])],
            mentioned.place(article, objects),
            *(_integers(table[name]) for name in (*SPANS, "refutes", "hedged", "score")),
            signed.place(article, extractor),
        ]
        matrix = np.empty((len(article), len(columns)), "<i4")
        for place, column in enumerate(columns):
            matrix[:, place] = column
        _check_mentioned(table, matrix)
        order = _row_order(article, matrix)
        return cls(article[order], order, matrix[order], signed, extractors)


def _check_mentioned(table: pa.Table, matrix: Array) -> None:
    wrong = np.flatnonzero((matrix[:, 0] < 0) | (matrix[:, 2] < 0))
    if len(wrong):
        row = int(wrong[0])
        raise UnmentionedConceptError(
            f"{len(wrong)} rows of evidence, first from {table['subject'][row]} to "
            f"{table['object'][row]} at {table['sentence_start'][row]}, relate a concept that "
            "the article does not mention: an extractor may only relate the mentions it is given"
        )


def _row_order(article: Array, matrix: Array) -> Array:
    """Sort by article and by the columns from left to right; quick where 16 bits hold them."""
    by_all = (*matrix.T[::-1], article)
    if len(matrix) and max(matrix.max(), article.max()) >= 1 << 16:
        slow: Array = np.lexsort(by_all)
        return slow
    wide = matrix.astype(np.uint64)
    bits = [np.uint64(shift) for shift in (48, 32, 16, 0)]
    keys = (
        (article.astype(np.uint64) << bits[0])
        | (wide[:, 0] << bits[1])
        | (wide[:, 1] << bits[2])
        | wide[:, 2],
        *(
            np.bitwise_or.reduce([wide[:, first + n] << bits[n] for n in range(4)])
            for first in (3, 7)
        ),
    )
    order: Array = np.lexsort(keys[::-1])
    tied = np.ones(max(len(order) - 1, 0), bool)
    for key in keys:
        ordered = key[order]
        tied &= ordered[1:] == ordered[:-1]
    return np.lexsort(by_all) if tied.any() else order


def concept_hash(concept: Concept) -> bytes:
    """The content hash of a concept: all of its row but statistics."""
    parts = [concept.id, concept.name, concept.definition]
    head = [len(concept.names)]
    for name in concept.names:
        parts += (name.text, name.source, name.scope, "notes" if name.notes_only else "")
    for words in (concept.semantic_types, concept.parents, concept.xrefs):
        head.append(len(words))
        parts += words
    return hashlib.sha256(_texts(head, parts)).digest()


def concept_hashes(concepts: pa.Table) -> list[bytes]:
    """`concept_hash` of each row of a table with the columns of `Concept`, many times faster."""
    names = _whole(concepts["names"])
    lists = [many_texts(concepts[name]) for name in ("semantic_types", "parents", "xrefs")]
    texts = [one_text(concepts[name]) for name in ("id", "name", "definition")]
    columns = [*texts, _named(names), *lists]
    numbers = [np.diff(list_starts(names)), *(column.counts for column in lists)]
    return [sha.digest() for sha in row_hashes(numbers, columns)]


def _named(names: pa.ListArray) -> Texts:
    """The four texts of each name of a row, one after the other."""
    text, source, scope, notes_only = names.flatten().flatten()
    notes = pc.if_else(notes_only, "notes", "").cast(text.type)
    four = pa.concat_arrays([text, source, scope, notes])
    order = np.arange(len(four)).reshape(4, -1).T.reshape(-1)
    return one_text(four.take(pa.array(order)))._replace(starts=4 * list_starts(names))


def snapshot_digest(pmids: Array, contents: Array, concepts: Iterable[bytes]) -> str:
    """The digest of a snapshot.

    `pmids` ascending; `contents` their content hashes as an array of shape (n, 32) of bytes;
    `concepts` the hashes of the concepts mentioned, in the order of their ids.
    """
    rows = np.empty(len(pmids), np.dtype([("pmid", "<i8"), ("content", "V32")]))
    rows["pmid"] = pmids
    rows["content"] = np.ascontiguousarray(contents).view("V32").reshape(-1)
    bucket = np.asarray(pmids, np.int64) // PMIDS_PER_BUCKET
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    total = hashlib.sha256(DIGEST_VERSION)
    for start, end in zip(starts, np.append(starts, len(rows))[1:], strict=True):
        total.update(struct.pack("<q", int(bucket[start])))
        total.update(hashlib.sha256(rows[start:end].tobytes()).digest())
    named = hashlib.sha256()
    for digest in concepts:
        named.update(digest)
    total.update(named.digest())
    return total.hexdigest()


def hash_matrix(column: pa.ChunkedArray | pa.Array) -> Array:
    """A column of 32-byte hashes as an array of shape (n, 32)."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [
        np.frombuffer(c.buffers()[1], np.uint8)[c.offset * 32 : (c.offset + len(c)) * 32]
        for c in chunks
        if len(c)
    ]
    joined: Array = np.concatenate(parts) if parts else np.zeros(0, np.uint8)
    return joined.reshape(-1, 32)


def _texts(head: Sequence[int], parts: Sequence[str]) -> bytes:
    encoded = [part.encode("utf-8") for part in parts]
    numbers = (len(head), *head, *map(len, encoded))
    return struct.pack(f"<{len(numbers)}q", *numbers) + b"".join(encoded)


def _prefixed(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return struct.pack("<q", len(encoded)) + encoded


def _coded(*columns: pa.ChunkedArray) -> tuple[pa.Array, list[Array]]:
    """The distinct texts of all columns, sorted, and each column as places in them; -1 for null."""
    encoded = [_dictionary(column) for column in columns]
    found = pa.chunked_array([column.dictionary for column in encoded]).unique()
    words = found.take(pc.array_sort_indices(found))
    codes = []
    for column in encoded:
        own = np.asarray(pc.index_in(column.dictionary, value_set=words))
        places = np.append(own, -1).astype(np.int64)
        codes.append(places[_integers(column.indices.fill_null(len(own)))])
    return words, codes


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _integers(column: pa.ChunkedArray | pa.Array) -> Array:
    """A column without nulls as 64-bit integers."""
    return np.asarray(column).astype(np.int64)
