"""Candidates of the training texts: which are right, and what other articles say of them.

Candidates are found with names that other articles taught than their own (five folds by PMID), and
evidence for them is counted in other articles: so the trees learn how far to trust names and
evidence instead of learning the articles by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ontologies.candidates import (
    Candidates,
    GapKinds,
    TokenTable,
    expand,
    find_spans,
    restrict,
    tokenize,
)
from ontologies.compiled import source_bit, vocabulary_compiler, with_learned
from ontologies.features import KEYS, MISSING, SPEAKING, Features, features
from ontologies.hashing import U64, extend_hash
from ontologies.lexicon import KINDS, Lexicon
from ontologies.precision import MAX_COUNT, Evidence, evidence_names, family_keys, log_odds
from ontologies.training_texts import FOLDS, LearnedFolds, TrainingText, taught_elsewhere

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

Bool = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
Columns = dict[str, npt.NDArray[np.generic]]
Marks = list[list[tuple[int, int, frozenset[int]]]]
"""Of each text the marked spans, with the rows of the concepts that they mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Candidates of all training texts with what is known of them and whether they are right."""

    found: Candidates
    given: Features
    fold: npt.NDArray[np.int64]
    right: Bool
    usable: Bool
    """Whether its corpus marks the candidate's type, and marks its concept here or nowhere."""
    known: Bool
    """Whether it is known what its stretch of text means: not where a person marked just that
    stretch with no id or with one that the vocabulary does not hold (one since retired, say)."""


_JUDGED: Final = (
    ("disease", "MEDIC"), ("chemical", "MESH"), ("protein", "MESH"), ("gene", "HGNC"),
)  # fmt: skip
"""Types that a corpus may mark, with the source of the ids that it marks them with."""

_KIND_OF: Final = {"disease": "DISO", "chemical": "CHEM", "protein": "PROT", "gene": "GENE"}


def _judged_types(found: Candidates, lexicon: Lexicon) -> npt.NDArray[np.int8]:
    """The place in `_JUDGED` of the type under which a corpus would mark a candidate, or -1."""
    sources = lexicon.concept_sources[found.concept]
    types = np.full(len(sources), -1, dtype=np.int8)
    for place, (type_, source) in reversed(list(enumerate(_JUDGED))):
        has = (sources & np.uint32(source_bit(source))) > 0
        of_kind = found.kind == KINDS.index(_KIND_OF[type_])
        types[has & (of_kind | (type_ == "disease"))] = place
    return types


def _marks(texts: Sequence[TrainingText], vocabulary: Vocabulary) -> Marks:
    """Spans of all marked mentions, with the rows of the concepts that they mean."""

    def rows(curies: Sequence[str]) -> frozenset[int]:
        concepts = (vocabulary.resolve(curie) for curie in curies)
        return frozenset(vocabulary.row(concept) for concept in concepts if concept is not None)

    return [[(m.start, m.end, rows(m.ids)) for m in t.article.mentions] for t in texts]


def _labels(found: Candidates, marks: Marks) -> tuple[Bool, Bool]:
    """Whether each candidate is right, and whether its article marks its concept elsewhere only."""
    right, elsewhere = np.zeros((2, len(found.span)), dtype=bool)
    meant = [frozenset().union(*(rows for _, _, rows in spans)) for spans in marks]
    columns = (found.document, found.concept, found.start, found.end)
    for at, (document, concept, start, end) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True)
    ):
        if concept in meant[document]:
            right[at] = any(
                start < high and low < end and concept in rows
                for low, high, rows in marks[document]
            )
            elsewhere[at] = not right[at]
    return right, elsewhere


def _known(found: Candidates, marks: Marks) -> Bool:
    """See `Examples.known`."""
    unknown = {
        (document, low, high)
        for document, spans in enumerate(marks)
        for low, high, rows in spans
        if not rows
    }
    places = zip(*(c.tolist() for c in (found.document, found.start, found.end)), strict=True)
    return np.array([place not in unknown for place in places], dtype=bool)


def examples_of(
    texts: Sequence[TrainingText], learned: LearnedFolds, vocabulary: Vocabulary
) -> Examples:
    """The candidates of each fold's texts, found with the names that the other folds taught.

    By fold, and within a fold in the order of the texts.
    """
    compiler = vocabulary_compiler(vocabulary)
    parts = []
    for fold in range(FOLDS):
        own = [text for text in texts if text.fold == fold]
        if own:
            lexicon = with_learned(compiler, vocabulary, taught_elsewhere(learned, fold))
            parts.append(_examples(own, lexicon, vocabulary))
    return _joined(parts)


def _examples(texts: Sequence[TrainingText], lexicon: Lexicon, vocabulary: Vocabulary) -> Examples:
    table = TokenTable()
    batch = tokenize([t.article.text for t in texts], table, GapKinds())
    spans = find_spans(batch, table, lexicon)
    found = expand(batch, spans, lexicon)
    spans, found = restrict(spans, found, np.ones(len(found.span), dtype=bool))
    marks = _marks(texts, vocabulary)
    right, elsewhere = _labels(found, marks)
    clear = _known(found, marks) | right
    types = _judged_types(found, lexicon)
    marked = np.zeros(len(found.span), dtype=bool)
    for place, (type_, _) in enumerate(_JUDGED):
        covered = np.array([type_ in t.corpus.marks for t in texts])
        marked |= (types == place) & covered[found.document]
    given = features(batch, table, spans, found, lexicon)
    fold = np.array([t.fold for t in texts])[found.document]
    return Examples(found, given, fold, right, marked & ~elsewhere & clear, clear)


def _joined(parts: Sequence[Examples]) -> Examples:
    """Examples one after another; spans and tokens count in each part anew."""
    columns = {
        name: np.concatenate([part.given.columns[name] for part in parts])
        for name in parts[0].given.columns
    }
    keys = tuple(np.concatenate(of) for of in zip(*(p.given.keys for p in parts), strict=True))
    found = Candidates(
        *(
            np.concatenate([getattr(part.found, field.name) for part in parts])
            for field in fields(Candidates)
        )
    )
    fold, right, usable, known = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("fold", "right", "usable", "known")
    )
    return Examples(found, Features(columns, keys), fold, right, usable, known)


def _shares(keys: npt.NDArray[np.int64], examples: Examples, use: Bool) -> F64:
    """What each candidate counts for its key, so that an article counts once, however long."""
    article = examples.fold * (1 << 32) + examples.found.document
    pair = extend_hash(keys.astype(np.uint64), article.astype(np.uint64))
    _, at = np.unique(pair, return_inverse=True)
    shares: F64 = use.astype(np.float64) / np.maximum(
        np.bincount(at, weights=use.astype(np.float64))[at], 1.0
    )
    return shares


def _counts(
    keys: U64, examples: Examples, use: Bool, *, once: bool
) -> tuple[U64, npt.NDArray[np.int64], F64, F64]:
    """Distinct keys, each candidate's place among them, and right and wrong candidates by fold.

    `once`: the candidates of a key that an article holds count as one together.
    """
    distinct, place = np.unique(keys, return_inverse=True)
    inverse = place.astype(np.int64)
    cell, shape = inverse * FOLDS + examples.fold, (len(distinct), FOLDS)
    shares = _shares(inverse, examples, use) if once else use.astype(np.float64)

    def count(chosen: Bool) -> F64:
        total = np.bincount(cell, weights=chosen * shares, minlength=shape[0] * FOLDS)
        return total.astype(np.float64).reshape(shape)

    return distinct, inverse, count(examples.right), count(~examples.right)


def evidence_of(examples: Examples) -> tuple[Evidence, list[npt.NDArray[np.float32]]]:
    """Evidence of all folds together, and each candidate's columns from the folds not its own.

    An article counts once under a key; `anywhere`, by which names are given up, counts mentions.
    """
    odds, counts, kept = [], [], []
    for family, keys in enumerate(examples.given.keys):
        anywhere = KEYS[family] == "anywhere"
        use = examples.known if anywhere else examples.usable
        salted = family_keys(keys, family)
        distinct, inverse, right, wrong = _counts(salted, examples, use, once=not anywhere)
        others = [
            (total.sum(axis=1, keepdims=True) - total)[inverse, examples.fold]
            for total in (right, wrong)
        ]
        odds.append(log_odds(*others))
        counts.append(np.minimum(others[0] + others[1], MAX_COUNT).astype(np.float32))
        seen = (right + wrong).sum(axis=1) > 0
        kept.append((distinct[seen], right[seen].sum(axis=1), wrong[seen].sum(axis=1)))
    keys, right, wrong = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(keys)
    return Evidence.of_counts(keys[order], right[order], wrong[order]), odds + counts


def columns_of(
    examples: Examples, evidence: list[npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.generic]]:
    return dict(zip(evidence_names(), evidence, strict=True)) | examples.given.columns


def undescribed(columns: Columns) -> Columns:
    """The columns as they were if no public vocabulary described the concepts."""
    unknown = log_odds(np.zeros(1), np.zeros(1))[0]
    other: Columns = {}
    for name, column in columns.items():
        table, _, key = name.partition(": ")
        if (key or name.rstrip(" 0123456789")) in SPEAKING:
            value = MISSING if not key else unknown if table == "odds" else 0
            other[name] = np.full_like(column, value)
        else:
            other[name] = column
    return other
