"""What links two ids, and how good the evidence for it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final, NamedTuple

from ontologies.gather import ALTERNATE, EXACT, Gathered, Link

ALTERNATES, CURATED, CONFIRMED, SINGLE, AMBIGUOUS_CUI, AMBIGUOUS = range(6)
"""Kinds of evidence, the best first; `ontologies.merge` says what each is."""

EVIDENCE: Final = ("alternate", "curated", "confirmed", "one-sided", "ambiguous", "ambiguous")


class Pair(NamedTuple):
    """Two nodes that some source links, with the best evidence for it."""

    evidence: int
    subject: int
    object: int
    sources: tuple[str, ...]


def pairs(gathered: Gathered) -> list[Pair]:
    """All linked pairs of nodes in the order in which they are followed."""
    together: dict[tuple[int, int], set[Link]] = defaultdict(set)
    objects: Counter[tuple[int, str, str]] = Counter()
    subjects: Counter[tuple[int, str, str]] = Counter()
    for link in gathered.links:
        first, second = sorted((link.subject, link.object), key=gathered.curies.__getitem__)
        together[first, second].add(link)
        objects[link.subject, gathered.prefix(link.object), link.source] += 1
        subjects[link.object, gathered.prefix(link.subject), link.source] += 1
    found = []
    for links in together.values():
        one = min(links, key=lambda k: (gathered.curies[k.subject], gathered.curies[k.object]))
        evidence = _evidence(gathered, links, objects, subjects)
        sources = tuple(sorted({link.source for link in links}))
        found.append(Pair(evidence, one.subject, one.object, sources))
    return sorted(found, key=lambda pair: _order(gathered, pair))


def _order(gathered: Gathered, pair: Pair) -> tuple[int, bool, str, str]:
    """Best evidence first; two records before an id that no source tells anything of."""
    bare = pair.subject not in gathered.names or pair.object not in gathered.names
    return pair.evidence, bare, gathered.curies[pair.subject], gathered.curies[pair.object]


def _evidence(
    gathered: Gathered,
    links: set[Link],
    objects: Counter[tuple[int, str, str]],
    subjects: Counter[tuple[int, str, str]],
) -> int:
    kinds = {link.kind for link in links}
    if ALTERNATE in kinds:
        return ALTERNATES
    if EXACT in kinds:
        return CURATED
    if len({link.source for link in links}) > 1 or len({link.subject for link in links}) > 1:
        return CONFIRMED
    link = next(iter(links))
    forward = objects[link.subject, gathered.prefix(link.object), link.source]
    backward = subjects[link.object, gathered.prefix(link.subject), link.source]
    if forward == 1 and backward == 1:
        return SINGLE
    to_cui = "UMLS" in (gathered.prefix(link.subject), gathered.prefix(link.object))
    return AMBIGUOUS_CUI if to_cui else AMBIGUOUS


class Conflict(NamedTuple):
    """A link that was not followed: what a source said, and what stood against it."""

    subject: str
    object: str
    source: str
    evidence: str
    reason: str


def conflict(gathered: Gathered, pair: Pair, reason: str) -> Conflict:
    """The conflict of a pair, with CURIEs for nodes."""
    return Conflict(
        gathered.curies[pair.subject],
        gathered.curies[pair.object],
        ",".join(pair.sources),
        EVIDENCE[pair.evidence],
        reason,
    )
