"""Mining: one input file becomes one shard of the ledger, here or on a worker of Ray.

On this machine workers read the inputs and write the shards themselves. On a cluster no folder of
the driver's machine is taken for granted: vocabulary and local inputs travel through Ray's object
store, and shards of a local graph come back to the driver, which writes them. A graph on an object
store is written by the workers in both cases.
"""

from __future__ import annotations

import functools
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from kg_builder.ledger import Ledger, ShardEntry, ShardKey
from kg_builder.mine import Extractor, ShardTables, mine
from kg_builder.model import Failure
from kg_builder.relations import RelationExtractor
from kg_builder.signatures import edge_groups
from kg_builder.sources import Record, open_source
from ontologies.collection import no_search_for_cycles
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, open_linker
from ray_jobs.cluster import Workers
from ray_jobs.shards import spread
from ray_jobs.staging import Files, pack_vocabulary, staged

if TYPE_CHECKING:
    import ray


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

    `cpu_seconds` is the task's own; `peak_bytes` the most memory that its process ever held, which
    `process` names (see `process_name`).
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


@functools.cache
def process_name() -> str:
    """A name that no other process has, on this machine or another."""
    return secrets.token_hex(8)


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


def mine_here(recipe: Recipe, source: InputFile, content: bytes | None) -> ShardTables:
    """Mine one file in this process."""
    linker, extractor = open_tools(recipe)
    with no_search_for_cycles():
        return mine(records_of(source, content), linker, extractor)


def abstracts_in(tables: ShardTables) -> int:
    """How many of a file's articles have an abstract."""
    sections = pc.list_value_length(tables.articles["section_texts"])
    return int(pc.sum(pc.greater(sections, 0)).as_py() or 0)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file on its way to a worker, its bytes with it where the worker may not see its folder."""

    file: InputFile
    content: tuple[ray.ObjectRef[bytes], ...] = ()

    def read(self) -> bytes | None:
        """The bytes that came along; `None` where the file itself is to be read."""
        if not self.content:
            return None
        import ray

        content: bytes = ray.get(self.content[0])
        return content


@dataclass(frozen=True, slots=True)
class Miner:
    """Mines a file; writes its shard into the ledger at `address`, or returns it where `None`."""

    recipe: Recipe
    packed: tuple[ray.ObjectRef[Files], ...]
    address: str | None

    def __call__(self, sent: Sent) -> Mined:
        home = staged(self.recipe.vocabulary, self.recipe.vocabulary_digest, self.packed)
        recipe, source = replace(self.recipe, vocabulary=home), sent.file
        open_tools(recipe)
        started, cpu = time.monotonic(), time.process_time()
        tables, entry = mine_here(recipe, source, sent.read()), None
        if self.address is not None:
            key = key_of(recipe, source.sha256)
            entry = Ledger.open(self.address).write(key, source.order, source.name, tables)
        return Mined(
            entry=entry,
            tables=tables if entry is None else None,
            abstracts=abstracts_in(tables),
            seconds=time.monotonic() - started,
            cpu_seconds=time.process_time() - cpu,
            peak_bytes=peak_memory(),
            process=process_name(),
        )


def mine_files(
    files: Sequence[InputFile],
    recipe: Recipe,
    address: str,
    crew: Workers,
    lost: Callable[[InputFile, Exception], None],
) -> Iterator[tuple[InputFile, ShardEntry, Mined]]:
    """Each file with its complete shard in the ledger at `address`, as they come.

    `lost` is told of a file that killed its worker again and again.
    """
    ledger = Ledger.open(address)
    their_own = crew.shared_disk or ledger.local is None
    packed = () if crew.shared_disk else (pack_vocabulary(Path(recipe.vocabulary)),)
    miner = Miner(recipe, packed, address if their_own else None)
    sent = (_sent(file, crew) for file in files)
    for one, mined in spread(miner, sent, crew, lambda one, died: lost(one.file, died)):
        file, entry = one.file, mined.entry
        if entry is None:
            assert mined.tables is not None
            key = key_of(recipe, file.sha256)
            entry = ledger.write(key, file.order, file.name, mined.tables)
        yield file, entry, mined


def _sent(file: InputFile, crew: Workers) -> Sent:
    if crew.shared_disk:
        return Sent(file)
    import ray

    return Sent(file, (ray.put(Path(file.path).read_bytes()),))
