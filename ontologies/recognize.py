"""Which reader reads a file: told from its first lines, never guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from ontologies.readers import (
    drugbank,
    hgnc,
    icd,
    medic,
    mesh,
    obo,
    obograph,
    semantic_network,
    sssom,
)
from ontologies.readers.items import Reader, UnreadableFileError, open_text
from ontologies.readers.rrf import Filters, reader

HEAD: Final = 8192


class Recognized(NamedTuple):
    """A format by name, and its reader.

    `large` files are taken in as they are read, after a first pass over their text: their rows
    can be refused, but nothing in the midst of them can make the file unreadable but damage.
    """

    format: str
    reader: Reader
    large: bool = False


class Left(NamedTuple):
    """Why a file is not read."""

    reason: str


_BY_HEADER: Final[dict[str, Recognized]] = {
    "mesh_id\tname\tentry_terms\ttree_numbers": Recognized(
        "MeSH descriptors", mesh.read_descriptors
    ),
    "mesh_id\tname\tentry_terms\theading_mapped_to": Recognized(
        "MeSH supplementary records", mesh.read_supplementary
    ),
    "drugbank_id\tname\tsynonyms": Recognized("DrugBank vocabulary", drugbank.read),
    "id\tlabel\txref": Recognized("cross-references", sssom.read_xref_table),
    "x\tp\ty": Recognized("subclass edges", sssom.read_subclass_edges),
    "icd_9,icd_10,flags": Recognized("ICD equivalence", icd.read_equivalence),
    "semantic_type,definition,identifier,note": Recognized(
        "Semantic Network types", semantic_network.read_types
    ),
    "semantic_relations,definition,identifier,note": Recognized(
        "Semantic Network relations", semantic_network.read_relations
    ),
}
_RRF: Final = re.compile(r"M[RG](CONSO|STY|DEF|REL)(_\d+)?\.RRF(\.[a-z]{2})?(\.gz)?")
_ICD_HEADERS: Final = {
    "code,parent_code,name": ("ICD9", Recognized("ICD-9-CM", icd.read_icd9)),
    "code,billable,short,long": ("ICD10CM", Recognized("ICD-10-CM", icd.read_icd10)),
}
_BY_LINE: Final[tuple[tuple[re.Pattern[str], Recognized], ...]] = (
    (re.compile(r"(HGNC ID\tApproved symbol|hgnc_id\tsymbol)\t"), Recognized("HGNC", hgnc.read)),
    (
        re.compile(r"DrugBank ID,Accession Numbers,Common name,CAS,"),
        Recognized("DrugBank vocabulary", drugbank.read_published),
    ),
    (
        re.compile(r"MESH\t[CD]\d{6,9}\t[^\t]*\t[A-Z]+\t\S+"),
        Recognized("MeSH mappings", mesh.read_mappings),
    ),
    (re.compile(r"[CD]\d{6,9}\t\d{2,7}-\d\d-\d$"), Recognized("MeSH to CAS", mesh.read_cas)),
    (
        re.compile(r"([CD]\d{6,9}|\d{6})(\|([CD]\d{6,9}|\d{6}))*\|\|\S"),
        Recognized("MEDIC", medic.read),
    ),
    (re.compile(r"\d{5} \S{3,7} +[01] .{60} "), Recognized("ICD-10-CM", icd.read_icd10_order)),
    (re.compile(r"(STY|RL)\|T\d{3}\|"), Recognized("SRDEF", semantic_network.read_srdef)),
)


def recognize(path: Path, filters: Filters | None = None) -> Recognized | Left:
    """The reader of a file by its first lines; `UnreadableFileError` where it is damaged.

    RRF files are told by their names, which the UMLS and MedGen fix; `filters` apply to them.
    """
    if path.stat().st_size == 0:
        raise UnreadableFileError(f"{path}: the file is empty; fetch it again")
    try:
        with open_text(path) as text:
            head = text.read(HEAD)
    except UnreadableFileError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            return Left("not a text file in UTF-8")
        raise
    rrf = _RRF.fullmatch(path.name)
    if rrf and "|" in head:
        kind = rrf[1]
        return Recognized(f"RRF {kind}", reader(kind, filters or Filters()), large=True)
    return _by_head(path, head.lstrip("\ufeff"))


def _by_head(path: Path, head: str) -> Recognized | Left:
    lines = head.splitlines() or [""]
    first = lines[0].replace(" ,", ",")
    if first in _BY_HEADER:
        return _BY_HEADER[first]
    if first in _ICD_HEADERS:
        return _icd(path, first)
    if first == "ICD10CM,CCSCM":
        return Left("categories of codes (CCS) are no cross-references")
    for pattern, recognized in _BY_LINE:
        if pattern.match(lines[0]):
            return recognized
    return _by_content(lines, head)


def _icd(path: Path, header: str) -> Recognized | Left:
    word, recognized = _ICD_HEADERS[header]
    if word in path.name.upper().replace("-", ""):
        return recognized
    return Left(f"an ICD table, and its name does not say {word}")


def _by_content(lines: list[str], head: str) -> Recognized | Left:
    if any(line.startswith(("format-version:", "[Term]")) for line in lines):
        return Recognized("OBO", obo.read)
    data = next((line for line in lines if not line.startswith("#")), "")
    if {"subject_id", "predicate_id", "object_id"} <= set(data.split("\t")):
        return Recognized("SSSOM", sssom.read)
    if head.lstrip().startswith("{") and '"graphs"' in head:
        return Recognized("OBO graphs", obograph.read)
    if "<DescriptorRecordSet" in head or "<SupplementalRecordSet" in head:
        return Recognized("MeSH XML", mesh.read_xml)
    if any(line.startswith("# DiseaseName\tDiseaseID\t") for line in lines):
        return Recognized("MEDIC", medic.read_ctd)
    return Left("no known format; its first lines fit none")
