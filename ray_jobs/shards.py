"""What runs on a worker: one input file becomes one shard of the ledger.

On this machine's own Ray, workers read the inputs and write the shards themselves. On a cluster
no folder of the driver's machine is taken for granted: vocabulary and local inputs travel through
Ray's object store, and shards of a local graph come back to the driver, which writes them. A
graph on an object store is written by the workers in both cases.
"""

from __future__ import annotations

import functools
import gc
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import ray

from kg_builder.ledger import Ledger, ShardEntry, ShardKey
from kg_builder.mine import Extractor, ShardTables, mine
from kg_builder.model import Failure
from kg_builder.relations import RelationExtractor
from kg_builder.signatures import edge_groups
from kg_builder.sources import Record, open_source
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, open_linker
from ray_jobs.config import cache_directory

MAX_RETRIES = 5
"""How often a file is mined again after its worker or its node died."""

Packed = dict[str, npt.NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How text becomes evidence; the same on every worker, and part of every shard's name."""

    linker: str
    vocabulary: str
    vocabulary_digest: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of citations: where it lies for the driver, its place in order, its hash."""

    path: str
    order: tuple[int, int]
    sha256: str

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Mined:
    """What a task did. `tables` is set where the driver has to write the shard.

    `cpu_seconds` is the task's own; `peak_bytes` the most memory that its process ever held.
    """

    entry: ShardEntry | None
    tables: ShardTables | None
    abstracts: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    process: str


def peak_memory() -> int:
    """The most memory, in bytes, that this process held resident since it started."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@functools.lru_cache(maxsize=2)
def open_tools(recipe: Recipe) -> tuple[Linker, Extractor]:
    """Linker and relation extractor of a recipe whose vocabulary lies on this machine."""
    vocabulary = Vocabulary.load(recipe.vocabulary)
    return open_linker(recipe.linker, vocabulary), extractor_of(vocabulary)


def extractor_of(vocabulary: Vocabulary) -> RelationExtractor:
    """The relation extractor over a vocabulary's semantic groups, each looked up once."""

    @functools.cache
    def groups(concept_id: str) -> frozenset[str]:
        return edge_groups(vocabulary.semantic_types_of(concept_id))

    return RelationExtractor(groups)


def key_of(recipe: Recipe, source_sha256: str) -> ShardKey:
    """The ledger's key for a file under a recipe."""
    linker, extractor = open_tools(recipe)
    return ShardKey(source_sha256, linker.version, extractor.version, recipe.vocabulary_digest)


def pack_vocabulary(directory: Path) -> Packed:
    """All files of a vocabulary directory, as one object that Ray can carry to other nodes."""
    return {
        path.relative_to(directory).as_posix(): np.fromfile(path, dtype=np.uint8)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def staged(recipe: Recipe, packed: list[ray.ObjectRef[Packed]]) -> Recipe:
    """The recipe with its vocabulary on this node: where the driver has it, else in the cache.

    The cache folder is named by the vocabulary's digest and appears by a rename, so that workers
    of one node may stage it at the same time.
    """
    if _holds(Path(recipe.vocabulary), recipe.vocabulary_digest):
        return recipe
    home = cache_directory() / "vocabularies" / recipe.vocabulary_digest
    if not _holds(home, recipe.vocabulary_digest):
        _unpack(ray.get(packed[0]), home)
    return replace(recipe, vocabulary=str(home))


def _holds(directory: Path, digest: str) -> bool:
    try:
        return Vocabulary.load(directory).digest == digest
    except (OSError, ValueError):
        return False


def _unpack(packed: Packed, home: Path) -> None:
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


def records_of(source: InputFile, content: bytes | None) -> Iterator[Record]:
    """The records of a file that lies here, or whose bytes were sent here.

    Failures name the file as the driver knows it.
    """
    if content is None:
        yield from open_source("pubmed").read(source.path)
        return
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / source.name
        path.write_bytes(content)
        for record in open_source("pubmed").read(path):
            if isinstance(record, Failure):
                yield replace(record, place=record.place.replace(str(path), source.path))
            else:
                yield record


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Mining makes millions of small values and no cycles: to look for them is a tenth of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def mine_here(recipe: Recipe, source: InputFile, content: bytes | None) -> ShardTables:
    """Mine one file in this process."""
    linker, extractor = open_tools(recipe)
    with no_search_for_cycles():
        return mine(records_of(source, content), linker, extractor)


def abstracts_in(tables: ShardTables) -> int:
    """How many of a file's articles have an abstract."""
    sections = pc.list_value_length(tables.articles["section_texts"])
    return int(pc.sum(pc.greater(sections, 0)).as_py() or 0)


@ray.remote(num_cpus=1, max_retries=MAX_RETRIES)
def mine_file(
    recipe: Recipe,
    packed: list[ray.ObjectRef[Packed]],
    source: InputFile,
    content: list[ray.ObjectRef[bytes]],
    address: str | None,
) -> Mined:
    """Mine a file; write its shard into the ledger there, or return the tables where `None`."""
    recipe = staged(recipe, packed)
    open_tools(recipe)
    started, cpu = time.monotonic(), time.process_time()
    tables = mine_here(recipe, source, ray.get(content[0]) if content else None)
    entry = None
    if address is not None:
        key = key_of(recipe, source.sha256)
        entry = Ledger.open(address).write(key, source.order, source.name, tables)
    return Mined(
        entry=entry,
        tables=tables if address is None else None,
        abstracts=abstracts_in(tables),
        seconds=time.monotonic() - started,
        cpu_seconds=time.process_time() - cpu,
        peak_bytes=peak_memory(),
        process=f"{ray.util.get_node_ip_address()}:{ray.get_runtime_context().get_worker_id()}",
    )
