"""The values of the graph: articles, evidence, edges. Frozen, and free of input and output."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ontologies.concept import Concept
from ontologies.linker import Seed

PREDICATES = (
    "TREATS",
    "PREVENTS",
    "CAUSES",
    "PREDISPOSES",
    "COMPLICATES",
    "DIAGNOSES",
    "AFFECTS",
    "ASSOCIATED_WITH",
    "COEXISTS_WITH",
    "INTERACTS_WITH",
    "INHIBITS",
    "STIMULATES",
    "ISA",
    "CO_OCCURS_WITH",
)
"""The closed set of predicates, in the order of their codes on disk (append only)."""

SYMMETRIC = frozenset({"CO_OCCURS_WITH", "ASSOCIATED_WITH", "COEXISTS_WITH", "INTERACTS_WITH"})
"""Predicates stored once, with the smaller concept id as subject."""

SUPPORTS = "supports"
REFUTES = "refutes"


@dataclass(frozen=True, slots=True)
class PublicationDate:
    """A date as precise as its source: a year, a month of a year, or a day."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def precision(self) -> str:
        """`year`, `month` or `day`."""
        return "day" if self.day else "month" if self.month else "year"

    def last_day(self) -> date:
        """The last day that the date can mean: what is cut by `as_of`."""
        if self.month is None:
            return date(self.year, 12, 31)
        day = self.day or calendar.monthrange(self.year, self.month)[1]
        return date(self.year, self.month, day)


class Section(NamedTuple):
    """A section of an abstract; `label` is empty where the abstract is not structured."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """A citation of PubMed: what is mined, and what evidence points into.

    `pmid` and `version` identify it (version 1 unless PubMed says otherwise). `revised` is the
    date of its last revision in ISO format, or empty. `published` is `None` where no date could
    be read. `retracted` is whether PubMed marks it as retracted. `vernacular_title` is the title
    in the language of the article where PubMed gives one.
    """

    pmid: int
    version: int
    title: str
    sections: tuple[Section, ...]
    published: PublicationDate | None
    types: tuple[str, ...] = ()
    mesh: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    retracted: bool = False
    revised: str = ""
    journal: str = ""
    doi: str = ""
    vernacular_title: str = ""

    @property
    def text(self) -> str:
        """Title and section texts, a newline between them; labels are not part of it.

        Every span of a sentence, mention or evidence indexes this string.
        """
        return "\n".join((self.title, *(section.text for section in self.sections)))

    def section_spans(self) -> tuple[tuple[str, int, int], ...]:
        """(label, start, end) of title and sections in `text`; the title's label is `TITLE`."""
        spans, start = [], 0
        for label, text in (("TITLE", self.title), *self.sections):
            spans.append((label, start, start + len(text)))
            start += len(text) + 1
        return tuple(spans)


@dataclass(frozen=True, slots=True)
class Deletion:
    """PubMed's order to delete a citation."""

    pmid: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A record, or a file, that could not be read; kept so that nothing is lost silently.

    `place` names file and position for a person; `pmid` is `None` where none could be read;
    `reason` is a short fixed word that is counted (`broken-xml`, `no-pmid`); `detail` says what
    was expected, what came and what to do.
    """

    place: str
    pmid: int | None
    reason: str
    detail: str


class Evidence(NamedTuple):
    """One sentence of one article that states, or denies, a relation between two concepts.

    Spans index `Article.text`, ends exclusive. `polarity` is `supports` or `refutes`. `score` is
    an integer of 1/10,000 fixed when the evidence is made. `published` is the last day that the
    article's date can mean, or `None`. `cue_start == cue_end` where no trigger word was used.
    """

    subject_id: str
    predicate: str
    object_id: str
    pmid: int
    version: int
    sentence_start: int
    sentence_end: int
    subject_start: int
    subject_end: int
    object_start: int
    object_end: int
    cue_start: int
    cue_end: int
    polarity: str
    hedged: bool
    score: int
    published: date | None
    extractor: str


@dataclass(frozen=True, slots=True, order=True)
class EdgeKey:
    """An assertion: what an edge states, whoever states it."""

    subject_id: str
    predicate: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Edge:
    """An assertion with integer counts of articles, a function of the evidence left.

    `supporting`: articles with at least one supporting sentence; `refuting`: with at least one
    refuting sentence; `hedged`: articles whose supporting sentences are all hedged (so
    `hedged <= supporting`). An article may support and refute. `first_year` and `last_year` are
    those of the dated articles, `None` where none is dated. Retracted articles are not counted.
    """

    subject_id: str
    predicate: str
    object_id: str
    supporting: int
    refuting: int
    hedged: int
    first_year: int | None
    last_year: int | None

    @property
    def key(self) -> EdgeKey:
        return EdgeKey(self.subject_id, self.predicate, self.object_id)


@dataclass(frozen=True, slots=True)
class CitedEvidence:
    """Evidence with the words it points to, as a store returns it."""

    evidence: Evidence
    sentence: str
    subject_text: str
    object_text: str
    title: str
    retracted: bool


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A part of a graph: every end of an edge is among the concepts."""

    concepts: tuple[Concept, ...]
    edges: tuple[Edge, ...]
    seeds: tuple[Seed, ...] = ()
    as_of: date | None = None

    def __post_init__(self) -> None:
        known = {concept.id for concept in self.concepts}
        for edge in self.edges:
            for end in (edge.subject_id, edge.object_id):
                if end not in known:
                    raise ValueError(f"edge {edge.key} ends in {end}, which is not in concepts")
