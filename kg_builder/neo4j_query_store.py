"""The Cypher of the reads of a published snapshot, but for names (`neo4j_search_store`).

Edges are counted by the properties of their relationships (`EDGES`), or anew from the `:Evidence`
nodes published by `$cut` (`EDGES_AS_OF`), which share the relationship's number (`edge`).
"""

from __future__ import annotations

from kg_builder.neo4j_write_store import TYPES

SNAPSHOT = "MATCH (m:Medweave {id: $id}) RETURN m.digest, coalesce(m.evidence, false)"
CONCEPTS = "UNWIND $ids AS id MATCH (c:Concept:Medweave {id: id}) RETURN properties(c)"
IDS = """
MATCH (c:Concept:Medweave) USING INDEX c:Medweave(id) WHERE c.id > $after
RETURN c.id ORDER BY c.id LIMIT $page
"""
COUNTS = "UNWIND $ids AS id MATCH (c:Concept:Medweave {id: id}) RETURN id, c.articles"
COUNTS_AS_OF = """
UNWIND $ids AS id
MATCH (c:Concept:Medweave {id: id})<-[:MENTIONS]-(a:Article:Medweave)
WHERE a.published <= $cut AND NOT a.retracted
RETURN id, count(a)
"""

_INCIDENT = f"""
UNWIND $ids AS id
MATCH (c:Concept:Medweave {{id: id}})
CALL (c) {{
  MATCH (c)-[r:{TYPES}]-(:Concept:Medweave)
  WHERE r.edge IS NOT NULL AND r.supporting + r.refuting >= $least
    AND ($types IS NULL OR type(r) IN $types)
    AND ($direction = 'both' OR type(r) IN $symmetric
      OR ($direction = 'out' AND startNode(r) = c) OR ($direction = 'in' AND endNode(r) = c))
"""
_EDGE = "startNode(r).id AS subject, type(r) AS predicate, endNode(r).id AS object"
_RETURN = """
  RETURN subject, predicate, object, supporting, refuting, hedged, first, last
  ORDER BY supporting DESC, subject, predicate, object LIMIT $limit
}
RETURN DISTINCT subject, predicate, object, supporting, refuting, hedged, first, last
"""
EDGES = f"""{_INCIDENT}
  WITH {_EDGE}, r.supporting AS supporting, r.refuting AS refuting, r.hedged AS hedged,
    r.first_year AS first, r.last_year AS last
{_RETURN}"""
_ARTICLES_OF = """
  MATCH (e:Evidence:Medweave {edge: r.edge})
  WHERE e.published <= $cut AND NOT e.retracted AND e.predicate = type(r)
  WITH r, e.article AS article,
    max(CASE WHEN e.polarity = 'refutes' THEN 0 ELSE 1 END) AS supports,
    max(CASE WHEN e.polarity = 'refutes' THEN 1 ELSE 0 END) AS refutes,
    max(CASE WHEN e.polarity = 'refutes' OR e.hedged THEN 0 ELSE 1 END) AS plainly,
    min(e.published.year) AS year
"""
EDGES_AS_OF = f"""{_INCIDENT}
{_ARTICLES_OF}
  WITH r, sum(supports) AS supporting, sum(refutes) AS refuting,
    sum(supports) - sum(supports * plainly) AS hedged, min(year) AS first, max(year) AS last
  WHERE supporting + refuting >= $least
  WITH {_EDGE}, supporting, refuting, hedged, first, last
{_RETURN}"""

EVIDENCE = """
MATCH (e:Evidence:Medweave {edge: $edge})-[:FROM_ARTICLE]->(a:Article:Medweave)
WHERE e.subject_id = $subject AND e.predicate = $predicate AND e.object_id = $object
  AND ($cut IS NULL OR e.published <= $cut) AND ($retracted OR NOT e.retracted)
RETURN properties(e), a.version, a.title, a.section_texts
"""
PUBLICATIONS = """
UNWIND $keys AS key
MATCH (e:Evidence:Medweave {edge: key[0]})
WHERE e.subject_id = key[1] AND e.predicate = key[2] AND e.object_id = key[3]
  AND ($cut IS NULL OR e.published <= $cut) AND NOT e.retracted
RETURN key[0], e.polarity = 'refutes', collect(DISTINCT e.article)
"""

ARTICLE_TOTALS = """
MATCH (a:Article:Medweave) WHERE $cut IS NULL OR a.published <= $cut
RETURN count(a), coalesce(sum(CASE WHEN a.retracted THEN 1 ELSE 0 END), 0),
  coalesce(sum(CASE WHEN a.published IS NULL THEN 1 ELSE 0 END), 0),
  coalesce(sum(a.sentences), 0), coalesce(sum(a.mentions), 0), coalesce(sum(a.evidence), 0)
"""
CONCEPT_TOTAL = "MATCH (c:Concept:Medweave) RETURN count(c)"
CONCEPT_TOTAL_AS_OF = """
MATCH (a:Article:Medweave)-[:MENTIONS]->(c:Concept:Medweave) WHERE a.published <= $cut
RETURN count(DISTINCT c)
"""
EDGE_TOTALS = f"""
MATCH (:Concept:Medweave)-[r:{TYPES}]->(:Concept:Medweave)
WHERE r.edge IS NOT NULL AND r.supporting IS NOT NULL
RETURN type(r), count(r)
"""
EDGE_TOTALS_AS_OF = """
MATCH (e:Evidence:Medweave) WHERE e.published <= $cut AND NOT e.retracted
RETURN e.predicate, count(DISTINCT e.edge)
"""
