"""MEDIC, the disease vocabulary of the Comparative Toxicogenomics Database.

`id|id||name|name` lists a disease under its MeSH and OMIM ids. The first by rank names the row;
the others are filed under it and are often narrower (`D001145|115000` files one family's kind of
ventricular arrhythmia under cardiac arrhythmias). All ids of the row are also written with the
prefix `MEDIC` and mean the row, so that a concept of MEDIC can be told and found by any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    PREFERRED,
    Entry,
    Fault,
    Item,
    Match,
    columns,
    open_text,
    rows,
    short_row,
)

SOURCE = "MEDIC"


def read(path: Path) -> Iterator[Item]:
    """Diseases of the dictionary form, one a line: ids, two bars, names."""
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            place = f"{path}:{number}"
            ids, bars, names = line.rstrip("\r\n").partition("||")
            if not bars:
                yield Fault(place, "short-row", "expected id|id||name|name")
            else:
                yield from disease(place, ids.split("|"), names.split("|"))


def read_ctd(path: Path) -> Iterator[Item]:
    """Diseases of `CTD_diseases.tsv`, whose header stands in a comment after `# Fields:`."""
    header = _ctd_header(path)
    wanted = ["DiseaseName", "DiseaseID", "AltDiseaseIDs", "ParentIDs", "Synonyms"]
    name, first, others, parents, synonyms = columns(path, header, wanted)
    for line, row in rows(path, "\t", quoted=False, comment="#"):
        if len(row) < len(header):
            yield short_row(path, line, row, len(header))
            continue
        ids = [row[first], *filter(None, row[others].split("|"))]
        names = [row[name], *filter(None, row[synonyms].split("|"))]
        above = tuple(filter(None, map(_curie, filter(None, row[parents].split("|")))))
        yield from disease(f"{path}:{line}", ids, names, above)


def _ctd_header(path: Path) -> list[str]:
    with open_text(path) as lines:
        for line in lines:
            if line.startswith("# DiseaseName"):
                return line.lstrip("# ").rstrip("\r\n").split("\t")
    return []


def _curie(local: str) -> str | None:
    """MeSH or OMIM by the form of the id, which may have a prefix."""
    _, _, bare = local.rpartition(":")
    try:
        return curies.make("OMIM" if bare.isdigit() else "MESH", bare)
    except curies.InvalidCurieError:
        return None


def _rank(curie: str) -> tuple[int, str]:
    """Headings first, then supplementary records, then OMIM: the one that names the row."""
    order = 0 if curie.startswith("MESH:D") else 1 if curie.startswith("MESH:") else 2
    return order, curie


def disease(
    place: str, ids: list[str], names: list[str], parents: tuple[str, ...] = ()
) -> Iterator[Item]:
    """The items of one disease: its entry, and all ids of the row as codes of MEDIC's for it."""
    found = sorted({curie for local in ids if (curie := _curie(local))}, key=_rank)
    if len(found) < len(set(ids)):
        yield Fault(place, "invalid-id", f"expected MeSH or OMIM ids, came {'|'.join(ids)}")
    if not found:
        return
    first = found[0]
    yield Entry(
        id=first,
        source=SOURCE,
        names=tuple((n, EXACT if i else PREFERRED) for i, n in enumerate(filter(None, names))),
        grouped=tuple(found[1:]),
        parents=parents,
    )
    for curie in found:
        yield Match(first, f"{SOURCE}:{curie.partition(':')[2]}", SOURCE, exact=True)
