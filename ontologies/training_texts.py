"""What the lexicon linker is trained on: articles, kept apart from all that measures it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ontologies.hashing import text_hash
from ontologies.pubtator import MarkedArticle, read_pubtator

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Corpus:
    """A training corpus: its file, whether its names may be shipped, and the types it marks."""

    name: str
    path: Path
    ship_names: bool
    marks: frozenset[str]


@dataclass(frozen=True, slots=True)
class TrainingText:
    corpus: Corpus
    article: MarkedArticle
    fold: int


def fold_of(pmid: int) -> int:
    """The fold of an article: the same in every corpus that holds it."""
    return text_hash(str(pmid)) % FOLDS


def training_texts(corpora: Sequence[Corpus], held_out: Iterable[int]) -> list[TrainingText]:
    """The articles to train on: none that is held out, each once a corpus, all with their folds."""
    barred = frozenset(held_out)
    texts = []
    for corpus in corpora:
        seen: set[int] = set()
        for article in read_pubtator(corpus.path):
            if article.pmid not in barred and article.pmid not in seen:
                seen.add(article.pmid)
                texts.append(TrainingText(corpus, article, fold_of(article.pmid)))
    return texts


LearnedFolds = dict[tuple[str, str], npt.NDArray[np.int64]]


def learned_names(texts: Sequence[TrainingText], vocabulary: Vocabulary) -> LearnedFolds:
    """Names marked with one id that the vocabulary holds, and how often in each fold."""
    found: LearnedFolds = defaultdict(lambda: np.zeros(FOLDS, dtype=np.int64))
    for text in texts:
        if text.corpus.ship_names:
            for mention in text.article.mentions:
                if len(mention.ids) == 1 and vocabulary.resolve(mention.ids[0]) is not None:
                    name = " ".join(mention.text.split())
                    found[name, mention.ids[0]][text.fold] += 1
    return dict(sorted(found.items()))


def taught_elsewhere(learned: LearnedFolds, fold: int) -> list[tuple[str, str]]:
    """The names that other folds than this one taught."""
    return [pair for pair, counts in learned.items() if counts.sum() > counts[fold]]


def dev_pmids(paths: Iterable[Path]) -> frozenset[int]:
    """PMIDs of the articles in files that must not be trained on."""
    return frozenset(article.pmid for path in paths for article in read_pubtator(path))
