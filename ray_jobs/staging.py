"""The vocabulary on every node: packed by the driver, unpacked where its folder is not seen."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ontologies.concept import Vocabulary
from ray_jobs.config import cache_directory

if TYPE_CHECKING:
    import ray

Files = dict[str, npt.NDArray[np.uint8]]


def pack_vocabulary(directory: Path) -> ray.ObjectRef[Files]:
    """All files of a vocabulary directory, as one object that Ray carries to other nodes."""
    import ray

    return ray.put(
        {
            path.relative_to(directory).as_posix(): np.fromfile(path, dtype=np.uint8)
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }
    )


def staged(directory: str, digest: str, packed: Sequence[ray.ObjectRef[Files]]) -> str:
    """Where a vocabulary lies on this node: where the driver has it, else in the cache.

    Nothing is `packed` for workers that see the driver's folders. The cache folder is named by the
    vocabulary's digest and appears by a rename, so that workers of one node may stage it at the
    same time.
    """
    if not packed or _holds(Path(directory), digest):
        return directory
    home = cache_directory() / "vocabularies" / digest
    if not _holds(home, digest):
        import ray

        _unpack(ray.get(packed[0]), home)
    return str(home)


def _holds(directory: Path, digest: str) -> bool:
    try:
        return Vocabulary.load(directory).digest == digest
    except (OSError, ValueError):
        return False


def _unpack(packed: Files, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as temporary:
        folder = Path(temporary) / "vocabulary"
        for name, content in packed.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content.tofile(path)
        try:
            folder.rename(home)
        except OSError:
            if not home.is_dir():  # else another worker was first, with the same content
                raise
