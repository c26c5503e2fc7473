"""CPU time of each stage of a build, in microseconds an abstract, on one file at a time.

    python benchmarks/stages.py FILE... [--vocabulary DIR]

One process, no Ray: what a worker does with a file, then what the driver does with all of them.
Opening vocabulary and linker is told apart.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from update import Clock

from kg_builder.digest import contents
from kg_builder.ladybug_store import load_ladybug
from kg_builder.ledger import Ledger, file_sha256
from kg_builder.ledger_rows import article_table, mention_table, sentence_table
from kg_builder.mine import BATCH, ShardTables, mine
from kg_builder.model import Article
from kg_builder.sentences import sentence_spans
from kg_builder.snapshot import build_snapshot
from kg_builder.sources import Record, open_source
from kg_builder.sources.inputs import order_key
from ontologies.collection import no_search_for_cycles
from ontologies.concept import Vocabulary
from ontologies.linker import Mention
from ray_jobs.build import recipe_of
from ray_jobs.mining import (
    InputFile,
    Recipe,
    abstracts_in,
    key_of,
    open_tools,
)


class Linked:
    """A linker that gives again what another one found, so that the rest is timed alone."""

    version = "linked before"

    def __init__(self, linked: Sequence[list[Mention]]) -> None:
        self._linked = iter(linked)

    def link(self, _text: str) -> list[Mention]:
        """The mentions of the next text."""
        return next(self._linked)

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        """The mentions of the next texts."""
        return [next(self._linked) for _ in texts]


def profile(files: Sequence[Path], recipe: Recipe) -> tuple[Clock, int]:
    """CPU seconds by stage over all files, and the number of abstracts."""
    clock, count = Clock(), 0
    with tempfile.TemporaryDirectory(prefix="medweave-bench-") as graph, no_search_for_cycles():
        ledger = Ledger.open(graph)
        for path in files:
            file = InputFile(str(path), order_key(path), file_sha256(path))
            with clock.stage("XML"):
                records = list(open_source("pubmed").read(path))
            tables = _mined(records, recipe, clock)
            with clock.stage("ledger"):
                entry = ledger.write(key_of(recipe, file.sha256), file.order, file.name, tables)
                ledger.commit([entry])
            count += abstracts_in(tables)
        with clock.stage("snapshot"):
            built = build_snapshot(graph, Vocabulary.load(recipe.vocabulary))
        with clock.stage("embedded database"):
            load_ladybug(built.path)
    return clock, count


def _mined(records: Sequence[Record], recipe: Recipe, clock: Clock) -> ShardTables:
    """Mine the records of a file as `mine` does, timed in parts, and once more as a whole."""
    linker, extractor = open_tools(recipe)
    articles = (record for record in records if isinstance(record, Article))
    linked: list[list[Mention]] = []
    while some := list(islice(articles, BATCH)):
        texts = [article.text for article in some]
        with clock.stage("linking"):
            found = linker.link_many(texts)
        linked += found
        with clock.stage("sentences"):
            spans = [sentence_spans(article) for article in some]
        with clock.stage("tables"):
            rows, sentences, mentions = (
                article_table(some),
                sentence_table(spans),
                mention_table(found),
            )
        with clock.stage("relations"):
            evidence = extractor.relate_many(texts, sentences, mentions)
        with clock.stage("hashes"):
            contents(rows, mentions, evidence)
    return mine(records, Linked(linked), extractor)


def tell(clock: Clock, count: int) -> None:
    """Print what each stage costs."""
    parts = {name: 1e6 * seconds / count for name, seconds in clock.seconds.items()}
    total = sum(parts.values())
    told = ", ".join(f"{name} {value:.0f}" for name, value in parts.items())
    print(f"  {count:,} abstracts, microseconds of CPU time each: {told}; {total:.0f} in all")
    print(f"  {1e6 / total:.0f} abstracts per second of CPU time, from XML to the snapshot's store")


def main() -> None:
    """Profile the files given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--vocabulary", help="A folder; the starter vocabulary unless given.")
    given = parser.parse_args()
    opening = Clock()
    with opening.stage("opening"):
        recipe = recipe_of(given.vocabulary, "lexicon")
    print(opening.told())
    tell(*profile(given.files, recipe))


if __name__ == "__main__":
    main()
