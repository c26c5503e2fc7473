"""Worlds to publish, and what the tests of Neo4j do to a database beside publishing to it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kg_builder.ladybug_store import LadybugStore
from kg_builder.memory_store import MinedArticle
from kg_builder.model import REFUTES, SUPPORTS, PublicationDate
from kg_builder.neo4j_session import connect
from kg_builder.neo4j_store import Neo4jStore
from ontologies.concept import Concept, Name
from tests.contracts.graphs import Statement, World, written

CONCEPTS = tuple(
    Concept(
        f"X:{number:03}",
        f"Concept {number}",
        (Name(f"Concept {number}", "X", "preferred"), Name(f"thing {number % 7}", "X")),
        ("T047",),
        (f"X:{number // 3:03}",) if number else (),
        (f"X:{number:03}", f"Y:{number}"),
    )
    for number in range(60)
)
PREDICATES = ("TREATS", "CAUSES", "CO_OCCURS_WITH", "INTERACTS_WITH", "ISA")


def run(url: str, query: str, **params: Any) -> list[list[Any]]:
    """The rows of a query that may write."""
    with connect(url) as driver:
        records, _, _ = driver.execute_query(query, params)
        return [list(record.values()) for record in records]


def forget_digest(url: str) -> None:
    """Leave the database as a publish does that died before its end."""
    run(url, "MATCH (m:Snapshot:Medweave) REMOVE m.digest")


def many(pmids: Iterable[int]) -> World:
    """Articles of four statements each over sixty concepts; what one says follows from its PMID."""
    return World(tuple(article(pmid) for pmid in pmids), CONCEPTS)


def article(pmid: int) -> MinedArticle:
    draw = random.Random(pmid)
    said = [
        Statement(
            *draw.sample(range(len(CONCEPTS)), 2),
            draw.choice(PREDICATES),
            draw.choice((SUPPORTS, SUPPORTS, REFUTES)),
            draw.random() < 0.3,
        )
        for _ in range(4)
    ]
    published = PublicationDate(draw.randint(1990, 2020)) if draw.random() < 0.9 else None
    retracted = draw.random() < 0.1
    return written(pmid, said, published=published, retracted=retracted, concepts=CONCEPTS)


def held(url: str) -> tuple[Any, ...]:
    """All that a database holds, however it came: its digest, and each relationship once."""
    rows = run(
        url,
        "MATCH (a:Medweave)-[r]->(b:Medweave) WHERE NOT a:Evidence RETURN coalesce(a.id, a.pmid), "
        "type(r), coalesce(b.id, b.pmid), r.edge, r.hash, r.supporting, r.refuting, r.hedged, "
        "r.first_year, r.last_year",
    )
    nodes = run(url, "MATCH (n:Medweave) UNWIND labels(n) AS label RETURN label, count(n)")
    store = Neo4jStore.open(url)
    try:
        return store.content_digest(), sorted(map(str, rows)), sorted(nodes)
    finally:
        store.close()


def digest_of(snapshot: Path) -> str:
    return LadybugStore(snapshot).digest
