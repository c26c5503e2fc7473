"""What an update of 1 % of a corpus costs beside the full build, from PubMed XML to the snapshot.

    python benchmarks/update.py --data FOLDER [--vocabulary DIR] [--citations 100000]

The corpus is real citations repeated with fresh PMIDs, as `corpus.py` makes it; half of the update
revises citations of the corpus, half are new, and a tenth of a percent is deleted. CPU time of this
one process. What is left out of the ratio is told apart: opening vocabulary and linker, and the
embedded database, which is loaded anew each time.
"""

from __future__ import annotations

import argparse
import gzip
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus import FIRST_PMID, articles_with_abstract, write_corpus

from kg_builder.ladybug_store import load_ladybug
from kg_builder.ledger import Ledger, file_sha256
from kg_builder.snapshot import SnapshotInfo, build_snapshot, set_current
from kg_builder.sources.inputs import order_key
from kg_builder.update import update_snapshot
from ontologies.concept import Vocabulary
from ray_jobs.build import recipe_of
from ray_jobs.mining import InputFile, Recipe, key_of, mine_here, open_tools

UPDATED_PER = 100
DELETED_PER = 1000
SEED_OF_UPDATE = 1


class Clock:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what the block takes to a stage."""
        started = time.process_time()
        try:
            yield
        finally:
            taken = time.process_time() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + taken

    def told(self) -> str:
        """All stages in words."""
        return ", ".join(f"{name} {value:.2f} s" for name, value in self.seconds.items())


def main() -> None:
    """Build, update, and print what both cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MEDWEAVE_DATA", ".")))
    parser.add_argument("--vocabulary", help="A folder; the starter vocabulary unless given.")
    parser.add_argument("--citations", type=int, default=100_000)
    given = parser.parse_args()
    opening = Clock()
    with opening.stage("opening"):
        recipe = recipe_of(given.vocabulary, "lexicon")
        vocabulary = Vocabulary.load(recipe.vocabulary)
    with tempfile.TemporaryDirectory(prefix="medweave-bench-") as name:
        folder = Path(name)
        files = made_up(given.data, recipe, vocabulary, given.citations, folder)
        graph = folder / "graph"
        full, update = Clock(), Clock()
        mined(files[:-1], graph, recipe, full)
        with full.stage("snapshot"):
            built = build_snapshot(graph, vocabulary)
        published(graph, built, full)
        mined(files[-1:], graph, recipe, update)
        with update.stage("snapshot"):
            updated = update_snapshot(graph, vocabulary)
        published(graph, updated, update)
        tell(given.citations, built, updated, opening, full, update)


def made_up(
    data: Path, recipe: Recipe, vocabulary: Vocabulary, citations: int, folder: Path
) -> list[Path]:
    """The corpus's files and, last, the update: shuffled anew, every second citation a revision."""
    linker, _ = open_tools(recipe)
    articles = articles_with_abstract(data / "pubmed")
    files = write_corpus(articles, linker, vocabulary, citations, folder / "corpus")
    size = max(1, citations // UPDATED_PER)
    (made,) = write_corpus(
        articles, linker, vocabulary, size, folder / "update", seed=SEED_OF_UPDATE
    )
    text = gzip.decompress(made.read_bytes()).decode("utf-8")
    for place in range(size):
        pmid = place * UPDATED_PER if place % 2 else citations + place
        text = text.replace(f">{FIRST_PMID + place}<", f">r{FIRST_PMID + pmid}<", 1)
    gone = range(1, citations, DELETED_PER)
    deleted = "".join(f'<PMID Version="1">{FIRST_PMID + place}</PMID>' for place in gone)
    text = text.replace(">r", ">").replace(
        "</PubmedArticleSet>", f"<DeleteCitation>{deleted}</DeleteCitation></PubmedArticleSet>"
    )
    path = made.with_name(f"pubmed26n{len(files) + 1:04d}.xml.gz")
    path.write_bytes(gzip.compress(text.encode("utf-8"), 1))
    return [*files, path]


def mined(paths: list[Path], graph: Path, recipe: Recipe, clock: Clock) -> None:
    """Mine files into the ledger."""
    ledger = Ledger.open(graph)
    with clock.stage("mining"):
        for path in paths:
            file = InputFile(str(path), order_key(path), file_sha256(path))
            tables = mine_here(recipe, file, None)
            entry = ledger.write(key_of(recipe, file.sha256), file.order, file.name, tables)
            ledger.commit([entry])


def published(graph: Path, info: SnapshotInfo, clock: Clock) -> None:
    """Load the embedded database and make the snapshot current."""
    with clock.stage("embedded database"):
        load_ladybug(info.path)
    set_current(graph, info.digest)


def tell(
    citations: int,
    built: SnapshotInfo,
    updated: SnapshotInfo,
    opening: Clock,
    full: Clock,
    update: Clock,
) -> None:
    """Print what both cost, and the ratio."""
    costs = [clock.seconds["mining"] + clock.seconds["snapshot"] for clock in (full, update)]
    print(f"{citations:,} citations, {built.evidence:,} evidence, {built.edges:,} edges")
    print(f"  full build: {costs[0]:.1f} s CPU ({full.told()})")
    print(f"  update to {updated.articles:,} articles: {costs[1]:.2f} s CPU ({update.told()})")
    print(f"  ratio {100 * costs[1] / costs[0]:.2f} %; apart: {opening.told()}")


if __name__ == "__main__":
    main()
