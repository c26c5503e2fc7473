"""Concepts into the tables of a vocabulary, with every promise of a vocabulary checked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pyarrow as pa

from ontologies.concept import Concept, InconsistentVocabularyError, canonical_names
from ontologies.curies import normalize, prefix_of
from ontologies.tables import CONCEPTS, NAMES, XREFS, Tables, lookup_table


def compile_tables(concepts: Iterable[Concept]) -> Tables:
    """The tables of the given concepts; `InconsistentVocabularyError` names a broken promise."""
    ordered = sorted(concepts, key=lambda concept: concept.id)
    rows = {concept.id: row for row, concept in enumerate(ordered)}
    if len(rows) < len(ordered):
        twice = next(a.id for a, b in pairwise(ordered) if a.id == b.id)
        raise InconsistentVocabularyError(f"{twice} is given twice; join the two concepts first")
    xrefs = _xref_rows(ordered)
    names, texts, starts = _names(ordered)
    return Tables(
        concepts=_concepts(ordered, rows, xrefs, starts),
        names=names,
        xrefs=pa.table({"curie": list(xrefs), "concept": list(xrefs.values())}, schema=XREFS),
        lookup=lookup_table(texts),
    )


def _xref_rows(ordered: list[Concept]) -> dict[str, int]:
    """The concept row of each cross-reference, sorted by CURIE."""
    owner: dict[str, int] = {}
    for row, concept in enumerate(ordered):
        cuis = {x for x in (*concept.xrefs, concept.id) if x.startswith("UMLS:")}
        if len(cuis) > 1:
            raise InconsistentVocabularyError(
                f"{concept.id} holds two CUIs ({', '.join(sorted(cuis))}); a concept has one"
            )
        for xref in {concept.id, *concept.xrefs}:
            other = owner.setdefault(_checked(xref, concept), row)
            if other != row:
                raise InconsistentVocabularyError(
                    f"{xref} stands in {ordered[other].id} and in {concept.id}; leave it in one"
                )
    return dict(sorted(owner.items()))


def _checked(xref: str, concept: Concept) -> str:
    if normalize(xref) != xref:
        raise InconsistentVocabularyError(
            f"{xref} of {concept.id} is written {normalize(xref)} here; normalize it first"
        )
    return xref


def _names(ordered: list[Concept]) -> tuple[pa.Table, list[str], list[int]]:
    concept_rows: list[int] = []
    texts: list[str] = []
    sources: list[str] = []
    scopes: list[str] = []
    notes: list[bool] = []
    starts = []
    for row, concept in enumerate(ordered):
        starts.append(len(texts))
        for name in canonical_names(concept.name, prefix_of(concept.id), concept.names):
            concept_rows.append(row)
            texts.append(name.text)
            sources.append(name.source)
            scopes.append(name.scope)
            notes.append(name.notes_only)
    starts.append(len(texts))
    columns = [
        pa.array(concept_rows, pa.int32()),
        pa.array(texts, pa.large_string()),
        _coded(sources, NAMES.field("source").type),
        _coded(scopes, NAMES.field("scope").type),
        pa.array(notes, pa.bool_()),
    ]
    return pa.Table.from_arrays(columns, schema=NAMES), texts, starts


def _coded(values: list[str], kind: pa.DictionaryType) -> pa.DictionaryArray:
    """Dictionary-encoded strings, the dictionary sorted so that it depends on the content alone."""
    words = sorted(set(values))
    codes = {word: code for code, word in enumerate(words)}
    indices = pa.array([codes[value] for value in values], kind.index_type)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, kind.value_type))


def _concepts(
    ordered: list[Concept], rows: dict[str, int], xrefs: dict[str, int], starts: list[int]
) -> pa.Table:
    of_concept: list[list[int]] = [[] for _ in ordered]
    for position, row in enumerate(xrefs.values()):
        of_concept[row].append(position)
    counts = [end - start for start, end in pairwise(starts)]
    columns = [
        pa.array([c.id for c in ordered], pa.large_string()),
        pa.array([c.name for c in ordered], pa.large_string()),
        pa.array([c.definition for c in ordered], pa.large_string()),
        pa.array([sorted(set(c.semantic_types)) for c in ordered], pa.list_(pa.string())),
        pa.array([_parents(c, rows) for c in ordered], pa.list_(pa.int32())),
        pa.array(of_concept, pa.list_(pa.int32())),
        pa.array(starts[:-1], pa.int64()),
        pa.array(counts, pa.int32()),
    ]
    return pa.Table.from_arrays(columns, schema=CONCEPTS)


def _parents(concept: Concept, rows: dict[str, int]) -> list[int]:
    missing = [parent for parent in concept.parents if parent not in rows]
    if missing:
        raise InconsistentVocabularyError(
            f"{concept.id} has the parent {missing[0]}, which is no concept of this vocabulary; "
            "add it or leave the parent out"
        )
    return sorted({rows[parent] for parent in concept.parents})
