"""The child process of `cypher_process`: `python -P cypher_child.py DATABASE SECONDS ROWS`.

Reads a query in JSON a line, answers in JSON a line, until its input ends.
"""

from __future__ import annotations

import datetime
import decimal
import json
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from typing import Any

POOL_BYTES = 512 << 20


def plain(value: Any) -> Any:
    """A value of the database as JSON knows it: dates as ISO text, nodes without record ids.

    >>> plain({"_ID": {"offset": 0, "table": 1}, "_LABEL": "Concept", "id": "UMLS:C0018801"})
    {'_LABEL': 'Concept', 'id': 'UMLS:C0018801'}
    """
    if isinstance(value, dict):
        hidden = ("_ID", "_SRC", "_DST") if "_ID" in value else ()
        return {str(k): plain(v) for k, v in value.items() if k not in hidden}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, decimal.Decimal) and value == value.to_integral_value():
        return int(value)  # sums of integers come as decimals
    if isinstance(value, datetime.timedelta | decimal.Decimal | uuid.UUID):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def give_up_files() -> None:
    """Open no file or socket from now on, and write into none; pipes already open go on."""
    try:
        import resource
    except ImportError:  # no such limits on this system; the database is read-only all the same
        return
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def kind_of(message: str) -> str:
    """Which error a message of the database is."""
    if "read-only database" in message or "Cannot open file" in message:
        return "writes"
    if message.startswith("Interrupted"):
        return "timeout"
    return "refused"


def answer(connection: Any, request: dict[str, Any], max_rows: int) -> dict[str, Any]:
    """The answer to a request, an error of the database among them."""
    try:
        result = connection.execute(request["query"], request["params"])
        if isinstance(result, list):
            return {"error": "refused", "message": "several statements; send one at a time"}
        with result:
            if result.get_num_tuples() > max_rows:
                message = f"more than {max_rows} rows; add LIMIT"
                return {"error": "too-many", "message": message}
            rows = [plain(row) for row in result.get_all()]
            return {"columns": result.get_column_names(), "rows": rows}
    except (RuntimeError, TypeError, ValueError) as error:
        message = str(error)
        return {"error": kind_of(message), "message": message}


def lines(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        yield from stream


def connect(database: str, seconds: float) -> Any:
    """A connection to the database, read-only, with all loaded that a query will need."""
    import ladybug

    opened = ladybug.Database(database, read_only=True, buffer_pool_size=POOL_BYTES)
    connection = ladybug.Connection(opened)
    connection.set_query_timeout(int(seconds * 1000))
    with connection.execute("RETURN date('2000-01-01'), $x, [1]", {"x": "a"}) as result:
        result.get_all()
    return connection


def main() -> None:
    database, seconds, max_rows = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    out = os.dup(1)
    os.dup2(2, 1)  # whatever the database prints is not an answer

    def say(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(out, data) :]

    try:
        connection = connect(database, seconds)
    except ImportError as error:
        message = f"{error}: Cypher on the embedded store needs `pip install medweave[graph]`"
        say({"error": "missing", "message": message})
        return
    except RuntimeError as error:
        say({"error": "refused", "message": f"{database} cannot be opened: {error}"})
        return
    give_up_files()
    say({"ready": True})
    for line in lines(0):
        say(answer(connection, json.loads(line), max_rows))


if __name__ == "__main__":
    main()
