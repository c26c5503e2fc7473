"""Exports read back by others' readers, and the same bytes from every store."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import networkx as nx
import pytest

from kg_builder.biolink import PREDICATES as BIOLINK
from kg_builder.export import FORMATS, edge_batches, export_graph, tsv_line
from kg_builder.ladybug_store import LadybugStore
from kg_builder.memory_store import MemoryStore
from kg_builder.model import PREDICATES, REFUTES, PublicationDate
from ontologies.concept import Concept, Name
from tests.contracts.graphs import CONCEPTS, Statement, World, written
from tests.contracts.snapshots import write_snapshot
from tests.processes import python

ASPIRIN, FAILURE, DISEASE, ATTACK, INSULIN = (concept.id for concept in CONCEPTS)

ODD = Concept(
    "X:1",
    'Tab\there, "quotes" & <angle>\n\x0b|bar',
    (Name("a|b", "X"), Name("semi;colon", "X"), Name("\N{GREEK SMALL LETTER ALPHA}", "X")),
)
HERE = (*CONCEPTS, ODD)


def world() -> World:
    treats = Statement(0, 3, "TREATS")
    return World(
        (
            written(1, [treats, Statement(1, 2, "CO_OCCURS_WITH")], concepts=HERE),
            written(2, [treats._replace(hedged=True)], published=PublicationDate(2001, 2, 3)),
            written(3, [treats._replace(polarity=REFUTES)], published=PublicationDate(2002)),
            written(4, [Statement(4, 3, "INHIBITS", REFUTES)], concepts=HERE),
            written(5, [Statement(5, 3, "CAUSES")], concepts=HERE),
            written(6, [Statement(2, 3, "CAUSES")], retracted=True),
        ),
        HERE,
    )


@pytest.fixture
def store(tmp_path: Path) -> LadybugStore:
    return LadybugStore.open(write_snapshot(world(), tmp_path / "graph"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_kgx_edges_say_what_the_articles_say(store: LadybugStore, tmp_path: Path) -> None:
    nodes, edges = export_graph(store, "kgx", tmp_path / "kgx")
    assert (nodes.name, edges.name) == ("nodes.tsv", "edges.tsv")
    by_ends = {(row["subject"], row["object"]): row for row in rows(edges)}
    assert set(by_ends) == {
        (ASPIRIN, ATTACK), (INSULIN, ATTACK), (DISEASE, FAILURE), ("X:1", ATTACK)
    }  # fmt: skip
    treats = by_ends[ASPIRIN, ATTACK]
    assert treats["predicate"] == "biolink:treats_or_applied_or_studied_to_treat"
    assert treats["publications"] == "PMID:1|PMID:2"
    assert treats["refuting_publications"] == "PMID:3"
    assert (treats["negated"], treats["agent_type"]) == ("False", "text_mining_agent")
    assert (treats["first_year"], treats["last_year"]) == ("2001", "2002")
    denied = by_ends[INSULIN, ATTACK]
    assert (denied["negated"], denied["publications"]) == ("True", "PMID:4")
    assert denied["object_direction_qualifier"] == "decreased"
    together = by_ends[DISEASE, FAILURE]
    assert together["knowledge_level"] == "observation"
    assert together["first_year"] == ""


def test_kgx_nodes_keep_one_line_each(store: LadybugStore, tmp_path: Path) -> None:
    nodes, _ = export_graph(store, "kgx", tmp_path / "kgx")
    by_id = {row["id"]: row for row in rows(nodes)}
    assert set(by_id) == {concept.id for concept in HERE}
    assert by_id[FAILURE]["category"] == "biolink:Disease"
    assert by_id[ASPIRIN]["xref"] == "CHEBI:15365"
    assert by_id["X:1"]["name"] == 'Tab here, "quotes" & <angle> |bar'
    assert by_id["X:1"]["synonym"] == "a b|semi;colon|\N{GREEK SMALL LETTER ALPHA}"
    assert by_id["X:1"]["category"] == "biolink:NamedThing"


@pytest.mark.parametrize("format", ["graphml", "networkx"])
def test_networkx_reads_the_graph(store: LadybugStore, tmp_path: Path, format: str) -> None:
    (path,) = export_graph(store, format, tmp_path / "graph.out")
    if format == "graphml":
        graph = nx.read_graphml(path)
    else:
        graph = nx.node_link_graph(json.loads(path.read_text(encoding="utf-8")))
    edges = [edge for batch in edge_batches(store) for edge in batch]
    assert graph.is_directed()
    assert {
        (a, data["predicate"], b, data["supporting"], data["refuting"], data.get("first_year"))
        for a, b, data in graph.edges(data=True)
    } == {
        (e.subject_id, e.predicate, e.object_id, e.supporting, e.refuting, e.first_year)
        for e in edges
    }
    assert set(graph) == {concept.id for concept in HERE}
    assert graph.nodes[ASPIRIN]["articles"] == 3
    assert "<angle>" in graph.nodes["X:1"]["name"]


@pytest.mark.parametrize("format", ["kgx", "graphml", "networkx"])
def test_every_store_gives_the_same_bytes(store: LadybugStore, tmp_path: Path, format: str) -> None:
    memory = MemoryStore(*world(), digest="made")
    first = export_graph(store, format, tmp_path / "a")
    second = export_graph(memory, format, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_bytes_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    write_snapshot(world(), tmp_path / "graph")
    code = (
        "import sys; from pathlib import Path; from kg_builder.export import export_graph\n"
        "from kg_builder.store import open_store\n"
        "store = open_store(sys.argv[1])\n"
        "for name in ('kgx', 'neo4j-import'): export_graph(store, name, Path(sys.argv[2]) / name)\n"
        "for name in ('graphml', 'networkx'): export_graph(store, name, Path(sys.argv[2]) / name)\n"
    )
    trees = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        python(code, tmp_path / "graph", out, PYTHONHASHSEED=seed)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        trees.append([(str(path.relative_to(out)), path.read_bytes()) for path in files])
    assert trees[0] == trees[1]
    assert len(trees[0]) == 2 + 8 + 2


def test_neo4j_files_hold_every_row(store: LadybugStore, tmp_path: Path) -> None:
    paths = {path.stem: path for path in export_graph(store, "neo4j-import", tmp_path / "out")}
    tables = {}
    for name, path in paths.items():
        if path.suffix == ".csv":
            with path.open(encoding="utf-8", newline="") as stream:
                tables[name] = list(csv.reader(stream))
    sizes = {name: len(table) - 1 for name, table in tables.items()}
    stats = store.stats()
    assert sizes["concepts"] == stats.concepts
    assert sizes["articles"] == stats.articles
    assert sizes["evidence"] == sizes["from_article"] == stats.evidence
    assert sizes["edges"] == stats.edges + 2  # the hierarchy
    assert sizes["mentions"] == sum(len(mined.concept_ids) for mined in world().mined)
    keys = [row[0] for row in tables["evidence"][1:]]
    assert len(set(keys)) == len(keys)
    assert {row[3] for row in tables["evidence"][1:]} == {ASPIRIN, INSULIN, DISEASE, "X:1"}
    for name, table in tables.items():
        assert {len(row) for row in table} == {len(table[0])}, name
        for option in paths["import"].read_text().split():
            if "=" in option and option.endswith(".csv"):
                assert (tmp_path / "out" / option.rpartition("=")[2]).is_file()


def test_a_failed_export_leaves_no_half_file(tmp_path: Path) -> None:
    class Broken(MemoryStore):
        def article_counts(self, ids: object, *, as_of: object = None) -> list[int]:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        export_graph(Broken(*world()), "graphml", tmp_path / "graph.graphml")
    assert list(tmp_path.iterdir()) == []


def test_refusals(tmp_path: Path) -> None:
    memory = MemoryStore(*world())
    with pytest.raises(ValueError, match=f"known: {', '.join(FORMATS)}"):
        export_graph(memory, "gexf", tmp_path)
    with pytest.raises(ValueError, match="graph directory"):
        export_graph(memory, "neo4j-import", tmp_path)


def test_every_predicate_has_a_biolink_name() -> None:
    assert set(BIOLINK) == set(PREDICATES)


def test_a_cell_never_breaks_its_line() -> None:
    line = tsv_line(("a\tb\r\nc\u2028d", ("x|y", "z\n")))
    assert line == "a b c d\tx y|z\n"
