"""Graphs mined in this process, without Ray: what `kg_build` makes with one worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from kg_builder.ladybug_store import load_ladybug
from kg_builder.ledger import Ledger, ShardEntry, file_sha256
from kg_builder.mine import ShardTables, mine
from kg_builder.snapshot import SnapshotInfo, build_snapshot, set_current
from kg_builder.sources import Record
from kg_builder.sources.inputs import order_key
from ontologies.concept import Vocabulary
from ray_jobs.build import recipe_of
from ray_jobs.mining import InputFile, Recipe, key_of, mine_here, open_tools


class Workshop:
    """The starter vocabulary and its tools, opened once."""

    def __init__(self, vocabulary: str | None = None) -> None:
        self.recipe: Recipe = recipe_of(vocabulary, "lexicon")
        self.vocabulary = Vocabulary.load(self.recipe.vocabulary)

    def add(self, graph: Path, paths: Iterable[Path]) -> list[ShardEntry]:
        """Mine files into the graph's ledger."""
        entries = []
        for path in paths:
            file = InputFile(str(path), order_key(path), file_sha256(path))
            entries.append(self._write(graph, file, mine_here(self.recipe, file, None)))
        return entries

    def add_records(
        self, graph: Path, records: Sequence[Record], order: tuple[int, int], source: str
    ) -> ShardEntry:
        """Mine records as a file of that place and content."""
        tables = mine(records, *open_tools(self.recipe))
        return self._write(graph, InputFile(source, order, source), tables)

    def _write(self, graph: Path, file: InputFile, tables: ShardTables) -> ShardEntry:
        ledger = Ledger.open(graph)
        key = key_of(self.recipe, file.sha256)
        entry = ledger.write(key, file.order, file.name, tables)
        ledger.commit([entry])
        return entry

    def publish(self, graph: Path) -> SnapshotInfo:
        """Build the snapshot of the ledger and make it current, its database included."""
        info = build_snapshot(graph, self.vocabulary)
        load_ladybug(info.path)
        set_current(graph, info.digest)
        return info
