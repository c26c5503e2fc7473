"""What retrieval keeps beside a snapshot: BM25 of its articles, sentences and linked concepts.

Everything is a function of that one snapshot, so that nothing published after a cut weighs in an
answer as of the cut. Retracted articles are in none of the indexes: neither as documents, nor in
the document frequencies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.belief import beliefs
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.snapshot_tables import SnapshotTables, Strings, map_table
from kg_builder.snapshot_values import concept_of, hierarchy
from ontologies.concept import Concept, Vocabulary
from ontologies.normalize import NORMALIZE_VERSION
from retrieval.beside import kept_beside
from retrieval.bm25 import Bm25, mapped
from retrieval.words import WORDS_VERSION, stems

Array = npt.NDArray[Any]

INDEX_VERSION = 2
_WORDS = pa.schema([("word", pa.string()), ("number", pa.int32())])
_ARTICLES_AT_ONCE = 1 << 12


@dataclass(frozen=True, slots=True, eq=False)
class TextIndex:
    """The indexes of one snapshot. Their documents are articles, or sentences, in force.

    `article_rows` are rows of the snapshot's `articles`, by document of `articles` and
    `concepts`. `sentence_rows` are rows of `sentences` by document of `sentences`;
    `sentence_starts[d]` is the first sentence document of article document d. `evidence_rows`
    are rows of `evidence`, sorted by article; those of article document d lie between
    `evidence_starts[d]` and `evidence_starts[d + 1]`. The terms of `concepts` are rows of
    `concepts`; `parents` and `children` are rows of theirs too, sorted by parent.
    `beliefs` are those of the rows of `edges`.
    """

    directory: Path
    words: Strings
    numbers: Array
    articles: Bm25
    sentences: Bm25
    concepts: Bm25
    article_rows: Array
    sentence_rows: Array
    sentence_starts: Array
    evidence_rows: Array
    evidence_starts: Array
    parents: Array
    children: Array
    beliefs: Array

    def terms(self, text: str) -> dict[int, int]:
        """The words of a text that the snapshot knows, and how often the text holds each."""
        counted: dict[int, int] = {}
        for stem in stems(text):
            row = self.words.row(stem)
            if row is not None:
                number = int(self.numbers[row])
                counted[number] = counted.get(number, 0) + 1
        return counted

    def vocabulary(self) -> Vocabulary:
        """The concepts that the snapshot mentions, as a vocabulary to link questions with."""
        return Vocabulary.load(self.directory / "vocabulary")


_ARRAYS = (
    "article_rows",
    "sentence_rows",
    "sentence_starts",
    "evidence_rows",
    "evidence_starts",
    "parents",
    "children",
    "beliefs",
)


def open_text_index(reader: SnapshotReader) -> TextIndex:
    """The index of a snapshot, from where it was kept, or made and kept now.

    It is kept in the snapshot's folder, or in the user's cache where that cannot be written.
    """
    name = f"retrieval-{INDEX_VERSION}.{WORDS_VERSION}.{NORMALIZE_VERSION}"
    return load_text_index(
        kept_beside(reader.tables, name, lambda folder: write_text_index(reader, folder))
    )


def load_text_index(directory: Path) -> TextIndex:
    """Map the index in a folder that `write_text_index` wrote."""
    words = map_table(directory / "words.arrow", _WORDS).combine_chunks()
    arrays = {name: mapped(directory / f"{name}.npy") for name in _ARRAYS}
    empty = (pa.array([], field.type) for field in _WORDS)
    word, number = (
        pa.concat_arrays([none, *column.chunks])
        for none, column in zip(empty, words.columns, strict=True)
    )
    articles, sentences, concepts = (
        Bm25.load(directory, name) for name in ("articles", "sentences", "concepts")
    )
    return TextIndex(
        directory, Strings(word), number.to_numpy(), articles, sentences, concepts, **arrays
    )


def write_text_index(reader: SnapshotReader, directory: Path) -> None:
    """Index a snapshot into an empty folder. Memory: some 16 bytes a word of the corpus."""
    tables = reader.tables
    kept = ~tables.array("articles", "retracted").to_numpy(zero_copy_only=False)
    article_rows = np.flatnonzero(kept)
    owner = tables.column("sentences", "article")
    sentence_rows = np.flatnonzero(kept[owner])
    texts = _texts(tables, article_rows)
    evidence_article = tables.column("evidence", "article")
    evidence_rows = np.argsort(evidence_article, kind="stable")
    arrays = {
        "article_rows": article_rows,
        "sentence_rows": sentence_rows,
        "sentence_starts": _starts(owner[sentence_rows], article_rows),
        "evidence_rows": evidence_rows[kept[evidence_article[evidence_rows]]],
    }
    left = evidence_article[arrays["evidence_rows"]]
    arrays["evidence_starts"] = _starts(left, article_rows)
    child, parent = hierarchy(tables)
    order = np.lexsort((child, parent))
    arrays |= {"parents": parent[order], "children": child[order]}
    arrays["beliefs"] = beliefs(reader, np.arange(tables["edges"].num_rows))
    for name, values in arrays.items():
        np.save(directory / f"{name}.npy", values)
    Bm25.build(texts.articles, len(texts.numbers)).save(directory, "articles")
    Bm25.build(texts.sentences, len(texts.numbers)).save(directory, "sentences")
    concepts = tables["concepts"].num_rows
    Bm25.build(_mentioned(tables, article_rows), concepts).save(directory, "concepts")
    _write_words(texts.numbers, directory / "words.arrow")
    Vocabulary.from_concepts(snapshot_concepts(tables)).save(directory / "vocabulary")


class _Texts(NamedTuple):
    """Words of articles and of sentences as numbers, and the numbers of the words."""

    articles: list[list[int]]
    sentences: list[list[int]]
    numbers: dict[str, int]

    def numbered(self, text: str) -> list[int]:
        return [self.numbers.setdefault(stem, len(self.numbers)) for stem in stems(text)]


def _starts(owner: Array, article_rows: Array) -> Array:
    ends = np.append(article_rows, np.iinfo(np.int64).max)
    return np.searchsorted(owner.astype(np.int64), ends)


def _texts(tables: SnapshotTables, article_rows: Array) -> _Texts:
    found = _Texts([], [], {})
    owner = tables.column("sentences", "article")
    first = np.searchsorted(owner, article_rows, "left").tolist()
    last = np.searchsorted(owner, article_rows, "right").tolist()
    starts, ends = tables.column("sentences", "start"), tables.column("sentences", "end")
    for text, low, high in zip(article_texts(tables, article_rows), first, last, strict=True):
        found.articles.append(found.numbered(text))
        spans = zip(starts[low:high].tolist(), ends[low:high].tolist(), strict=True)
        found.sentences.extend(found.numbered(text[start:end]) for start, end in spans)
    return found


def article_texts(tables: SnapshotTables, rows: Array) -> Iterator[str]:
    """`Article.text` of articles, given by row."""
    columns = ["title", "section_texts"]
    for start in range(0, len(rows), _ARTICLES_AT_ONCE):
        some = tables.take("articles", rows[start : start + _ARTICLES_AT_ONCE], columns)
        for row in some.to_pylist():
            yield "\n".join((row["title"], *row["section_texts"]))


def _mentioned(tables: SnapshotTables, article_rows: Array) -> list[list[int]]:
    """The concepts of each article, once for each mention."""
    owner, concept = tables.column("mentions", "article"), tables.column("mentions", "concept")
    first = np.searchsorted(owner, article_rows, "left").tolist()
    last = np.searchsorted(owner, article_rows, "right").tolist()
    return [concept[low:high].tolist() for low, high in zip(first, last, strict=True)]


def _write_words(numbers: dict[str, int], path: Path) -> None:
    table = pa.table({"word": list(numbers), "number": list(numbers.values())}, _WORDS)
    table = table.sort_by("word").combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def snapshot_concepts(tables: SnapshotTables) -> Iterator[Concept]:
    """The concepts of a snapshot; parents that it does not mention are left out."""
    known = set(tables.array("concepts", "id").to_pylist())
    for batch in tables["concepts"].to_batches(max_chunksize=_ARTICLES_AT_ONCE):
        for row in batch.to_pylist():
            concept = concept_of(row)
            parents = tuple(parent for parent in concept.parents if parent in known)
            yield dataclasses.replace(concept, parents=parents)
