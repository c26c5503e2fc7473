"""Sentences with mentions -> Evidence: what each sentence states of each pair of its concepts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.assertion import assess
from kg_builder.ledger_rows import mention_table, sentence_table
from kg_builder.model import PREDICATES, REFUTES, SUPPORTS, SYMMETRIC, Article, Evidence
from kg_builder.pairs import CROWDED, Naming, naming, sentences_with, together
from kg_builder.schema import LEDGER_EVIDENCE
from kg_builder.signatures import mask_of, partners
from kg_builder.statements import statements
from kg_builder.trigger_search import TriggerSearch
from kg_builder.triggers import load_lexicon, lower
from ontologies.linker import Mention

Array = npt.NDArray[Any]

CO_OCCURRENCE_SCORE = 4000
"""Probability, in 1/10,000, that a pair named together is related at all: the share that BioRED's
training split marks is 0.41; of pairs that a pattern joins it marks 0.63 to 0.97."""

_CODE = {name: code for code, name in enumerate(PREDICATES)}
_WORDS = ("subject", "object", "extractor")
_CO_OCCURS_WITH = _CODE["CO_OCCURS_WITH"]


class _Row(NamedTuple):
    """A statement as numbers; the sentence is a row of its table, concepts are codes."""

    sentence: int
    subject: int
    predicate: int
    object: int
    subject_start: int
    subject_end: int
    object_start: int
    object_end: int
    cue_start: int
    cue_end: int
    refutes: bool
    hedged: bool
    score: int


class _Concepts(NamedTuple):
    """The concepts of a batch: ids in order, and by code their groups and those of partners."""

    ids: pa.StringArray
    masks: Array
    partners: Array


class RelationExtractor:
    """Reads relations by the patterns of `triggers.toml`; holds only a cache of groups.

    `groups` gives the semantic groups of a concept id (`frozenset({"DISO"})`); an empty set
    leaves the concept without edges. It is asked once for each concept.
    """

    version = "patterns/1"

    def __init__(self, groups: Callable[[str], frozenset[str]]) -> None:
        self._groups = groups
        self._masks: dict[str, tuple[int, int]] = {}
        self._lexicon = load_lexicon()
        self._search = TriggerSearch(self._lexicon)

    def relate_many(
        self, texts: Sequence[str], sentences: pa.Table, mentions: pa.Table
    ) -> pa.Table:
        """The evidence of many articles, as rows of `LEDGER_EVIDENCE` in no promised order.

        The tables are those of the ledger, ordered by article and start; `article` is the place
        in `texts`. A mention without a concept, or across the edge of a sentence, takes part in
        nothing. For a pair of concepts that the semantic groups allow to relate, a sentence gives
        one evidence: the assertion of the best pattern that fits, or else `CO_OCCURS_WITH`. In
        crowded sentences not all pairs co-occur (see `pairs.together`); `left_out` counts them.
        """
        concepts, codes = self._concepts_of(mentions["concept"])
        found = naming(sentences, mentions, codes, concepts.masks > 0)
        pairs = together(found)
        one, other = (concepts.masks[found.concept[places]] for places in pairs)
        chosen = sentences_with(found, pairs[0], self._lexicon.statable[one, other])
        stated = _columns_of(list(self._stated(texts, sentences, found, concepts, chosen)))
        rows = _joined(stated, _co_occurring(found, pairs, stated, concepts))
        return _table(rows, sentences, concepts.ids, self.version)

    def relate(
        self,
        article: Article,
        sentences: Sequence[tuple[int, int]],
        mentions: Sequence[Mention],
    ) -> list[Evidence]:
        """The evidence of one article, ordered by sentence; many at once cost far less each."""
        table = self.relate_many(
            [article.text], sentence_table([sentences]), mention_table([mentions])
        )
        published = article.published.last_day() if article.published else None
        order = np.argsort(np.asarray(table["sentence_start"]), kind="stable")
        return [
            Evidence(
                predicate=PREDICATES[row.pop("predicate")],
                polarity=REFUTES if row.pop("refutes") else SUPPORTS,
                subject_id=row.pop("subject"),
                object_id=row.pop("object"),
                pmid=article.pmid,
                version=article.version,
                published=published,
                **row,
            )
            for row in table.drop_columns(["article"]).take(pa.array(order)).to_pylist()
        ]

    def left_out(self, sentences: Sequence[tuple[int, int]], mentions: Sequence[Mention]) -> int:
        """How many pairs of concepts of crowded sentences are too far apart to co-occur.

        Pairs whose groups could not relate anyway are not counted.
        """
        spans, linked = sentence_table([sentences]), mention_table([mentions])
        concepts, codes = self._concepts_of(linked["concept"])
        found = naming(spans, linked, codes, concepts.masks > 0)
        masks, partners_ = (column[found.concept] for column in concepts[1:])
        every, near = (
            int(np.count_nonzero(partners_[one] & masks[other]))
            for one, other in (together(found, crowded) for crowded in (len(mentions), CROWDED))
        )
        return every - near

    def _concepts_of(self, column: pa.ChunkedArray) -> tuple[_Concepts, Array]:
        """The concepts of a column of ids, coded in the order of ids, and the codes of its rows."""
        encoded = column.combine_chunks()
        words = encoded.dictionary
        order = np.asarray(pc.array_sort_indices(words))
        ids = words.take(pa.array(order))
        masks = [self._masks.get(one) or self._masks_of(one) for one in ids.to_pylist()]
        both = np.array(masks, np.int64).reshape(-1, 2)
        codes = np.full(len(words) + 1, -1, np.int64)
        codes[order] = np.arange(len(order))
        rows = np.asarray(encoded.indices.fill_null(len(words)))
        return _Concepts(ids, both[:, 0], both[:, 1]), codes[rows]

    def _masks_of(self, concept_id: str) -> tuple[int, int]:
        mask = mask_of(self._groups(concept_id))
        self._masks[concept_id] = mask, partners(mask)
        return self._masks[concept_id]

    def _stated(
        self,
        texts: Sequence[str],
        sentences: pa.Table,
        found: Naming,
        concepts: _Concepts,
        chosen: Array,
    ) -> Iterator[_Row]:
        """What the chosen sentences state by their words."""
        columns = (found.start, found.end, found.concept)
        masks = (concepts.masks[found.concept], concepts.partners[found.concept])
        named = list(zip(*(column.tolist() for column in (*columns, *masks)), strict=True))
        spans = [np.asarray(sentences[name])[chosen] for name in ("article", "start", "end")]
        borders = [np.searchsorted(found.sentence, chosen, side) for side in ("left", "right")]
        own, owners = np.unique(spans[0], return_inverse=True)
        lowered_texts = [lower(texts[article]) for article in own.tolist()]
        found_hits = self._search.hits(lowered_texts, owners, *spans[1:])
        for row, first, until, owner, end, hits in zip(
            *(column.tolist() for column in (chosen, *borders, owners, spans[2])),
            found_hits,
            strict=True,
        ):
            lowered, mentions = lowered_texts[owner], named[first:until]
            # What follows the last mention can only deny or doubt what is stated.
            before = hits[: bisect_left(hits, (mentions[-1][0],))]
            best = statements(lowered, before, mentions)
            for statement in best.values():
                subject, object_, frame = statement.subject, statement.object, statement.frame
                hit = hits[statement.at]
                extent = (
                    min(subject[0], object_[0], hit.start),
                    max(subject[1], object_[1], hit.end),
                    end,
                )
                refuted, hedged = assess(lowered, hits, statement.at, frame, extent)
                if frame.predicate in SYMMETRIC and subject[2] > object_[2]:
                    subject, object_ = object_, subject
                yield _Row(
                    row, subject[2], _CODE[frame.predicate], object_[2], *subject[:2],
                    *object_[:2], hit.start, hit.end, refuted, hedged, statement.score,
                )  # fmt: skip


def _co_occurring(
    found: Naming, pairs: tuple[Array, Array], stated: list[Array], concepts: _Concepts
) -> list[Array]:
    """Columns of `_Row` for the pairs that may relate and of which nothing is stated."""
    one, other = pairs
    may = concepts.partners[found.concept[one]] & concepts.masks[found.concept[other]] > 0
    one, other = one[may], other[may]
    swapped = found.concept[other] < found.concept[one]
    one, other = np.where(swapped, other, one), np.where(swapped, one, other)
    sentence, subject, _, object_ = stated[:4]
    if len(sentence):
        size = len(concepts.ids)
        low, high = np.minimum(subject, object_), np.maximum(subject, object_)
        known = (sentence * size + low) * size + high
        keys = (found.sentence[one] * size + found.concept[one]) * size + found.concept[other]
        left = ~np.isin(keys, known)
        one, other = one[left], other[left]
    count = len(one)
    no_cue = np.full(count, -1)
    return [
        found.sentence[one],
        found.concept[one],
        np.full(count, _CO_OCCURS_WITH),
        found.concept[other],
        *(column[at] for at in (one, other) for column in (found.start, found.end)),
        no_cue,
        no_cue,
        np.zeros(count, bool),
        np.zeros(count, bool),
        np.full(count, CO_OCCURRENCE_SCORE),
    ]


def _columns_of(stated: Sequence[_Row]) -> list[Array]:
    size = len(stated) * len(_Row._fields)
    rows = np.fromiter(chain.from_iterable(stated), np.int64, size).reshape(-1, len(_Row._fields))
    return [*rows.T[:10], *rows.T[10:12].astype(bool), rows.T[12]]


def _joined(one: list[Array], other: list[Array]) -> dict[str, Array]:
    both = zip(one, other, strict=True)
    return dict(zip(_Row._fields, map(np.concatenate, both), strict=True))


def _table(
    rows: dict[str, Array], sentences: pa.Table, ids: pa.StringArray, version: str
) -> pa.Table:
    """Evidence as rows of the ledger; where there is no cue it lies at the sentence's start."""
    at = rows["sentence"]
    starts = np.asarray(sentences["start"])[at]
    columns: dict[str, Any] = rows | {
        "article": np.asarray(sentences["article"])[at],
        "sentence_start": starts,
        "sentence_end": np.asarray(sentences["end"])[at],
        "extractor": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(len(at), np.int32)), pa.array([version])
        ),
    }
    for name in ("cue_start", "cue_end"):
        columns[name] = np.where(rows[name] < 0, starts, rows[name])
    for name in ("subject", "object"):
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(rows[name], pa.int32()), ids)
    arrays = [
        columns[f.name] if f.name in _WORDS else pa.array(columns[f.name], f.type)
        for f in LEDGER_EVIDENCE
    ]
    return pa.Table.from_arrays(arrays, schema=LEDGER_EVIDENCE)
