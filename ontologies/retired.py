"""MeSH ids that were retired when their drug became a heading, and the heading's id.

Texts and databases go on naming them. `retired.tsv` holds those that were met: in the training
articles of BC5CDR, where people marked a name of the heading with the id, and in the substances of
MEDLINE records and in mappings from MeSH to other vocabularies, which give the name beside it.
Each pair was found by that name.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from ontologies.readers.items import Match

if TYPE_CHECKING:
    from ontologies.gather import Gathered

SOURCE: Final = "MESH"
_TABLE: Final = "retired.tsv"


class Retired(NamedTuple):
    """A retired id, the id that its substance has now, and the name of that heading."""

    retired: str
    current: str
    name: str


def retired_ids() -> list[Retired]:
    """The whole table, by retired id."""
    lines = files("ontologies").joinpath(_TABLE).read_text(encoding="utf-8").splitlines()
    return [Retired(*line.split("\t")) for line in lines[1:]]


def add_retired(gathered: Gathered) -> None:
    """Join retired ids to the headings that were read; an id that MeSH still names is left."""
    for retired, current, _ in retired_ids():
        if _named(gathered, current) and not _named(gathered, retired):
            gathered.add(Match(retired, current, SOURCE, exact=True))


def _named(gathered: Gathered, curie: str) -> bool:
    """Whether MeSH itself gives a name for an id."""
    node = gathered.numbers.get(curie)
    names = () if node is None else gathered.names.get(node, ())
    return any(source == SOURCE for _, source, _ in names)
