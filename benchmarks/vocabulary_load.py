"""How fast a vocabulary of made-up names loads, and what it costs a worker in memory of its own.

    python benchmarks/vocabulary_load.py [NAMES]

Ten million names unless said otherwise. The vocabulary is made in a temporary folder; loading,
look-ups and memory are measured in processes of their own. The plain dictionary that it is
compared with holds a tenth of the names, and its cost is multiplied by ten.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from ontologies.concept import Vocabulary
from ontologies.tables import CONCEPTS, NAMES, XREFS, Tables, lookup_table

NAMES_OF_A_CONCEPT = 4
LOOKUPS = 2000
SHARE = 10


def made_up(names: int) -> Vocabulary:
    """A vocabulary with that many distinct names, four a concept, made without Python objects."""
    concepts = names // NAMES_OF_A_CONCEPT
    ids = [f"X:{row:09d}" for row in range(concepts)]
    texts = [name(row) for row in range(concepts * NAMES_OF_A_CONCEPT)]
    owners = np.repeat(np.arange(concepts, dtype=np.int32), NAMES_OF_A_CONCEPT)
    offsets = pa.array(np.arange(concepts + 1, dtype=np.int32))
    starts = np.arange(concepts, dtype=np.int64) * NAMES_OF_A_CONCEPT
    empty = pa.ListArray.from_arrays(np.zeros(concepts + 1, np.int32), pa.array([], pa.int32()))
    types = pa.ListArray.from_arrays(offsets, pa.array(["T047"] * concepts))
    own = pa.ListArray.from_arrays(offsets, pa.array(np.arange(concepts, dtype=np.int32)))
    counts = np.full(concepts, NAMES_OF_A_CONCEPT, np.int32)
    first = pa.array(texts[::NAMES_OF_A_CONCEPT], pa.large_string())
    blank = pa.array([""] * concepts, pa.large_string())
    columns = [pa.array(ids, pa.large_string()), first, blank, types, empty, own, starts, counts]
    codes = np.zeros(len(texts), np.int8)
    source = pa.DictionaryArray.from_arrays(codes.astype(np.int16), pa.array(["X"]))
    scope = pa.DictionaryArray.from_arrays(codes, pa.array(["exact"]))
    notes = pa.array(codes.astype(bool))
    return Vocabulary(
        Tables(
            pa.Table.from_arrays([pa.array(column) for column in columns], schema=CONCEPTS),
            pa.Table.from_arrays(
                [pa.array(owners), pa.array(texts, pa.large_string()), source, scope, notes],
                schema=NAMES,
            ),
            pa.table({"curie": ids, "concept": np.arange(concepts)}, schema=XREFS),
            lookup_table(texts),
        ),
        "made up",
        {},
    )


def name(row: int) -> str:
    """A made-up name of some thirty characters."""
    return f"disease of the {row * 2654435761 % (1 << 32):08x} kind {row}"


def private_mib(kind: str = "Anonymous") -> float:
    """Memory of this process alone, in MiB (Linux).

    Pages of mapped files (`Rss` has them too) belong to the system's cache: one copy serves all
    processes that map the file, and the system takes it back when it needs to.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024


def measure_load(folder: str) -> None:
    """Load, look up, and print; in a process of its own."""
    before, start = private_mib(), time.perf_counter()
    vocabulary = Vocabulary.load(folder)
    loaded = time.perf_counter() - start
    rows = np.random.default_rng(0).integers(0, vocabulary.name_count, LOOKUPS).tolist()
    start = time.perf_counter()
    found = sum(len(vocabulary.find(name(row))) for row in rows)
    finding = (time.perf_counter() - start) / LOOKUPS * 1e6
    start = time.perf_counter()
    curies = [f"X:{row // NAMES_OF_A_CONCEPT:09d}" for row in rows]
    resolved = sum(vocabulary.resolve(curie) is not None for curie in curies)
    resolving = (time.perf_counter() - start) / LOOKUPS * 1e6
    print(
        f"mapped: {vocabulary.name_count:,} names of {len(vocabulary):,} concepts; "
        f"load {loaded:.3f} s; find {finding:.0f} us, resolve {resolving:.0f} us "
        f"({found} and {resolved} of {LOOKUPS} found); "
        f"own memory {private_mib() - before:.0f} MiB (resident with the shared pages of the "
        f"files: {private_mib('Rss'):.0f} MiB)"
    )


def measure_dict(names: int) -> None:
    """What a dictionary from name to ids costs, from a part of the names."""
    before, start = private_mib(), time.perf_counter()
    held = {name(row): (f"X:{row // NAMES_OF_A_CONCEPT:09d}",) for row in range(names)}
    print(
        f"dictionary: {len(held):,} names in {time.perf_counter() - start:.1f} s and "
        f"{private_mib() - before:.0f} MiB; {SHARE} times as many: "
        f"{(time.perf_counter() - start) * SHARE:.0f} s and "
        f"{(private_mib() - before) * SHARE:.0f} MiB in every worker"
    )


def main() -> None:
    """Make the vocabulary, then measure in processes of their own."""
    if sys.argv[1:2] == ["--load"]:
        measure_load(sys.argv[2])
    elif sys.argv[1:2] == ["--dict"]:
        measure_dict(int(sys.argv[2]))
    else:
        names = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            made_up(names).save(Path(folder) / "v")
            size = sum(f.stat().st_size for f in (Path(folder) / "v").iterdir()) / 2**20
            print(f"made in {time.perf_counter() - start:.0f} s, {size:.0f} MiB on disk")
            for arguments in (["--load", f"{folder}/v"], ["--dict", str(names // SHARE)]):
                subprocess.run([sys.executable, __file__, *arguments], check=True)


if __name__ == "__main__":
    main()
