"""One writer for a graph directory.

The rule: whoever holds the kernel's lock on the file `LOCK` writes. The kernel drops that lock
when its process ends, however it ends, so a dead writer's lock is free at once on the same host,
and on any other host whose file system carries such locks (NFS 4 and most cluster file systems
do). Where it does not, the holder's heartbeat decides: `LOCK` names host and process, and is
touched every `BEAT` seconds; a writer on another host is alive until it was silent for `SILENCE`
seconds by the file system's own clock.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BEAT = 15.0
SILENCE = 120.0


class GraphLockedError(RuntimeError):
    """Another process writes this graph."""


@contextmanager
def one_writer(graph: str | Path) -> Iterator[None]:
    """Hold the right to write a graph directory; made if it is not there.

    Raises `GraphLockedError`, with the holder's host and process, where another has it. Not
    inherited by programs that the holder starts.
    """
    folder = Path(graph)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "LOCK"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, path)
        stop = threading.Event()
        beat = threading.Thread(target=_beat, args=(descriptor, stop), daemon=True)
        beat.start()
        try:
            yield
        finally:
            stop.set()
            beat.join()
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _locked(path, os.pread(descriptor, 4096, 0)) from error
    held = os.pread(descriptor, 4096, 0)
    if _alive_elsewhere(path, descriptor, held):
        raise _locked(path, held)
    os.ftruncate(descriptor, 0)
    mine = {"host": socket.gethostname(), "pid": os.getpid()}
    os.pwrite(descriptor, json.dumps(mine).encode(), 0)
    os.fsync(descriptor)


def _alive_elsewhere(path: Path, descriptor: int, held: bytes) -> bool:
    """Whether the writer that `LOCK` names is on another host and was heard of lately."""
    host, _ = _holder(held)
    if host in {"", socket.gethostname()}:
        return False
    probe = path.with_name(f".LOCK.{socket.gethostname()}.{os.getpid()}.tmp")
    probe.touch()
    try:
        silent = probe.stat().st_mtime - os.fstat(descriptor).st_mtime
    finally:
        probe.unlink()
    return silent < SILENCE


def _beat(descriptor: int, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        os.utime(descriptor)


def _holder(held: bytes) -> tuple[str, int]:
    """Host and process that the text names; an empty host where it names none."""
    try:
        value = json.loads(held)
        return str(value["host"]), int(value["pid"])
    except (ValueError, KeyError, TypeError):  # released, or its writer died while writing it
        return "", 0


def _locked(path: Path, held: bytes) -> GraphLockedError:
    host, pid = _holder(held)
    who = f"process {pid} on host {host}" if host else "a process that is just starting or ending"
    return GraphLockedError(
        f"{path.parent} is being written by {who}: wait for it, or stop it; "
        "the lock falls to the next writer as soon as that process is gone"
    )
