"""Reading PubMed's real files, against the standard library, Biopython and counts."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kg_builder.model import Article, Deletion, Failure
from kg_builder.sources.pubmed import read


def _oracle_text(element: ElementTree.Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _real_files(data: Path) -> list[Path]:
    return sorted((data / "pubmed").rglob("*.xml*"))


def test_every_real_file_against_the_standard_library(data: Path) -> None:
    """Title, sections, PMID, version, MeSH, types: found another way, for each real record."""
    files = _real_files(data)
    assert len(files) > 170
    for path in files:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        root = ElementTree.fromstring(raw)
        records = list(read(path))
        articles = [record for record in records if isinstance(record, Article)]
        citations = list(root.iter("MedlineCitation"))
        assert len(articles) == len(citations), path
        assert not [record for record in records if isinstance(record, Failure)]
        for article, citation in zip(articles, citations, strict=True):
            _compare(article, citation)


def _compare(article: Article, citation: ElementTree.Element) -> None:
    pmid = citation.find("PMID")
    assert pmid is not None
    assert (str(article.pmid), str(article.version)) == (pmid.text, pmid.get("Version", "1"))
    texts = citation.findall("Article/Abstract/AbstractText")
    written = [_oracle_text(text) for text in texts]
    assert [section.text for section in article.sections] == [text for text in written if text]
    title = _oracle_text(citation.find("Article/ArticleTitle"))
    assert article.title.strip(".") == title.strip(".") or title.startswith("[")
    assert article.title.strip("[].") in title or title == "[Not Available]."
    types = [_oracle_text(t) for t in citation.iter("PublicationType")]
    assert list(article.types) == types
    mesh = [f"MESH:{name.get('UI')}" for name in citation.iter("DescriptorName")]
    assert list(article.mesh) == [ui for ui in mesh if ui != "MESH:None"]


def test_real_records_against_biopython(data: Path) -> None:
    """Dates and texts of the records that Biopython's DTDs can read."""
    entrez = pytest.importorskip("Bio.Entrez")
    compared = 0
    for path in sorted((data / "pubmed" / "real" / "records").glob("*.xml")):
        with path.open("rb") as file:
            records = entrez.read(file)["PubmedArticle"]
        assert len(list(read(path))) == len(records)
        if not records:
            continue
        (theirs,), (ours,) = records, read(path)
        assert isinstance(ours, Article)
        fields = theirs["MedlineCitation"]["Article"]
        assert ours.pmid == int(theirs["MedlineCitation"]["PMID"])
        plain = re.sub(r"<[^>]+>", "", str(fields["ArticleTitle"]))
        if "<" not in str(fields["ArticleTitle"]) and not plain.startswith("["):
            assert ours.title == " ".join(plain.split())
        assert len(ours.sections) == len(fields.get("Abstract", {}).get("AbstractText", []))
        issue = fields["Journal"]["JournalIssue"]["PubDate"]
        years = [issue.get("Year"), *(d["Year"] for d in fields["ArticleDate"])]
        known = [int(year) for year in years if year]
        assert ours.published is not None
        if known:
            assert ours.published.year == min(known)
        compared += 1
    assert compared > 160


def test_counts_of_the_real_corpus(data: Path) -> None:
    """What the folder's README says it holds."""
    counts: Counter[str] = Counter()
    folder = data / "pubmed"
    for path in [*folder.glob("*.xml.gz"), *folder.glob("updates/*.xml.gz")]:
        for record in read(path):
            counts[type(record).__name__] += 1
            if isinstance(record, Article):
                counts["abstract"] += bool(record.sections)
                counts["retracted"] += record.retracted
                counts["version 2"] += record.version == 2
    assert counts == {
        "Article": 13_938 + 499 + 135,
        "Deletion": 100,
        "abstract": 12_174 + 499 + 135,
        "retracted": 16,
        "version 2": 119 + 16,
    }


def test_the_old_medline_file(data: Path) -> None:
    records = list(read(data / "pubmed" / "real" / "medline16n0902.xml.gz"))
    articles = [record for record in records if isinstance(record, Article)]
    assert len(articles) == 604
    assert records[-1] == Deletion(26432306)
    translated = [article for article in articles if article.vernacular_title]
    assert len(translated) == 18
    assert not [a for a in translated if a.title.startswith("[") or a.title.endswith("]")]
    assert all(article.published for article in articles)
