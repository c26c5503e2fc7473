"""What tests share: where the development data lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of public data sets that `MEDWEAVE_DATA` names; skips where it is not set."""
    value = os.environ.get("MEDWEAVE_DATA")
    if not value:
        pytest.skip("MEDWEAVE_DATA is not set: the public data sets are not at hand")
    path = Path(value).resolve()
    if not path.is_dir():
        raise FileNotFoundError(f"MEDWEAVE_DATA names {path}, which is not a folder")
    return path
