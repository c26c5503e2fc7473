"""How well and how fast relations are read.

    python benchmarks/relations.py BC5CDR.pubtator [--vocabulary DIR] [--pubmed FILE.xml.gz]

With the corpus alone: stated relations and co-occurrence, given the marked mentions (an upper
bound for any linker). With a vocabulary: the same end to end from raw text, with the lexicon
linker. With a file of PubMed too: CPU time an abstract of splitting and relating, on one core.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from kg_builder.evaluate_relations import (
    RelationReport,
    evaluate_marked_mentions,
    evaluate_relations,
)
from kg_builder.ledger_rows import mention_table, sentence_table
from kg_builder.model import Article
from kg_builder.relations import RelationExtractor
from kg_builder.sentences import sentence_spans
from kg_builder.sources.source import open_source
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, open_linker
from ontologies.semantic_types import groups_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--vocabulary")
    parser.add_argument("--pubmed")
    options = parser.parse_args()
    show("marked mentions", evaluate_marked_mentions(options.corpus))
    if options.vocabulary:
        vocabulary = Vocabulary.load(options.vocabulary)
        linker = open_linker("lexicon", vocabulary)
        extractor = RelationExtractor(lambda id_: groups_of(vocabulary[id_].semantic_types))
        report = evaluate_relations(options.corpus, linker, vocabulary, extractor)
        show(f"end to end with {linker.version}", report)
        if options.pubmed:
            time_stages(options.pubmed, linker, extractor)


def show(name: str, report: RelationReport) -> None:
    print(f"{name}: {report.articles} articles, {report.unmapped} stated pairs without MeSH id")
    for row, scores in (("stated", report.stated), ("co-occurring", report.co_occurrence)):
        print(
            f"  {row:13} P {scores.precision:.3f}  R {scores.recall:.3f}  F1 {scores.f1:.3f}"
            f"  ({scores.right} of {scores.found} right, {scores.marked} marked)"
        )


def time_stages(path: str, linker: Linker, extractor: RelationExtractor) -> None:
    """Median of five passes over the articles with an abstract, in CPU time."""
    articles = [r for r in open_source("pubmed").read(path) if isinstance(r, Article)]
    articles = [article for article in articles if article.sections]
    mentions = linker.link_many(article.text for article in articles)
    spans = [sentence_spans(article) for article in articles]
    texts = [article.text for article in articles]
    tables = sentence_table(spans), mention_table(mentions)
    evidence = extractor.relate_many(texts, *tables)
    count = len(articles)
    print(
        f"{count} abstracts of {sum(len(a.text) for a in articles) / count:.0f} characters, "
        f"{sum(map(len, mentions)) / count:.1f} mentions, "
        f"{evidence.num_rows / count:.1f} pairs with evidence"
    )

    def split() -> None:
        for article in articles:
            sentence_spans(article)

    def relate() -> None:
        extractor.relate_many(texts, *tables)

    for name, stage in (("split", split), ("relate", relate)):
        print(f"  {name:7} {cpu_seconds(stage) / count * 1e6:.0f} microseconds an abstract")


def cpu_seconds(stage: Callable[[], None], passes: int = 5) -> float:
    times = []
    for _ in range(passes):
        start = time.process_time()
        stage()
        times.append(time.process_time() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
