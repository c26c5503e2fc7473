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
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.model import PREDICATES
from ontologies.concept import Concept

Array = npt.NDArray[Any]

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
    count = articles.num_rows
    strings = [
        (occurrence.minor, occurrence.starts(count), [_prefixed(word) for word in words]),
        (rows.signed.minor, rows.signed.starts(count), [_prefixed(w) for w in rows.extractors]),
    ]
    starts = np.searchsorted(rows.article, np.arange(count + 1))
    hashes = []
    for row, article in enumerate(article_bytes(articles)):
        sha = hashlib.sha256(article)
        for codes, at, prefixed in strings:
            own = codes[at[row] : at[row + 1]].tolist()
            sha.update(struct.pack("<q", len(own)) + b"".join([prefixed[code] for code in own]))
        sha.update(rows.matrix[starts[row] : starts[row + 1]].tobytes())
        hashes.append(sha.digest())
    return Contents(hashes, rows.order)


class Pairs:
    """Distinct (major, minor) pairs of non-negative integers, in order."""

    def __init__(self, major: Array, minor: Array) -> None:
        self._keys = np.unique((major.astype(np.int64) << 32) | minor)
        self.major = self._keys >> 32
        self.minor = self._keys & 0xFFFFFFFF

    def starts(self, majors: int) -> Array:
        """Where the pairs of each of the majors 0 to `majors` begin."""
        starts: Array = np.searchsorted(self.major, np.arange(majors + 1))
        return starts

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
    extractors: list[str]

    @classmethod
    def of(cls, table: pa.Table, mentioned: Pairs, subjects: Array, objects: Array) -> EvidenceRows:
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


def article_bytes(articles: pa.Table) -> Iterator[bytes]:
    """The canonical bytes of each row of an articles table: numbers, counts, lengths, texts."""
    numbers = [articles[name].to_pylist() for name in _NUMBERS]
    texts = [articles[name].to_pylist() for name in _TEXTS]
    lists = [articles[name].to_pylist() for name in _LISTS]
    for row in range(articles.num_rows):
        head = [-1 if column[row] is None else int(column[row]) for column in numbers]
        parts = [column[row] for column in texts]
        for column in lists:
            head.append(len(column[row]))
            parts += column[row]
        yield _texts(head, parts)


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


def _coded(*columns: pa.ChunkedArray) -> tuple[list[str], list[Array]]:
    """Texts as places in the sorted list of all distinct ones; -1 for null."""
    encoded = [_dictionary(column) for column in columns]
    words = sorted({word for column in encoded for word in column.dictionary.to_pylist()})
    place = {word: code for code, word in enumerate(words)}
    codes = []
    for column in encoded:
        places = np.array([*(place[w] for w in column.dictionary.to_pylist()), -1], np.int64)
        codes.append(places[_integers(column.indices.fill_null(len(places) - 1))])
    return words, codes


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks()


def _integers(column: pa.ChunkedArray | pa.Array) -> Array:
    """A column without nulls as 64-bit integers."""
    return np.asarray(column).astype(np.int64)
