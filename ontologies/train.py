"""Training the lexicon linker's weights from PubTator corpora.

Names are learned from corpora that may be redistributed; numbers from all. The trees are trained on
evidence that was counted in other articles than the candidate's own (five folds by PMID), so that
they learn how far to trust evidence instead of learning the articles by heart.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ontologies.candidates import Candidates, GapKinds, TokenTable, expand, find_spans, tokenize
from ontologies.compiled import compile_lexicon, source_bit
from ontologies.features import KEYS, Features, features
from ontologies.hashing import U64, path_hash, text_hash
from ontologies.kinds import KINDS
from ontologies.lexicon import LEARNED, SCOPES, Lexicon, variants
from ontologies.normalize import TOKEN, normal_form
from ontologies.precision import (
    LEAVES,
    MAX_COUNT,
    Evidence,
    Precision,
    Trees,
    evidence_names,
    family_keys,
    log_odds,
    weights_digest,
)
from ontologies.pubtator import MarkedArticle, read_pubtator

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

FOLDS: Final = 5
Bool = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A training corpus: its file, whether its names may be shipped, and the types it marks."""

    name: str
    path: Path
    ship_names: bool
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Text:
    corpus: Corpus
    article: MarkedArticle
    fold: int


def fold_of(pmid: int) -> int:
    """The fold of an article: the same in every corpus that holds it."""
    return text_hash(str(pmid)) % FOLDS


def training_texts(corpora: Sequence[Corpus], held_out: Iterable[int]) -> list[_Text]:
    """The articles to train on: none that is held out, each once a corpus, all with their folds."""
    barred = frozenset(held_out)
    texts = []
    for corpus in corpora:
        seen: set[int] = set()
        for article in read_pubtator(corpus.path):
            if article.pmid not in barred and article.pmid not in seen:
                seen.add(article.pmid)
                texts.append(_Text(corpus, article, fold_of(article.pmid)))
    return texts


LearnedFolds = dict[tuple[str, str], npt.NDArray[np.int64]]


def learned_names(texts: Sequence[_Text], vocabulary: Vocabulary) -> LearnedFolds:
    """Names marked with one id that the vocabulary holds, and how often in each fold."""
    found: LearnedFolds = defaultdict(lambda: np.zeros(FOLDS, dtype=np.int64))
    for text in texts:
        if text.corpus.ship_names:
            for mention in text.article.mentions:
                if len(mention.ids) == 1 and vocabulary.resolve(mention.ids[0]) is not None:
                    name = " ".join(mention.text.split())
                    found[name, mention.ids[0]][text.fold] += 1
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, eq=False)
class _Examples:
    """Candidates of all training texts with what is known of them and whether they are right."""

    found: Candidates
    given: Features
    fold: npt.NDArray[np.int64]
    right: Bool
    usable: Bool
    """Whether a candidate is judged by its corpus and stands on names of other folds."""
    counted: Bool
    """Whether a candidate counts for how often its name occurs at all."""


_NAMED = np.uint32((1 << len(SCOPES)) - 1)
_JUDGED: Final = (("disease", "MEDIC"), ("chemical", "MESH"), ("gene", "HGNC"))
_KIND_OF: Final = {"disease": ("DISO",), "chemical": ("CHEM", "PROT"), "gene": ("GENE",)}


def _judged_types(found: Candidates, lexicon: Lexicon) -> npt.NDArray[np.int8]:
    """The place in `_JUDGED` of the type under which a corpus would mark a candidate, or -1."""
    sources = lexicon.concept_sources[found.concept]
    types = np.full(len(sources), -1, dtype=np.int8)
    for place, (type_, source) in reversed(list(enumerate(_JUDGED))):
        kinds = [KINDS.index(kind) for kind in _KIND_OF[type_]]
        has = (sources & np.uint32(source_bit(source))) > 0
        types[has & (np.isin(found.kind, kinds) | (type_ == "disease"))] = place
    return types


def _marks(
    texts: Sequence[_Text], vocabulary: Vocabulary
) -> list[list[tuple[int, int, frozenset[int]]]]:
    """Spans of all marked mentions, with the rows of the concepts that they mean."""

    def rows(curies: Sequence[str]) -> frozenset[int]:
        concepts = (vocabulary.resolve(curie) for curie in curies)
        return frozenset(vocabulary.row(concept) for concept in concepts if concept is not None)

    return [[(m.start, m.end, rows(m.ids)) for m in t.article.mentions] for t in texts]


def _labels(
    found: Candidates, marks: list[list[tuple[int, int, frozenset[int]]]]
) -> tuple[Bool, Bool]:
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


def _support(
    found: Candidates, learned: LearnedFolds, vocabulary: Vocabulary, fold: npt.NDArray[np.int64]
) -> Bool:
    """Whether a candidate's name was learned with its concept from other folds than its own."""
    counts: dict[tuple[int, int], npt.NDArray[np.int64]] = {}
    for (name, curie), by_fold in learned.items():
        concept = vocabulary.resolve(curie)
        for form in (name, *(form for form, _ in variants(name))):
            key = path_hash([text_hash(normal_form(token)) for token in TOKEN.findall(form)])
            if concept is not None:
                place = key, vocabulary.row(concept)
                counts[place] = counts.get(place, 0) + by_fold
    supported = np.zeros(len(fold), dtype=bool)
    for at in np.flatnonzero(found.flags & np.uint32(LEARNED)):
        by_fold = counts[int(found.key[at]), int(found.concept[at])]
        supported[at] = by_fold.sum() > by_fold[fold[at]]
    return supported


def _examples(
    texts: Sequence[_Text], learned: LearnedFolds, lexicon: Lexicon, vocabulary: Vocabulary
) -> _Examples:
    table = TokenTable()
    batch = tokenize([t.article.text for t in texts], table, GapKinds())
    spans = find_spans(batch, table, lexicon)
    found = expand(batch, spans, lexicon)
    fold = np.array([t.fold for t in texts])[found.document]
    supported = _support(found, learned, vocabulary, fold)
    # Without support from other folds a candidate must look as if its name had not been learned.
    bits = np.uint32(LEARNED), np.uint32(source_bit("LEARNED"))
    found.flags[~supported] &= ~bits[0]
    found.sources[~supported] &= ~bits[1]
    known = supported | ((found.flags & _NAMED) > 0)
    right, elsewhere = _labels(found, _marks(texts, vocabulary))
    types = _judged_types(found, lexicon)
    marked = np.zeros(len(found.span), dtype=bool)
    for place, (type_, _) in enumerate(_JUDGED):
        covered = np.array([type_ in t.corpus.marks for t in texts])
        marked |= (types == place) & covered[found.document]
    given = features(batch, table, spans, found, lexicon)
    return _Examples(found, given, fold, right, marked & known & ~elsewhere, known)


def _counts(
    keys: U64, examples: _Examples, use: Bool
) -> tuple[U64, npt.NDArray[np.int64], F64, F64]:
    """Distinct keys, each candidate's place among them, and right and wrong candidates by fold."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    cell, shape = inverse * FOLDS + examples.fold, (len(distinct), FOLDS)
    size = len(distinct) * FOLDS
    right = np.bincount(cell, weights=use & examples.right, minlength=size).reshape(shape)
    wrong = np.bincount(cell, weights=use & ~examples.right, minlength=size).reshape(shape)
    return distinct, inverse, right, wrong


def _evidence(examples: _Examples) -> tuple[Evidence, list[npt.NDArray[np.float32]]]:
    """Evidence of all folds together, and each candidate's columns from the folds not its own."""
    odds, counts, kept = [], [], []
    for family, keys in enumerate(examples.given.keys):
        use = examples.counted if KEYS[family] == "anywhere" else examples.usable
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


_PARAMETERS: Final = {
    "objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.1, "min_data_in_leaf": 40,
    "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0,
    "seed": 1, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip
_ROUNDS: Final = 150


def _fit(columns: Mapping[str, npt.NDArray[np.generic]], right: Bool, use: Bool) -> Trees:
    import lightgbm

    names = tuple(columns)
    matrix = np.column_stack([np.asarray(c, dtype=np.float64)[use] for c in columns.values()])
    data = lightgbm.Dataset(matrix, right[use].astype(int))
    booster = lightgbm.train(dict(_PARAMETERS), data, _ROUNDS)
    return masked_trees(
        names, [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    )


def _walk(
    node: Mapping[str, Any],
    first: int,
    tests: list[tuple[int, float, int, int]],
    leaves: list[float],
) -> int:
    """Number the leaves of a node from `first` on, from left to right; gives the next number."""
    if "split_feature" not in node:
        leaves.append(node["leaf_value"])
        return first + 1
    middle = _walk(node["left_child"], first, tests, leaves)
    tests.append((node["split_feature"], node["threshold"], first, middle))
    return _walk(node["right_child"], middle, tests, leaves)


def masked_trees(names: tuple[str, ...], structures: Sequence[Mapping[str, Any]]) -> Trees:
    """Trees as LightGBM dumps them, as masks. Features that no tree asks for are left out."""
    values = np.zeros((len(structures), LEAVES), dtype=np.float32)
    tests: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for tree, structure in enumerate(structures):
        found: list[tuple[int, float, int, int]] = []
        leaves: list[float] = []
        _walk(structure, 0, found, leaves)
        values[tree, : len(leaves)] = leaves
        for feature, threshold, low, high in found:
            # A value above the threshold leaves none of the leaves on the left.
            gone = (1 << high) - (1 << low)
            tests[feature].append((threshold, tree, gone))
    thresholds, starts, masks, used = [], [0], [], []
    for feature in sorted(tests):
        limits = sorted({threshold for threshold, _, _ in tests[feature]})
        rows = np.full((len(limits) + 1, len(structures)), (1 << LEAVES) - 1, dtype=np.uint16)
        for threshold, tree, gone in tests[feature]:
            rows[limits.index(threshold) + 1 :, tree] &= np.uint16(~gone & 0xFFFF)
        thresholds += limits
        starts.append(len(thresholds))
        masks.append(rows)
        used.append(names[feature])
    joined = np.concatenate(masks) if masks else np.zeros((0, len(structures)), dtype=np.uint16)
    return Trees(tuple(used), np.array(thresholds), np.array(starts), joined, values)


def _columns(
    examples: _Examples, evidence: list[npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.generic]]:
    return dict(zip(evidence_names(), evidence, strict=True)) | examples.given.columns


def dev_pmids(paths: Iterable[Path]) -> frozenset[int]:
    """PMIDs of the articles in files that must not be trained on."""
    return frozenset(article.pmid for path in paths for article in read_pubtator(path))


def _write_names(learned: LearnedFolds, path: Path) -> None:
    # No time in the header: the same names give the same bytes.
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        out.writelines(f"{name}\t{curie}\n".encode() for name, curie in learned)


def train(
    corpora: Sequence[Corpus], held_out: Sequence[Path], vocabulary: Vocabulary, out: Path
) -> dict[str, Any]:
    """Train weights and write them to the directory `out`; gives what the card states.

    Articles whose PMID stands in a file of `held_out` are taken out of every corpus. The same input
    gives the same weights.
    """
    texts = training_texts(corpora, dev_pmids(held_out))
    learned = learned_names(texts, vocabulary)
    lexicon = compile_lexicon(vocabulary, list(learned))
    examples = _examples(texts, learned, lexicon, vocabulary)
    evidence, columns = _evidence(examples)
    trees = _fit(_columns(examples, columns), examples.right, examples.usable)
    out.mkdir(parents=True, exist_ok=True)
    precision = Precision(evidence, trees, weights_digest(evidence, trees))
    precision.save(out / "precision.npz")
    _write_names(learned, out / "names.tsv.gz")
    return {}
