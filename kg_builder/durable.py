"""Writing files that outlive a crash: temporary name, fsync, rename."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class DiskFullError(OSError):
    """There was no room for a file; what was written of it does not count."""


@contextmanager
def room_for(path: str | Path) -> Iterator[None]:
    """Turn "no space left", "quota exceeded" and "file too large" into `DiskFullError`."""
    try:
        yield
    except OSError as error:
        if _code(error) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise DiskFullError(
                errno.ENOSPC,
                f"no room to write {path}: free some space (`medweave snapshots list` and "
                "`remove` drop old snapshots) and run the same command again; "
                "what was complete is kept",
            ) from error
        raise


def _code(error: OSError) -> int | None:
    """The error's number, also where Arrow tells it in the message alone."""
    if error.errno is not None:
        return error.errno
    text = str(error)
    numbers = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return next((n for n in numbers if f"[errno {n}]" in text.lower()), None)


def sync_file(path: Path) -> None:
    """Force a file, or the names in a folder, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Force every file of a folder, and then its names, onto the disk."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            sync_file(path)
    sync_file(folder)


def replace_text(path: Path, text: str) -> None:
    """Put `text` in the place of what `path` held; a reader sees the old text or the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with room_for(path):
        temporary.write_text(text, encoding="utf-8")
        sync_file(temporary)
        temporary.replace(path)
    sync_file(path.parent)


def json_text(value: Mapping[str, Any]) -> str:
    """JSON for people and for comparison: sorted keys, one a line."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
