"""Training the lexicon linker's weights from PubTator corpora, and the card that goes with them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ontologies.boosting import fit
from ontologies.examples import (
    Columns,
    Examples,
    columns_of,
    evidence_of,
    examples_of,
    undescribed,
)
from ontologies.precision import GROUPS, Precision, Trees, of_kinds, weights_digest
from ontologies.training_texts import (
    Corpus,
    LearnedFolds,
    TrainingText,
    dev_pmids,
    learned_names,
    training_texts,
)

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

KNOWN_CORPORA: Final = {
    "bc5cdr": (True, ("disease", "chemical", "protein"), "public domain (US Government work)"),
    "ncbi-disease": (True, ("disease",), "public domain (US Government work)"),
    "biored": (
        False,
        ("disease", "protein", "gene"),
        "licence not stated: numbers only, no name and no text of it is kept",
    ),
}
"""Whether the names of a corpus may be shipped, the types learned from it, and its licence.

BioRED marks hormones and other messengers as genes, where BC5CDR marks them as chemicals: what is
a chemical is learned from BC5CDR alone, what is no chemical but a protein from both.
"""


class UnknownCorpusError(ValueError):
    """A training file of a corpus whose licence and entity types are not known here."""


@dataclass(frozen=True, slots=True)
class Card:
    """What weights were trained on, and what they are. `pmids` are those of each corpus."""

    digest: str
    vocabulary: str
    licences: dict[str, str]
    pmids: dict[str, list[int]]
    held_out: int
    names: int
    candidates: int
    right: int
    evidence: int
    trees: int
    features: list[str]


def corpus_of(path: Path) -> Corpus:
    """The corpus of a training file, known by the name of its folder (`bc5cdr`, ...)."""
    name = path.resolve().parent.name
    if name not in KNOWN_CORPORA:
        raise UnknownCorpusError(
            f"{path}: the folder {name!r} names no known corpus ({', '.join(KNOWN_CORPORA)}); "
            "put the file into a folder of its corpus's name"
        )
    ship_names, marks, _ = KNOWN_CORPORA[name]
    return Corpus(name, path, ship_names, frozenset(marks))


def train(
    corpora: Sequence[Path], held_out: Sequence[Path], vocabulary: Vocabulary, out: Path
) -> Card:
    """Train weights on PubTator files and write them, with their card, to the directory `out`.

    Whole articles whose PMID stands in a file of `held_out` are taken out of every corpus. The same
    input gives the same weights. Needs the extra `train` (LightGBM).
    """
    barred = dev_pmids(held_out)
    texts = training_texts([corpus_of(path) for path in corpora], barred)
    learned = learned_names(texts, vocabulary)
    examples = examples_of(texts, learned, vocabulary)
    evidence, columns = evidence_of(examples)
    known = columns_of(examples, columns)
    trees = tuple(_fit(examples, known, kinds) for kinds in GROUPS)
    precision = Precision(evidence, trees, weights_digest(evidence, trees))
    card = Card(
        digest=precision.digest,
        vocabulary=vocabulary.digest,
        licences={t.corpus.name: KNOWN_CORPORA[t.corpus.name][2] for t in texts},
        pmids=_pmids(texts),
        held_out=len(barred),
        names=len(learned),
        candidates=int(examples.usable.sum()),
        right=int((examples.right & examples.usable).sum()),
        evidence=len(evidence.odds) - 1,
        trees=sum(len(of_group.leaves) for of_group in trees),
        features=sorted({name for of_group in trees for name in of_group.names}),
    )
    _write(out, precision, learned, card)
    return card


def _fit(examples: Examples, known: Columns, kinds: Sequence[str]) -> Trees:
    """The trees of some kinds; those of all where nothing of theirs was marked."""
    of_group = examples.usable & of_kinds(examples.found.kind, kinds)
    use = of_group if of_group.any() else examples.usable
    return fit([known, undescribed(known)], examples.right, use)


def _pmids(texts: Sequence[TrainingText]) -> dict[str, list[int]]:
    names = dict.fromkeys(text.corpus.name for text in texts)
    return {n: sorted(t.article.pmid for t in texts if t.corpus.name == n) for n in names}


def _write(out: Path, precision: Precision, learned: LearnedFolds, card: Card) -> None:
    out.mkdir(parents=True, exist_ok=True)
    precision.save(out / "precision.npz")
    # No time in the header: the same names give the same bytes.
    lines = "".join(f"{name}\t{curie}\n" for name, curie in learned)
    (out / "names.tsv.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    text = json.dumps(asdict(card), indent=1)
    (out / "card.json").write_text(text + "\n", encoding="utf-8")
    (out / "CARD.md").write_text(_card_text(card), encoding="utf-8")


def _card_text(card: Card) -> str:
    corpora = "\n".join(
        f"| {name} | {len(pmids):,} | {card.licences[name]} |" for name, pmids in card.pmids.items()
    )
    return _CARD.format(corpora=corpora, features_count=len(card.features), **asdict(card))


_CARD: Final = """\
# Weights of the lexicon linker

Digest `{digest}`, trained over the vocabulary `{vocabulary}`.

## What they are for
They say how probable it is that a name, where it stands in a biomedical abstract, means a certain
disease, chemical or gene. Names of other kinds (anatomy, procedures, ...) are judged by rule.

## What is in them
- `names.tsv.gz`: {names:,} names with the id they were marked with, from corpora whose names may be
  shipped.
- `precision.npz`: log odds under {evidence:,} hashed keys, and {trees} boosted trees over
  {features_count} features, half of them for diseases and half for all else. Numbers only.

## What they were trained on
{candidates:,} candidates, {right:,} of them right, in these articles (`card.json` lists the PMIDs):

| corpus | articles | licence |
|---|---|---|
{corpora}

Whole articles that stand in a held-out file ({held_out:,} PMIDs) were taken out of every corpus.
Thresholds and settings were chosen by cross-validation over the training articles (five folds by
PMID). Candidates of an article were found with names that other folds taught, and weighed by
evidence from other folds, of which an article counts once under a key. Of every candidate the trees
also saw a copy without what public vocabularies say of its concept, so that small vocabularies are
judged as well. A stretch that people marked with an id that the vocabulary does not hold (MeSH has
retired the ids of many drugs since) counts neither as right nor as wrong.

## Where they are weak
Genes are judged from few articles; a symbol that several genes share goes to the one that it names
most often. Texts other than English abstracts, and clinical notes, were not trained on.
"""
