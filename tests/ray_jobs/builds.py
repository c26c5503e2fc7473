"""Running `kg_build` as a user does: a process of its own, its figures read from `--json`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.processes import without_cluster

SCRIPT = Path(sys.executable).parent / "kg_build"


def command(inputs: Sequence[Path | str], graph: Path, *options: str) -> list[str]:
    """The command line of a build."""
    return [str(SCRIPT), *map(str, inputs), "--graph", str(graph), "--json", *options]


def run(
    inputs: Sequence[Path | str],
    graph: Path,
    *options: str,
    workers: int = 1,
    status: int = 0,
    cwd: Path | None = None,
) -> tuple[dict[str, Any], str]:
    """Build and return the figures and what was said on standard error."""
    done = subprocess.run(
        command(inputs, graph, "--workers", str(workers), *options),
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=without_cluster(),
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr
