"""Small graphs for the contract of stores: random ones, and one to hold in the head."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from hypothesis import strategies as st

from kg_builder.memory_store import MinedArticle
from kg_builder.model import (
    REFUTES,
    SUPPORTS,
    SYMMETRIC,
    Article,
    Evidence,
    PublicationDate,
    Section,
)
from ontologies.concept import Concept, Name
from ontologies.linker import Mention

EXTRACTORS = ("patterns 1", "patterns 2")


class World(NamedTuple):
    """What a snapshot is made of."""

    mined: tuple[MinedArticle, ...]
    concepts: tuple[Concept, ...]


class Statement(NamedTuple):
    """A sentence to write: two concepts, and what is said of them (nothing: no evidence)."""

    subject: int
    object: int
    predicate: str | None
    polarity: str = SUPPORTS
    hedged: bool = False
    extractor: str = EXTRACTORS[0]


CONCEPTS = (
    Concept(
        "MESH:D001241",
        "Aspirin",
        (
            Name("Aspirin", "MESH", "preferred"),
            Name("acetylsalicylic acid", "MESH"),
            Name("ASA", "STARTER", "exact", True),
        ),
        ("T109", "T121"),
        (),
        ("CHEBI:15365", "MESH:D001241"),
        "An old drug.",
    ),
    Concept(
        "UMLS:C0018801",
        "Heart failure",
        (Name("Heart failure", "MONDO", "preferred"), Name("cardiac failure", "MESH")),
        ("T047",),
        ("UMLS:C0018799",),
        ("MESH:D006333", "UMLS:C0018801"),
    ),
    Concept(
        "UMLS:C0018799",
        "Heart disease",
        (Name("Heart disease", "MONDO", "preferred"), Name("heart failure", "OTHER", "related")),
        ("T047",),
        (),
        ("UMLS:C0018799",),
    ),
    Concept(
        "UMLS:C0027051",
        "Infarkt 𝛼 \N{GREEK SMALL LETTER BETA}\N{LATIN SMALL LETTER O WITH DIAERESIS}",
        (Name("myocardial infarction", "MONDO"), Name("heart attack", "MONDO", "related")),
        ("T047", "T046"),
        ("UMLS:C0018799", "UMLS:C9999999"),
        ("UMLS:C0027051",),
    ),
    Concept("HGNC:6081", "INS", (Name("insulin", "HGNC", "related"),), ("T028",), (), ()),
)


def written(
    pmid: int,
    statements: Sequence[Statement],
    *,
    published: PublicationDate | None = None,
    retracted: bool = False,
    version: int = 1,
    concepts: Sequence[Concept] = CONCEPTS,
) -> MinedArticle:
    """An article whose title is bare and whose sentences are the statements, all located."""
    title = f"Article {pmid} 𝔸"
    texts, spans, mentions, evidence = [], [], [], []
    at = len(title) + 1
    day = published.last_day() if published else None
    for said in statements:
        left, right = concepts[said.subject].name, concepts[said.object].name
        verb = (said.predicate or "and").lower()
        text = f"{left} {verb} {right}."
        first = (at, at + len(left))
        cue = (first[1] + 1, first[1] + 1 + len(verb))
        second = (cue[1] + 1, cue[1] + 1 + len(right))
        spans.append((at, at + len(text)))
        mentions.append(Mention(*first, left, concepts[said.subject].id, 0.9))
        mentions.append(Mention(*second, right, concepts[said.object].id, 0.8))
        if said.predicate is not None and said.subject != said.object:
            ends = ((concepts[said.subject].id, first), (concepts[said.object].id, second))
            if said.predicate in SYMMETRIC:
                ends = (min(ends), max(ends))
            evidence.append(
                Evidence(
                    ends[0][0], said.predicate, ends[1][0], pmid, version, *spans[-1],
                    *ends[0][1], *ends[1][1], *cue, said.polarity, said.hedged, 7500, day,
                    said.extractor,
                )
            )  # fmt: skip
        texts.append(text)
        at += len(text) + 1
    article = Article(
        pmid,
        version,
        title,
        tuple(Section("RESULTS", text) for text in texts),
        published,
        retracted=retracted,
        languages=("eng",),
    )
    return MinedArticle(article, tuple(spans), tuple(mentions), tuple(evidence))


YEARS = st.integers(2001, 2004)
DATES = st.one_of(
    st.builds(PublicationDate, YEARS),
    st.builds(PublicationDate, YEARS, st.integers(1, 12)),
    st.builds(PublicationDate, YEARS, st.integers(1, 12), st.integers(1, 28)),
    st.none(),
)
ENDS = st.integers(0, len(CONCEPTS) - 1)
ASSERTIONS = st.tuples(
    ENDS, ENDS, st.sampled_from(("TREATS", "CAUSES", "CO_OCCURS_WITH", "INTERACTS_WITH", None))
)
POLARITIES = st.sampled_from((SUPPORTS, SUPPORTS, REFUTES))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few articles, each with a few sentences, over five concepts; an article may be empty."""
    # Few assertions, so that articles meet on the same edges.
    assertions = st.sampled_from(draw(st.lists(ASSERTIONS, min_size=1, max_size=4)))
    statements = st.lists(
        st.builds(
            lambda said, *how: Statement(*said, *how),
            assertions,
            POLARITIES,
            st.booleans(),
            st.sampled_from(EXTRACTORS),
        ),
        max_size=4,
    )
    mined = [
        written(
            pmid,
            draw(statements),
            published=draw(DATES),
            retracted=draw(st.integers(0, 5)) == 5,
            version=draw(st.integers(1, 2)),
        )
        for pmid in sorted(draw(st.sets(st.integers(1, 40), max_size=7)))
    ]
    return World(tuple(mined), CONCEPTS)


CUTS = st.none() | st.dates(date(2000, 12, 1), date(2005, 2, 1))
PREDICATE_SETS = st.none() | st.sets(
    st.sampled_from(("TREATS", "CAUSES", "CO_OCCURS_WITH", "INTERACTS_WITH", "ISA"))
)
IDS = st.lists(
    st.sampled_from([concept.id for concept in CONCEPTS] + ["UMLS:C0000000"]), max_size=6
)
