"""Rows of a table that comes in several batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kg_builder.snapshot_tables import SnapshotTables
from tests.contracts.graphs import CONCEPTS, Statement, World, written
from tests.contracts.snapshots import write_snapshot


@pytest.mark.parametrize("batch", [2, 3, 100])
def test_rows_are_taken_from_their_batches(tmp_path: Path, batch: int) -> None:
    mined = tuple(written(pmid, [Statement(0, 1, "TREATS")]) for pmid in range(1, 9))
    tables = SnapshotTables(write_snapshot(World(mined, CONCEPTS), tmp_path, batch=batch))
    whole = tables["articles"].to_pylist()
    for asked in ([], [7], [5, 0, 5, 7, 2], list(range(8))):
        rows = np.array(asked, np.int64)
        assert tables.take("articles", rows).to_pylist() == [whole[row] for row in asked]
        titles = tables.take("articles", rows, ["title"])
        assert titles.column_names == ["title"]
        assert titles["title"].to_pylist() == [whole[row]["title"] for row in asked]
