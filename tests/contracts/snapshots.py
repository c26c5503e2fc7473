"""Writes a snapshot of values straight from the schema: slow, and apart from the real writer."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg_builder.concepts_table import concepts_of
from kg_builder.digest import concept_hash, contents
from kg_builder.memory_store import edge_of
from kg_builder.model import PREDICATES, REFUTES, EdgeKey, Evidence
from kg_builder.schema import SNAPSHOT_VERSION
from kg_builder.snapshot_tables import SCHEMAS, SnapshotTables
from kg_builder.verify import digest_of_snapshot, snapshot_contents
from tests.contracts.graphs import World

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
Rows = list[dict[str, Any]]


def write_snapshot(world: World, directory: Path, *, batch: int | None = None) -> Path:
    """Write `world` as the one snapshot of a graph directory, in batches of so many rows."""
    snapshot = directory / "snapshots" / "made"
    snapshot.mkdir(parents=True)
    for name, rows in tables(world).items():
        table = pa.Table.from_pylist(rows, schema=SCHEMAS[name])
        with pa.ipc.new_file(str(snapshot / f"{name}.arrow"), table.schema) as writer:
            writer.write_table(table.combine_chunks(), max_chunksize=batch)
    build = {"snapshot_version": SNAPSHOT_VERSION, "digest": "made"}
    (snapshot / "BUILD.json").write_text(json.dumps(build))
    (directory / "CURRENT").write_text("made\n")
    return snapshot


def write_hashed(world: World, directory: Path, digest: str | None = None) -> Path:
    """Like `write_snapshot`, with true content hashes, and the true digest where none is given."""
    snapshot = write_snapshot(world, directory)
    read = SnapshotTables(snapshot)
    hashes = {
        "concepts": [concept_hash(concept) for concept in concepts_of(read["concepts"])],
        "articles": [
            number
            for part in snapshot_contents(read)
            for number in contents(part.articles, part.mentions, part.evidence).hashes
        ],
    }
    for name, column in hashes.items():
        rows = [
            {**row, "content_hash": number}
            for row, number in zip(read[name].to_pylist(), column, strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=SCHEMAS[name])
        (snapshot / f"{name}.arrow").unlink()  # the old file is mapped
        with pa.ipc.new_file(str(snapshot / f"{name}.arrow"), table.schema) as writer:
            writer.write_table(table.combine_chunks())
    stated = digest or digest_of_snapshot(snapshot)
    build = {"snapshot_version": SNAPSHOT_VERSION, "digest": stated}
    (snapshot / "BUILD.json").write_text(json.dumps(build))
    return snapshot


def tables(world: World) -> dict[str, Rows]:
    mined = sorted(world.mined, key=lambda m: m.article.pmid)
    mentioned = sorted({i for m in mined for i in m.concept_ids})
    concepts = {c.id: c for c in world.concepts}
    row = {concept_id: at for at, concept_id in enumerate(mentioned)}
    article = {m.article.pmid: at for at, m in enumerate(mined)}
    by_key: dict[EdgeKey, list[Evidence]] = {}
    for m in mined:
        for e in m.evidence:
            by_key.setdefault(EdgeKey(e.subject_id, e.predicate, e.object_id), []).append(e)
    edges, evidence = _edges(by_key, {m.article.pmid for m in mined if m.article.retracted}, row)
    at_concept = [
        (at, -edge["supporting"], number)
        for number, edge in enumerate(edges)
        for at in {edge["subject"], edge["object"]}
    ]
    occurrence = sorted({(row[i], article[m.article.pmid]) for m in mined for i in m.concept_ids})
    return {
        "articles": [_article(m.article) for m in mined],
        "sentences": [
            {"article": article[m.article.pmid], "start": start, "end": end}
            for m in mined
            for start, end in m.sentences
        ],
        "mentions": [
            {
                "article": article[m.article.pmid],
                "start": n.start,
                "end": n.end,
                "concept": row[n.concept_id],
                "score": round(n.score * 10000),
            }
            for m in mined
            for n in m.mentions
            if n.concept_id is not None
        ],
        "concepts": [
            {
                **asdict(concepts[i]),
                "articles": sum(i in m.concept_ids for m in mined if not m.article.retracted),
            }
            for i in mentioned
        ],
        "edges": edges,
        "evidence": [{**e, "article": article[e["article"]]} for e in evidence],
        "incidence": [{"concept": c, "edge": e} for c, _, e in sorted(at_concept)],
        "occurrence": [{"concept": c, "article": a} for c, a in occurrence],
    }


def _edges(
    by_key: dict[EdgeKey, list[Evidence]], retracted: set[int], row: dict[str, int]
) -> tuple[Rows, Rows]:
    edges: Rows = []
    evidence: Rows = []
    for key, found in sorted(by_key.items()):
        edge = edge_of(key, [e for e in found if e.pmid not in retracted])
        edges.append(
            {
                "subject": row[key.subject_id],
                "predicate": PREDICATES.index(key.predicate),
                "object": row[key.object_id],
                "supporting": edge.supporting,
                "refuting": edge.refuting,
                "hedged": edge.hedged,
                "first_year": edge.first_year,
                "last_year": edge.last_year,
                "evidence_start": len(evidence),
                "evidence_count": len(found),
            }
        )
        for e in sorted(found, key=lambda e: (e.pmid, *e[5:13])):
            evidence.append(
                {
                    "edge": len(edges) - 1,
                    "article": e.pmid,
                    **{name: getattr(e, name) for name in SPANS},
                    "refutes": e.polarity == REFUTES,
                    "hedged": e.hedged,
                    "score": e.score,
                    "extractor": e.extractor,
                }
            )
    return edges, evidence


def _article(article: Any) -> dict[str, Any]:
    date = article.published
    return {
        "pmid": article.pmid,
        "version": article.version,
        "title": article.title,
        "section_labels": [s.label for s in article.sections],
        "section_texts": [s.text for s in article.sections],
        "year": date and date.year,
        "month": date and date.month,
        "day": date and date.day,
        "published": date and date.last_day(),
        "types": list(article.types),
        "mesh": list(article.mesh),
        "languages": list(article.languages),
        "retracted": article.retracted,
        "revised": article.revised,
        "journal": article.journal,
        "doi": article.doi,
        "vernacular_title": article.vernacular_title,
        "content_hash": bytes(32),
    }
