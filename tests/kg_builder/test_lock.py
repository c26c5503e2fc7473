"""One writer at a time, and a dead one's lock falls to the next."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kg_builder.lock import SILENCE, GraphLockedError, one_writer

HOLD = """
import sys, time
from kg_builder.lock import one_writer
with one_writer(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def start_writer(graph: Path) -> subprocess.Popen[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(graph)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "held\n"
    return writer


def try_to_write(graph: Path) -> None:
    with one_writer(graph):
        pass


def test_second_writer_is_told_host_and_process(tmp_path: Path) -> None:
    writer = start_writer(tmp_path / "graph")
    try:
        with pytest.raises(GraphLockedError, match=f"{writer.pid} on host {socket.gethostname()}"):
            try_to_write(tmp_path / "graph")
    finally:
        writer.kill()
        writer.wait()


def test_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    writer = start_writer(tmp_path)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with one_writer(tmp_path):
        assert json.loads((tmp_path / "LOCK").read_text())["pid"] == os.getpid()


def test_released_lock_is_free_again(tmp_path: Path) -> None:
    for _ in range(2):
        with one_writer(tmp_path):
            pass
    with pytest.raises(ZeroDivisionError), one_writer(tmp_path):
        raise ZeroDivisionError
    with one_writer(tmp_path):
        pass


@pytest.mark.parametrize(("silent", "alive"), [(SILENCE / 2, True), (SILENCE * 2, False)])
def test_writer_on_another_host_is_alive_while_it_is_heard(
    tmp_path: Path, silent: float, alive: bool
) -> None:
    lock = tmp_path / "LOCK"
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 7}))
    then = time.time() - silent
    os.utime(lock, (then, then))
    if alive:
        with pytest.raises(GraphLockedError, match="process 7 on host elsewhere"):
            try_to_write(tmp_path)
    else:
        with one_writer(tmp_path):
            pass


def test_text_cut_short_by_a_crash_is_no_holder(tmp_path: Path) -> None:
    (tmp_path / "LOCK").write_text('{"host": "elsew')
    with one_writer(tmp_path):
        pass
