"""Rows of a snapshot's tables as values: concepts, their hierarchy, cited evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from kg_builder.model import REFUTES, SUPPORTS, CitedEvidence, EdgeKey, Evidence
from kg_builder.snapshot_tables import SnapshotTables
from ontologies.concept import Concept, Name

Array = npt.NDArray[Any]


def hierarchy(tables: SnapshotTables) -> tuple[Array, Array]:
    """(child, parent) rows of the vocabulary's hierarchy, both ends in the snapshot, sorted."""
    parents = tables.array("concepts", "parents")
    child = pc.list_parent_indices(parents).to_numpy(zero_copy_only=False)
    row = pc.index_in(pc.list_flatten(parents), tables.array("concepts", "id"))
    parent = row.fill_null(-1).to_numpy(zero_copy_only=False)
    pairs = np.unique(np.stack((child, parent), axis=1)[parent >= 0], axis=0)
    return pairs[:, 0], pairs[:, 1]


def concept_of(row: dict[str, Any]) -> Concept:
    """A concept from a row of the concepts table."""
    return Concept(
        id=row["id"],
        name=row["name"],
        names=tuple(Name(**name) for name in row["names"]),
        semantic_types=tuple(row["semantic_types"]),
        parents=tuple(row["parents"]),
        xrefs=tuple(row["xrefs"]),
        definition=row["definition"],
    )


def cited_of(key: EdgeKey, row: dict[str, Any], article: dict[str, Any]) -> CitedEvidence:
    """Cited evidence from a row of the evidence table and its article's."""
    text = "\n".join((article["title"], *article["section_texts"]))
    found = Evidence(
        subject_id=key.subject_id,
        predicate=key.predicate,
        object_id=key.object_id,
        pmid=article["pmid"],
        version=article["version"],
        sentence_start=row["sentence_start"],
        sentence_end=row["sentence_end"],
        subject_start=row["subject_start"],
        subject_end=row["subject_end"],
        object_start=row["object_start"],
        object_end=row["object_end"],
        cue_start=row["cue_start"],
        cue_end=row["cue_end"],
        polarity=REFUTES if row["refutes"] else SUPPORTS,
        hedged=row["hedged"],
        score=row["score"],
        published=article["published"],
        extractor=row["extractor"],
    )
    return CitedEvidence(
        evidence=found,
        sentence=text[found.sentence_start : found.sentence_end],
        subject_text=text[found.subject_start : found.subject_end],
        object_text=text[found.object_start : found.object_end],
        title=article["title"],
        retracted=article["retracted"],
    )
