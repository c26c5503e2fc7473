"""How well a linker finds the concepts that people marked in a PubTator file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ontologies.agreement import Agreement
from ontologies.linker import Linker, Mention
from ontologies.pubtator import MarkedArticle, entity_group, read_pubtator

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

PROTEIN_TREES: Final = ("D05", "D08", "D12", "D23")
"""MeSH branches of proteins and enzymes, which chemical corpora do not mark."""

_PREFIXES: Final = {"MEDIC": "disease", "NCBIGene": "gene", "NCBITaxon": "organism"}


@dataclass(slots=True)
class TypeScores:
    """Scores for one entity type.

    `span`: mentions at exactly the marked offsets; `span_id`: that also hold a marked id;
    `document`: distinct concepts of each article. `unknown_ids` of the `marked_ids` (each counted
    once an article) are in no concept of the vocabulary, and count as missed.
    """

    span: Agreement = field(default_factory=Agreement)
    span_id: Agreement = field(default_factory=Agreement)
    document: Agreement = field(default_factory=Agreement)
    marked_ids: int = 0
    unknown_ids: int = 0


@dataclass(frozen=True, slots=True)
class LinkingReport:
    """Scores by entity type (`disease`, `chemical`, `gene`, ...) over a number of articles."""

    articles: int
    types: dict[str, TypeScores]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the evaluation needs of a predicted concept.

    `protein` is whether it is a chemical only as protein or enzyme: a chemical corpus marks none.
    """

    xrefs: frozenset[str]
    types: frozenset[str]
    protein: bool


class _Concepts(dict[str, _Known]):
    """Predicted concepts by id, read from the vocabulary once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._vocabulary = vocabulary

    def __missing__(self, concept_id: str) -> _Known:
        xrefs = self._vocabulary[concept_id].xrefs
        types = {_PREFIXES[p] for p in {x.partition(":")[0] for x in xrefs} & _PREFIXES.keys()}
        trees = [t for t in self._vocabulary.mesh_trees(concept_id) if t.startswith("D")]
        if trees:
            types.add("chemical")
        protein = bool(trees) and all(t.startswith(PROTEIN_TREES) for t in trees)
        known = self[concept_id] = _Known(frozenset(xrefs), frozenset(types), protein)
        return known


def evaluate_linking(pubtator: str | Path, linker: Linker, vocabulary: Vocabulary) -> LinkingReport:
    """Link the articles of a PubTator file and compare with their marks, type by type.

    A predicted concept counts for a type by its cross-references: a disease holds an id of MEDIC, a
    chemical a MeSH heading of the D tree (or a supplementary record below one), a gene an NCBI
    Gene id, an organism an NCBI Taxonomy id. False chemicals that are only proteins or enzymes
    are left out. One predicted concept is one prediction an article and matches at most one
    marked id, which it must hold; of a mention marked with several ids, one is enough for
    `span_id`. Only types that the file marks are reported.
    """
    articles = list(read_pubtator(pubtator))
    concepts = _Concepts(vocabulary)
    scores: dict[str, TypeScores] = {
        type_: TypeScores()
        for type_ in sorted({entity_group(m.type) for a in articles for m in a.mentions})
    }
    linked = linker.link_many(article.text for article in articles)
    for article, mentions in zip(articles, linked, strict=True):
        for type_, score in scores.items():
            _count_spans(score, type_, article, mentions, concepts)
            _count_concepts(
                score, type_, _marked(article, type_), _predicted(mentions, type_, concepts)
            )
            unknown = (c for c in _marked(article, type_) if vocabulary.resolve(c) is None)
            score.unknown_ids += sum(1 for _ in unknown)
    return LinkingReport(len(articles), scores)


def _marked(article: MarkedArticle, type_: str) -> set[str]:
    return {c for m in article.mentions if entity_group(m.type) == type_ for c in m.ids}


def _predicted(mentions: Iterable[Mention], type_: str, concepts: _Concepts) -> list[_Known]:
    ids = dict.fromkeys(m.concept_id for m in mentions if m.concept_id is not None)
    return [concepts[i] for i in ids if type_ in concepts[i].types]


def _count_concepts(
    score: TypeScores, type_: str, marked: set[str], predicted: list[_Known]
) -> None:
    # An id is in one concept only, so concepts do not compete for a marked id.
    right = [concept for concept in predicted if concept.xrefs & marked]
    wrong = [concept for concept in predicted if not concept.xrefs & marked]
    spared = sum(1 for concept in wrong if type_ == "chemical" and concept.protein)
    score.document = score.document.with_more(len(right), len(predicted) - spared, len(marked))
    score.marked_ids += len(marked)


def _count_spans(
    score: TypeScores,
    type_: str,
    article: MarkedArticle,
    mentions: Iterable[Mention],
    concepts: _Concepts,
) -> None:
    marked: dict[tuple[int, int], set[str]] = defaultdict(set)
    for mark in article.mentions:
        if entity_group(mark.type) == type_:
            marked[mark.start, mark.end].update(mark.ids)
    right = right_id = predicted = 0
    for mention in mentions:
        if mention.concept_id is None or type_ not in concepts[mention.concept_id].types:
            continue
        known, span = concepts[mention.concept_id], (mention.start, mention.end)
        right += span in marked
        right_id += bool(known.xrefs & marked.get(span, set()))
        predicted += span in marked or not (type_ == "chemical" and known.protein)
    score.span = score.span.with_more(right, predicted, len(marked))
    score.span_id = score.span_id.with_more(right_id, predicted, len(marked))
