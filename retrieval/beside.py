"""What is computed from a snapshot once, and kept in a folder beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from kg_builder.snapshot_tables import SnapshotTables


def kept_beside(tables: SnapshotTables, name: str, write: Callable[[Path], None]) -> Path:
    """The folder `name` beside a snapshot, which `write` fills where it is not there yet.

    It lies in the snapshot's folder, or in the user's cache where that cannot be written.
    `write` gets an empty folder; what it leaves appears whole or not at all. Raises
    `PermissionError` where neither place can be written.
    """
    places = (tables.directory / name, _cache() / f"{name}-{_fingerprint(tables)}")
    for place in places:
        if place.is_dir():
            return place
    for place in places:
        if _kept(place, write):
            return place
    raise PermissionError(
        f"neither {places[0]} nor {places[1]} can be written: what retrieval computes from the "
        "graph needs a folder; set XDG_CACHE_HOME to one that can be written"
    )


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medweave"


def _fingerprint(tables: SnapshotTables) -> str:
    """Names a snapshot and what linked it: mentions may differ between linkers."""
    origin = tables.build.get("origin") or {}
    made = [tables.build["digest"], origin.get("linkers"), origin.get("extractors")]
    return sha256(repr(made).encode()).hexdigest()[:32]


def _kept(place: Path, write: Callable[[Path], None]) -> bool:
    """Write a folder whole or not at all; another process may have been faster."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError:
        return False
    try:
        write(folder)
        folder.chmod(0o755)
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True
