"""scispaCy's linker beside ours: the same mentions, the same vocabulary, the same process.

    MEDWEAVE_DATA=... python benchmarks/scispacy_linking.py WORK_DIRECTORY [--limit N]

The vocabulary is MEDIC's diseases and MeSH's chemicals (tree D). Our linker finds and links
mentions; scispaCy is given these mentions on a blank pipeline and only links them (tokenizing,
abbreviations, candidates, `EntityLinker`), so the comparison favours scispaCy. Times are CPU
seconds of this process over all its threads. The index takes minutes to build the first time, and
is kept in the work directory.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from kg_builder.model import Article
from kg_builder.sources.pubmed import read
from ontologies.build import build_vocabulary
from ontologies.concept import Concept, Vocabulary
from ontologies.lexicon_linker import LexiconLinker
from ontologies.linker import Mention
from ontologies.scispacy_index import index_of, knowledge_base
from ontologies.scispacy_linker import ScispacyLinker

_Result = TypeVar("_Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="directory for the vocabulary and the index")
    parser.add_argument("--limit", type=int, default=500, help="abstracts to link (default 500)")
    parser.add_argument(
        "--share",
        type=int,
        default=1,
        help="keep every so many-th concept alone (default 1: all; its index takes hours)",
    )
    options = parser.parse_args()
    data = Path(os.environ["MEDWEAVE_DATA"])
    vocabulary = diseases_and_chemicals(data / "ontologies", options.work, options.share)
    print(f"vocabulary: {len(vocabulary):,} concepts, {vocabulary.name_count:,} names")
    texts = list(islice(abstracts(data / "pubmed"), options.limit))
    print(
        f"texts: {len(texts):,} abstracts, {sum(map(len, texts)) // len(texts):,} characters each"
    )
    compare(vocabulary, texts)


def diseases_and_chemicals(ontologies: Path, work: Path, share: int) -> Vocabulary:
    """Every `share`-th concept of MEDIC and of the chemicals of MeSH, built once and kept."""
    kept = work / "medic-mesh-chemicals" / f"one-in-{share}"
    if not kept.is_dir():
        sources = [ontologies / "medic", ontologies / "mesh" / "descriptors.tsv.gz"]
        build_vocabulary(sources, work / "all")
        whole = Vocabulary.load(work / "all")
        wanted = {concept.id: concept for concept in map(whole.at, range(len(whole)))}
        chosen = sorted(id_ for id_, concept in wanted.items() if _is_wanted(concept))[::share]
        wanted = {id_: wanted[id_] for id_ in chosen}
        Vocabulary.from_concepts(_alone(c, wanted) for c in wanted.values()).save(kept)
    return Vocabulary.load(kept)


def _is_wanted(concept: Concept) -> bool:
    return any(xref.startswith(("MEDIC:", "MESHTREE:D")) for xref in concept.xrefs)


def _alone(concept: Concept, wanted: dict[str, Concept]) -> Concept:
    """The concept without those of its parents that are left out."""
    return Concept(
        concept.id,
        concept.name,
        concept.names,
        concept.semantic_types,
        tuple(parent for parent in concept.parents if parent in wanted),
        concept.xrefs,
        concept.definition,
    )


def abstracts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.xml.gz")):
        for record in read(path):
            if isinstance(record, Article) and record.sections:
                yield record.text


def compare(vocabulary: Vocabulary, texts: list[str]) -> None:
    ours = LexiconLinker.open(vocabulary)
    ours.link_many(texts[:20])  # compiled code and caches are warm
    found, our_time = timed(lambda: ours.link_many(texts))
    base = knowledge_base(vocabulary)
    start = time.perf_counter()
    _, build_time = timed(lambda: index_of(vocabulary, sorted(base.alias_to_cuis)))
    print(
        f"scispaCy's index: {time.perf_counter() - start:,.0f} s, CPU {build_time:,.0f} s "
        "(loading, where it was kept)"
    )
    spans = {
        text: [(m.start, m.end) for m in mentions]
        for text, mentions in zip(texts, found, strict=True)
    }
    theirs = ScispacyLinker.open(vocabulary, mentions=spans.__getitem__)
    theirs.link_many(texts[:20])
    linked, their_time = timed(lambda: theirs.link_many(texts))
    report(found, linked, our_time, their_time)


def report(
    found: list[list[Mention]], linked: list[list[Mention]], our_time: float, their_time: float
) -> None:
    pairs = [pair for both in zip(found, linked, strict=True) for pair in zip(*both, strict=True)]
    ours = [mention for mention, _ in pairs if mention.concept_id]
    same = sum(a.concept_id == b.concept_id for a, b in pairs if a.concept_id)
    count = len(found)
    print(f"mentions: {len(pairs):,}, {len(ours):,} linked by ours")
    print(f"ours, finding and linking:  {count / our_time:10,.0f} abstracts/s of CPU")
    print(f"scispaCy, linking alone:    {count / their_time:10,.0f} abstracts/s of CPU")
    print(f"ratio: {their_time / our_time:.1f}")
    print(f"same concept from scispaCy: {same / max(1, len(ours)):.1%} of the linked mentions")


def timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


if __name__ == "__main__":
    main()
