"""The ledger: immutable shards of evidence, one per file mined, and the manifest that counts them.

A shard is a folder named by what went into it: the bytes of the file and the versions of all that
mined it. So the same file read twice is one shard, and a restarted job finds what is complete.
`SHARD.json` is written last and makes a shard complete. On a local disk the whole folder appears
by a rename; on an object store, where nothing can be renamed, by that last object. A shard is
part of the graph once `manifest.json`, replaced as one, names it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from kg_builder.durable import json_text, replace_text, room_for, sync_file, sync_folder
from kg_builder.mine import ShardTables
from kg_builder.schema import LEDGER_TABLES, LEDGER_VERSION

_READ_BLOCK = 1 << 20
_REPEATED = {
    *("concept", "subject", "object", "extractor", "predicate", "score", "refutes", "hedged"),
    *("revised", "journal", "reason"),
}
"""Columns that hold few values many times; spans and texts are not worth a dictionary."""
_DICTIONARY_BYTES = 1 << 27
"""Above the words of any file: beyond it Parquet writes words anew at each row."""


class LedgerVersionError(ValueError):
    """A ledger was written by a version of the code that lays it out otherwise."""


class ShardDamagedError(ValueError):
    """A shard that the manifest names is missing, or is not what it says."""


@dataclass(frozen=True, slots=True)
class ShardKey:
    """What a shard is made of. Equal keys name one shard.

    `source` is the SHA-256 of the file's bytes in hex; `linker` and `extractor` are versions,
    `vocabulary` the vocabulary's digest.
    """

    source: str
    linker: str
    extractor: str
    vocabulary: str

    @property
    def name(self) -> str:
        """The shard's folder: 32 hex digits."""
        sha = hashlib.sha256(b"medweave shard %d\n" % LEDGER_VERSION)
        for part in (self.source, self.linker, self.extractor, self.vocabulary):
            encoded = part.encode("utf-8")
            sha.update(len(encoded).to_bytes(8, "little") + encoded)
        return sha.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A complete shard, and the place of its file in the order of files.

    `order` is the (year, number) of the file's name, (-1, -1) or whatever sorts before all
    others for a file that has none; `file` is the name for people, without its folder.
    `linked` counts the mentions that fit a concept, `failures` records not read, by reason.
    """

    key: ShardKey
    order: tuple[int, int]
    file: str
    articles: int
    sentences: int
    mentions: int
    linked: int
    evidence: int
    deletions: int
    failures: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name that the shard's content and versions give it."""
        return self.key.name

    def as_json(self) -> dict[str, Any]:
        """The entry as a line of the manifest."""
        return asdict(self) | {"name": self.name, "version": LEDGER_VERSION}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ShardEntry:
        """The entry of a line; raises `LedgerVersionError` for another version's."""
        if value.get("version") != LEDGER_VERSION:
            raise LedgerVersionError(
                f"shard {value.get('name')} has ledger version {value.get('version')!r}, this "
                f"medweave reads {LEDGER_VERSION}: remove the graph's folder `ledger` and build"
            )
        year, number = value["order"]
        counts = ("articles", "sentences", "mentions", "linked", "evidence", "deletions")
        return cls(
            key=ShardKey(**value["key"]),
            order=(int(year), int(number)),
            file=str(value["file"]),
            failures=dict(value["failures"]),
            **{name: int(value[name]) for name in counts},
        )


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hex: the `source` of a `ShardKey`."""
    sha = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(_READ_BLOCK):
            sha.update(block)
    return sha.hexdigest()


class Ledger:
    """Shards and manifest of one graph, on any file system that pyarrow writes."""

    def __init__(self, filesystem: pafs.FileSystem, root: str) -> None:
        self._fs, self._root = filesystem, root.rstrip("/")

    @classmethod
    def open(cls, graph: str | Path) -> Ledger:
        """The ledger of a graph: `graph` is a folder or an address (`s3://bucket/graph`)."""
        text = str(graph)
        if "://" not in text:
            return cls(pafs.LocalFileSystem(), f"{Path(text).resolve()}/ledger")
        filesystem, path = pafs.FileSystem.from_uri(text)
        return cls(filesystem, f"{path.rstrip('/')}/ledger")

    @property
    def local(self) -> Path | None:
        """The ledger's folder where it lies on a local disk."""
        return Path(self._root) if isinstance(self._fs, pafs.LocalFileSystem) else None

    # -- shards -----------------------------------------------------------------------------

    def find(self, key: ShardKey, order: tuple[int, int], file: str) -> ShardEntry | None:
        """The complete shard of this key, at the place of the file now given; else `None`."""
        text = self._text(f"{key.name}/SHARD.json")
        if text is None:
            return None
        return replace(ShardEntry.from_json(json.loads(text)), order=order, file=file)

    def write(
        self, key: ShardKey, order: tuple[int, int], file: str, tables: ShardTables
    ) -> ShardEntry:
        """Write a shard; when this returns it is complete and on the disk.

        Writing one that is complete changes nothing. `DiskFullError` leaves no part behind.
        """
        entry = _entry(key, order, file, tables)
        if self.find(key, order, file) is None:
            if self.local is not None:
                _write_local(self.local, entry, tables)
            else:
                self._write_objects(entry, tables)
        return entry

    def _write_objects(self, entry: ShardEntry, tables: ShardTables) -> None:
        folder = f"{self._root}/{entry.name}"
        self._fs.create_dir(folder, recursive=True)
        for name, table in tables.by_name().items():
            path = f"{folder}/{name}.parquet"
            with room_for(path), self._fs.open_output_stream(path) as stream:
                _write_parquet(table, stream)
        self._put(f"{entry.name}/SHARD.json", json_text(entry.as_json()))

    def read(self, entry: ShardEntry, table: str, columns: list[str] | None = None) -> pa.Table:
        """A table of a shard; raises `ShardDamagedError` where it is not what was written."""
        path = f"{self._root}/{entry.name}/{table}.parquet"
        try:
            with pq.ParquetFile(path, filesystem=self._fs, memory_map=True) as file:
                read = file.read(columns=columns, use_threads=False)  # a worker is one thread
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise ShardDamagedError(
                f"{path}, mined from {entry.file}, cannot be read ({error}); remove its folder "
                f"and run kg_build on {entry.file} again"
            ) from error
        schema = LEDGER_TABLES[table]
        return read.cast(schema if columns is None else pa.schema(map(schema.field, columns)))

    # -- manifest ---------------------------------------------------------------------------

    def entries(self) -> tuple[ShardEntry, ...]:
        """The shards of the graph, in file order; none where there is no manifest yet."""
        text = self._text("manifest.json")
        if text is None:
            return ()
        manifest = json.loads(text)
        if manifest.get("version") != LEDGER_VERSION:
            raise LedgerVersionError(
                f"{self._root} has ledger version {manifest.get('version')!r}, this medweave "
                f"reads version {LEDGER_VERSION}: remove that folder and run kg_build again"
            )
        return tuple(map(ShardEntry.from_json, manifest["shards"]))

    def commit(self, entries: Iterable[ShardEntry]) -> tuple[ShardEntry, ...]:
        """Make shards part of the graph; returns all that are, in file order.

        A file that was mined before by other versions is replaced by what is given now. A file
        given under two names counts once, at the later place.
        """
        merged = {entry.key.source: entry for entry in self.entries()}
        for entry in entries:
            held = merged.get(entry.key.source)
            if held is not None and (held.order, held.file) > (entry.order, entry.file):
                entry = replace(entry, order=held.order, file=held.file)  # noqa: PLW2901
            merged[entry.key.source] = entry
        shards = tuple(sorted(merged.values(), key=lambda entry: (entry.order, entry.name)))
        manifest = {"version": LEDGER_VERSION, "shards": [entry.as_json() for entry in shards]}
        self._put("manifest.json", json_text(manifest))
        return shards

    def sweep(self) -> list[str]:
        """Remove what dead writers left half written; only for the holder of the graph's lock."""
        if self.local is None or not self.local.is_dir():
            return []
        leftovers = sorted(self.local.glob(".*.tmp"))
        for path in leftovers:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return [path.name for path in leftovers]

    # -- the rim ----------------------------------------------------------------------------

    def _text(self, name: str) -> str | None:
        path = f"{self._root}/{name}"
        if self._fs.get_file_info(path).type != pafs.FileType.File:
            return None
        with self._fs.open_input_stream(path) as stream:
            return str(stream.read().decode("utf-8"))

    def _put(self, name: str, text: str) -> None:
        if self.local is not None:
            self.local.mkdir(parents=True, exist_ok=True)
            replace_text(self.local / name, text)
            return
        path = f"{self._root}/{name}"
        self._fs.create_dir(self._root, recursive=True)
        with room_for(path), self._fs.open_output_stream(path) as stream:
            stream.write(text.encode("utf-8"))


def _entry(key: ShardKey, order: tuple[int, int], file: str, tables: ShardTables) -> ShardEntry:
    return ShardEntry(
        key=key,
        order=order,
        file=file,
        articles=tables.articles.num_rows,
        sentences=tables.sentences.num_rows,
        mentions=tables.mentions.num_rows,
        linked=tables.mentions.num_rows - tables.mentions["concept"].null_count,
        evidence=tables.evidence.num_rows,
        deletions=tables.deletions.num_rows,
        failures=dict(sorted(Counter(tables.failures["reason"].to_pylist()).items())),
    )


def _write_local(root: Path, entry: ShardEntry, tables: ShardTables) -> None:
    """Write under a name that no reader looks at, then rename. Several writers do no harm."""
    root.mkdir(parents=True, exist_ok=True)
    temporary = root / f".{entry.name}.{socket.gethostname()}.{os.getpid()}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        for name, table in tables.by_name().items():
            path = temporary / f"{name}.parquet"
            with room_for(root / entry.name / path.name), path.open("wb") as stream:
                _write_parquet(table, stream)
        replace_text(temporary / "SHARD.json", json_text(entry.as_json()))
        with room_for(root / entry.name):
            sync_folder(temporary)
        _rename_folder(temporary, root / entry.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_file(root)


def _rename_folder(temporary: Path, final: Path) -> None:
    try:
        temporary.rename(final)
    except OSError:
        if not (final / "SHARD.json").is_file():  # else another writer was first, with the same
            raise


def _write_parquet(table: pa.Table, stream: Any) -> None:
    pq.write_table(
        table,
        stream,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in table.column_names if name in _REPEATED],
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
    )
