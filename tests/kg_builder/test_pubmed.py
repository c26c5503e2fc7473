"""Reading PubMed's XML: what a record says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_builder.model import Article, PublicationDate, Section
from tests.kg_builder.citations import DATE, article_of, pubmed_record


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
    article = article_of(tmp_path, pubmed_record(abstract=abstract, citation=other))
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
    article = article_of(tmp_path, pubmed_record(title=markup, abstract=abstract))
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
    article = article_of(tmp_path, pubmed_record(title=written, article=vernacular))
    assert (article.title, article.vernacular_title) == (title, "Un titre.")


def test_fields(tmp_path: Path) -> None:
    article = article_of(
        tmp_path,
        pubmed_record(
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
        (DATE, "", "", PublicationDate(2001, 2)),
        (DATE, _ELECTRONIC, "", PublicationDate(2000, 12, 30)),
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
        (DATE, "", _history("epublish", 2001, 1, 9), PublicationDate(2001, 1, 9)),
        # Before publication, or NLM's own day, which may be too early: not counted here ...
        (DATE, "", _history("received", 2000, 1, 9), PublicationDate(2001, 2)),
        (DATE, "", _history("entrez", 2001, 1, 1), PublicationDate(2001, 2)),
        # ... but NLM's day is better than none.
        ("<PubDate/>", "", _history("entrez", 2001, 1, 1), PublicationDate(2001, 1, 1)),
        ("<PubDate/>", "", _history("accepted", 2001, 1, 1), None),
        ("<PubDate><MedlineDate>unknown</MedlineDate></PubDate>", "", "", None),
    ],
)
def test_published(
    tmp_path: Path, date: str, article: str, data: str, published: PublicationDate | None
) -> None:
    assert (
        article_of(tmp_path, pubmed_record(date=date, article=article, data=data)).published
        == published
    )


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
    article = article_of(tmp_path, pubmed_record(citation=notice))
    assert (article.pmid, article.retracted) == (7, retracted)


@pytest.mark.parametrize(
    ("kind", "retracted"), [("Retracted Publication", True), ("Retraction of Publication", False)]
)
def test_retracted_by_type(tmp_path: Path, kind: str, retracted: bool) -> None:
    types = f"<PublicationTypeList><PublicationType>{kind}</PublicationType></PublicationTypeList>"
    assert article_of(tmp_path, pubmed_record(article=types)).retracted is retracted
