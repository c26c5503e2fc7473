"""A world small enough to hold in the head: every capital letter A to H names a concept.

`WordLinker` finds them, and lower-case `x` as a mention that fits no concept; `WordExtractor`
reads `A > B.` as "A treats B", `A ! B.` as its denial, `A ? B.` as hedged, and lets any other two
letters of a sentence co-occur. Sentences are those of `kg_builder.sentences`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from kg_builder.ledger import Ledger, ShardEntry, ShardKey
from kg_builder.mine import mine
from kg_builder.model import (
    PREDICATES,
    REFUTES,
    SUPPORTS,
    Article,
    Deletion,
    Evidence,
    Failure,
    PublicationDate,
    Section,
)
from kg_builder.schema import LEDGER_EVIDENCE
from ontologies.concept import Concept, Name, Vocabulary
from ontologies.linker import Mention
from ontologies.select import SELECTED

LETTERS = "ABCDEFGH"
CONCEPTS = {
    f"T:{letter}": Concept(
        id=f"T:{letter}",
        name=f"name of {letter}",
        names=(Name(letter, "T", "preferred"), Name(letter.lower(), "T", "related", True)),
        semantic_types=("T047",),
        parents=("T:Z",) if letter > "D" else (),
        xrefs=(f"T:{letter}", f"U:{letter}"),
        definition=f"Letter {letter}.",
    )
    for letter in LETTERS
}


class Words(Vocabulary):
    """The eight letters."""

    digest = "letters"

    def __init__(self) -> None:
        pass

    def __getitem__(self, concept_id: str) -> Concept:
        return CONCEPTS[concept_id]

    def select(self, ids: pa.Array) -> pa.Table:
        return concept_rows(self[concept_id] for concept_id in ids.to_pylist())


def concept_rows(concepts: Iterable[Concept]) -> pa.Table:
    """Concepts as `Vocabulary.select` gives them, one Python object at a time."""
    return pa.Table.from_pylist(
        [{name: _plain(getattr(one, name)) for name in SELECTED.names} for one in concepts],
        SELECTED,
    )


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [asdict(part) if isinstance(part, Name) else part for part in value]
    return value


class WordLinker:
    """Every letter is a mention of its concept."""

    version = "words 1"

    def link(self, text: str) -> list[Mention]:
        return [
            Mention(at, at + 1, c, f"T:{c}" if c in LETTERS else None, 0.75)
            for at, c in enumerate(text)
            if c in LETTERS or c == "x"
        ]

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        return [self.link(text) for text in texts]


class WordExtractor:
    """Relates every two neighbouring letters of a sentence by the sign between them."""

    version = "signs 1"

    def relate(
        self,
        article: Article,
        sentences: Sequence[tuple[int, int]],
        mentions: Sequence[Mention],
    ) -> list[Evidence]:
        found = []
        for start, end in sentences:
            named = [m for m in mentions if start <= m.start < end and m.concept_id]
            for left, right in pairwise(named):
                if left.concept_id != right.concept_id:
                    found.append(self._one(article, start, end, left, right))
        return found

    def relate_many(
        self, texts: Sequence[str], sentences: pa.Table, mentions: pa.Table
    ) -> pa.Table:
        """`relate` for each text, as rows of the ledger."""
        found = []
        for number, text in enumerate(texts):
            spans = [(r["start"], r["end"]) for r in _of(sentences, number)]
            named = [
                Mention(r["start"], r["end"], text[r["start"] : r["end"]], r["concept"], 0.75)
                for r in _of(mentions, number)
            ]
            one = Article(1, 1, text, (), None)
            found += [(number, e) for e in self.relate(one, spans, named)]
        return evidence_rows(found)

    def _one(
        self, article: Article, start: int, end: int, left: Mention, right: Mention
    ) -> Evidence:
        sign = article.text[left.end : right.start].strip()
        treats = sign in {">", "!", "?"}
        if not treats:
            left, right = sorted((left, right), key=lambda m: m.concept_id or "")
        cue = article.text.index(sign, left.end) if treats else start
        return Evidence(
            subject_id=left.concept_id or "",
            predicate="TREATS" if treats else "CO_OCCURS_WITH",
            object_id=right.concept_id or "",
            pmid=article.pmid,
            version=article.version,
            sentence_start=start,
            sentence_end=end,
            subject_start=left.start,
            subject_end=left.end,
            object_start=right.start,
            object_end=right.end,
            cue_start=cue,
            cue_end=cue + 1 if treats else cue,
            polarity=REFUTES if sign == "!" else SUPPORTS,
            hedged=sign == "?",
            score=9000 if treats else 1000,
            published=article.published.last_day() if article.published else None,
            extractor=self.version,
        )


def _of(table: pa.Table, number: int) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if row["article"] == number]


def evidence_rows(found: Iterable[tuple[int, Evidence]]) -> pa.Table:
    """Evidence of numbered articles as rows of the ledger."""
    rows = [
        {
            **evidence._asdict(),
            "article": number,
            "subject": evidence.subject_id,
            "predicate": PREDICATES.index(evidence.predicate),
            "object": evidence.object_id,
            "refutes": evidence.polarity == REFUTES,
        }
        for number, evidence in found
    ]
    return pa.Table.from_pylist(rows, LEDGER_EVIDENCE)


def article(
    pmid: int,
    text: str,
    *,
    version: int = 1,
    year: int | None = 2001,
    retracted: bool = False,
    revised: str = "",
) -> Article:
    """An article of one section; its title names nothing."""
    return Article(
        pmid=pmid,
        version=version,
        title="untitled.",
        sections=(Section("", text),),
        published=PublicationDate(year) if year else None,
        types=("Letter",),
        mesh=("M1", "M2"),
        languages=("eng",),
        retracted=retracted,
        revised=revised,
        journal="J",
    )


def add_file(
    graph: Path,
    records: Iterable[Article | Deletion | Failure],
    *,
    order: tuple[int, int] = (-1, -1),
    source: str = "",
    batch: int = 256,
    commit: bool = True,
) -> ShardEntry:
    """Mine records as one file into the graph's ledger."""
    records = list(records)
    ledger = Ledger.open(graph)
    key = ShardKey(source or f"{order} {records!r}", "words 1", "signs 1", Words.digest)
    tables = mine(records, WordLinker(), WordExtractor(), batch=batch)
    entry = ledger.write(key, order, f"file {order}", tables)
    if commit:
        ledger.commit([entry])
    return entry
