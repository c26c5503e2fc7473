"""The audit on synthetic hospitals: it finds what was planted, and nothing where nothing was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from predictor.synthetic.leaks import (
    CLOCK,
    CODES,
    IN_SAMPLE,
    LATE_NOTES,
    LEAKS,
    NEXT_VISIT,
    ROWS_BY_OUTCOME,
)
from predictor.synthetic.make import Plan, make_hospital
from ray_jobs.cli import main

TASKS = ("readmission_30d", "in_hospital_mortality")
FOUND_BY = {
    ROWS_BY_OUTCOME: {"stage-1 rows by outcome"},
    IN_SAMPLE: {"stage-1 outputs in sample"},
    CODES: {"codes before the end of their stay", "codes of the stay"},
    CLOCK: {"outcomes counted anew", "stays at risk"},
    NEXT_VISIT: {"stage-1 outcomes of another stay", "stage-1 outputs of another visit"},
    LATE_NOTES: {"summaries before the end", "outcome words in notes", "words of notes alone"},
}
"""The checks that must raise the alarm: an alarm for another reason would be luck."""


def alarms(folder: Path, task: str) -> set[str]:
    done = CliRunner().invoke(main, ["audit", "--data", str(folder), "--task", task, "--json"])
    findings = json.loads(done.output)["findings"]
    raised = {finding["check"] for finding in findings if finding["level"] == "alarm"}
    assert done.exit_code == (3 if raised else 0)
    return raised


def test_every_leak_has_its_checks() -> None:
    assert set(FOUND_BY) == set(LEAKS)


def test_a_small_hospital_without_and_with_a_leak(tmp_path: Path) -> None:
    make_hospital(Plan(320, 71), tmp_path / "clean")
    assert alarms(tmp_path / "clean", "readmission_30d") == set()
    make_hospital(Plan(320, 71, CLOCK), tmp_path / "leaking")
    assert alarms(tmp_path / "leaking", "readmission_30d") & FOUND_BY[CLOCK]


@pytest.mark.accept
@pytest.mark.parametrize("leak", LEAKS)
def test_every_leak_is_found_in_4000_patients(leak: str, tmp_path: Path) -> None:
    make_hospital(Plan(4000, 8300 + LEAKS.index(leak), leak), tmp_path / "hospital")
    raised = {task: alarms(tmp_path / "hospital", task) for task in TASKS}
    print(leak, raised)
    assert raised["readmission_30d"] & FOUND_BY[leak]
    assert all(found <= FOUND_BY[leak] for found in raised.values())


@pytest.mark.accept
@pytest.mark.parametrize("seed", range(8400, 8410))
def test_a_clean_hospital_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    make_hospital(Plan(4000, seed), tmp_path / "hospital")
    assert [alarms(tmp_path / "hospital", task) for task in TASKS] == [set(), set()]
