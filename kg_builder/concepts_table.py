"""The concepts of a snapshot: rows of the vocabulary for what its articles mention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.digest import concept_hashes
from kg_builder.ledger import ShardEntry
from kg_builder.schema import SNAPSHOT_CONCEPTS
from kg_builder.snapshot_values import concept_of
from ontologies.concept import Concept, Vocabulary

Array = npt.NDArray[Any]


class Concepts(Protocol):
    """Where concepts are looked up: a vocabulary."""

    def select(self, ids: pa.StringArray, /) -> pa.Table:
        """The rows of these ids, in the order asked; raises `KeyError` with an unknown one."""
        ...


class OtherVocabularyError(KeyError):
    """An article mentions a concept that the vocabulary does not hold."""

    def __str__(self) -> str:
        return str(self.args[0])


def concept_table(
    ids: pa.StringArray, vocabulary: Concepts, occurrence: pa.Table, retracted: Array
) -> pa.Table:
    """One row for each id. `occurrence` is the snapshot's, `retracted` by number of article.

    Raises `OtherVocabularyError` for an id that the vocabulary does not hold.
    """
    try:
        found = vocabulary.select(ids)
    except KeyError as error:
        raise OtherVocabularyError(
            f"articles of the ledger mention a concept that the vocabulary given does not hold "
            f"({error}): give the vocabulary that they were mined with, or mine all files with "
            "this one"
        ) from error
    return with_article_counts(_hashed(found), occurrence, retracted)


def with_article_counts(rows: pa.Table, occurrence: pa.Table, retracted: Array) -> pa.Table:
    """Set how many articles, retracted ones left out, mention each concept."""
    counted = np.asarray(occurrence["concept"])[~retracted[np.asarray(occurrence["article"])]]
    counts = np.bincount(counted, minlength=rows.num_rows)
    place = SNAPSHOT_CONCEPTS.get_field_index("articles")
    return rows.set_column(place, SNAPSHOT_CONCEPTS.field(place), pa.array(counts, pa.int32()))


def check_vocabulary(shards: Iterable[ShardEntry], vocabulary: Vocabulary) -> None:
    """Raise `OtherVocabularyError` where files were mined with another vocabulary than this."""
    others = [entry for entry in shards if entry.key.vocabulary != vocabulary.digest]
    if others:
        first = others[0]
        raise OtherVocabularyError(
            f"{len(others)} files of the ledger, first {first.file}, were mined with vocabulary "
            f"{first.key.vocabulary[:12]}, and the one given is {vocabulary.digest[:12]}: give "
            "that one, or run kg_build on those files again with this one"
        )


def _hashed(concepts: pa.Table) -> pa.Table:
    """Concepts as rows of a snapshot, mentioned by no article yet."""
    rows = concepts.append_column("articles", pa.array(np.zeros(len(concepts), np.int32)))
    hashes = pa.array(concept_hashes(concepts), pa.binary(32))
    return rows.append_column("content_hash", hashes).cast(SNAPSHOT_CONCEPTS)


def concepts_of(table: pa.Table) -> Iterator[Concept]:
    """The concepts of a snapshot's table, in its order."""
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield concept_of(row)
