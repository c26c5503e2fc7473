"""What every source of articles does, run on each that `open_source` knows."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from kg_builder.model import Article, Deletion, Failure
from kg_builder.sources import Record, open_source
from kg_builder.sources.source import SOURCES


def _pubmed(folder: Path) -> Path:
    """Two citations, one that cannot be read between them, and an order to delete."""

    def citation(pmid: str) -> str:
        return (
            f"<PubmedArticle><MedlineCitation>{pmid}<Article><ArticleTitle>Of \u03b2-cells."
            "</ArticleTitle><Abstract><AbstractText>Insulin.</AbstractText></Abstract></Article>"
            "</MedlineCitation></PubmedArticle>"
        )

    records = citation("<PMID>1</PMID>") + citation("") + citation("<PMID>2</PMID>")
    deletion = "<DeleteCitation><PMID>3</PMID></DeleteCitation>"
    path = folder / "sample.xml"
    path.write_text(f"<PubmedArticleSet>{records}{deletion}</PubmedArticleSet>", "utf-8")
    return path


SAMPLES: dict[str, Callable[[Path], Path]] = {"pubmed": _pubmed}


def test_every_source_has_a_sample() -> None:
    assert set(SAMPLES) == set(SOURCES)


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="pubmed"):
        open_source("medlars")


@pytest.fixture(params=SOURCES)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    return request.param, SAMPLES[request.param](tmp_path)


def _read(sample: tuple[str, Path]) -> list[Record]:
    return list(open_source(sample[0]).read(sample[1]))


def test_records_come_in_the_order_of_the_file(sample: tuple[str, Path]) -> None:
    first, failure, second, deletion = _read(sample)
    assert isinstance(first, Article) and isinstance(second, Article)
    assert (first.pmid, second.pmid) == (1, 2)
    assert first.text == "Of \u03b2-cells.\nInsulin."
    assert isinstance(failure, Failure) and failure.place.startswith(str(sample[1]))
    assert failure.reason and failure.detail
    assert deletion == Deletion(3)


def test_the_same_bytes_give_the_same_records(sample: tuple[str, Path]) -> None:
    assert _read(sample) == _read(sample)


def test_sections_are_where_they_are_said_to_be(sample: tuple[str, Path]) -> None:
    for article in _read(sample):
        if isinstance(article, Article):
            spans = article.section_spans()
            expected = [("TITLE", article.title), *article.sections]
            assert [(label, article.text[s:e]) for label, s, e in spans] == expected


def test_a_file_cut_anywhere_fails_last_and_once(sample: tuple[str, Path]) -> None:
    name, path = sample
    whole = [record for record in _read(sample) if not isinstance(record, Failure)]
    packed = gzip.compress(path.read_bytes())
    cut = path.with_name("cut")
    for content in (path.read_bytes(), packed):
        for length in range(0, len(content) - 1, 7):
            cut.write_bytes(content[:length])
            *before, last = open_source(name).read(cut)
            good = [record for record in before if not isinstance(record, Failure)]
            assert isinstance(last, Failure) and "cut" in last.place
            assert good == whole[: len(good)]


def test_what_is_no_file_fails_without_raising(sample: tuple[str, Path], tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        (failure,) = open_source(sample[0]).read(path)
        assert isinstance(failure, Failure) and str(path) in failure.place
