"""The tables of a vocabulary: Arrow columns in memory or mapped from a directory.

`concepts` is sorted by id; `names` by concept; `xrefs` by CURIE; `lookup` by the hash of the case
folded name. `concept`, `parents` and `name` hold row numbers of those tables. Everything is
stored uncompressed, so that readers map the files and share their pages.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FORMAT_VERSION: Final = 1
MANIFEST: Final = "vocabulary.json"

CONCEPTS: Final = pa.schema(
    [
        ("id", pa.large_string()),
        ("name", pa.large_string()),
        ("definition", pa.large_string()),
        ("semantic_types", pa.list_(pa.string())),
        ("parents", pa.list_(pa.int32())),
        ("xrefs", pa.list_(pa.int32())),
        ("name_start", pa.int64()),
        ("name_count", pa.int32()),
    ]
)
NAMES: Final = pa.schema(
    [
        ("concept", pa.int32()),
        ("text", pa.large_string()),
        ("source", pa.dictionary(pa.int16(), pa.string())),
        ("scope", pa.dictionary(pa.int8(), pa.string())),
        ("notes_only", pa.bool_()),
    ]
)
XREFS: Final = pa.schema([("curie", pa.large_string()), ("concept", pa.int32())])
LOOKUP: Final = pa.schema([("hash", pa.uint64()), ("name", pa.int32())])
SCHEMAS: Final = {"concepts": CONCEPTS, "names": NAMES, "xrefs": XREFS, "lookup": LOOKUP}


_STEP: Final = 256
"""Rows between the texts of a column that are kept at hand for searching."""


class VocabularyFormatError(ValueError):
    """A directory that holds no vocabulary, or one of another format version."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The four tables, each of one chunk."""

    concepts: pa.Table
    names: pa.Table
    xrefs: pa.Table
    lookup: pa.Table


class Strings:
    """A column of strings without nulls, read from its buffers and not from Python objects."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        array = pa.array([], pa.large_string()) if not column.num_chunks else column.chunk(0)
        _, offsets, data = array.buffers()
        size = len(array)
        self._offsets: npt.NDArray[np.int64] = (
            np.frombuffer(offsets, np.int64, size + 1, array.offset * 8)
            if size
            else np.zeros(1, np.int64)
        )
        self._data = memoryview(data) if data is not None else memoryview(b"")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        return self._bytes(row).decode()

    def _bytes(self, row: int) -> bytes:
        return bytes(self._data[self._offsets[row] : self._offsets[row + 1]])

    @cached_property
    def _milestones(self) -> list[bytes]:
        """Every `_STEP`th text of a sorted column: the first half of a search, made in C."""
        return [self._bytes(row) for row in range(0, len(self), _STEP)]

    def find(self, text: str) -> int:
        """Row of the text in a sorted column, or -1. UTF-8 sorts as code points do."""
        wanted = text.encode()
        low = max(0, bisect_left(self._milestones, wanted) - 1) * _STEP
        high = min(len(self), low + _STEP + 1)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._bytes(low) == wanted else -1


def name_hash(name: str) -> int:
    """64 bits that are the same in every process, of the case folded name."""
    folded = name.casefold().encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(folded, digest_size=8).digest(), "little")


def mapped_integers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of integers without nulls as it lies in memory; a chunked one would be copied."""
    if not column.num_chunks:
        return np.empty(0, np.int64)
    array: npt.NDArray[Any] = column.chunk(0).to_numpy(zero_copy_only=True)
    return array


def same_hash(hashes: npt.NDArray[np.uint64], rows: npt.NDArray[np.int32], name: str) -> list[int]:
    """Rows of the names that have the hash of this one."""
    # A Python integer would turn the whole column into floats, slowly and with loss.
    wanted = hashes.dtype.type(name_hash(name) if len(hashes) else 0)
    first, last = hashes.searchsorted(wanted, "left"), hashes.searchsorted(wanted, "right")
    return [int(row) for row in rows[first:last]]


def lookup_table(names: Sequence[str]) -> pa.Table:
    """Name rows sorted by hash, then row."""
    hashes = np.fromiter((name_hash(name) for name in names), np.uint64, len(names))
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    return pa.table({"hash": hashes[order], "name": order}, schema=LOOKUP)


def digest(tables: Tables) -> str:
    """SHA-256 over the content: row counts, lengths and UTF-8 bytes, column by column.

    The rows are sorted, so it does not depend on the order in which concepts were given; the
    lookup follows from the names and is left out.
    """
    hasher = hashlib.sha256()
    for table in (tables.concepts, tables.names, tables.xrefs):
        for name in table.column_names:
            hasher.update(name.encode() + b"\0")
            _update(hasher, table.column(name))
    return hasher.hexdigest()


def _update(hasher: Any, column: pa.ChunkedArray) -> None:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_list(array.type):
        hasher.update(array.value_lengths().cast(pa.int64()).to_numpy().astype("<i8").tobytes())
        array = array.flatten()
    hasher.update(len(array).to_bytes(8, "little"))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.large_binary())
        offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, array.offset * 8)
        hasher.update(np.diff(offsets).astype("<i8").tobytes())
        if len(array):
            hasher.update(memoryview(array.buffers()[2])[offsets[0] : offsets[-1]])
    else:
        hasher.update(array.cast(pa.int64()).to_numpy(zero_copy_only=False).astype("<i8").tobytes())


def load(directory: Path) -> tuple[Tables, dict[str, Any]]:
    """The tables of a directory, mapped into memory, and its manifest."""
    manifest = _manifest(directory)
    tables = {}
    for name, schema in SCHEMAS.items():
        path = directory / f"{name}.arrow"
        try:
            with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
                tables[name] = reader.read_all()
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise VocabularyFormatError(
                f"{path}: expected an Arrow file ({error}); build the vocabulary in {directory} "
                "again"
            ) from error
        if tables[name].schema != schema:
            raise VocabularyFormatError(
                f"{path}: its columns are not those of format {FORMAT_VERSION}; build the "
                f"vocabulary in {directory} again"
            )
    return Tables(**tables), manifest


def _manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except FileNotFoundError as error:
        raise VocabularyFormatError(
            f"{directory} holds no vocabulary ({MANIFEST} is missing); name a directory that "
            "`medweave vocabulary build ... --out` made"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise VocabularyFormatError(
            f"{path} is damaged ({error!r}); build the vocabulary in {directory} again"
        ) from error
    if version != FORMAT_VERSION:
        raise VocabularyFormatError(
            f"{directory} holds a vocabulary of format {version}, and format {FORMAT_VERSION} was "
            f"expected; build it again with this version of medweave"
        )
    found: dict[str, Any] = manifest
    return found


def save(
    tables: Tables,
    directory: Path,
    manifest: Mapping[str, Any],
    attachments: Mapping[str, Iterable[str]],
) -> None:
    """Write under a temporary name beside the directory, then put it in its place.

    A vocabulary that is there is replaced; anything else that is there is refused.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / MANIFEST).exists():
        raise VocabularyFormatError(
            f"{directory} is not empty and holds no vocabulary; name a new or empty directory"
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = directory.parent / f".{directory.name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        _write(tables, beside, manifest, attachments)
        _replace(beside, directory)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(
    tables: Tables,
    directory: Path,
    manifest: Mapping[str, Any],
    attachments: Mapping[str, Iterable[str]],
) -> None:
    for name, schema in SCHEMAS.items():
        path = str(directory / f"{name}.arrow")
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(getattr(tables, name))
    for name, lines in attachments.items():
        with (directory / name).open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(lines)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (directory / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _replace(beside: Path, directory: Path) -> None:
    old = beside.with_name(beside.name + ".old")
    if directory.exists():
        directory.rename(old)
    beside.rename(directory)
    shutil.rmtree(old, ignore_errors=True)
