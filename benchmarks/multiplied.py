"""A graph so many times as large as a real one, at the real one's degree distribution.

    python benchmarks/multiplied.py GRAPH VOCABULARY OUT --times 10

Each of the copies of the ledger gets PMIDs of its own, and each concept of the graph so many
stand-ins of the vocabulary, of which each copy takes another: every stand-in has the degree and
the articles of the concept that it stands for. For one concept in three the copies take them in
an order of its own, which connects the copies. Words stay as they are.
"""

from __future__ import annotations

import argparse
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.digest import contents
from kg_builder.ledger import Ledger, ShardEntry, ShardKey
from kg_builder.mine import ShardTables
from kg_builder.model import PREDICATES, SYMMETRIC
from kg_builder.schema import LEDGER_TABLES
from kg_builder.snapshot import build_snapshot, set_current
from kg_builder.store import open_store
from kg_builder.update import cut_snapshot
from ontologies.concept import Vocabulary
from ray_jobs.config import parse_cut

PMIDS = 100_000_000
MIXED = 1.0 / 3.0
_SWAPPED = {"subject": "object", "subject_start": "object_start", "subject_end": "object_end"}
_SWAPPED |= {other: one for one, other in _SWAPPED.items()}

StandIns = dict[str, list[str]]
"""By concept of the real graph, its stand-in in each copy; it is one of them itself."""


def stand_ins(concepts: list[str], vocabulary: Vocabulary, times: int) -> StandIns:
    """Stand-ins that no two concepts share, drawn with a fixed seed."""
    taken = set(concepts)
    others = sorted(concept_id for concept_id in vocabulary if concept_id not in taken)
    dice = np.random.default_rng(1)
    drawn = dice.permutation(len(others))[: len(concepts) * (times - 1)].reshape(times - 1, -1)
    found = {}
    for place, concept_id in enumerate(concepts):
        own = [concept_id, *(others[at] for at in drawn[:, place].tolist())]
        mixed = dice.random() < MIXED
        order = dice.permutation(times) if mixed else np.arange(times)
        found[concept_id] = [own[at] for at in order.tolist()]
    return found


def copied(ledger: Ledger, entry: ShardEntry, copy: int, chosen: StandIns) -> ShardTables:
    """The tables of a shard in one of the copies."""
    tables = {name: ledger.read(entry, name) for name in LEDGER_TABLES}
    for name in ("articles", "deletions"):
        tables[name] = _with(tables[name], "pmid", pc.add(tables[name]["pmid"], copy * PMIDS))
    for name, columns in (("mentions", ["concept"]), ("evidence", ["subject", "object"])):
        for column in columns:
            ids = tables[name][column].cast(pa.string()).to_pylist()
            stands = [chosen[one][copy] if one in chosen else one for one in ids]
            tables[name] = _with(tables[name], column, pa.array(stands, pa.string()))
    tables["evidence"] = _canonical(tables["evidence"])
    hashed = contents(tables["articles"], tables["mentions"], tables["evidence"])
    tables["evidence"] = tables["evidence"].take(hashed.order)
    hashes = pa.array(hashed.hashes, pa.binary(32))
    tables["articles"] = _with(tables["articles"], "content_hash", hashes)
    return ShardTables(**{name: table.cast(LEDGER_TABLES[name]) for name, table in tables.items()})


def _with(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, values)


def _canonical(evidence: pa.Table) -> pa.Table:
    """Symmetric assertions with the smaller id first, their spans with them."""
    codes = pa.array([code for code, name in enumerate(PREDICATES) if name in SYMMETRIC], pa.int8())
    turned = pc.and_(
        pc.is_in(evidence["predicate"], codes), pc.greater(evidence["subject"], evidence["object"])
    )
    columns = {
        name: pc.if_else(turned, evidence[_SWAPPED[name]], evidence[name])
        if name in _SWAPPED
        else evidence[name]
        for name in evidence.schema.names
    }
    return pa.table(columns)


def degrees(graph: str) -> npt.NDArray[np.int64]:
    """Deciles of the concepts' numbers of edges, the greatest last."""
    tables = open_store(graph).tables  # type: ignore[attr-defined]
    _, number = np.unique(tables.column("incidence", "concept"), return_counts=True)
    return np.quantile(number, np.linspace(0.1, 1.0, 10)).astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graph")
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("out")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--cut", default="2001")
    arguments = parser.parse_args()
    vocabulary = Vocabulary.load(arguments.vocabulary)
    store, source = open_store(arguments.graph), Ledger.open(arguments.graph)
    chosen = stand_ins(list(store.concept_ids()), vocabulary, arguments.times)
    target = Ledger.open(arguments.out)
    entries = []
    for copy in range(arguments.times):
        for entry in source.entries():
            name = sha256(f"{copy} {entry.name}".encode()).hexdigest()
            key = ShardKey(name, entry.key.linker, entry.key.extractor, entry.key.vocabulary)
            order = (entry.order[0], entry.order[1])
            tables = copied(source, entry, copy, chosen)
            entries.append(target.write(key, order, f"{copy} {entry.file}", tables))
    target.commit(entries)
    info = build_snapshot(arguments.out, vocabulary)
    set_current(arguments.out, info.digest)
    cut = cut_snapshot(arguments.out, parse_cut(arguments.cut, date.today()))
    print(f"{info.edges:,} edges, {info.sentences:,} sentences, {info.concepts:,} concepts")
    print(f"the cut: {cut.edges:,} edges, {cut.sentences:,} sentences")
    print(f"degrees by decile: {degrees(arguments.out)}")
    print(f"of the real graph: {degrees(arguments.graph)}")


if __name__ == "__main__":
    main()
