"""The build on Ray clusters: as a submitted job, and on two nodes of which one dies."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kg_builder.demo
from tests.ray_jobs.builds import SCRIPT, run

DEMO = sorted(Path(kg_builder.demo.__file__).parent.glob("*.xml"))
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> object:
    figures, _ = run(DEMO, tmp_path_factory.mktemp("alone") / "graph", "--workers", "1")
    return figures["digest"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(address: str) -> bool:
    """Whether a page is served at this address."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@contextmanager
def head(environment: dict[str, str], log: Path) -> Iterator[str]:
    """A Ray head of its own, stopped alone: other Rays of the machine are left as they are."""
    port, dashboard = free_port(), free_port()
    command = [str(BIN / "ray"), "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
    command += [f"--port={port}", f"--dashboard-port={dashboard}", "--num-cpus=2"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        deadline = time.monotonic() + 90
        while not answers(f"{address}/api/version"):
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def test_ray_job_submit(digest: object, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    with head(environment, tmp_path / "head.log") as address:
        job = [str(SCRIPT), *map(str, DEMO), "--graph", str(tmp_path / "graph"), "--json"]
        done = subprocess.run(
            [str(BIN / "ray"), "job", "submit", "--address", address, "--", *job],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f'"digest": "{digest}"' in done.stdout, done.stdout + done.stderr
