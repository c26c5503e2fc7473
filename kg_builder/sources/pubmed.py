"""PubMed's XML, plain or gzipped, into articles.

Both roots are read: `PubmedArticleSet` (baseline, update files, efetch) and the older
`MedlineCitationSet`; also a lone `PubmedArticle`. DTD: NLM, PubMedArticle, January 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kg_builder.model import Article, Deletion, Failure, PublicationDate, Section
from kg_builder.sources.dates import earliest, iso_day, parse_date
from kg_builder.sources.source import Record
from kg_builder.sources.xml_stream import UnreadableFileError, elements

CONTAINERS = frozenset({"PubmedArticleSet", "MedlineCitationSet", "PubmedBookArticleSet"})
RECORDS = frozenset(
    {"PubmedArticle", "MedlineCitation", "PubmedBookArticle", "DeleteCitation", "DeleteDocument"}
)
_GREATEST_PMID = 2**31 - 1  # Entrez keeps ids in 32 bits
_NO_TITLE = "[Not Available]."
# NLM's words for 'no label': they name no part of an abstract.
_NO_LABELS = frozenset({"UNASSIGNED", "UNLABELLED", "UNLABELED"})
_DEEPEST = 100  # levels of markup within a text; PubMed's go to about 10
_BLOCKS = frozenset({"DispFormula", "br", "p", "list", "list-item"})
_RETRACTED_TYPE = "Retracted Publication"
# `PartialRetractionIn` leaves the rest standing; `RetractionOf` marks the notice.
_RETRACTED_BY = frozenset({"RetractionIn", "RetractedandRepublishedIn"})
# History statuses that mean publication; received, accepted and revised come before it.
_PUBLISHED_STATUS = frozenset({"epublish", "ppublish", "aheadofprint"})
# When PubMed got the citation. For older ones NLM sets it from the year of publication, at times
# to 1 January: earlier than the truth, so it counts only where nothing else is said.
_ENTERED_STATUS = frozenset({"entrez", "pubmed", "medline", "pmc-release"})


class MalformedRecordError(ValueError):
    """A record that cannot become an article; `reason` is the short word that is counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class PubmedSource:
    """Reads PubMed's XML files; the `Source` that `open_source("pubmed")` opens."""

    def read(self, path: str | Path) -> Iterator[Record]:
        return read(path)


def read(path: str | Path) -> Iterator[Record]:
    """Articles, deletions and failures of a file, in its order.

    Titles of translated articles come without their brackets; one that PubMed calls not
    available is replaced by the vernacular title, or is empty. An article may lack title,
    abstract and date; one without a PMID, or with an impossible one, is a `Failure`.
    """
    path = Path(path)
    try:
        for number, element in enumerate(elements(path, CONTAINERS, RECORDS), start=1):
            yield from _records(element, f"{path}, record {number}")
    except UnreadableFileError as error:
        place = f"{path}, {error.where}" if error.where else str(path)
        yield Failure(place, None, error.reason, f"{path.name}: {error.detail}")
    except OSError as error:
        yield _unopened(path, error)


def _unopened(path: Path, error: OSError) -> Failure:
    reason = "not-found" if isinstance(error, FileNotFoundError) else "unreadable-file"
    if isinstance(error, IsADirectoryError):
        reason = "not-a-file"
    said = error.strerror or str(error)
    return Failure(
        str(path), None, reason, f"{path.name}: expected a file of citations; {said.lower()}"
    )


def _records(element: Any, place: str) -> Iterator[Record]:
    try:
        if element.tag == "DeleteCitation":
            yield from _deletions(element, place)
        else:
            yield to_article(element)
    except MalformedRecordError as error:
        yield _failed(element, place, error)


def _deletions(element: Any, place: str) -> Iterator[Record]:
    for child in element.iterchildren("PMID"):
        try:
            yield Deletion(_pmid(child))
        except MalformedRecordError as error:
            yield _failed(child, place, error)


def _failed(element: Any, place: str, error: MalformedRecordError) -> Failure:
    where = f"{place}, line {element.sourceline}"
    return Failure(where, _pmid_or_none(element), error.reason, error.detail)


def to_article(element: Any) -> Article:
    """The article of a `PubmedArticle` or `MedlineCitation` element.

    Raises `MalformedRecordError` where it is neither, has no PMID or no `Article`, or holds an
    entity that is not of XML.
    """
    citation, data = _parts(element)
    parts = {child.tag: child for child in citation}
    pmid = _pmid(parts.get("PMID"))
    if (article := parts.get("Article")) is None:
        raise MalformedRecordError("no-article", f"PMID {pmid} has no Article element")
    fields = {child.tag: child for child in article}
    title, vernacular = _titles(fields)
    types = _texts(fields.get("PublicationTypeList"), "PublicationType")
    return Article(
        pmid=pmid,
        version=_version(parts["PMID"]),
        title=title,
        sections=_sections(fields.get("Abstract")),
        published=_published(article, fields.get("Journal"), data),
        types=types,
        mesh=_mesh(parts.get("MeshHeadingList")),
        languages=_texts(article, "Language"),
        retracted=_RETRACTED_TYPE in types or _is_retracted(parts.get("CommentsCorrectionsList")),
        revised=_revised(parts.get("DateRevised")),
        journal=_journal(fields.get("Journal"), parts.get("MedlineJournalInfo")),
        doi=_doi(article, data),
        vernacular_title=vernacular,
    )


def _parts(element: Any) -> tuple[Any, Any]:
    """The citation of a record and its `PubmedData`, or `None`."""
    if element.tag == "MedlineCitation":
        return element, None
    if element.tag == "PubmedArticle":
        citation = _child(element, "MedlineCitation")
        if citation is None:
            raise MalformedRecordError("no-citation", "PubmedArticle without MedlineCitation")
        return citation, _child(element, "PubmedData")
    if element.tag in {"PubmedBookArticle", "DeleteDocument"}:
        raise MalformedRecordError("book", "a book or chapter is not an article; left apart")
    raise MalformedRecordError(
        "unknown-record", f"expected one of {', '.join(sorted(RECORDS))}, found {element.tag}"
    )


def _pmid(element: Any) -> int:
    text = "" if element is None else (element.text or "").strip()
    if not text:
        raise MalformedRecordError("no-pmid", "the record has no PMID; report it to its publisher")
    if not _is_positive(text):
        raise MalformedRecordError(
            "bad-pmid", f"expected a PMID from 1 to {_GREATEST_PMID}, found {text[:40]!r}"
        )
    return int(text)


def _is_positive(text: str) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(_GREATEST_PMID))
    return digits and 0 < int(text) <= _GREATEST_PMID


def _pmid_or_none(element: Any) -> int | None:
    for path in ("PMID", "MedlineCitation/PMID", "BookDocument/PMID"):
        try:
            return _pmid(element.find(path))
        except MalformedRecordError:
            continue
    return None


def _version(pmid: Any) -> int:
    text: str = pmid.get("Version", "1")
    if not _is_positive(text):
        raise MalformedRecordError(
            "bad-version", f"PMID {pmid.text}: expected a Version above 0, found {text[:40]!r}"
        )
    return int(text)


def _text(element: Any) -> str:
    """All text below an element, white space as single spaces, none lost between words."""
    if element is None:
        return ""
    if len(element):
        pieces: list[str] = []
        _collect(element, pieces, _DEEPEST)
        return _spaced("".join(pieces))
    return _spaced(element.text or "")


def _spaced(text: str) -> str:
    # Most texts are spaced already, which is quicker seen than done.
    if "\n" in text or "\t" in text or "\r" in text or "  " in text:
        return " ".join(text.split())
    if text.isascii() or text.isprintable():  # of white space only the plain space is printable
        return text.strip()
    return " ".join(text.split())


def _child(parent: Any, tag: str) -> Any:
    return None if parent is None else next(parent.iterchildren(tag), None)


def _collect(element: Any, pieces: list[str], depth: int) -> None:
    if not depth:
        raise MalformedRecordError("too-deep", f"markup lies more than {_DEEPEST} levels deep")
    pieces.append(element.text or "")
    for child in element:
        if not isinstance(child.tag, str):
            raise MalformedRecordError(
                "unknown-entity", f"the text holds {child.text}, which XML does not define"
            )
        name = child.tag.rpartition("}")[2]
        if name in _BLOCKS:
            pieces.append(" ")
        if not name.startswith("annotation"):  # MathML's second spelling of the same formula
            _collect(child, pieces, depth - 1)
        if name in _BLOCKS:
            pieces.append(" ")
        pieces.append(child.tail or "")


def _texts(parent: Any, tag: str) -> tuple[str, ...]:
    if parent is None:
        return ()
    return tuple([text for child in parent.iterchildren(tag) if (text := _text(child))])


def _titles(fields: dict[str, Any]) -> tuple[str, str]:
    title = _text(fields.get("ArticleTitle"))
    vernacular = _text(fields.get("VernacularTitle"))
    if title == _NO_TITLE:
        return vernacular, vernacular
    return _without_brackets(title), vernacular


def _without_brackets(title: str) -> str:
    """`[A title].` as `A title.`: PubMed brackets what it translated.

    Only brackets around the whole title go: `[131I]MIBG in [Cd].` keeps its own.
    """
    inner = title.removesuffix(".")
    if not (inner.startswith("[") and inner.endswith("]")):
        return title
    depth = 0
    for character in inner[:-1]:
        depth += (character == "[") - (character == "]")
        if not depth:
            return title
    stop = "." if title.endswith(".") and not inner[:-1].endswith((".", "?", "!")) else ""
    return inner[1:-1].strip() + stop


def _sections(abstract: Any) -> tuple[Section, ...]:
    """Every part of the abstract that has text; the copyright notice is none of them."""
    if abstract is None:
        return ()
    parts = abstract.iterchildren("AbstractText")
    return tuple([Section(_label(part), text) for part in parts if (text := _text(part))])


def _label(part: Any) -> str:
    label = part.get("Label") or part.get("NlmCategory") or ""
    return "" if label in _NO_LABELS else _spaced(label)


def _published(article: Any, journal: Any, data: Any) -> PublicationDate | None:
    """The earliest of the dates of publication, each taken at its last possible day."""
    dates = [_date(_child(_child(journal, "JournalIssue"), "PubDate"))]
    dates += map(_date, article.iterchildren("ArticleDate"))
    history = _child(data, "History")
    entries = () if history is None else [(e.get("PubStatus"), e) for e in history]
    dates += [_date(entry) for status, entry in entries if status in _PUBLISHED_STATUS]
    return earliest(dates) or earliest(
        _date(entry) for status, entry in entries if status in _ENTERED_STATUS
    )


def _date(element: Any) -> PublicationDate | None:
    return None if element is None else parse_date(_day_of(element))


def _revised(element: Any) -> str:
    return "" if element is None else iso_day(_day_of(element))


def _day_of(element: Any) -> str:
    """Year, month and day (or season, or a date in words), without the hour that may follow."""
    return " ".join([child.text or "" for child in element[:3]])


def _mesh(headings: Any) -> tuple[str, ...]:
    if headings is None:
        return ()
    uis = (name.get("UI") for name in headings.iter("DescriptorName"))
    return tuple(f"MESH:{ui}" for ui in uis if ui)


def _is_retracted(comments: Any) -> bool:
    if comments is None:
        return False
    return any(item.get("RefType") in _RETRACTED_BY for item in comments)


def _journal(journal: Any, info: Any) -> str:
    for parent, tag in ((journal, "Title"), (journal, "ISOAbbreviation"), (info, "MedlineTA")):
        if name := _text(_child(parent, tag)):
            return name
    return ""


def _doi(article: Any, data: Any) -> str:
    """The article's own DOI, which its references also have, deeper in the record."""
    for place in article.iterchildren("ELocationID"):
        if place.get("EIdType") == "doi" and place.get("ValidYN", "Y") == "Y" and place.text:
            return str(place.text.strip())
    ids = _child(data, "ArticleIdList")
    if ids is None:
        return ""
    return next((str(i.text.strip()) for i in ids if i.get("IdType") == "doi" and i.text), "")
