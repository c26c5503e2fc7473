"""The truth as evaluation reads it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from predictor.synthetic.causes import TASKS
from predictor.synthetic.make import HospitalError, Plan
from predictor.synthetic.outcome import SOURCES, reachable_auroc
from predictor.synthetic.truth import read_gold, read_risks, read_truth

from .conftest import PATIENTS, Reader

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("task", TASKS)
def test_risks_add_up_and_give_the_best_auroc(clean: Path, read: Reader, task: str) -> None:
    truth = read_truth(clean)
    assert truth.plan == Plan(PATIENTS, 3)
    table = read_risks(clean, task)
    assert table["label"].to_pylist() == read(f"labels/{task}")["label"].to_pylist()
    risk = table["risk"].to_numpy()
    logit = sum(table[name].to_numpy() for name in ("base", "structured", "notes", "graph"))
    assert risk == pytest.approx(1 / (1 + np.exp(-logit)))
    told = truth.tasks[task]
    assert (told.rows, told.events) == (len(risk), sum(table["label"].to_pylist()))
    assert told.best == pytest.approx(reachable_auroc(risk, risk))
    for source, added in told.added_last.items():
        others = [name for name in SOURCES if name != source]
        without = np.round(table[others[0]].to_numpy() + table[others[1]].to_numpy(), 9)
        assert added == pytest.approx(told.best - reachable_auroc(risk, without))


def test_gold_is_read_note_by_note(clean: Path) -> None:
    with (clean / "notes.jsonl").open(encoding="utf-8", newline="\n") as lines:
        notes = [json.loads(line) for line in lines]
    golds = list(read_gold(clean))
    assert [gold.note_id for gold in golds] == [note["note_id"] for note in notes]
    assert [gold.style for gold in golds] == [note["style"] for note in notes]
    for note, gold in zip(notes, golds, strict=True):
        assert all(note["text"][g.start : g.end] == g.quote for g in gold.golds)


def test_a_hospital_without_its_truth_is_told(tmp_path: Path) -> None:
    for read in (read_truth, lambda folder: list(read_gold(folder))):
        with pytest.raises(HospitalError, match=r"truth"):
            read(tmp_path)


def test_models_and_audits_do_not_read_the_truth() -> None:
    """Only what evaluates may import the reader."""
    for package in ("predictor", "extractor", "retrieval", "kg_builder", "ontologies"):
        for path in (ROOT / package).rglob("*.py"):
            if "evaluat" in path.stem or path.parent.name == "synthetic":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert getattr(node, "module", None) != "predictor.synthetic.truth", path
