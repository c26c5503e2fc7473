"""Programs in a process of their own, as a user or another machine runs them."""

from __future__ import annotations

import os
import subprocess
import sys


def without_cluster(**variables: str) -> dict[str, str]:
    """The environment with other variables, without the Ray that the user may have named in it."""
    return {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"} | variables


def python(code: str, *arguments: object, **variables: str) -> str:
    """What a Python program prints that finds the modules of this one; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=without_cluster(PYTHONPATH=os.pathsep.join(sys.path), **variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said_with_other_seeds(code: str, *arguments: object) -> set[str]:
    """What a program prints in two processes that hash text otherwise: one answer, if sound."""
    return {python(code, *arguments, PYTHONHASHSEED=seed) for seed in ("0", "1")}
