"""How well stated relations are found: chemical-induced diseases of articles read from raw text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kg_builder.model import SUPPORTS, Article, Evidence, Section
from kg_builder.relations import RelationExtractor
from kg_builder.sentences import sentence_spans
from ontologies.agreement import Agreement
from ontologies.concept import Vocabulary
from ontologies.linker import Linker, Mention
from ontologies.pubtator import MarkedArticle, PubtatorError, entity_group, read_pubtator
from ontologies.semantic_types import groups_of

Pair = tuple[str, str]
"""A chemical and a disease, by concept id or by CURIE of MeSH."""

_INDUCES = "CID"
_MESH = "MESH:"


@dataclass(frozen=True, slots=True)
class RelationReport:
    """Chemical-induced diseases of a PubTator file: what is stated, and what merely co-occurs.

    `stated` counts the pairs that some supporting evidence, hedged or not, states as `CAUSES`;
    `co_occurrence` those that any sentence names together. A pair of an article counts once,
    however often it is stated. `unmapped` stated pairs have an end
    without MeSH id; they cannot match and are not among the predicted.
    """

    articles: int
    stated: Agreement
    co_occurrence: Agreement
    unmapped: int


def evaluate_relations(
    path: str | Path, linker: Linker, vocabulary: Vocabulary, extractor: RelationExtractor
) -> RelationReport:
    """Link and relate the raw text of a PubTator file, and compare with its `CID` lines.

    A concept stands for the MeSH ids among its cross-references. A predicted pair is a chemical
    and a disease by semantic group, each with a MeSH id; it matches at most one marked pair of
    its article. Raises `PubtatorError` for a file without `CID` lines.
    """
    marked = list(read_pubtator(path))
    linked = linker.link_many(article.text for article in marked)

    def kind(concept_id: str) -> frozenset[str]:
        return groups_of(vocabulary[concept_id].semantic_types)

    def mesh_ids(concept_id: str) -> frozenset[str]:
        return frozenset(x for x in vocabulary[concept_id].xrefs if x.startswith(_MESH))

    return _evaluate(path, marked, linked, extractor, kind, mesh_ids)


def evaluate_marked_mentions(path: str | Path) -> RelationReport:
    """The same with the file's own mentions: what the patterns reach if linking made no error.

    A mention that is marked with several ids stands for all of them.
    """
    marked = list(read_pubtator(path))
    groups: dict[str, frozenset[str]] = {}
    mentions = []
    for article in marked:
        own: list[Mention] = []
        for start, end, text, type_, ids in article.mentions:
            if ids and (not own or own[-1].end <= start):
                concept_id = "|".join(ids)
                groups[concept_id] = frozenset({_GROUPS[entity_group(type_)]})
                own.append(Mention(start, end, text, concept_id, 1.0))
        mentions.append(own)
    extractor = RelationExtractor(groups.__getitem__)
    return _evaluate(path, marked, mentions, extractor, groups.__getitem__, _own_ids)


_GROUPS = {"chemical": "CHEM", "disease": "DISO", "gene": "GENE"}


def _own_ids(concept_id: str) -> frozenset[str]:
    return frozenset(concept_id.split("|"))


def _evaluate(
    path: str | Path,
    marked: Sequence[MarkedArticle],
    linked: Iterable[Sequence[Mention]],
    extractor: RelationExtractor,
    kind: Callable[[str], frozenset[str]],
    mesh_ids: Callable[[str], frozenset[str]],
) -> RelationReport:
    induced = read_induced(path)
    counts = {"stated": [0, 0], "named": [0, 0]}
    unmapped = 0
    for source, mentions in zip(marked, linked, strict=True):
        article = as_article(source)
        evidence = extractor.relate(article, sentence_spans(article), mentions)
        gold = induced.get(source.pmid, frozenset())
        stating = [e for e in evidence if e.predicate == "CAUSES" and e.polarity == SUPPORTS]
        for name, chosen in (("stated", stating), ("named", evidence)):
            pairs = chemical_disease_pairs(chosen, kind)
            mapped = [ids for a, b in pairs if all(ids := (mesh_ids(a), mesh_ids(b)))]
            counts[name][0] += len(mapped)
            counts[name][1] += count_matches(mapped, gold)
            unmapped += (len(pairs) - len(mapped)) * (name == "stated")
    total = sum(len(induced.get(source.pmid, ())) for source in marked)
    stated, named = (Agreement(hit, found, total) for found, hit in counts.values())
    return RelationReport(len(marked), stated, named, unmapped)


def as_article(marked: MarkedArticle) -> Article:
    """The marked article as one of PubMed, its offsets kept; the date is unknown."""
    sections = (Section("", marked.abstract),)
    return Article(marked.pmid, 1, marked.title, sections, None)


def chemical_disease_pairs(
    evidence: Iterable[Evidence], kind: Callable[[str], frozenset[str]]
) -> list[Pair]:
    """The pairs of a chemical and a disease that the evidence joins, each once, sorted."""
    pairs = set()
    for item in evidence:
        ends = item.subject_id, item.object_id
        for one, other in (ends, ends[::-1]):
            if "CHEM" in kind(one) and "DISO" in kind(other):
                pairs.add((one, other))
                break
    return sorted(pairs)


def count_matches(
    predicted: Iterable[tuple[frozenset[str], frozenset[str]]], marked: frozenset[Pair]
) -> int:
    """How many marked pairs are predicted, where a prediction matches at most one of them."""
    left = set(marked)
    for chemicals, diseases in predicted:
        hits = sorted(pair for pair in left if pair[0] in chemicals and pair[1] in diseases)
        left.difference_update(hits[:1])
    return len(marked) - len(left)


def read_induced(path: str | Path) -> dict[int, frozenset[Pair]]:
    """The `CID` lines of a PubTator file: PMID -> (chemical, disease) as CURIEs of MeSH."""
    found: dict[int, set[Pair]] = defaultdict(set)
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) == 4 and fields[1] == _INDUCES:
                found[int(fields[0])].add((_MESH + fields[2], _MESH + fields[3]))
    if not found:
        raise PubtatorError(
            f"{path}: no lines PMID, {_INDUCES}, chemical, disease between tabs; give a file "
            "of the BC5CDR corpus"
        )
    return {pmid: frozenset(pairs) for pmid, pairs in found.items()}
