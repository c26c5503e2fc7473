"""Checks every identifier of the starter vocabulary against the open ontologies.

`python -m ontologies.starter.check FOLDER` prints the identifiers for which FOLDER (laid out as
CONTRIBUTING describes) holds no witness. An identifier is witnessed when a record of that id
carries one of the concept's names, when a table of cross-references joins it to an identifier
that is so witnessed, or when the record's own title is the one that was reviewed by hand
(`reviewed.tsv`). The parsers here are deliberately not those of `ontologies.readers`: a fault
there would otherwise hide a fault here.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ontologies.concept import Concept

_PREFIXES = {"mesh": "MESH", "ICD9": "ICD9CM", "MIM": "OMIM", "UMLS_CUI": "UMLS", "NCI": "NCIT"}
_SSSOM = ("umls", "mesh", "doid", "ncit", "icd10cm", "omim")
_UNSPECIFIED = re.compile(
    r"\s*(\[[^]]*\]|\((primary|acute|congestive)\)|, unspecified( site| organism| type)?\b|"
    r"^unspecified\b|\bunspecified$|,? NOS$|, not elsewhere classified|, not otherwise specified)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Records:
    """What the open ontologies say: the names of each id, its title first, and joins."""

    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    joins: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, curie: str, title: str, synonyms: Iterable[str] = ()) -> None:
        self.names[curie].extend((title, *filter(None, synonyms)))

    def title(self, curie: str) -> str | None:
        return self.names[curie][0] if curie in self.names else None

    def keys(self, curie: str) -> set[str]:
        return {name_key(name) for name in self.names.get(curie, ())}

    def join(self, one: str, other: str) -> None:
        """Both directions: an exact match reads the same from either end."""
        self.joins[one].add(other)
        self.joins[other].add(one)


def name_key(text: str) -> str:
    """A name's words without case, accents, plural and order: `Anemia, Iron-Deficiency` has one.

    Kept apart from `ontologies.normalize`, so that a change of the linker's rules moves no
    identifier.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = re.findall(r"[a-z]+|\d+", re.sub("['’]s\\b", "", plain.lower()))
    return " ".join(sorted(map(_stem, words)))


def _stem(word: str) -> str:
    if len(word) < 4:
        return word
    word = re.sub("[ao]e", "e", word)
    if word.endswith(("ss", "us")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return re.sub("(es|is|s|e)$", "", word)


def bare_title(title: str) -> str:
    """An ICD title without the words that say that no more is known."""
    return _UNSPECIFIED.sub("", title).strip(" ,")


def read_records(folder: Path) -> Records:
    """All records under `folder` (the `ontologies` directory of the data)."""
    records = Records()
    for path in ("mondo/mondo.obo.gz", "doid/doid.obo.gz", "hpo/hp.obo.gz"):
        _read_obo(folder / path, records)
    for name in _SSSOM:
        _read_sssom(folder / f"mondo/mondo_exactmatch_{name}.sssom.tsv", records)
    for name in ("hp", "icd9"):
        _read_sssom(folder / f"mondo/mondo_hasdbxref_{name}.sssom.tsv", records)
    for row in _table(folder / "doid/allXREFinDO.tsv"):
        records.join(_curie(row["id"]), _curie(row["xref"]))
    _read_mesh(folder / "mesh", records)
    for row in _table(folder / "drugbank/drugbank_open.tsv.gz"):
        records.add(f"DRUGBANK:{row['drugbank_id']}", row["name"], row["synonyms"].split("|"))
    _read_genes(folder / "hgnc/hgnc.tsv.gz", records)
    _read_icd(folder / "icd", records)
    return records


def _curie(text: str) -> str:
    prefix, _, local = text.partition(":")
    return f"{_PREFIXES.get(prefix, prefix)}:{local}"


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _table(path: Path) -> Iterator[dict[str, str]]:
    with _open(path) as lines:
        rows = (line for line in lines if not line.startswith("#"))
        delimiter = "\t" if ".tsv" in path.name else ","
        yield from csv.DictReader(rows, delimiter=delimiter)


def _read_obo(path: Path, records: Records) -> None:
    with _open(path) as lines:
        for stanza in lines.read().split("\n\n[Term]\n")[1:]:
            if "\nis_obsolete: true" in stanza:
                continue
            tags = [line.partition(": ")[::2] for line in stanza.splitlines()]
            values: dict[str, list[str]] = defaultdict(list)
            for tag, value in tags:
                values[tag].append(value)
            if not values["name"]:
                continue
            synonyms = [value.split('"')[1] for value in values["synonym"]]
            records.add(values["id"][0], values["name"][0], synonyms)
            for other in values["xref"]:
                records.join(values["id"][0], _curie(other.split(" ")[0]))


def _read_sssom(path: Path, records: Records) -> None:
    for row in _table(path):
        records.join(_curie(row["subject_id"]), _curie(row["object_id"]))


def _read_mesh(folder: Path, records: Records) -> None:
    for name in ("descriptors.tsv.gz", "supplementary.tsv.gz"):
        for row in _table(folder / name):
            records.add(f"MESH:{row['mesh_id']}", row["name"], row["entry_terms"].split("|"))


def _read_genes(path: Path, records: Records) -> None:
    for row in _table(path):
        if row["Status"] != "Approved":
            continue
        aliases = [*row["Alias symbols"].split(", "), *row["Previous symbols"].split(", ")]
        records.add(row["HGNC ID"], row["Approved symbol"], [row["Approved name"], *aliases])
        if gene := row["NCBI Gene ID(supplied by NCBI)"]:
            records.join(row["HGNC ID"], f"NCBIGene:{gene}")


def _read_icd(folder: Path, records: Records) -> None:
    for row in _table(folder / "ICD9CM.csv"):
        records.add(f"ICD9CM:{row['code']}", row["name"], [bare_title(row["name"])])
    for row in _table(folder / "icd10cm-order-Jan-2021.csv.gz"):
        code = row["code"]
        dotted = code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"
        records.add(f"ICD10CM:{dotted}", row["long"], [bare_title(row["long"])])


def reviewed_titles() -> dict[tuple[str, str], str]:
    """(concept name, CURIE) → the title under which the source's record was reviewed by hand."""
    path = Path(__file__).with_name("reviewed.tsv")
    return {(row["concept"], row["curie"]): row["title"] for row in _table(path)}


def unwitnessed(concepts: Iterable[Concept], records: Records) -> list[tuple[Concept, str]]:
    """The identifiers for which the records hold no witness, with their concepts."""
    reviewed = reviewed_titles()
    return [
        (c, x) for c in concepts for x in sorted(set(c.xrefs) - witnessed(c, records, reviewed))
    ]


def witnessed(
    concept: Concept, records: Records, reviewed: dict[tuple[str, str], str]
) -> frozenset[str]:
    """The concept's identifiers that a name, a reviewed title or a join speaks for."""
    keys = {name_key(name.text) for name in concept.names}
    direct = {
        curie
        for curie in concept.xrefs
        if keys & records.keys(curie)
        or (
            (concept.name, curie) in reviewed
            and reviewed[concept.name, curie] == records.title(curie)
        )
    }
    joined = {x for x in concept.xrefs if records.joins.get(x, set()) & direct}
    return frozenset(direct | joined)


def main(arguments: list[str]) -> int:
    from ontologies.starter_vocabulary import starter_concepts

    if len(arguments) != 1:
        print("usage: python -m ontologies.starter.check FOLDER", file=sys.stderr)
        return 2
    missing = unwitnessed(starter_concepts(), read_records(Path(arguments[0])))
    for concept, curie in missing:
        print(f"{concept.name}\t{curie}\tno witness", file=sys.stdout)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
