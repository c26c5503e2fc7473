"""MeSH: descriptors and supplementary records, as tables and as the XML that NLM ships."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    MAPPING,
    PREFERRED,
    Entry,
    Fault,
    Item,
    Match,
    References,
    UnreadableFileError,
    columns,
    open_text,
    rows,
    short_row,
)

SOURCE = "MESH"


def read_descriptors(path: Path) -> Iterator[Item]:
    """A table `mesh_id, name, entry_terms, tree_numbers`, lists divided by bars."""
    yield from _table(path, "tree_numbers", _descriptor)


def read_supplementary(path: Path) -> Iterator[Item]:
    """A table `mesh_id, name, entry_terms, heading_mapped_to`."""
    yield from _table(path, "heading_mapped_to", _supplementary)


def _table(path: Path, last: str, entry: Any) -> Iterator[Item]:
    table = rows(path, "\t")
    _, header = next(table, (0, []))
    positions = columns(path, header, ["mesh_id", "name", "entry_terms", last])
    for line, row in table:
        if len(row) < 2:
            yield short_row(path, line, row, len(header))
            continue
        mesh, name, terms, rest = (row[p] if p < len(row) else "" for p in positions)
        names = _names(name, terms.split("|"))
        try:
            yield entry(mesh, names, rest)
        except curies.InvalidCurieError as error:
            yield Fault(f"{path}:{line}", "invalid-id", str(error))


def _names(preferred: str, terms: list[str]) -> tuple[tuple[str, str], ...]:
    others = dict.fromkeys(term.strip() for term in terms)
    return ((preferred, PREFERRED), *((t, EXACT) for t in others if t and t != preferred))


def _descriptor(mesh: str, names: tuple[tuple[str, str], ...], trees: str) -> Entry:
    numbers = [curies.make("MESHTREE", tree) for tree in trees.split("|") if tree]
    return descriptor(curies.make(SOURCE, mesh), names, numbers)


def descriptor(
    curie: str, names: tuple[tuple[str, str], ...], trees: list[str], definition: str = ""
) -> Entry:
    """A heading: its tree numbers are ids of its own, and those above them are its parents."""
    above = [tree.rpartition(".")[0] for tree in trees if "." in tree]
    return Entry(
        curie,
        SOURCE,
        names,
        exact_xrefs=tuple(trees),
        parents=tuple(dict.fromkeys(above)),
        definition=definition,
    )


def _supplementary(mesh: str, names: tuple[tuple[str, str], ...], headings: str) -> Entry:
    """A supplementary record stands below the headings that it is mapped to."""
    above = [curies.make(SOURCE, h.strip(" *")) for h in headings.split(",") if h.strip(" *")]
    return Entry(curies.make(SOURCE, mesh), SOURCE, names, parents=tuple(dict.fromkeys(above)))


def read_mappings(path: Path) -> Iterator[Item]:
    """Rows `MESH, id, name, other vocabulary, id, name` without a header."""
    for line, row in rows(path, "\t", quoted=False):
        place = f"{path}:{line}"
        if len(row) < 5:
            yield short_row(path, line, row, 6)
            continue
        try:
            ends = curies.make(row[0], row[1]), curies.make(row[3], row[4])
        except curies.InvalidCurieError as error:
            yield Fault(place, "invalid-id", str(error))
            continue
        if row[2]:
            yield Entry(ends[0], MAPPING, ((row[2], PREFERRED),))
        yield Match(*ends, MAPPING)


def read_cas(path: Path) -> Iterator[Item]:
    """Rows `MeSH id, CAS registry number` without a header."""
    for line, row in rows(path, "\t", quoted=False):
        try:
            yield Match(curies.make(SOURCE, row[0]), curies.make("CAS", row[-1]), SOURCE)
        except curies.InvalidCurieError as error:
            yield Fault(f"{path}:{line}", "invalid-id", str(error))


def read_xml(path: Path) -> Iterator[Item]:
    """Descriptor or supplementary records of NLM's XML, streamed; entities are not expanded."""
    from lxml import etree

    records = ("{*}DescriptorRecord", "{*}SupplementalRecord")
    try:
        with open_text(path) as text:
            stream = etree.iterparse(
                text.buffer if hasattr(text, "buffer") else text,
                tag=records,
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
            )
            for _, record in stream:
                yield from _xml_record(path, record)
                record.clear()
                while record.getprevious() is not None:
                    del record.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(
            f"{path}:{error.lineno}: broken XML ({error.msg}); fetch the file again"
        ) from error


def _xml_record(path: Path, record: Any) -> Iterator[Item]:
    descriptor_record = record.tag.endswith("DescriptorRecord")
    kind = "Descriptor" if descriptor_record else "SupplementalRecord"
    local = record.findtext(f"{kind}UI") or ""
    place = f"{path}:{record.sourceline}"
    references = References()
    ids = references.take(place, [f"{SOURCE}:{local}"])
    name = record.findtext(f"{kind}Name/String") or ""
    if not ids or not name:
        yield from references.drain()
        yield Fault(place, "no-id-or-name", f"record {local!r} has no valid id or no name")
        return
    names = _names(name, [t.text or "" for t in record.iterfind(".//Term/String")])
    if descriptor_record:
        trees = [f"MESHTREE:{t.text}" for t in record.iterfind("TreeNumberList/TreeNumber")]
        note = record.findtext("ConceptList/Concept[@PreferredConceptYN='Y']/ScopeNote") or ""
        yield descriptor(ids[0], names, list(references.take(place, trees)), note.strip())
    else:
        path_to = "HeadingMappedToList/HeadingMappedTo/DescriptorReferredTo/DescriptorUI"
        headings = [f"{SOURCE}:{(h.text or '').strip(' *')}" for h in record.iterfind(path_to)]
        yield Entry(ids[0], SOURCE, names, parents=references.take(place, headings))
    yield from _registry_numbers(place, ids[0], record)
    yield from references.drain()


def _registry_numbers(place: str, mesh: str, record: Any) -> Iterator[Item]:
    """CAS numbers of the preferred concept; `0`, EC and UNII numbers are left out."""
    preferred = record.find("ConceptList/Concept[@PreferredConceptYN='Y']")
    if preferred is None:
        return
    texts = [n.text or "" for n in preferred.iterfind(".//RegistryNumber")]
    for number in texts:
        try:
            yield Match(mesh, curies.make("CAS", number), SOURCE)
        except curies.InvalidCurieError:
            continue
