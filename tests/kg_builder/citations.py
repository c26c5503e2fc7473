"""Small files of PubMed's XML, and what is read of them."""

from __future__ import annotations

from pathlib import Path

from kg_builder.model import Article, Failure
from kg_builder.sources.pubmed import read

DATE = "<PubDate><Year>2001</Year><Month>Feb</Month></PubDate>"


def pubmed_record(
    pmid: str = '<PMID Version="1">7</PMID>',
    title: str = "A title.",
    abstract: str = "",
    date: str = DATE,
    article: str = "",
    citation: str = "",
    data: str = "",
) -> str:
    """A record of PubMed's XML, its parts given as XML."""
    return (
        f"<PubmedArticle><MedlineCitation>{pmid}<Article><Journal><JournalIssue>{date}"
        f"</JournalIssue><Title>J Test</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"{abstract}{article}</Article>{citation}</MedlineCitation>"
        f"<PubmedData>{data}</PubmedData></PubmedArticle>"
    )


def file_of(folder: Path, *records: str, root: str = "PubmedArticleSet") -> Path:
    """A file of records."""
    path = folder / "some.xml"
    path.write_text(f"<{root}>\n{''.join(records)}\n</{root}>", encoding="utf-8")
    return path


def article_of(folder: Path, *records: str) -> Article:
    """The one article of a file of these records."""
    (found,) = read(file_of(folder, *records))
    assert isinstance(found, Article), found
    return found


def failure_of(path: Path) -> Failure:
    """The one failure that reading a file gives."""
    (found,) = read(path)
    assert isinstance(found, Failure), found
    return found
