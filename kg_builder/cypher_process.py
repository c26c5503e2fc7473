"""A user's Cypher, run by LadybugDB in a child process that can harm nothing.

The child opens the database read-only and then gives up the right to open files and sockets and
to write files (`RLIMIT_NOFILE`, `RLIMIT_FSIZE`): a read-only database alone would still let
`COPY ... TO` write, `EXPORT DATABASE` make folders and `LOAD FROM` read any file. Parent and child
speak JSON, a line each way, so that nothing the child says is executed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_ROWS = 100_000
MAX_ANSWER = 256 << 20
"""Bytes of JSON that an answer may have."""
_START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
"""After its time limit a query that does not stop by itself is stopped with its process."""


class CypherError(ValueError):
    """The database refused a query: it does not parse, or names what is not there."""


class CypherTimeoutError(TimeoutError):
    """A query took longer than its limit."""


class CypherCrashError(RuntimeError):
    """The process that ran a query ended; the graph is unharmed, the next query gets another."""


class CypherResultError(ValueError):
    """A query gives more rows, or more text, than are handed over."""


_ERRORS: Mapping[str, type[Exception]] = {
    "refused": CypherError,
    "writes": PermissionError,
    "timeout": CypherTimeoutError,
    "too-many": CypherResultError,
    "missing": ImportError,
}


_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`", re.DOTALL)
_PARAM = re.compile(r"\$(\w+)")


def _check_params(query: str, params: Mapping[str, Any]) -> None:
    """A parameter that is not given would silently be null."""
    missing = set(_PARAM.findall(_QUOTED.sub("''", query))) - set(params)
    if missing:
        raise CypherError(f"no value for the parameters {', '.join(sorted(missing))}; give them")


class CypherProcess:
    """Runs queries, one at a time, in a child process that is started when first needed."""

    def __init__(self, database: Path, *, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def rows(self, query: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a query, as values of JSON (dates as ISO text), column names as keys.

        Raises `PermissionError` for a query that writes or reaches outside the database,
        `CypherError` for one that the database refuses, `CypherTimeoutError`,
        `CypherCrashError`, `CypherResultError` for more than `MAX_ROWS` rows, and
        `FileNotFoundError` where the snapshot has no database.
        """
        if not self._database.is_file():
            raise FileNotFoundError(
                f"{self._database} is missing: this snapshot was written without the embedded "
                "database; build the graph again with `kg_build`, with `ladybug` installed"
            )
        _check_params(query, params)
        request = json.dumps({"query": query, "params": dict(params)}).encode() + b"\n"
        with self._lock:
            answer = json.loads(self._ask(request))
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["message"])
        names = answer["columns"]
        return [dict(zip(names, row, strict=True)) for row in answer["rows"]]

    def _ask(self, request: bytes) -> bytes:
        if self._child is None:
            self._child = self._start()
            started = json.loads(self._line(self._child, _START_SECONDS))
            if "error" in started:
                self.close()
                raise _ERRORS[started["error"]](started["message"])
        child = self._child
        try:
            if child.stdin is None:
                raise BrokenPipeError
            child.stdin.write(request)
            child.stdin.flush()
            return self._line(child, self._seconds + _GRACE_SECONDS)
        except BrokenPipeError:
            raise self._ended(child) from None

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                "-P",  # modules beside the child must not hide those of the standard library
                str(Path(__file__).with_name("cypher_child.py")),
                str(self._database.resolve()),
                str(self._seconds),
                str(MAX_ROWS),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _line(self, child: subprocess.Popen[bytes], seconds: float) -> bytes:
        """One line that the child writes within a time; ends the child where it does not."""
        if child.stdout is None:
            raise self._ended(child)
        until, size = time.monotonic() + seconds, 0
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while not parts or not parts[-1].endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    self.close()
                    raise CypherTimeoutError(
                        f"no answer within {self._seconds:g} s; narrow the query or add LIMIT"
                    )
                part = os.read(child.stdout.fileno(), 1 << 20)
                if not part:
                    raise self._ended(child)
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER:
                    self.close()
                    raise CypherResultError(
                        f"the answer has more than {MAX_ANSWER >> 20} MB; return fewer columns "
                        "or add LIMIT"
                    )
        return b"".join(parts)

    def _ended(self, child: subprocess.Popen[bytes]) -> CypherCrashError:
        self.close()
        return CypherCrashError(
            f"the process that runs Cypher ended (status {child.returncode}); the graph is "
            "unharmed and the next query gets a new process; narrow this query"
        )

    def close(self) -> None:
        """End the child process, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # a question that it never read
                    stream.close()
