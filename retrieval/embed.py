"""Embedding a snapshot's articles: only texts that no earlier snapshot holds, and resumable.

What is computed is appended at once to a log beside the snapshot, so that a killed run loses the
texts that it was at. Vectors are found again by the hash of their text: in the log, and in the
vectors that the same model made for any other snapshot of the graph.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from kg_builder.durable import room_for, sync_file, sync_folder
from kg_builder.snapshot_tables import SnapshotTables
from retrieval.embedding import Embedder
from retrieval.text_index import article_texts
from retrieval.vectors import HASH_BYTES, Vectors, quantized, vectors_folder

Array = npt.NDArray[Any]

WINDOW = 128
"""Tokens of a window: models of sentences are trained on short texts, and of abstracts in windows
of 128 tokens more were found than of the first 256 tokens alone."""

_ARTICLES_AT_ONCE = 32
_CHECK_BYTES = 4

Progress = Callable[[int, int], None]
"""Called with the number of articles done, and of all."""


class EmbeddingInProgressError(RuntimeError):
    """Another process embeds this snapshot with this model."""


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What was done: articles and windows of the snapshot, windows computed and found again.

    `empty` are articles without a sentence, which have no vector.
    """

    articles: int = 0
    windows: int = 0
    computed: int = 0
    reused: int = 0
    empty: int = 0


def embed_snapshot(
    snapshot: Path, embedder: Embedder, progress: Progress | None = None
) -> EmbedReport:
    """Keep the vectors of a snapshot's articles (retracted ones left out) beside it.

    Nothing is done where they are there already. Memory: 300 bytes for each window of the
    graph, and the vectors. Raises `EmbeddingInProgressError`, and `DiskFullError` where there
    is no room; what was computed until then is kept.
    """
    folder = vectors_folder(snapshot, embedder.digest)
    if folder.is_dir():
        return EmbedReport()
    folder.parent.mkdir(parents=True, exist_ok=True)
    log_path = folder.with_name(f"{folder.name}.log")
    with room_for(log_path), _opened(log_path) as log:
        known = _Known(log, _earlier(snapshot, embedder))
        vectors, report = _embedded(snapshot, embedder, known, progress or (lambda *_: None))
        _keep(vectors, folder, embedder)
        log_path.unlink()
    return report


def windows(text: str, spans: Sequence[tuple[int, int]], embedder: Embedder) -> list[str]:
    """The sentences of a text, at `spans`, joined to windows of at most `WINDOW` tokens each.

    A longer sentence is a window by itself, of which the model reads what it can.
    """
    most = min(WINDOW, embedder.window)
    found: list[tuple[int, int]] = []
    filled = 0
    for start, end in spans:
        size = embedder.tokens(text[start:end])
        if found and filled + size <= most:
            found[-1] = (found[-1][0], end)
            filled += size
        else:
            found.append((start, end))
            filled = size
    return [text[start:end] for start, end in found]


def _embedded(
    snapshot: Path, embedder: Embedder, known: _Known, progress: Progress
) -> tuple[Vectors, EmbedReport]:
    tables = SnapshotTables(snapshot)
    kept = ~tables.array("articles", "retracted").to_numpy(zero_copy_only=False)
    articles = np.flatnonzero(kept)
    report = EmbedReport(articles=len(articles))
    rows: list[int] = []
    keys: list[bytes] = []
    for start in range(0, len(articles), _ARTICLES_AT_ONCE):
        some = articles[start : start + _ARTICLES_AT_ONCE]
        cut = [windows(text, spans, embedder) for text, spans in _texts(tables, some)]
        texts = [text for own in cut for text in own]
        named = [_hash(text) for text in texts]
        new = known.add_missing(dict(zip(named, texts, strict=True)), embedder)
        rows += [row for row, own in zip(some.tolist(), cut, strict=True) for _ in own]
        keys += named
        empty = sum(not own for own in cut)
        report = replace(report, computed=report.computed + new, empty=report.empty + empty)
        progress(start + len(some), len(articles))
    report = replace(report, windows=len(keys), reused=len(keys) - report.computed)
    hashes = np.frombuffer(bytearray().join(keys), np.uint8).reshape(-1, HASH_BYTES)
    return Vectors.of(known.take(keys), np.array(rows, np.int32), hashes), report


def _texts(tables: SnapshotTables, rows: Array) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """The texts of articles with the spans of their sentences."""
    owner = tables.column("sentences", "article")
    low = np.searchsorted(owner, rows.astype(owner.dtype), "left").tolist()
    high = np.searchsorted(owner, rows.astype(owner.dtype), "right").tolist()
    starts, ends = tables.column("sentences", "start"), tables.column("sentences", "end")
    for text, first, last in zip(article_texts(tables, rows), low, high, strict=True):
        spans = zip(starts[first:last].tolist(), ends[first:last].tolist(), strict=True)
        yield text, list(spans)


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:HASH_BYTES]


# -- what is known already ----------------------------------------------------------------------


class _Known:
    """Vectors by the hash of their text: those of earlier snapshots, and those of the log."""

    def __init__(self, log: IO[bytes], earlier: Sequence[Vectors]) -> None:
        self._log = log
        self._vectors: dict[bytes, Array] = {}
        for vectors in earlier:
            for key, vector in zip(vectors.hashes, vectors.vectors, strict=True):
                self._vectors[key.tobytes()] = vector
        self._vectors.update(_records(log))

    def add_missing(self, texts: Mapping[bytes, str], embedder: Embedder) -> int:
        """Embed and log those texts that are not known; return how many there were."""
        missing = [key for key in texts if key not in self._vectors]
        if missing:
            made = quantized(embedder.texts([texts[key] for key in missing]))
            for key, vector in zip(missing, made, strict=True):
                self._log.write(_record(key, vector))
                self._vectors[key] = vector
            self._log.flush()
        return len(missing)

    def take(self, keys: Sequence[bytes]) -> Array:
        """The vectors of some texts, in their order."""
        if not keys:
            return np.zeros((0, 0), np.int16)
        found = np.empty((len(keys), len(self._vectors[keys[0]])), np.int16)
        for at, key in enumerate(keys):
            found[at] = self._vectors[key]
        return found


def _earlier(snapshot: Path, embedder: Embedder) -> list[Vectors]:
    name = vectors_folder(snapshot, embedder.digest).name
    folders = sorted(snapshot.parent.glob(f"*/vectors/{name}"))
    return [Vectors.load(folder) for folder in folders if (folder / "model.json").is_file()]


def _record(key: bytes, vector: Array) -> bytes:
    """A record of the log: its size, a text's hash and vector, and their checksum."""
    body = key + vector.astype("<i2").tobytes()
    return len(body).to_bytes(4) + body + crc32(body).to_bytes(_CHECK_BYTES)


def _records(log: IO[bytes]) -> Iterator[tuple[bytes, Array]]:
    """The whole records of a log; what follows the last one, torn by a crash, is cut off."""
    log.seek(0)
    whole = 0
    while size := int.from_bytes(log.read(4)):
        body, check = log.read(size), log.read(_CHECK_BYTES)
        if len(body) != size or check != crc32(body).to_bytes(_CHECK_BYTES):
            break
        whole = log.tell()
        yield body[:HASH_BYTES], np.frombuffer(body[HASH_BYTES:], "<i2").astype(np.int16)
    log.seek(whole)
    log.truncate()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("a+b") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EmbeddingInProgressError(
                f"another process writes {path}; wait for it, it does the same work"
            ) from error
        yield log


def _keep(vectors: Vectors, folder: Path, embedder: Embedder) -> None:
    """Write the vectors whole or not at all."""
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        told = {"model": embedder.name, "digest": embedder.digest, "window": WINDOW}
        vectors.save(made, told)
        made.chmod(0o755)
        sync_folder(made)
        made.rename(folder)
        sync_file(folder.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)
