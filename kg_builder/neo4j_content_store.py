"""The content of a graph as a Neo4j database holds it, for its digest to be computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import neo4j
import pyarrow as pa

from kg_builder.digest import SPANS
from kg_builder.model import PREDICATES, REFUTES
from kg_builder.neo4j_rows import article_from
from kg_builder.schema import LEDGER_ARTICLES, LEDGER_EVIDENCE
from kg_builder.verify import Content

PAGE = 500

_SAID = (
    "subject_id",
    "predicate",
    "object_id",
    "spans",
    "polarity",
    "hedged",
    "score",
    "extractor",
)
_CONTENT = f"""
MATCH (a:Article:Medweave) USING INDEX a:Medweave(pmid) WHERE a.pmid > $after
WITH a ORDER BY a.pmid LIMIT $page
RETURN properties(a),
  COLLECT {{ MATCH (a)-[:MENTIONS]->(c:Concept:Medweave) RETURN c.id }},
  COLLECT {{
    MATCH (a)<-[:FROM_ARTICLE]-(e:Evidence:Medweave)
    RETURN [{", ".join(f"e.{name}" for name in _SAID)}]
  }}
ORDER BY a.pmid
"""


def held_contents(session: neo4j.Session) -> Iterator[Content]:
    """All articles of a database with what belongs to them, in the order of PMIDs."""
    after = -1
    while True:
        rows = session.execute_read(_page, after)
        if rows:
            yield _content(rows)
            after = rows[-1][0]["pmid"]
        if len(rows) < PAGE:
            return


def _page(tx: neo4j.ManagedTransaction, after: int) -> list[list[Any]]:
    return list(tx.run(_CONTENT, after=after, page=PAGE).values())


def _content(rows: list[list[Any]]) -> Content:
    mentions = [(at, concept) for at, (_, ids, _) in enumerate(rows) for concept in ids]
    evidence = [_evidence(at, said) for at, (*_, all_said) in enumerate(rows) for said in all_said]
    articles = LEDGER_ARTICLES.remove(LEDGER_ARTICLES.get_field_index("content_hash"))
    return Content(
        pa.Table.from_pylist([_article(node) for node, *_ in rows], articles),
        pa.table(
            {
                "article": pa.array([at for at, _ in mentions], pa.int32()),
                "concept": pa.array([concept for _, concept in mentions], pa.string()),
            }
        ),
        pa.Table.from_pylist(evidence, LEDGER_EVIDENCE),
    )


def _article(node: dict[str, Any]) -> dict[str, Any]:
    row = article_from(node)
    published = row["published"]
    return {**row, "published": published and published.to_native()}


def _evidence(article: int, values: list[Any]) -> dict[str, Any]:
    said = dict(zip(_SAID, values, strict=True))
    return {
        **said,
        **dict(zip(SPANS, said["spans"], strict=True)),
        "article": article,
        "subject": said["subject_id"],
        "predicate": PREDICATES.index(said["predicate"]),
        "object": said["object_id"],
        "refutes": said["polarity"] == REFUTES,
    }
