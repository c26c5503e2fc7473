"""Candidates of the training texts: which are right, and what other articles say of them.

Evidence for a candidate is counted in other articles than its own (five folds by PMID), and names
that only its own fold taught are forgotten: so the trees learn how far to trust evidence instead
of learning the articles by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ontologies.compiled import source_bit
from ontologies.features import KEYS, MISSING, SPEAKING, Features, features
from ontologies.hashing import U64, path_hash, text_hash
from ontologies.lexicon import KINDS, Lexicon
from ontologies.name_forms import LEARNED, SCOPES, variants
from ontologies.normalize import TOKEN, normal_form
from ontologies.precision import MAX_COUNT, Evidence, evidence_names, family_keys, log_odds
from ontologies.training_texts import FOLDS, LearnedFolds, TrainingText

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


_NAMED = np.uint32((1 << len(SCOPES)) - 1)
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


def _support(
    found: Candidates,
    learned: LearnedFolds,
    vocabulary: Vocabulary,
    lexicon: Lexicon,
    fold: npt.NDArray[np.int64],
) -> Bool:
    """Whether a candidate's name was learned with its concept from other folds than its own."""
    counts: dict[tuple[int, int], npt.NDArray[np.int64]] = {}
    for (name, curie), by_fold in learned.items():
        concept = vocabulary.resolve(curie)
        if concept is None:
            continue
        row = vocabulary.row(concept)
        disease = bool(lexicon.concept_kind[row] == KINDS.index("DISO"))
        for form in (name, *(form for form, _ in variants(name, disease=disease))):
            key = path_hash([text_hash(normal_form(token)) for token in TOKEN.findall(form)])
            counts[key, row] = counts.get((key, row), 0) + by_fold
    supported = np.zeros(len(fold), dtype=bool)
    for at in np.flatnonzero(found.flags & np.uint32(LEARNED)):
        by_fold = counts[int(found.key[at]), int(found.concept[at])]
        supported[at] = by_fold.sum() > by_fold[fold[at]]
    return supported


def examples_of(
    texts: Sequence[TrainingText], learned: LearnedFolds, lexicon: Lexicon, vocabulary: Vocabulary
) -> Examples:
    table = TokenTable()
    batch = tokenize([t.article.text for t in texts], table, GapKinds())
    spans = find_spans(batch, table, lexicon)
    found = expand(batch, spans, lexicon)
    folds = np.array([t.fold for t in texts])
    known = _forget_own_names(found, learned, vocabulary, lexicon, folds[found.document])
    # Nothing may remain of names that an article itself taught, not even as a neighbour.
    spans, found = restrict(spans, found, known)
    marks = _marks(texts, vocabulary)
    right, elsewhere = _labels(found, marks)
    clear = _known(found, marks) | right
    types = _judged_types(found, lexicon)
    marked = np.zeros(len(found.span), dtype=bool)
    for place, (type_, _) in enumerate(_JUDGED):
        covered = np.array([type_ in t.corpus.marks for t in texts])
        marked |= (types == place) & covered[found.document]
    given = features(batch, table, spans, found, lexicon)
    usable = marked & ~elsewhere & clear
    return Examples(found, given, folds[found.document], right, usable, clear)


def _forget_own_names(
    found: Candidates,
    learned: LearnedFolds,
    vocabulary: Vocabulary,
    lexicon: Lexicon,
    fold: npt.NDArray[np.int64],
) -> Bool:
    """Make candidates look as if the names of their own fold had not been learned.

    Gives the candidates that are left then.
    """
    supported = _support(found, learned, vocabulary, lexicon, fold)
    found.flags[~supported] &= ~np.uint32(LEARNED)
    found.sources[~supported] &= ~np.uint32(source_bit("LEARNED"))
    return supported | ((found.flags & _NAMED) > 0)


def _counts(
    keys: U64, examples: Examples, use: Bool
) -> tuple[U64, npt.NDArray[np.int64], F64, F64]:
    """Distinct keys, each candidate's place among them, and right and wrong candidates by fold."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    cell, shape = inverse * FOLDS + examples.fold, (len(distinct), FOLDS)

    def count(chosen: Bool) -> F64:
        total = np.bincount(cell, weights=chosen, minlength=shape[0] * FOLDS)
        return total.astype(np.float64).reshape(shape)

    right, wrong = count(use & examples.right), count(use & ~examples.right)
    return distinct, inverse.astype(np.int64), right, wrong


def evidence_of(examples: Examples) -> tuple[Evidence, list[npt.NDArray[np.float32]]]:
    """Evidence of all folds together, and each candidate's columns from the folds not its own."""
    odds, counts, kept = [], [], []
    for family, keys in enumerate(examples.given.keys):
        use = examples.known if KEYS[family] == "anywhere" else examples.usable
        distinct, inverse, right, wrong = _counts(family_keys(keys, family), examples, use)
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
