from __future__ import annotations

import json
from pathlib import Path

import pytest

from extractor.split import TEST, Split, SplitError, make_split

LABELS = {f"p{number:03d}": int(number % 10 == 0) for number in range(200)}


def test_every_patient_stands_in_one_part() -> None:
    split = make_split("readmission_30d", LABELS, seed=1)
    parts = [split.test, *split.folds]
    assert sorted(subject for part in parts for subject in part) == sorted(LABELS)
    assert [sum(LABELS[s] for s in part) for part in parts] == [4, 4, 3, 3, 3, 3]
    assert all(split.fold(s) == TEST for s in split.test)
    assert all(split.fold(s) == 2 for s in split.folds[2])


def test_order_of_patients_does_not_matter_and_seed_does() -> None:
    backwards = dict(reversed(LABELS.items()))
    assert make_split("t", LABELS, seed=1) == make_split("t", backwards, seed=1)
    assert make_split("t", LABELS, seed=1).digest != make_split("t", LABELS, seed=2).digest


def test_saved_and_loaded(tmp_path: Path) -> None:
    split = make_split("t", LABELS, seed=3, k=4)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    make_split("t", LABELS, seed=3).save(path)
    value = json.loads(path.read_text())
    value["folds"]["0"].append(value["test"].pop())
    path.write_text(json.dumps(value))
    with pytest.raises(SplitError, match="edited"):
        Split.load(path)


def test_a_stranger_and_a_patient_in_two_parts_are_refused() -> None:
    split = make_split("t", LABELS, seed=3)
    with pytest.raises(SplitError, match="stranger"):
        split.fold("stranger")
    with pytest.raises(SplitError, match="two parts"):
        Split("t", 0, ("a",), (("a",), ("b",)))


def test_too_few_events_are_refused() -> None:
    with pytest.raises(SplitError, match="too few"):
        make_split("t", {"a": 1, "b": 0, "c": 0}, seed=0)
