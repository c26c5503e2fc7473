"""Small hospitals, made once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from predictor.synthetic.make import Plan, make_hospital

Reader = Callable[[str], pa.Table]
PATIENTS = 320


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean hospital of seed 3."""
    folder = tmp_path_factory.mktemp("hospital") / "clean"
    make_hospital(Plan(PATIENTS, 3), folder)
    return folder


@pytest.fixture(scope="session")
def read(clean: Path) -> Reader:
    """Read a table of the clean hospital by its name."""
    return lambda name: table_of(clean, name)


def table_of(folder: Path, name: str) -> pa.Table:
    """A table of a hospital, as a reader that knows nothing of it would read it."""
    options = pa.csv.ParseOptions(newlines_in_values=True)
    return pa.csv.read_csv(folder / f"{name}.csv.gz", parse_options=options)
