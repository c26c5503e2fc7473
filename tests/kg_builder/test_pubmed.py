"""Reading PubMed's XML: what a record says, and what is wrong with one."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.model import Article, Deletion, Failure, PublicationDate, Section
from kg_builder.sources.pubmed import read

_DATE = "<PubDate><Year>2001</Year><Month>Feb</Month></PubDate>"


def _record(
    pmid: str = '<PMID Version="1">7</PMID>',
    title: str = "A title.",
    abstract: str = "",
    date: str = _DATE,
    article: str = "",
    citation: str = "",
    data: str = "",
) -> str:
    return (
        f"<PubmedArticle><MedlineCitation>{pmid}<Article><Journal><JournalIssue>{date}"
        f"</JournalIssue><Title>J Test</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"{abstract}{article}</Article>{citation}</MedlineCitation>"
        f"<PubmedData>{data}</PubmedData></PubmedArticle>"
    )


def _file(folder: Path, *records: str, root: str = "PubmedArticleSet") -> Path:
    path = folder / "some.xml"
    path.write_text(f"<{root}>\n{''.join(records)}\n</{root}>", encoding="utf-8")
    return path


def _one(folder: Path, *records: str) -> Article:
    (found,) = read(_file(folder, *records))
    assert isinstance(found, Article), found
    return found


def _failure(path: Path) -> Failure:
    (found,) = read(path)
    assert isinstance(found, Failure), found
    return found


def test_every_section_with_its_label(tmp_path: Path) -> None:
    abstract = (
        '<Abstract><AbstractText Label="AIM &amp; USE" NlmCategory="OBJECTIVE">One.</AbstractText>'
        '<AbstractText NlmCategory="METHODS">Two.</AbstractText>'
        '<AbstractText NlmCategory="UNASSIGNED">Three.</AbstractText>'
        '<AbstractText Label="EMPTY"/>'
        "<AbstractText>Four.</AbstractText>"
        "<CopyrightInformation>(c) Nobody</CopyrightInformation></Abstract>"
    )
    other = "<OtherAbstract><AbstractText>Autre.</AbstractText></OtherAbstract>"
    article = _one(tmp_path, _record(abstract=abstract, citation=other))
    assert article.sections == (
        Section("AIM & USE", "One."),
        Section("METHODS", "Two."),
        Section("", "Three."),
        Section("", "Four."),
    )
    assert article.text == "A title.\nOne.\nTwo.\nThree.\nFour."


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("H<sub>2</sub>O and\n   <i>E. <b>coli</b></i> \u00a0grow", "H2O and E. coli grow"),
        ("a<!-- no word -->b", "ab"),
        ("<sup/>start\u2009<u>end</u> ", "start end"),
        ("before<DispFormula>x=1</DispFormula>after", "before x=1 after"),
        (
            'in <m:math xmlns:m="http://www.w3.org/1998/Math/MathML"><m:semantics><m:msub>'
            "<m:mi>T</m:mi><m:mn>4</m:mn></m:msub><m:annotation>T_4</m:annotation></m:semantics>"
            "</m:math> cells",
            "in T4 cells",
        ),
        ("5 &lt; 6 &amp; \U0001d6fc", "5 < 6 & \U0001d6fc"),
    ],
)
def test_text_inside_markup(tmp_path: Path, markup: str, text: str) -> None:
    abstract = f"<Abstract><AbstractText>{markup}</AbstractText></Abstract>"
    article = _one(tmp_path, _record(title=markup, abstract=abstract))
    assert article.title == text
    assert article.sections == (Section("", text),)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("[A translated title].", "A translated title."),
        ("[A translated title.]", "A translated title."),
        ("[Is [3H]X translated?].", "Is [3H]X translated?"),
        ("[131I]MIBG imaging in [Cd].", "[131I]MIBG imaging in [Cd]."),
        ("[Letter] to the editor.", "[Letter] to the editor."),
        ("", ""),
        ("[Not Available].", "Un titre."),
    ],
)
def test_brackets_of_translated_titles(tmp_path: Path, written: str, title: str) -> None:
    vernacular = "<VernacularTitle>Un titre.</VernacularTitle>"
    article = _one(tmp_path, _record(title=written, article=vernacular))
    assert (article.title, article.vernacular_title) == (title, "Un titre.")


def test_fields(tmp_path: Path) -> None:
    article = _one(
        tmp_path,
        _record(
            pmid='<PMID Version="3">12</PMID>',
            article='<ELocationID EIdType="pii" ValidYN="Y">S1</ELocationID>'
            '<ELocationID EIdType="doi" ValidYN="N">10.1/wrong</ELocationID>'
            "<Language>eng</Language><Language>fre</Language><PublicationTypeList>"
            '<PublicationType UI="D016428">Journal Article</PublicationType>'
            '<PublicationType UI="D016454">Review</PublicationType></PublicationTypeList>',
            citation="<DateRevised><Year>2019</Year><Month>01</Month><Day>05</Day></DateRevised>"
            '<MeshHeadingList><MeshHeading><DescriptorName UI="D006973">Hypertension'
            '</DescriptorName><QualifierName UI="Q000188">drug therapy</QualifierName>'
            '</MeshHeading><MeshHeading><DescriptorName UI="D006801">Humans</DescriptorName>'
            "</MeshHeading></MeshHeadingList>",
            data='<ArticleIdList><ArticleId IdType="doi">10.1/right</ArticleId></ArticleIdList>'
            '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.1/other'
            "</ArticleId></ArticleIdList></Reference></ReferenceList>",
        ),
    )
    assert article == Article(
        pmid=12,
        version=3,
        title="A title.",
        sections=(),
        published=PublicationDate(2001, 2),
        types=("Journal Article", "Review"),
        mesh=("MESH:D006973", "MESH:D006801"),
        languages=("eng", "fre"),
        retracted=False,
        revised="2019-01-05",
        journal="J Test",
        doi="10.1/right",
        vernacular_title="",
    )


def _history(status: str, year: int, month: int, day: int) -> str:
    return (
        f'<History><PubMedPubDate PubStatus="{status}"><Year>{year}</Year><Month>{month}</Month>'
        f"<Day>{day}</Day><Hour>6</Hour><Minute>0</Minute></PubMedPubDate></History>"
    )


_ELECTRONIC = (
    '<ArticleDate DateType="Electronic"><Year>2000</Year><Month>12</Month><Day>30</Day>'
    "</ArticleDate>"
)


@pytest.mark.parametrize(
    ("date", "article", "data", "published"),
    [
        (_DATE, "", "", PublicationDate(2001, 2)),
        (_DATE, _ELECTRONIC, "", PublicationDate(2000, 12, 30)),
        ("<PubDate><Year>2000</Year></PubDate>", _ELECTRONIC, "", PublicationDate(2000, 12, 30)),
        (
            "<PubDate><Year>2000</Year><Month>Nov</Month></PubDate>",
            _ELECTRONIC,
            "",
            PublicationDate(2000, 11),
        ),
        (
            "<PubDate><Year>1999</Year><Season>Spring</Season></PubDate>",
            "",
            "",
            PublicationDate(1999, 6),
        ),
        (
            "<PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate>",
            "",
            "",
            PublicationDate(1999, 1),
        ),
        (_DATE, "", _history("epublish", 2001, 1, 9), PublicationDate(2001, 1, 9)),
        # Before publication, or NLM's own day, which may be too early: not counted here ...
        (_DATE, "", _history("received", 2000, 1, 9), PublicationDate(2001, 2)),
        (_DATE, "", _history("entrez", 2001, 1, 1), PublicationDate(2001, 2)),
        # ... but NLM's day is better than none.
        ("<PubDate/>", "", _history("entrez", 2001, 1, 1), PublicationDate(2001, 1, 1)),
        ("<PubDate/>", "", _history("accepted", 2001, 1, 1), None),
        ("<PubDate><MedlineDate>unknown</MedlineDate></PubDate>", "", "", None),
    ],
)
def test_published(
    tmp_path: Path, date: str, article: str, data: str, published: PublicationDate | None
) -> None:
    assert _one(tmp_path, _record(date=date, article=article, data=data)).published == published


@pytest.mark.parametrize(
    ("mark", "retracted"),
    [
        ("RetractionIn", True),
        ("RetractedandRepublishedIn", True),
        ("PartialRetractionIn", False),
        ("RetractionOf", False),
        ("ErratumIn", False),
    ],
)
def test_retracted_by_reference(tmp_path: Path, mark: str, retracted: bool) -> None:
    notice = (
        f'<CommentsCorrectionsList><CommentsCorrections RefType="{mark}"><PMID>99</PMID>'
        "</CommentsCorrections></CommentsCorrectionsList>"
    )
    article = _one(tmp_path, _record(citation=notice))
    assert (article.pmid, article.retracted) == (7, retracted)


@pytest.mark.parametrize(
    ("kind", "retracted"), [("Retracted Publication", True), ("Retraction of Publication", False)]
)
def test_retracted_by_type(tmp_path: Path, kind: str, retracted: bool) -> None:
    types = f"<PublicationTypeList><PublicationType>{kind}</PublicationType></PublicationTypeList>"
    assert _one(tmp_path, _record(article=types)).retracted is retracted


@pytest.mark.parametrize(
    ("record", "reason", "pmid"),
    [
        (_record(pmid=""), "no-pmid", None),
        (_record(pmid="<PMID/>"), "no-pmid", None),
        (_record(pmid="<PMID>PMC12</PMID>"), "bad-pmid", None),
        (_record(pmid="<PMID>0</PMID>"), "bad-pmid", None),
        (_record(pmid="<PMID>99999999999</PMID>"), "bad-pmid", None),
        (_record(pmid=f"<PMID>{'9' * 5000}</PMID>"), "bad-pmid", None),
        (_record(title="<i>" * 120 + "deep" + "</i>" * 120), "too-deep", 7),
        (_record(pmid='<PMID Version="x">8</PMID>'), "bad-version", 8),
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
    path = _file(tmp_path, _record(), "\n", record, _record(pmid="<PMID>9</PMID>"))
    first, failure, last = read(path)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.pmid) == (reason, pmid)
    assert failure.place == f"{path}, record 2, line 3"
    assert isinstance(first, Article) and first.pmid == 7
    assert isinstance(last, Article) and last.pmid == 9


def test_unknown_records_at_both_ends(tmp_path: Path) -> None:
    found = list(read(_file(tmp_path, "<X/>", _record(), "<Y/>")))
    assert [type(record) for record in found] == [Failure, Article, Failure]


def test_entity_that_xml_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    records = _record(title="A&nbsp;title") + _record()
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
    assert list(read(_file(tmp_path, block))) == [Deletion(4), Deletion(5)]


@pytest.mark.parametrize("root", ["PubmedArticle", "MedlineCitation"])
def test_a_lone_record(tmp_path: Path, root: str) -> None:
    path = tmp_path / "one.xml"
    record = _record()
    if root == "MedlineCitation":
        record = record.removeprefix("<PubmedArticle>").partition("<PubmedData>")[0]
    path.write_text(f'<?xml version="1.0"?>\n{record}')
    (article,) = read(path)
    assert isinstance(article, Article) and article.pmid == 7


def test_both_roots_and_gzip_by_its_bytes_give_the_same(tmp_path: Path) -> None:
    plain = _file(tmp_path, _record(), _record(pmid="<PMID>8</PMID>"))
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
    records = "\n".join(_record(pmid=f"<PMID>{n}</PMID>") for n in range(1, count + 1))
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
        f"{_BOMB}<PubmedArticleSet>{_record(title='&j;')}</PubmedArticleSet>",
        f"{_BOMB}<PubmedArticleSet x='&e;'/>",
        '<!DOCTYPE PubmedArticleSet [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        f"<PubmedArticleSet>{_record(title='&x;')}</PubmedArticleSet>",
    ],
)
def test_bombs_and_outside_entities_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bomb.xml"
    path.write_text(text)
    failure = _failure(path)
    assert failure.reason == "entities-declared"
    assert "bomb.xml" in failure.detail


@pytest.mark.parametrize("filler", [b" ", b"<i>", b"<x/>"])
def test_gzip_bomb_ends_in_a_failure(tmp_path: Path, filler: bytes) -> None:
    path = tmp_path / "bomb.xml.gz"
    start = b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID>"
    path.write_bytes(gzip.compress(start + filler * 3_000_000, 9))
    assert _failure(path).reason == "broken-xml"


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
    failure = _failure(path)
    assert failure.reason == reason
    assert "other.xml" in failure.place and "other.xml" in failure.detail


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert _failure(tmp_path).reason == "not-a-file"
    assert _failure(tmp_path / "none.xml").reason == "not-found"


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
    assert list(read(_file(tmp_path))) == []


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
