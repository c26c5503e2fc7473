"""A graph in the formats of others, the same bytes for the same graph.

`kgx`, `graphml` and `networkx` are written from any store, through its typed reads; concepts come
sorted by id, edges by key, a batch at a time. `neo4j-import` is written from a graph directory.
Files are written under a temporary name and renamed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from kg_builder.biolink import PREDICATES as BIOLINK
from kg_builder.biolink import categories
from kg_builder.model import Edge, EdgeKey
from kg_builder.store import EdgePublications, GraphStore
from ontologies.concept import Concept

BATCH = 1000
KNOWLEDGE_SOURCE = "infores:medweave"
EDGE_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "medweave")


def export_graph(store: GraphStore, format: str, out: Path) -> list[Path]:
    """Write a graph to `out`; return the files written.

    `graphml` and `networkx` write the one file `out`, the others files in the folder `out`.
    Raises `ValueError` for an unknown format.
    """
    if format not in FORMATS:
        raise ValueError(f"no export format {format!r}; known: {', '.join(FORMATS)}")
    return FORMATS[format](store, out)


def concept_batches(store: GraphStore) -> Iterator[list[Concept]]:
    """All concepts, sorted by id."""
    for ids in id_batches(store):
        yield store.concepts(ids)


def id_batches(store: GraphStore) -> Iterator[list[str]]:
    """The ids of all concepts, sorted, `BATCH` at a time."""
    ids = store.concept_ids()
    while batch := list(islice(ids, BATCH)):
        yield batch


def edge_batches(store: GraphStore) -> Iterator[list[Edge]]:
    """All edges, each once, sorted by key."""
    for ids in id_batches(store):
        own = frozenset(ids)
        edges = store.edges(ids, direction="out")
        yield sorted((e for e in edges if e.subject_id in own), key=lambda edge: edge.key)


@contextmanager
def writing(path: Path) -> Iterator[IO[str]]:
    """A text file that gets its name when it is whole; left out where writing fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# KGX: https://biolink.github.io/kgx/kgx_format.html

NODE_COLUMNS = ("id", "category", "name", "description", "synonym", "xref", "provided_by")
EDGE_COLUMNS = (
    "id",
    "subject",
    "predicate",
    "object",
    "category",
    "negated",
    "qualified_predicate",
    "object_aspect_qualifier",
    "object_direction_qualifier",
    "original_predicate",
    "primary_knowledge_source",
    "knowledge_level",
    "agent_type",
    "publications",
    "refuting_publications",
    "supporting_articles",
    "refuting_articles",
    "hedged_articles",
    "first_year",
    "last_year",
)


def write_kgx(store: GraphStore, out: Path) -> list[Path]:
    """`nodes.tsv` and `edges.tsv`; several values of a cell stand between bars."""
    nodes, edges = out / "nodes.tsv", out / "edges.tsv"
    with writing(nodes) as stream:
        stream.write("\t".join(NODE_COLUMNS) + "\n")
        for concepts in concept_batches(store):
            stream.writelines(tsv_line(kgx_node(concept)) for concept in concepts)
    with writing(edges) as stream:
        stream.write("\t".join(EDGE_COLUMNS) + "\n")
        for batch in edge_batches(store):
            stated = store.publications([edge.key for edge in batch])
            rows = zip(batch, stated, strict=True)
            stream.writelines(tsv_line(kgx_edge(edge, said)) for edge, said in rows)
    return [nodes, edges]


def kgx_node(concept: Concept) -> Iterable[Any]:
    """The cells of a concept in the order of `NODE_COLUMNS`."""
    return (
        concept.id,
        categories(concept.semantic_types),
        concept.name,
        concept.definition,
        concept.synonyms,
        tuple(xref for xref in concept.xrefs if xref != concept.id),
        KNOWLEDGE_SOURCE,
    )


def kgx_edge(edge: Edge, stated: EdgePublications) -> Iterable[Any]:
    """An edge that articles only refute is a negated one, and they are its publications."""
    biolink = BIOLINK[edge.predicate]
    negated = not edge.supporting
    return (
        edge_id(edge.key),
        edge.subject_id,
        biolink.predicate,
        edge.object_id,
        "biolink:Association",
        "True" if negated else "False",
        biolink.qualified_predicate,
        biolink.object_aspect,
        biolink.object_direction,
        edge.predicate,
        KNOWLEDGE_SOURCE,
        "observation" if edge.predicate == "CO_OCCURS_WITH" else "knowledge_assertion",
        "text_mining_agent",
        pmids(stated.refuting if negated else stated.supporting),
        pmids(stated.refuting),
        edge.supporting,
        edge.refuting,
        edge.hedged,
        edge.first_year,
        edge.last_year,
    )


def edge_id(key: EdgeKey) -> str:
    """A name of an edge that any graph gives the same assertion."""
    text = "\n".join((key.subject_id, key.predicate, key.object_id))
    return f"urn:uuid:{uuid.uuid5(EDGE_NAMESPACE, text)}"


def pmids(numbers: Iterable[int]) -> tuple[str, ...]:
    """PMIDs as CURIEs."""
    return tuple(f"PMID:{number}" for number in numbers)


def tsv_line(values: Iterable[Any]) -> str:
    r"""A line of tab-separated cells; tabs, line ends, and bars within a list become spaces.

    >>> tsv_line(("a", ("b", "c|d"), None, 3))
    'a\tb|c d\t\t3\n'
    """
    cells = (
        "|".join(_flat(item).replace("|", " ") for item in value)
        if isinstance(value, tuple)
        else "" if value is None else _flat(str(value))
        for value in values
    )  # fmt: skip
    return "\t".join(cells) + "\n"


def _flat(text: str) -> str:
    return " ".join(text.split()) if any(c in text for c in "\t\r\n\v\f\x85\u2028\u2029") else text


# GraphML: http://graphml.graphdrawing.org, as networkx.read_graphml reads it

_GRAPHML_NODE = {"name": "string", "semantic_types": "string", "articles": "int"}
_GRAPHML_EDGE = {
    "predicate": "string",
    "supporting": "int",
    "refuting": "int",
    "hedged": "int",
    "first_year": "int",
    "last_year": "int",
}
_XML_ILLEGAL = dict.fromkeys((*range(32), *range(55296, 57344), 65534, 65535), "�") | {
    9: "\t",
    10: "\n",
    13: "\r",
}


def write_graphml(store: GraphStore, out: Path) -> list[Path]:
    """One GraphML file; every edge runs from subject to object, symmetric ones too."""
    with writing(out) as stream:
        stream.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        )
        for where, kinds in (("node", _GRAPHML_NODE), ("edge", _GRAPHML_EDGE)):
            for name, kind in kinds.items():
                stream.write(
                    f'<key id="{where}_{name}" for="{where}" attr.name="{name}" '
                    f'attr.type="{kind}"/>\n'
                )
        stream.write('<graph id="medweave" edgedefault="directed">\n')
        for concept, articles in counted_concepts(store):
            stream.write(f"<node id={_attribute(concept.id)}>")
            stream.write(_data("node", _node_values(concept, articles)) + "</node>\n")
        for edge in (edge for batch in edge_batches(store) for edge in batch):
            ends = f"source={_attribute(edge.subject_id)} target={_attribute(edge.object_id)}"
            stream.write(f"<edge {ends}>" + _data("edge", _edge_values(edge)) + "</edge>\n")
        stream.write("</graph>\n</graphml>\n")
    return [out]


def counted_concepts(store: GraphStore) -> Iterator[tuple[Concept, int]]:
    """All concepts with the number of articles that mention them."""
    for concepts in concept_batches(store):
        counts = store.article_counts(concept.id for concept in concepts)
        yield from zip(concepts, counts, strict=True)


def _node_values(concept: Concept, articles: int) -> Mapping[str, Any]:
    types = " ".join(concept.semantic_types)
    return {"name": concept.name, "semantic_types": types, "articles": articles}


def _edge_values(edge: Edge) -> Mapping[str, Any]:
    return {name: getattr(edge, name) for name in _GRAPHML_EDGE}


def _data(where: str, values: Mapping[str, Any]) -> str:
    return "".join(
        f'<data key="{where}_{name}">{escape(str(value).translate(_XML_ILLEGAL))}</data>'
        for name, value in values.items()
        if value is not None
    )


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_XML_ILLEGAL))


# networkx: node-link JSON, read by networkx.node_link_graph (its default names since 3.4)


def write_node_link(store: GraphStore, out: Path) -> list[Path]:
    """One JSON file of a directed multigraph whose edges have their predicate as key."""
    with writing(out) as stream:
        about = {"digest": store.stats().digest, "source": "medweave"}
        stream.write('{"directed": true, "multigraph": true, "graph": ' + json.dumps(about))
        stream.write(',\n"nodes": [')
        _write_items(
            stream,
            ({"id": c.id, **_node_values(c, number)} for c, number in counted_concepts(store)),
        )
        stream.write('],\n"edges": [')
        _write_items(
            stream,
            (
                {
                    "source": edge.subject_id,
                    "target": edge.object_id,
                    "key": edge.predicate,
                    **_edge_values(edge),
                }
                for batch in edge_batches(store)
                for edge in batch
            ),
        )
        stream.write("]}\n")
    return [out]


def _write_items(stream: IO[str], items: Iterable[Mapping[str, Any]]) -> None:
    for number, item in enumerate(items):
        stream.write(("," if number else "") + "\n" + json.dumps(item, ensure_ascii=False))


def write_neo4j_import(store: GraphStore, out: Path) -> list[Path]:
    """CSV files for `neo4j-admin database import full`; see `neo4j_import`."""
    from kg_builder.ladybug_store import LadybugStore
    from kg_builder.neo4j_import import write_import

    if not isinstance(store, LadybugStore):
        raise ValueError("neo4j-import is written from a graph directory, not from a server")
    return write_import(store, out)


FORMATS: Mapping[str, Callable[[GraphStore, Path], list[Path]]] = {
    "kgx": write_kgx,
    "graphml": write_graphml,
    "networkx": write_node_link,
    "neo4j-import": write_neo4j_import,
}
