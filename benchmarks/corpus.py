"""Made-up PubMed files at any size, from real ones: so that a graph grows as a real one would.

Each copy of a citation gets a fresh PMID, its sentences in another order, and a tenth of its
mentions exchanged for other names of the vocabulary. Deterministic by seed.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from kg_builder.model import Article
from kg_builder.sentences import split_sentences
from kg_builder.sources import open_source
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, Mention

FIRST_PMID = 50_000_001
EXCHANGED = 0.1
PER_FILE = 5_000


def articles_with_abstract(folder: Path) -> list[Article]:
    """The articles of a folder's PubMed files that have an abstract."""
    source = open_source("pubmed")
    return [
        record
        for path in sorted(folder.glob("pubmed*.xml.gz"))
        for record in source.read(path)
        if isinstance(record, Article) and record.sections
    ]


def write_corpus(
    articles: Sequence[Article],
    linker: Linker,
    vocabulary: Vocabulary,
    citations: int,
    out: Path,
    *,
    seed: int = 0,
) -> list[Path]:
    """Write so many citations as gzipped PubMed files of `PER_FILE` each; return the files."""
    names = vocabulary.names_table()["text"]
    used = articles[:citations]
    own_texts = [[text for _, text in article.sections] for article in used]
    linked = iter(linker.link_many(text for own in own_texts for text in own))
    mentions = [[next(linked) for _ in own] for own in own_texts]
    dice = random.Random(seed)
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, start in enumerate(range(0, citations, PER_FILE), 1):
        places = [i % len(articles) for i in range(start, min(start + PER_FILE, citations))]
        changed = [
            [
                _changed(text, found, names, dice)
                for text, found in zip(own_texts[i], mentions[i], strict=True)
            ]
            for i in places
        ]
        chosen = [articles[i] for i in places]
        path = out / f"pubmed26n{number:04d}.xml.gz"
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as stream:
            stream.write('<?xml version="1.0"?><PubmedArticleSet>')
            for place, (article, sections) in enumerate(zip(chosen, changed, strict=True)):
                stream.writelines(_citation(FIRST_PMID + start + place, article, sections))
            stream.write("</PubmedArticleSet>")
        paths.append(path)
    return paths


def _changed(text: str, mentions: Sequence[Mention], names: object, dice: random.Random) -> str:
    """The text with some mentions exchanged, then its sentences shuffled."""
    pieces, last = [], 0
    for mention in mentions:
        start, end = mention[0], mention[1]
        pieces.append(text[last:start])
        other = dice.random() < EXCHANGED
        pieces.append(str(names[dice.randrange(len(names))]) if other else text[start:end])  # type: ignore[arg-type,index]
        last = end
    pieces.append(text[last:])
    joined = "".join(pieces)
    sentences = [joined[start:end] for start, end in split_sentences(joined)]
    dice.shuffle(sentences)
    return " ".join(sentences)


def _citation(pmid: int, article: Article, sections: Sequence[str]) -> Iterator[str]:
    yield f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><Journal>'
    yield "<JournalIssue><PubDate>"
    if article.published:
        yield f"<Year>{article.published.year}</Year>"
    yield f"</PubDate></JournalIssue></Journal><ArticleTitle>{escape(article.title)}</ArticleTitle>"
    yield "<Abstract>"
    for (label, _), text in zip(article.sections, sections, strict=True):
        attribute = f' Label="{escape(label, {chr(34): "&quot;"})}"' if label else ""
        yield f"<AbstractText{attribute}>{escape(text)}</AbstractText>"
    yield "</Abstract></Article></MedlineCitation></PubmedArticle>\n"
