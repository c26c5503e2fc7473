"""Reading PubMed's XML where something is wrong: records, files, bombs. Nothing good is lost."""

from __future__ import annotations

import gzip
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.model import Article, Deletion, Failure
from kg_builder.sources.pubmed import read
from tests.kg_builder.citations import failure_of, file_of, pubmed_record


@pytest.mark.parametrize(
    ("record", "reason", "pmid"),
    [
        (pubmed_record(pmid=""), "no-pmid", None),
        (pubmed_record(pmid="<PMID/>"), "no-pmid", None),
        (pubmed_record(pmid="<PMID>PMC12</PMID>"), "bad-pmid", None),
        (pubmed_record(pmid="<PMID>0</PMID>"), "bad-pmid", None),
        (pubmed_record(pmid="<PMID>99999999999</PMID>"), "bad-pmid", None),
        (pubmed_record(pmid=f"<PMID>{'9' * 5000}</PMID>"), "bad-pmid", None),
        (pubmed_record(title="<i>" * 120 + "deep" + "</i>" * 120), "too-deep", 7),
        (pubmed_record(pmid='<PMID Version="x">8</PMID>'), "bad-version", 8),
        ("<PubmedArticle><PubmedData/></PubmedArticle>", "no-citation", None),
        (
            "<PubmedArticle><MedlineCitation><PMID>5</PMID></MedlineCitation></PubmedArticle>",
            "no-article",
            5,
        ),
        (
            "<PubmedBookArticle><BookDocument><PMID>6</PMID></BookDocument></PubmedBookArticle>",
            "book",
            6,
        ),
        ("<DeleteCitation><PMID>x</PMID></DeleteCitation>", "bad-pmid", None),
        ("<Novel>Call me Ishmael.</Novel>", "unknown-record", None),
    ],
)
def test_bad_record_is_a_failure_and_the_rest_is_read(
    tmp_path: Path, record: str, reason: str, pmid: int | None
) -> None:
    path = file_of(tmp_path, pubmed_record(), "\n", record, pubmed_record(pmid="<PMID>9</PMID>"))
    first, failure, last = read(path)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.pmid) == (reason, pmid)
    assert failure.place == f"{path}, record 2, line 3"
    assert isinstance(first, Article) and first.pmid == 7
    assert isinstance(last, Article) and last.pmid == 9


def test_unknown_records_at_both_ends(tmp_path: Path) -> None:
    found = list(read(file_of(tmp_path, "<X/>", pubmed_record(), "<Y/>")))
    assert [type(record) for record in found] == [Failure, Article, Failure]


def test_entity_that_xml_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    records = pubmed_record(title="A&nbsp;title") + pubmed_record()
    path.write_text(
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "https://example.org/pubmed.dtd">'
        f"<PubmedArticleSet>{records}</PubmedArticleSet>"
    )
    failure, article = read(path)
    assert isinstance(failure, Failure) and failure.reason == "unknown-entity"
    assert "&nbsp;" in failure.detail
    assert isinstance(article, Article)


def test_deletions(tmp_path: Path) -> None:
    block = "<DeleteCitation><PMID Version='1'>4</PMID><PMID>5</PMID></DeleteCitation>"
    assert list(read(file_of(tmp_path, block))) == [Deletion(4), Deletion(5)]


@pytest.mark.parametrize("root", ["PubmedArticle", "MedlineCitation"])
def test_a_lone_record(tmp_path: Path, root: str) -> None:
    path = tmp_path / "one.xml"
    record = pubmed_record()
    if root == "MedlineCitation":
        record = record.removeprefix("<PubmedArticle>").partition("<PubmedData>")[0]
    path.write_text(f'<?xml version="1.0"?>\n{record}')
    (article,) = read(path)
    assert isinstance(article, Article) and article.pmid == 7


def test_both_roots_and_gzip_by_its_bytes_give_the_same(tmp_path: Path) -> None:
    plain = file_of(tmp_path, pubmed_record(), pubmed_record(pmid="<PMID>8</PMID>"))
    expected = list(read(plain))
    packed = tmp_path / "packed.xml"  # the name says nothing
    text = plain.read_bytes()
    packed.write_bytes(gzip.compress(text[:100]) + gzip.compress(text[100:]) + b"\0" * 50)
    assert list(read(packed)) == expected
    older = tmp_path / "older.xml"
    citations = re.findall(r"<MedlineCitation>.*?</MedlineCitation>", text.decode(), re.DOTALL)
    older.write_text(f"<MedlineCitationSet>{''.join(citations)}</MedlineCitationSet>")
    assert list(read(older)) == expected
    wide = tmp_path / "utf16.xml"
    wide.write_bytes(f'<?xml version="1.0" encoding="utf-16"?>{text.decode()}'.encode("utf-16"))
    assert list(read(wide)) == expected


def _many(count: int) -> bytes:
    records = "\n".join(pubmed_record(pmid=f"<PMID>{n}</PMID>") for n in range(1, count + 1))
    return f"<PubmedArticleSet>\n{records}\n</PubmedArticleSet>".encode()


def _pmids(found: list[object]) -> list[int]:
    return [record.pmid for record in found if isinstance(record, Article)]


@pytest.mark.parametrize("broken_at", [1, 2, 300, 499])
def test_broken_xml_keeps_what_stands_before_it(tmp_path: Path, broken_at: int) -> None:
    path = tmp_path / "broken.xml"
    lines = _many(500).split(b"\n")
    lines[broken_at] = lines[broken_at].replace(b"</ArticleTitle>", b"</ArticleTitel>")
    path.write_bytes(b"\n".join(lines))
    *good, failure = read(path)
    assert _pmids(list(good)) == list(range(1, broken_at))
    assert isinstance(failure, Failure) and failure.reason == "broken-xml"
    assert failure.place.startswith(f"{path}, line {broken_at + 1}, column ")
    assert "broken.xml" in failure.detail and "fetch the file again" in failure.detail


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_gzip_keeps_what_stands_before_it(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.xml.gz"
    packed = gzip.compress(_many(2000))
    path.write_bytes(packed[: int(len(packed) * share)])
    *good, failure = read(path)
    pmids = _pmids(list(good))
    assert pmids == list(range(1, len(pmids) + 1)) and len(pmids) > 100
    assert isinstance(failure, Failure) and failure.reason == "truncated-gzip"
    assert failure.place == f"{path}, byte {int(len(packed) * share)}"
    assert "fetch the file again" in failure.detail


def test_truncated_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_bytes(_many(10)[:-300])
    *good, failure = read(path)
    assert _pmids(list(good)) == list(range(1, 10))
    assert isinstance(failure, Failure) and failure.reason == "broken-xml"


def test_damaged_gzip(tmp_path: Path) -> None:
    path = tmp_path / "damaged.xml.gz"
    packed = bytearray(gzip.compress(_many(2000)))
    packed[-6] ^= 0xFF  # the checksum
    path.write_bytes(packed)
    *good, failure = read(path)
    assert isinstance(failure, Failure) and failure.reason == "broken-gzip"
    assert len(good) > 1900


_BOMB = (
    '<!DOCTYPE PubmedArticleSet [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij"))
    + "]>"
)


@pytest.mark.parametrize(
    "text",
    [
        f"{_BOMB}<PubmedArticleSet>{pubmed_record(title='&j;')}</PubmedArticleSet>",
        f"{_BOMB}<PubmedArticleSet x='&e;'/>",
        '<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        f"<PubmedArticleSet>{pubmed_record(title='&x;')}</PubmedArticleSet>",
    ],
)
def test_bombs_and_outside_entities_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bomb.xml"
    path.write_text(text)
    failure = failure_of(path)
    assert failure.reason == "entities-declared"
    assert "bomb.xml" in failure.detail


@pytest.mark.parametrize("filler", [b" ", b"<i>", b"<x/>"])
def test_gzip_bomb_ends_in_a_failure(tmp_path: Path, filler: bytes) -> None:
    path = tmp_path / "bomb.xml.gz"
    start = b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID>"
    path.write_bytes(gzip.compress(start + filler * 3_000_000, 9))
    assert failure_of(path).reason == "broken-xml"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty-file"),
        (gzip.compress(b"", mtime=0), "not-xml"),
        (b"PMID- 123\nTI  - Not XML.\n", "not-xml"),
        (b"\x89PNG\r\n\x1a\n", "not-xml"),
        (b"<html><body>503 Service Unavailable</body></html>", "wrong-root"),
        (b"<eFetchResult><ERROR>no</ERROR></eFetchResult>", "wrong-root"),
        (b"\x1f\x8b", "truncated-gzip"),
        (b"\x1f\x8bnothing that is gzip", "broken-gzip"),
    ],
)
def test_files_of_other_things(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "other.xml"
    path.write_bytes(content)
    failure = failure_of(path)
    assert failure.reason == reason
    assert "other.xml" in failure.place and "other.xml" in failure.detail


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert failure_of(tmp_path).reason == "not-a-file"
    assert failure_of(tmp_path / "none.xml").reason == "not-found"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_byte_never_raises(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Whatever is wrong, reading ends; records before the change are as they were."""
    content = bytearray(_many(3))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.xml"
    path.write_bytes(content)
    records = list(read(path))
    assert records
    untouched = content[:place].count(b"</PubmedArticle>")
    assert _pmids(list(records))[:untouched] == [1, 2, 3][:untouched]


def test_no_records_is_no_failure(tmp_path: Path) -> None:
    assert list(read(file_of(tmp_path))) == []
