"""Training from scratch: batches do not depend on who makes them, and training goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extractor.examples import MarkedNote
from extractor.local_llm import LocalLLM
from extractor.pretrain import Settings, pretrain
from extractor.schema import Finding, Kind, Note, Status

SETTINGS = Settings(
    width=16,
    layers=1,
    inner=24,
    heads=2,
    vocabulary=300,
    tokens_per_batch=64,
    steps=6,
    save_every=3,
)


def note(number: int) -> MarkedNote:
    """`No cough.` or `A cough.`, and a line without a finding."""
    text = f"{'No' if number % 2 else 'A'} cough.\nSeen today, visit {number}.\n"
    start = text.index("cough")
    status = Status.ABSENT if number % 2 else Status.PRESENT
    found = Finding(start, start + len("cough"), "cough", Kind.PROBLEM, status)
    return MarkedNote(Note(number, text), (found,))


NOTES = [note(number) for number in range(40)]


def losses(folder: Path) -> list[float]:
    """The losses of training as they were kept."""
    kept: list[float] = json.loads((folder / "curve.json").read_text(encoding="utf-8"))["held_out"]
    return kept


def test_batches_are_the_same_with_processes_beside(tmp_path: Path) -> None:
    pretrain(NOTES[:32], NOTES[32:], tmp_path / "alone", SETTINGS)
    pretrain(NOTES[:32], NOTES[32:], tmp_path / "beside", SETTINGS, processes=2)
    assert len(losses(tmp_path / "alone")) == 2
    assert losses(tmp_path / "alone") == losses(tmp_path / "beside")


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    pretrain(NOTES[:32], NOTES[32:], tmp_path / "whole", SETTINGS)

    def stop(line: str) -> None:
        if line.startswith("step 4"):
            raise KeyboardInterrupt

    often = replace(SETTINGS, save_every=1)
    with pytest.raises(KeyboardInterrupt):
        pretrain(NOTES[:32], NOTES[32:], tmp_path / "twice", often, stop)
    pretrain(NOTES[:32], NOTES[32:], tmp_path / "twice", often)
    assert losses(tmp_path / "twice")[-1] == losses(tmp_path / "whole")[-1]


def test_what_was_trained_can_be_opened(tmp_path: Path) -> None:
    pretrain(NOTES[:32], NOTES[32:], tmp_path / "model", SETTINGS)
    (tmp_path / "model" / "medweave.json").write_text('{"prompt": "compact-1"}', encoding="utf-8")
    chances = LocalLLM.open(tmp_path / "model").choose([" history:\n A cough.\n"], ("yes", "no"))
    assert abs(sum(chances[0]) - 1) < 1e-6
