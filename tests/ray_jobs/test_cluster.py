"""The build on Ray clusters: as a submitted job, and on two nodes of which one dies."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lxml import etree

import kg_builder.demo
from tests.ray_jobs.builds import SCRIPT, command, run

DEMO = sorted(Path(kg_builder.demo.__file__).parent.glob("*.xml"))
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> object:
    figures, _ = run(DEMO, tmp_path_factory.mktemp("alone") / "graph")
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
    except urllib.error.HTTPError:
        return True  # up, and asking for the token that `ray job submit` knows
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What nodes, jobs and drivers of one cluster share: a token, and no usage reports."""
    return {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "MEDWEAVE_CACHE": str(tmp_path / "cache"),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }


@contextmanager
def node(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """`ray start --block` as a process group of its own: other Rays are left as they are."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def head(environment: dict[str, str], log: Path, cpus: int = 2) -> Iterator[tuple[str, str]]:
    """A Ray head; its address for drivers and nodes, and that for jobs."""
    port, dashboard = free_port(), free_port()
    command = [str(BIN / "ray"), "start", "--head", "--block", "--node-ip-address=127.0.0.1"]
    command += [f"--port={port}", f"--dashboard-port={dashboard}", f"--num-cpus={cpus}"]
    with node(command, environment, log) as process:
        address = f"http://127.0.0.1:{dashboard}"
        deadline = time.monotonic() + 300
        while not answers(f"{address}/api/version"):
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.5)
        yield f"127.0.0.1:{port}", address


def submitted(
    address: str, job: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Submit a job and wait for its end; its agent takes jobs some seconds after the head is up."""
    deadline = time.monotonic() + 300
    while True:
        done = subprocess.run(
            [str(BIN / "ray"), "job", "submit", "--address", address, "--", *job],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if "No available agent" not in done.stderr or time.monotonic() > deadline:
            return done
        time.sleep(2)


def test_ray_job_submit(digest: object, environment: dict[str, str], tmp_path: Path) -> None:
    with head(environment, tmp_path / "head.log") as (_, address):
        job = [str(SCRIPT), *map(str, DEMO), "--graph", str(tmp_path / "graph"), "--json"]
        done = submitted(address, job, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "graph" / "CURRENT").read_text(encoding="utf-8").strip() == digest


def split_corpus(folder: Path, files: int) -> list[Path]:
    """The demo's first citations, spread over small files."""
    folder.mkdir()
    citations = list(etree.parse(DEMO[0]).getroot())
    paths = []
    for number in range(files):
        root = etree.Element("PubmedArticleSet")
        root.extend(citations[number::files])
        paths.append(folder / f"pubmed26n{number + 1:04d}.xml")
        etree.ElementTree(root).write(paths[-1], encoding="utf-8", xml_declaration=True)
    return paths


def may_hide_folders() -> bool:
    """Whether a process with a view of the disk of its own can be made here."""
    hidden = ["unshare", "--mount", "--propagation", "private", "true"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(hidden, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not may_hide_folders(), reason="needs the right to unshare mounts (root)")
def test_a_node_that_sees_no_folder_of_the_driver_and_dies(
    environment: dict[str, str], tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    inputs = split_corpus(here / "inputs", 8)
    alone, _ = run(inputs, tmp_path / "alone")
    own = {**environment, "MEDWEAVE_CACHE": str(here / "cache")}
    with head(own, tmp_path / "head.log", cpus=1) as (address, _):
        join = f"mount -t tmpfs none {here} && exec {BIN}/ray start --block --address={address}"
        hidden = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            join + " --num-cpus=1",
        ]
        with node(hidden, own, tmp_path / "second.log") as second:
            driver = subprocess.Popen(
                command(inputs, here / "graph"),
                env={**own, "RAY_ADDRESS": address},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            wait_for(lambda: any((here / "graph" / "ledger").glob("*/SHARD.json")), driver)
            os.killpg(second.pid, signal.SIGKILL)
            said, _ = driver.communicate(timeout=600)
    assert driver.returncode == 0, said.decode("utf-8", "replace")
    assert (here / "graph" / "CURRENT").read_text(encoding="utf-8").strip() == alone["digest"]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until it holds, while the process runs."""
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, "the driver ended before a shard was complete"
        assert time.monotonic() < deadline
        time.sleep(0.05)
