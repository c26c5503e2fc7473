"""The command that makes a hospital."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from ray_jobs.cli import main


def test_make_tells_what_it_made_and_refuses_what_it_cannot(tmp_path: Path) -> None:
    out = tmp_path / "hospital"
    asked = ["hospital", "make", "--patients", "300", "--out", str(out)]
    done = CliRunner().invoke(main, [*asked, "--without", "graph", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["rows"]["hosp/patients"] == 300
    assert told["tasks"]["readmission_30d"]["alone_graph"] == 0.5
    assert json.loads((out / "truth" / "truth.json").read_text())["without_graph"]

    again = CliRunner().invoke(main, asked)
    assert again.exit_code == 1
    assert "not empty" in again.output
    few = CliRunner().invoke(main, ["hospital", "make", "--patients", "9", "--out", str(tmp_path)])
    assert "too few" in few.output
