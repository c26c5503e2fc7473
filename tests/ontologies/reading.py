"""Reading small files of vocabularies."""

from __future__ import annotations

from pathlib import Path

from ontologies.readers.items import Entry, Fault, Item, Match
from ontologies.readers.rrf import Filters
from ontologies.recognize import Recognized, recognize

OBO = """format-version: 1.2
data-version: 2024

[Term]
id: DOID:1
name: heart failure {source="x"}
alt_id: DOID:2
def: "A \\"weak\\" heart." [url:http\\://x.org]
synonym: "cardiac failure" EXACT [MSH:D006333]
synonym: "weak heart" RELATED LAY []
synonym: "heart disease" BROAD []
synonym: "left heart failure" NARROW []
synonym: "says no scope" []
xref: UMLS_CUI:C0018801
xref: MSH:D006333 {source="a"}
xref: UMLS_CUI:nonsense
is_a: DOID:114 ! heart disease

[Term]
id: DOID:9
name: obsolete thing
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


def read(path: Path, filters: Filters | None = None) -> list[Item]:
    """All items of a file or folder that is recognized by its content."""
    found = recognize(path, filters)
    assert isinstance(found, Recognized), found
    return list(found.reader(path))


def write(folder: Path, name: str, text: str) -> Path:
    """A text file, gzipped where its name says so."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def entries(items: list[Item]) -> dict[str, Entry]:
    """Entries by id."""
    return {item.id: item for item in items if isinstance(item, Entry)}


def matches(items: list[Item]) -> set[tuple[str, str, bool]]:
    """Cross-references: both ends, and whether they are identities."""
    return {(i.subject, i.object, i.exact) for i in items if isinstance(i, Match)}


def faults(items: list[Item]) -> list[tuple[str, str]]:
    """What could not be read: reasons and details."""
    return [(i.place.rsplit("/", 1)[-1], i.reason) for i in items if isinstance(i, Fault)]
