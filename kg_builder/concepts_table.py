"""The concepts of a snapshot: rows of the vocabulary for what its articles mention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kg_builder.digest import concept_hash
from kg_builder.ledger import ShardEntry
from kg_builder.schema import SNAPSHOT_CONCEPTS
from ontologies.concept import Concept, Name, Vocabulary

Array = npt.NDArray[Any]


class Concepts(Protocol):
    """Where concepts are looked up: a vocabulary, or an empty dictionary where none come."""

    def __getitem__(self, concept_id: str, /) -> Concept: ...


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
    rows = concept_rows([_concept(vocabulary, concept_id) for concept_id in ids.to_pylist()])
    return with_article_counts(rows, occurrence, retracted)


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


def _concept(vocabulary: Concepts, concept_id: str) -> Concept:
    try:
        return vocabulary[concept_id]
    except KeyError as error:
        raise OtherVocabularyError(
            f"articles of the ledger mention {concept_id}, which the vocabulary given does not "
            "hold: give the vocabulary that they were mined with, or mine all files with this one"
        ) from error


def concept_rows(concepts: Sequence[Concept]) -> pa.Table:
    """Concepts as rows of a snapshot, mentioned by no article yet."""
    names = [
        [
            {"text": n.text, "source": n.source, "scope": n.scope, "notes_only": n.notes_only}
            for n in concept.names
        ]
        for concept in concepts
    ]
    columns = [
        [concept.id for concept in concepts],
        [concept.name for concept in concepts],
        names,
        [concept.semantic_types for concept in concepts],
        [concept.parents for concept in concepts],
        [concept.xrefs for concept in concepts],
        [concept.definition for concept in concepts],
        np.zeros(len(concepts), np.int32),
        [concept_hash(concept) for concept in concepts],
    ]
    arrays = [
        pa.array(column, field.type)
        for column, field in zip(columns, SNAPSHOT_CONCEPTS, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SNAPSHOT_CONCEPTS)


def concepts_of(table: pa.Table) -> Iterator[Concept]:
    """The concepts of a snapshot's table, in its order."""
    for batch in table.to_batches():
        for row in batch.to_pylist():
            yield Concept(
                id=row["id"],
                name=row["name"],
                names=tuple(Name(**name) for name in row["names"]),
                semantic_types=tuple(row["semantic_types"]),
                parents=tuple(row["parents"]),
                xrefs=tuple(row["xrefs"]),
                definition=row["definition"],
            )
