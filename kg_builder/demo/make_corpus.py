"""Write the demo corpus as PubMed XML from the abstracts in `abstracts/`.

Run `python -m kg_builder.demo.make_corpus` after a change to a text. The result depends on the
texts alone, so that anyone can check that the XML holds what the texts say, and nothing else.
Everything in it is invented: studies, authors, journals, identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

HERE = Path(__file__).parent
SOURCES = HERE / "abstracts"

# Named as PubMed names its files, because their (year, number) is the order in which versions
# and deletions take effect. PubMed itself uses no number near 9001.
BASELINE = ("pubmed26n9001.xml", "pubmed26n9002.xml")
UPDATE = "pubmed26n9003.xml"

NOTICE = "Invented for the medweave demo: not a real study, and no medical evidence."
JOURNAL_ARTICLE = "Journal Article"
# Names and identifiers of publication types as NLM prints them.
TYPES = {
    "Case Reports": "D002363",
    "Comparative Study": "D003160",
    "Editorial": "D016421",
    JOURNAL_ARTICLE: "D016428",
    "Letter": "D016422",
    "Meta-Analysis": "D017418",
    "Multicenter Study": "D016448",
    "Observational Study": "D064888",
    "Randomized Controlled Trial": "D016449",
    "Retracted Publication": "D016441",
    "Retraction of Publication": "D016440",
    "Review": "D016454",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SEASONS = ("Spring", "Summer", "Autumn", "Fall", "Winter")
LINKS = {
    "retracted-in": "RetractionIn",
    "retraction-of": "RetractionOf",
    "comment-on": "CommentOn",
    "comment-in": "CommentIn",
}
SURNAMES = [
    "Abergavel",
    "Brandtholm",
    "Castellvane",
    "Dunmorrow",
    "Eskelund",
    "Farquenby",
    "Gallowmere",
    "Hartvigsel",
    "Iwakuramoto",
    "Jelinkova-Dorn",
    "Kassarova",
    "Lindenquay",
    "Mbekwaru",
    "Nordhavn",
    "Oyelaranti",
    "Pellestrand",
    "Quillfeather",
    "Rasmudian",
    "Sottomare",
    "Tavernholt",
    "Ubakwena",
    "Vestergrun",
    "Wolsingham-Roe",
    "Yarrowdale",
    "Zielonkova",
]
INITIALS = [
    "A",
    "B",
    "C",
    "D",
    "E",
    "F",
    "G",
    "H",
    "J",
    "K",
    "L",
    "M",
    "N",
    "P",
    "R",
    "S",
    "T",
    "V",
    "W",
]

_HEADER = re.compile(r"\[(\d+)(?:\.(\d+))?\] ([^|]+?)(?: \| (.+))?")
_LABEL = re.compile(r"([A-Z][A-Z ,&]+): (.*)")
_MARKUP = re.compile(r"&lt;(/?(?:i|b|u|sub|sup))&gt;")


class SourceError(ValueError):
    """A text in `abstracts/` that does not follow the format; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Record:
    """One written abstract. `date` is as PubMed would print it; `links` are (kind, PMID)."""

    pmid: int
    version: int
    date: str
    types: tuple[str, ...]
    title: str
    sections: tuple[tuple[str, str], ...]
    journal: tuple[str, str]
    language: str = "eng"
    vernacular: str = ""
    links: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """The content of one file of `abstracts/`."""

    records: tuple[Record, ...]
    deletions: tuple[int, ...]


def read_source(path: Path) -> Source:
    """Read one file of abstracts; `SourceError` names the block that cannot be read."""
    journal: tuple[str, str] | None = None
    records, deletions = [], []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        if lines[0].startswith("#"):
            title, _, short = lines[-1].removeprefix("# journal: ").partition(" | ")
            journal = (title, short)
        elif lines[0].startswith("DELETE "):
            deletions += [int(line.removeprefix("DELETE ")) for line in lines]
        elif journal is None:
            raise SourceError(f"{path.name}: expected '# journal: NAME | SHORT' first")
        else:
            records.append(_record(path.name, lines, journal))
    return Source(tuple(records), tuple(deletions))


def _record(file: str, lines: Sequence[str], journal: tuple[str, str]) -> Record:
    header = _HEADER.fullmatch(lines[0])
    if header is None or len(lines) < 2:
        raise SourceError(f"{file}: expected '[PMID] DATE | TYPES' and a title, got {lines[0]!r}")
    pmid, version, date, types = header.groups()
    options = [line[2:].split(" ", 1) for line in lines if line.startswith("+ ")]
    title, *body = [line for line in lines[1:] if not line.startswith("+ ")]
    given = {key: value for key, value in options if key not in LINKS}
    unknown = given.keys() - {"language", "vernacular"}
    named = tuple(types.split("; ")) if types else ()
    if unknown or not set(named) <= set(TYPES):
        raise SourceError(f"{file}: {pmid}: unknown option or type in {sorted(unknown)}, {named}")
    return Record(
        pmid=int(pmid),
        version=int(version or 1),
        date=date,
        types=named,
        title=title,
        sections=tuple(_sections(body)),
        journal=journal,
        language=given.get("language", "eng"),
        vernacular=given.get("vernacular", ""),
        links=tuple((LINKS[key], int(value)) for key, value in options if key in LINKS),
    )


def _sections(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    label, words = "", list[str]()
    for line in lines:
        start = _LABEL.fullmatch(line)
        if start:
            if words:
                yield label, " ".join(words)
            label, words = start.group(1), [start.group(2)]
        else:
            words.append(line)
    if words:
        yield label, " ".join(words)


def sources() -> dict[str, Source]:
    """For each XML file of the corpus what goes into it, in the order of the texts' names."""
    paths = sorted(SOURCES.glob("*.txt"))
    if not paths:
        raise FileNotFoundError(f"no texts in {SOURCES}; they come with the repository alone")
    updates = [path for path in paths if path.name.startswith("9")]
    first = [path for path in paths if path not in updates]
    middle = len(first) // 2
    groups = (first[:middle], first[middle:], updates)
    return {
        name: _join([read_source(path) for path in group])
        for name, group in zip((*BASELINE, UPDATE), groups, strict=True)
    }


def _join(parts: Sequence[Source]) -> Source:
    return Source(
        tuple(record for part in parts for record in part.records),
        tuple(pmid for part in parts for pmid in part.deletions),
    )


def to_xml(source: Source, *, revised: str) -> bytes:
    """The records and deletions as a `PubmedArticleSet`; `revised` is an ISO date for all."""
    root = etree.Element("PubmedArticleSet")
    for record in source.records:
        _article(root, record, revised)
    if source.deletions:
        delete = etree.SubElement(root, "DeleteCitation")
        for pmid in source.deletions:
            _add(delete, "PMID", str(pmid), Version="1")
    etree.indent(root, space=" ")
    # Markup inside a text is opened last: `indent` would put white space into it.
    body = _MARKUP.sub(r"<\1>", etree.tostring(root, encoding="unicode"))
    doctype = (
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN"'
        ' "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
    )
    head = f'<?xml version="1.0" encoding="utf-8"?>\n{doctype}\n<!-- {NOTICE} -->\n'
    return (head + body + "\n").encode()


def _add(parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
    node = etree.SubElement(parent, tag, attributes)
    node.text = text or None
    return node


def _article(root: etree._Element, record: Record, revised: str) -> None:
    entry = _add(root, "PubmedArticle")
    # NOTNLM: the owner is not the National Library of Medicine, and nothing here is indexed.
    citation = _add(entry, "MedlineCitation", Status="PubMed-not-MEDLINE", Owner="NOTNLM")
    _add(citation, "PMID", str(record.pmid), Version=str(record.version))
    date = _add(citation, "DateRevised")
    for tag, value in zip(("Year", "Month", "Day"), revised.split("-"), strict=True):
        _add(date, tag, value)
    _body(citation, record)
    _add(_add(citation, "MedlineJournalInfo"), "MedlineTA", record.journal[1])
    if record.links:
        links = _add(citation, "CommentsCorrectionsList")
        for kind, pmid in record.links:
            link = _add(links, "CommentsCorrections", RefType=kind)
            _add(link, "RefSource", f"{record.journal[1]}.")
            _add(link, "PMID", str(pmid), Version="1")
    data = _add(entry, "PubmedData")
    _add(data, "PublicationStatus", "ppublish")
    ids = _add(data, "ArticleIdList")
    _add(ids, "ArticleId", str(record.pmid), IdType="pubmed")
    _add(ids, "ArticleId", _doi(record), IdType="doi")


def _doi(record: Record) -> str:
    return f"10.5555/medweave.{record.pmid}"  # 10.5555 is the prefix kept for examples


def _body(citation: etree._Element, record: Record) -> None:
    article = _add(citation, "Article", PubModel="Print")
    journal = _add(article, "Journal")
    issue = _add(journal, "JournalIssue", CitedMedium="Print")
    _add(issue, "Volume", str(int(record.date[:4]) - 1990))
    _date(_add(issue, "PubDate"), record.date)
    _add(journal, "Title", record.journal[0])
    _add(journal, "ISOAbbreviation", record.journal[1])
    _add(article, "ArticleTitle", record.title)
    _add(article, "ELocationID", _doi(record), EIdType="doi", ValidYN="Y")
    if record.sections:
        abstract = _add(article, "Abstract")
        for label, text in record.sections:
            _add(abstract, "AbstractText", text, **({"Label": label} if label else {}))
        _add(abstract, "CopyrightInformation", NOTICE)
    _authors(_add(article, "AuthorList", CompleteYN="Y"), record.pmid)
    _add(article, "Language", record.language)
    types = _add(article, "PublicationTypeList")
    for name in dict.fromkeys((JOURNAL_ARTICLE, *record.types)):
        _add(types, "PublicationType", name, UI=TYPES[name])
    if record.vernacular:
        _add(article, "VernacularTitle", record.vernacular)


def _date(node: etree._Element, date: str) -> None:
    year, *rest = date.split(" ")
    if rest and rest[0] not in (*MONTHS, *SEASONS):
        _add(node, "MedlineDate", date)
        return
    _add(node, "Year", year)
    for tag, value in zip(("Month", "Day"), rest, strict=False):
        _add(node, "Season" if value in SEASONS else tag, value)


def _authors(node: etree._Element, pmid: int) -> None:
    """One to five invented people, chosen by the PMID: they carry no meaning."""
    for place in range(pmid % 5 + 1):
        author = _add(node, "Author", ValidYN="Y")
        _add(author, "LastName", SURNAMES[(pmid * 7 + place * 11) % len(SURNAMES)])
        first, second = INITIALS[(pmid + place * 5) % 19], INITIALS[(pmid // 3 + place) % 19]
        _add(author, "Initials", first + second)


def write(directory: Path) -> list[Path]:
    """Write the XML files of the corpus into `directory`; returns their paths."""
    written = []
    for name, source in sources().items():
        revised = "2026-05-04" if name == UPDATE else "2026-04-01"
        path = directory / name
        path.write_bytes(to_xml(source, revised=revised))
        written.append(path)
    return written


if __name__ == "__main__":
    for made in write(HERE):
        print(made)
