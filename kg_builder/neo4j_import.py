"""A snapshot as CSV files for `neo4j-admin database import full`: the way to a first large load.

The same nodes and relationships, with the same properties, as `publish` writes (`neo4j_rows`),
the `:Snapshot` node with the digest among them: a publish that follows makes constraints and
indexes, and finds nothing else to do. Texts are quoted and may hold line ends; the values of a
list are set apart by U+001F, which no XML can hold. `import.txt` holds the command's options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kg_builder.export import writing
from kg_builder.ladybug_store import LadybugStore
from kg_builder.neo4j_rows import (
    ARTICLE,
    CONCEPT,
    EDGE,
    EVIDENCE,
    SNAPSHOT_ID,
    Columns,
    Neo4jRows,
    snapshot_values,
)

ROWS = 10_000
LIST = "\x1f"


def _header(columns: Columns, key: str = "", space: str = "") -> list[str]:
    """A header line's cells; the column `key` is the id by which relationships find the node."""
    kinds = {"string": "", **{kind: f":{kind}" for _, kind in columns if kind != "string"}}
    ids = {"string": f":ID({space})", "long": f":ID({space}){{id-type:long}}"}
    return [f"{name}{(ids if name == key else kinds)[kind]}" for name, kind in columns]


HEADERS = {
    "snapshot": ["id:ID(Snapshot)", "digest", "evidence:boolean", "layout:long"],
    "concepts": _header(CONCEPT, "id", "Concept"),
    "articles": _header(ARTICLE, "pmid", "Article"),
    "evidence": [":ID(Evidence)", *_header(EVIDENCE)],
    "edges": [":START_ID(Concept)", ":END_ID(Concept)", *_header(EDGE), ":TYPE"],
    "mentions": [":START_ID(Article)", ":END_ID(Concept)"],
    "from_article": [":START_ID(Evidence)", ":END_ID(Article)"],
}

OPTIONS = """\
--array-delimiter=U+001F
--multiline-fields=true
--nodes=Snapshot:Medweave=snapshot.csv
--nodes=Concept:Medweave=concepts.csv
--nodes=Article:Medweave=articles.csv
--nodes=Evidence:Medweave=evidence.csv
--relationships=edges.csv
--relationships=MENTIONS=mentions.csv
--relationships=FROM_ARTICLE=from_article.csv
"""


def write_import(reader: LadybugStore, out: Path) -> list[Path]:
    """Write the files; return their paths. Nothing but what the snapshot says is in them."""
    rows = Neo4jRows(reader.tables)
    files: dict[str, Iterable[Iterable[Any]]] = {
        "snapshot": [[SNAPSHOT_ID, *snapshot_values(rows).values()]],
        "concepts": _portions(rows.concepts, reader.tables["concepts"].num_rows),
        "articles": _portions(rows.articles, reader.tables["articles"].num_rows),
        "edges": _edges(rows),
        "mentions": _each(_portions(rows.mentions, reader.tables["articles"].num_rows)),
    }
    written = [_write(out, name, values) for name, values in files.items()]
    written += _write_evidence(rows, out)
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
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    return _cell(LIST.join(item if isinstance(item, str) else _cell(item) for item in value))


def _write(out: Path, name: str, rows: Iterable[Iterable[Any]]) -> Path:
    path = out / f"{name}.csv"
    with writing(path) as stream:
        stream.write(",".join(HEADERS[name]) + "\n")
        stream.writelines(csv_line(row) for row in rows)
    return path


def _portions(read: Any, total: int) -> Iterator[Any]:
    for start in range(0, total, ROWS):
        yield from read(_range(start, total))


def _range(start: int, total: int) -> npt.NDArray[Any]:
    return np.arange(start, min(start + ROWS, total))


def _edges(rows: Neo4jRows) -> Iterator[Sequence[Any]]:
    total = len(rows.edges.subject)
    for start in range(0, total, ROWS):
        for predicate, values in rows.edge_values(_range(start, total)):
            yield [*values, predicate]


def _write_evidence(rows: Neo4jRows, out: Path) -> list[Path]:
    """The two files of evidence in one pass, since its texts cost most."""
    paths = [out / f"{name}.csv" for name in ("evidence", "from_article")]
    total = rows.tables["articles"].num_rows
    with ExitStack() as stack:
        nodes, articles = (stack.enter_context(writing(path)) for path in paths)
        nodes.write(",".join(HEADERS["evidence"]) + "\n")
        articles.write(",".join(HEADERS["from_article"]) + "\n")
        for number, (pmid, values) in enumerate(_each(_portions(rows.evidence, total))):
            nodes.write(csv_line((str(number), *values)))
            articles.write(csv_line((str(number), pmid)))
    return paths


def _each(groups: Iterable[tuple[int, Sequence[Any]]]) -> Iterator[tuple[int, Any]]:
    """(PMID, item) for each item of each article."""
    return ((pmid, item) for pmid, items in groups for item in items)
