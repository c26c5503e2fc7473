"""Reading PubTator files: titles, abstracts and marked mentions of annotated articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class MarkedMention(NamedTuple):
    """A mention as a person marked it; `ids` are CURIEs, empty where no id was given (`-1`)."""

    start: int
    end: int
    text: str
    type: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkedArticle:
    """An article with its marked mentions, ordered by start; offsets index `text`."""

    pmid: int
    title: str
    abstract: str
    mentions: tuple[MarkedMention, ...]

    @property
    def text(self) -> str:
        """Title and abstract, joined by one line end as PubTator counts them."""
        return f"{self.title}\n{self.abstract}"


class PubtatorError(ValueError):
    """A PubTator file is not as the format wants it; names file, line and remedy."""


DISEASE_TYPES = frozenset(
    {
        "Disease",
        "DiseaseOrPhenotypicFeature",
        "SpecificDisease",
        "DiseaseClass",
        "CompositeMention",
        "Modifier",
    }
)
_GROUPS = dict.fromkeys(DISEASE_TYPES, "disease") | {
    "Chemical": "chemical",
    "ChemicalEntity": "chemical",
    "GeneOrGeneProduct": "gene",
    "Gene": "gene",
    "OrganismTaxon": "organism",
    "Species": "organism",
    "SequenceVariant": "variant",
    "CellLine": "cell line",
}
_PREFIX = {"disease": "OMIM", "gene": "NCBIGene", "organism": "NCBITaxon"}
_MESH = re.compile(r"[CD]\d+")


def entity_group(type_: str) -> str:
    """The name under which types of different corpora are counted together.

    >>> entity_group("SpecificDisease"), entity_group("ChemicalEntity")
    ('disease', 'chemical')
    """
    return _GROUPS.get(type_, type_.lower())


def curie(bare: str, type_: str) -> str:
    """A corpus's id as CURIE: the corpora write MeSH, OMIM, gene and taxon ids without prefix.

    >>> curie("D003924", "Disease"), curie("175100", "Modifier"), curie("3175", "Gene")
    ('MESH:D003924', 'OMIM:175100', 'NCBIGene:3175')
    """
    if ":" in bare:
        return bare
    if _MESH.fullmatch(bare):
        return f"MESH:{bare}"
    prefix = _PREFIX.get(entity_group(type_))
    return f"{prefix}:{bare}" if prefix and bare.isdigit() else bare


def split_ids(field: str, type_: str) -> tuple[str, ...]:
    """The ids of a mention: parted at `|`, `+`, `,` and `;`, `-1` and `-` left out."""
    parts = (part.strip() for part in re.split(r"[|+,;]", field))
    return tuple(dict.fromkeys(curie(part, type_) for part in parts if part not in ("", "-1", "-")))


def _mention(fields: list[str], text: str, place: str) -> MarkedMention:
    start, end = int(fields[1]), int(fields[2])
    if text[start:end].strip() != fields[3].strip():
        raise PubtatorError(
            f"{place}: offsets {start}-{end} hold {text[start:end]!r}, "
            f"the line says {fields[3]!r}; offsets must count the code points of title, "
            "one separator and abstract"
        )
    return MarkedMention(start, end, text[start:end], fields[4], split_ids(fields[5], fields[4]))


def _article(lines: list[str], place: str) -> MarkedArticle:
    heads = [line.split("|", 2) for line in lines[:2]]
    if [head[1:2] for head in heads] != [["t"], ["a"]] or any(len(head) != 3 for head in heads):
        raise PubtatorError(f"{place}: expected lines PMID|t|title and PMID|a|abstract")
    (pmid, _, title), (_, _, abstract) = heads
    text = f"{title}\n{abstract}"
    rows = (line.split("\t") for line in lines[2:])
    # Lines of four or five fields are relations, which are not read here.
    marked = [_mention(row, text, place) for row in rows if len(row) >= 6 and row[1].isdigit()]
    return MarkedArticle(int(pmid), title, abstract, tuple(sorted(marked)))


def read_pubtator(path: str | Path) -> Iterator[MarkedArticle]:
    """The articles of a PubTator file, in its order.

    Raises `PubtatorError` where an article has no title or abstract line, where a mention's
    offsets do not hold its text, and for a file that is not UTF-8.
    """
    try:
        yield from _articles(Path(path))
    except UnicodeDecodeError as error:
        raise PubtatorError(f"{path}: expected a PubTator file in UTF-8 ({error})") from error


def _articles(path: Path) -> Iterator[MarkedArticle]:
    lines: list[str] = []
    first = 0
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.rstrip("\r\n")
            if line:
                first = first if lines else number
                lines.append(line)
            elif lines:
                yield _article(lines, f"{path}:{first}")
                lines = []
    if lines:
        yield _article(lines, f"{path}:{first}")
