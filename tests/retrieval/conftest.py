"""One graph of the demo's corpus for all tests of retrieval."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retrieval.worlds import build, demo_records


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session")
def demo_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph of the demo's corpus, update file included."""
    graph = tmp_path_factory.mktemp("demo")
    build(graph, demo_records())
    return graph
