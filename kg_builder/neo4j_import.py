"""A snapshot as CSV files for `neo4j-admin database import full`: the way to a first large load.

Nodes `:Concept`, `:Article` and `:Evidence`, all with the second label `:Medweave`; relationships
of the predicates' types between concepts (`ISA` of the vocabulary's hierarchy without counts),
`(:Article)-[:MENTIONS]->(:Concept)`, and `FROM_ARTICLE`, `SUBJECT` and `OBJECT` of evidence.
Texts are quoted and may hold line ends; the values of a list are set apart by U+001F. `import.txt`
holds the options of the command.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from kg_builder.export import concept_batches, edge_batches, writing
from kg_builder.ladybug_store import LadybugStore
from kg_builder.model import Evidence
from kg_builder.snapshot_reader import hierarchy
from ontologies.concept import Concept

ROWS = 10_000
LIST = "\x1f"

_COUNTS = ("supporting:int", "refuting:int", "hedged:int", "first_year:int", "last_year:int")
_SPANS = Evidence._fields[5:13]
HEADERS = {
    "concepts": (
        "id:ID(Concept)", "name", "synonyms:string[]", "semantic_types:string[]",
        "xrefs:string[]", "parents:string[]", "definition", "articles:int",
    ),
    "articles": (
        "pmid:ID(Article){id-type:long}", "version:int", "title", "published:date", "year:int",
        "retracted:boolean", "journal", "doi",
    ),
    "evidence": (
        "key:ID(Evidence)", "subject_id", "predicate", "object_id", "pmid:long", "version:int",
        *(f"{name}:int" for name in _SPANS), "polarity", "hedged:boolean", "score:int",
        "published:date", "extractor", "sentence",
    ),
    "edges": (":START_ID(Concept)", ":TYPE", ":END_ID(Concept)", *_COUNTS),
    "mentions": (":START_ID(Article)", ":END_ID(Concept)"),
    "from_article": (":START_ID(Evidence)", ":END_ID(Article)"),
    "subject": (":START_ID(Evidence)", ":END_ID(Concept)"),
    "object": (":START_ID(Evidence)", ":END_ID(Concept)"),
}  # fmt: skip

OPTIONS = """\
--array-delimiter=U+001F
--multiline-fields=true
--nodes=Concept:Medweave=concepts.csv
--nodes=Article:Medweave=articles.csv
--nodes=Evidence:Medweave=evidence.csv
--relationships=edges.csv
--relationships=MENTIONS=mentions.csv
--relationships=FROM_ARTICLE=from_article.csv
--relationships=SUBJECT=subject.csv
--relationships=OBJECT=object.csv
"""


def write_import(reader: LadybugStore, out: Path) -> list[Path]:
    """Write the files; return their paths. Nothing but what the snapshot says is in them."""
    rows: dict[str, Iterable[Iterable[Any]]] = {
        "concepts": _concepts(reader),
        "articles": _articles(reader),
        "edges": _edges(reader),
        "mentions": _mentions(reader),
    }
    written = [_write(out, name, values) for name, values in rows.items()]
    written += _write_evidence(reader, out)
    options = out / "import.txt"
    with writing(options) as stream:
        stream.write(OPTIONS)
    return [*written, options]


def csv_line(values: Iterable[Any]) -> str:
    r"""A line of CSV as Neo4j reads it: nothing for null, texts always quoted.

    >>> csv_line(("a", None, 3, True, ("x", "y")))
    '"a",,3,true,"x\x1fy"\n'
    """
    return ",".join(_cell(value) for value in values) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    text = value if isinstance(value, str) else LIST.join(value)
    return '"' + text.replace('"', '""') + '"'


def _write(out: Path, name: str, rows: Iterable[Iterable[Any]]) -> Path:
    path = out / f"{name}.csv"
    with writing(path) as stream:
        stream.write(",".join(HEADERS[name]) + "\n")
        stream.writelines(csv_line(row) for row in rows)
    return path


def _concepts(reader: LadybugStore) -> Iterator[Sequence[Any]]:
    for concepts in concept_batches(reader):
        counts = reader.article_counts(concept.id for concept in concepts)
        for concept, articles in zip(concepts, counts, strict=True):
            yield _concept(concept, articles)


def _concept(concept: Concept, articles: int) -> Sequence[Any]:
    return (
        concept.id, concept.name, concept.synonyms, concept.semantic_types, concept.xrefs,
        concept.parents, concept.definition or None, articles,
    )  # fmt: skip


def _articles(reader: LadybugStore) -> Iterator[Sequence[Any]]:
    names = [header.partition(":")[0] for header in HEADERS["articles"]]
    for batch in reader.tables["articles"].select(names).to_batches(max_chunksize=ROWS):
        for row in batch.to_pylist():
            yield [row[name] for name in names]


def _edges(reader: LadybugStore) -> Iterator[Sequence[Any]]:
    for edges in edge_batches(reader):
        for edge in edges:
            yield (
                edge.subject_id, edge.predicate, edge.object_id, edge.supporting, edge.refuting,
                edge.hedged, edge.first_year, edge.last_year,
            )  # fmt: skip
    ids = reader.tables.strings("concepts", "id")
    child, parent = hierarchy(reader.tables)
    for start in range(0, len(child), ROWS):
        some = slice(start, start + ROWS)
        for one, other in zip(ids.take(child[some]), ids.take(parent[some]), strict=True):
            yield (one, "ISA", other, None, None, None, None, None)


def _mentions(reader: LadybugStore) -> Iterator[Sequence[Any]]:
    """Each article and each concept that it mentions, once."""
    ids = reader.tables.strings("concepts", "id")
    pmid = reader.tables.column("articles", "pmid")
    for batch in reader.tables["occurrence"].to_batches(max_chunksize=ROWS):
        concepts = ids.take(batch.column("concept").to_numpy())
        articles = pmid[batch.column("article").to_numpy()].tolist()
        yield from zip(articles, concepts, strict=True)


def _write_evidence(reader: LadybugStore, out: Path) -> list[Path]:
    """The four files of evidence in one pass, since its texts cost most."""
    names = ("evidence", "from_article", "subject", "object")
    paths = [out / f"{name}.csv" for name in names]
    total = reader.tables["evidence"].num_rows
    with ExitStack() as stack:
        nodes, articles, subjects, objects = (stack.enter_context(writing(p)) for p in paths)
        for name, stream in zip(names, (nodes, articles, subjects, objects), strict=True):
            stream.write(",".join(HEADERS[name]) + "\n")
        for start in range(0, total, ROWS):
            for cited in reader.cited(np.arange(start, min(start + ROWS, total))):
                found = cited.evidence
                key = evidence_key(found)
                nodes.write(csv_line((key, *found, cited.sentence)))
                articles.write(csv_line((key, found.pmid)))
                subjects.write(csv_line((key, found.subject_id)))
                objects.write(csv_line((key, found.object_id)))
    return paths


def evidence_key(evidence: Evidence) -> str:
    """The identity of a piece of evidence: extractor, article version, spans and assertion."""
    parts = (evidence.extractor, *evidence[:13], evidence.polarity, evidence.hedged)
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
