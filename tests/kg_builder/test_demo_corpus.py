"""The demo corpus is what its texts say, is sound PubMed XML, and documents what it lists."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lxml import etree

from kg_builder.demo import make_corpus
from kg_builder.demo.make_corpus import BASELINE, HERE, NOTICE, SOURCES, UPDATE, Record
from kg_builder.model import PREDICATES, Article, Deletion
from kg_builder.sources.pubmed import read

FILES = (*BASELINE, UPDATE)


def plain(text: str) -> str:
    return re.sub(r"</?(?:i|b|u|sub|sup)>", "", text)


@pytest.fixture(scope="module")
def written() -> list[Record]:
    return [record for source in make_corpus.sources().values() for record in source.records]


@pytest.fixture(scope="module")
def texts() -> dict[int, str]:
    """The newest words of each article, by a parser that is not ours."""
    found = {}
    for name in FILES:
        for entry in ElementTree.parse(HERE / name).iter("PubmedArticle"):
            pmid = int(entry.findtext("MedlineCitation/PMID", "0"))
            parts = [node for tag in ("ArticleTitle", "AbstractText") for node in entry.iter(tag)]
            found[pmid] = "\n".join("".join(node.itertext()) for node in parts)
    return found


def interactions() -> list[dict[str, str]]:
    lines = (HERE / "interactions.tsv").read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t"))


def questions() -> list[dict[str, Any]]:
    return tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))["question"]


def names_both(text: str, one: str, other: str) -> bool:
    """Whether one sentence names both."""
    sentences = re.split(r"(?<=[.?!])\s+", text.lower())
    return any(one.lower() in words and other.lower() in words for words in sentences)


def test_the_xml_is_what_the_texts_give(tmp_path: Path) -> None:
    made = make_corpus.write(tmp_path)
    assert [path.name for path in made] == list(FILES)
    for path in made:
        assert path.read_bytes() == (HERE / path.name).read_bytes(), f"{path.name}: run make_corpus"


def test_the_xml_is_valid_by_the_published_dtd() -> None:
    entrez = pytest.importorskip("Bio.Entrez", reason="Biopython carries the DTDs of PubMed")
    dtd = etree.DTD(str(Path(entrez.__file__).parent / "DTDs" / "pubmed_250101.dtd"))
    for name in FILES:
        assert dtd.validate(etree.parse(HERE / name)), dtd.error_log


def test_every_number_is_invented_and_new_but_for_revisions(written: list[Record]) -> None:
    assert all(record.pmid > 90_000_000 for record in written)
    keys = Counter((record.pmid, record.version) for record in written)
    assert max(keys.values()) == 1
    first = [record.pmid for record in written if record.version == 1]
    assert len(set(first)) == len(first)
    assert sum(bool(record.sections) for record in written if record.version == 1) >= 300


def test_our_reader_gives_back_the_texts(written: list[Record]) -> None:
    articles = {}
    for name in FILES:
        for item in read(HERE / name):
            assert isinstance(item, Article | Deletion), item
            if isinstance(item, Article):
                articles[item.pmid, item.version] = item
    assert len(articles) == len(written)
    for record in written:
        article = articles[record.pmid, record.version]
        assert article.title.rstrip(".") == plain(record.title).rstrip(".")
        assert [(label, text) for label, text in article.sections] == [
            (label, plain(text)) for label, text in record.sections
        ]
        assert article.published is not None
        assert article.published.year == int(record.date[:4])
        assert NOTICE not in article.text


def test_every_record_and_file_says_that_it_is_invented() -> None:
    for name in FILES:
        root = etree.parse(HERE / name)
        abstracts = root.findall(".//Abstract")
        assert abstracts
        assert all(node.findtext("CopyrightInformation") == NOTICE for node in abstracts)
        assert not root.findall(".//MedlineCitation[@Owner='NLM']")
    for path in (*SOURCES.glob("*.txt"), *HERE.glob("*.t[so][vm]*"), HERE / "README.md"):
        assert "nvented" in path.read_text(encoding="utf-8")[:400], path


def test_the_corpus_is_varied(written: list[Record]) -> None:
    """No two texts are made from one template: they share few runs of four words."""
    runs = {}
    for record in written:
        words = " ".join(text for _, text in record.sections).lower().split()
        if record.version == 1 and words:
            runs[record.pmid] = set(zip(*(words[i:] for i in range(4)), strict=False))
            assert 75 <= len(words) <= 170, record.pmid
    for one, other in combinations(runs, 2):
        shared = len(runs[one] & runs[other])
        assert shared <= 0.12 * min(len(runs[one]), len(runs[other])), (one, other)
    structured = sum(len(record.sections) > 1 for record in written)
    assert 0.4 < structured / len(written) < 0.6
    assert len({record.date[:4] for record in written}) >= 28


def test_dates_come_in_every_form_of_pubmed() -> None:
    forms = set()
    for name in FILES:
        for node in etree.parse(HERE / name).iter("PubDate"):
            forms.add(tuple(child.tag for child in node))
    assert forms == {
        ("Year",),
        ("Year", "Month"),
        ("Year", "Month", "Day"),
        ("Year", "Season"),
        ("MedlineDate",),
    }


def test_one_article_is_retracted_and_contradicted() -> None:
    root = etree.parse(HERE / BASELINE[1])
    links = {
        node.get("RefType"): (
            int(node.findtext("../../PMID", "0")),
            int(node.findtext("PMID", "0")),
        )
        for node in root.iter("CommentsCorrections")
    }
    assert links == {
        "RetractionIn": (90008010, 90008027),
        "RetractionOf": (90008027, 90008010),
    }
    records = (item for item in read(HERE / BASELINE[1]) if isinstance(item, Article))
    assert [article.pmid for article in records if article.retracted] == [90008010]


def test_the_update_revises_two_articles_and_deletes_one(written: list[Record]) -> None:
    update = make_corpus.sources()[UPDATE]
    older = {record.pmid: record for record in written if record.version == 1}
    assert [(record.pmid, record.version) for record in update.records] == [
        (90003012, 2),
        (90011004, 2),
    ]
    for record in update.records:
        assert record.title == older[record.pmid].title
        assert record.sections != older[record.pmid].sections
    assert update.deletions == (90010025,)
    assert 90010025 in older


def test_each_interaction_is_stated_by_a_sentence_of_each_article(texts: dict[int, str]) -> None:
    rows = interactions()
    assert len(rows) >= 60
    assert len({(row["subject"], row["object"]) for row in rows}) == len(rows)
    gone = set(make_corpus.sources()[UPDATE].deletions) | {90008010}
    for row in rows:
        assert row["kind"] in {"interaction", "complication"}
        assert row["predicate"] in PREDICATES
        assert (row["predicate"] == "INTERACTS_WITH") == (row["kind"] == "interaction")
        assert row["consequence"]
        assert row["pmids"]
        for pmid in map(int, row["pmids"].split()):
            assert pmid not in gone
            assert names_both(texts[pmid], row["subject"], row["object"]), row


def test_questions_rest_on_articles_that_name_their_concepts(texts: dict[int, str]) -> None:
    asked = questions()
    assert sum(question.get("demo", False) for question in asked) == 3
    kinds = {"facts", "contradiction", "path", "time", "retraction", "update"}
    assert {question["kind"] for question in asked} == kinds
    for question in asked:
        cited = [question.get(key, []) for key in ("supporting", "refuting", "retracted")]
        assert any(cited)
        names = [*question["concepts"], *question.get("expected", [])]
        for pmid in (pmid for group in cited for pmid in group):
            told = [name for name in names if name.lower() in texts[pmid].lower()]
            assert len(told) >= 2, (question["text"], pmid)
        for name in names:
            assert any(name.lower() in texts[pmid].lower() for group in cited for pmid in group)


def test_the_path_of_the_demo_is_not_a_single_step(texts: dict[int, str]) -> None:
    both = ("omeprazole", "atrial fibrillation")
    assert not [pmid for pmid, text in texts.items() if all(name in text.lower() for name in both)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[90000001] 2001\nTitle.", "expected '# journal"),
        ("# journal: A | B\n\n90000001 2001\nTitle.", "got '90000001 2001'"),
        ("# journal: A | B\n\n[90000001] 2001", "and a title"),
        ("# journal: A | B\n\n[90000001] 2001 | Sermon\nTitle.", "Sermon"),
        ("# journal: A | B\n\n[90000001] 2001\n+ colour red\nTitle.", "colour"),
    ],
)
def test_a_text_that_breaks_the_format_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "01-broken.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(make_corpus.SourceError, match=r"^01-broken\.txt") as caught:
        make_corpus.read_source(path)
    assert message in str(caught.value)


def test_markup_and_signs_survive_the_way_into_xml(tmp_path: Path) -> None:
    path = tmp_path / "01-signs.txt"
    path.write_text(
        "# journal: A | B\n\n[90000001.3] 1999 Dec-2000 Jan | Review\nA <i>b</i> & c.\n"
        "AIMS: p<0.05 and 10<sup>9</sup>,\nand more.\nRESULTS: Less <b>text</b>\n",
        encoding="utf-8",
    )
    source = make_corpus.read_source(path)
    root = etree.fromstring(make_corpus.to_xml(source, revised="2026-04-01"))
    title, *parts = ["".join(n.itertext()) for n in root.iter("ArticleTitle", "AbstractText")]
    assert title == "A b & c."
    assert parts == ["p<0.05 and 109, and more.", "Less text"]
    assert [node.text for node in root.iter("sup", "i", "b")] == ["b", "9", "text"]
    assert root.findtext(".//MedlineDate") == "1999 Dec-2000 Jan"
    assert root.find(".//PMID").get("Version") == "3"
