"""What the demo corpus documents: pairs of concepts, when that was published, who denies it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from kg_builder.model import Article
from kg_builder.sources.source import open_source
from predictor.synthetic.phrases import concept_by_name, names_by_concept

DEMO: Final = "kg_builder.demo"
_FILES: Final = ("pubmed26n9001.xml", "pubmed26n9002.xml", "pubmed26n9003.xml")
_TOO_BROAD: Final = frozenset({"neoplasm", "hemorrhage"})
NEVER: Final = 9999
"""The year of a pair of which no article tells its date: after every cut."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two concepts that the corpus connects: an interaction, or a complication.

    `year` is the first in which an article documented it. `refuted` where an article denies it:
    such a pair changes no risk.
    """

    kind: str
    first: str
    second: str
    predicate: str
    year: int
    refuted: bool
    pmids: tuple[int, ...]

    @property
    def ends(self) -> frozenset[str]:
        return frozenset({self.first, self.second})


@cache
def pairs() -> tuple[Pair, ...]:
    """The pairs of the corpus' table of interactions whose both ends notes can name."""
    articles = _articles()
    found = []
    for cells in _rows():
        kind, subject, predicate, other, _, pmids, note = cells
        first, second = _concept(subject), _concept(other)
        if first is None or second is None or first == second:
            continue
        numbers = tuple(int(pmid) for pmid in pmids.split())
        years = [_year(articles[number]) for number in numbers]
        found.append(Pair(kind, first, second, predicate, min(years), "refuted" in note, numbers))
    return tuple(found)


@cache
def named_together() -> Mapping[str, frozenset[str]]:
    """Concept to those that stand with it in an article: ends of the pairs only.

    Two concepts that the corpus never names together are connected by nothing in its graph.
    """
    ends = sorted({end for pair in pairs() for end in pair.ends})
    names = {end: [name.lower() for name in names_by_concept()[end].plain] for end in ends}
    together: dict[str, set[str]] = {end: set() for end in ends}
    for article in _articles().values():
        text = article.text.lower()
        there = [end for end in ends if any(_stands(name, text) for name in names[end])]
        for end in there:
            together[end].update(there)
    for pair in pairs():
        together[pair.first].add(pair.second)
        together[pair.second].add(pair.first)
    return {end: frozenset(others - {end}) for end, others in together.items()}


def connected(one: str, other: str) -> bool:
    """Whether the corpus names both in one article."""
    return other in named_together().get(one, frozenset())


def _concept(name: str) -> str | None:
    """The concept of a name of the table; `None` where notes have no name for it."""
    known = concept_by_name()
    for form in (name, name.replace("-", "/"), name.replace("St ", "St. ")):
        found = known.get(form.lower())
        if found in names_by_concept() and form.lower() not in _TOO_BROAD:
            return found
    return None


def _rows() -> Iterator[list[str]]:
    text = files(DEMO).joinpath("interactions.tsv").read_text(encoding="utf-8")
    for line in text.splitlines()[2:]:
        yield line.split("\t")


@cache
def _articles() -> Mapping[int, Article]:
    """PMID to the first version of its article; what the update revised is not the point here."""
    source = open_source("pubmed")
    found: dict[int, Article] = {}
    for name in _FILES:
        for record in source.read(Path(str(files(DEMO).joinpath(name)))):
            if isinstance(record, Article):
                found.setdefault(int(record.pmid), record)
    return found


def _year(article: Article) -> int:
    return article.published.year if article.published is not None else NEVER


def _stands(name: str, text: str) -> bool:
    """Whether a name, or its plural, stands in a text as words of its own."""
    return name in text and re.search(rf"\b{re.escape(name)}s?\b", text) is not None
