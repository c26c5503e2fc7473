"""What links two ids, and how good the evidence for it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from ontologies.gather import ALTERNATE, EXACT, GROUPED, Gathered, Link
from ontologies.namesakes import Namesakes

(
    ALTERNATES, CURATED, NAMESAKE, AGREEING, CONFIRMED, SINGLE, AMBIGUOUS_CUI, DOUBTED, FILED_UNDER,
    AMBIGUOUS, CONTRADICTED, STRANGE,
) = range(12)  # fmt: skip
"""Kinds of evidence, the best first; `ontologies.merge` says what each is."""

EVIDENCE: Final = (
    *("alternate", "curated", "same-name", "agreeing", "confirmed", "one-sided", "ambiguous"),
    *("doubted", "filed-under", "ambiguous", "contradicted", "strange"),
)


class Pair(NamedTuple):
    """Two nodes that some source links, with the best evidence for it."""

    evidence: int
    subject: int
    object: int
    sources: tuple[str, ...]


Ends = tuple[int, int]
Linked = dict[Ends, set[Link]]
Times = Counter[tuple[int, str, str]]


def pairs(gathered: Gathered, identities: Collection[str]) -> list[Pair]:
    """All linked pairs of nodes in the order in which they are followed.

    `identities` are the vocabularies of whose records the names are compared.
    """
    together, objects, subjects = _together(gathered)
    described = [pair for pair in together if _described(gathered, pair, identities)]
    namesakes = Namesakes(gathered, described)
    claimed = _claimed(described, together, namesakes)
    comparable = {pair for pair in described if namesakes.named(*pair)}
    found = []
    for pair, links in together.items():
        one = min(links, key=lambda k: (gathered.curies[k.subject], gathered.curies[k.object]))
        evidence = _evidence(gathered, links, objects, subjects)
        if pair in comparable:
            evidence = _weighed(evidence, namesakes, pair, links, claimed)
        sources = tuple(sorted({link.source for link in links}))
        found.append(Pair(evidence, one.subject, one.object, sources))
    return sorted(found, key=lambda pair: _order(gathered, pair))


def _together(gathered: Gathered) -> tuple[Linked, Times, Times]:
    """Links by pair, and how many of a vocabulary's ids a source gives for one id, each way."""
    together: Linked = defaultdict(set)
    objects: Times = Counter()
    subjects: Times = Counter()
    for link in gathered.links:
        first, second = sorted((link.subject, link.object), key=gathered.curies.__getitem__)
        together[first, second].add(link)
        if link.kind != GROUPED:
            objects[link.subject, gathered.prefix(link.object), link.source] += 1
            subjects[link.object, gathered.prefix(link.subject), link.source] += 1
    return together, objects, subjects


def _described(gathered: Gathered, pair: Ends, identities: Collection[str]) -> bool:
    return all(n in gathered.names and gathered.prefix(n) in identities for n in pair)


def _claimed(
    described: Iterable[Ends], together: Linked, namesakes: Namesakes
) -> dict[int, set[int]]:
    """The nodes that claim a node for themselves and have a name in common with it."""
    claimed: dict[int, set[int]] = defaultdict(set)
    for pair in described:
        if namesakes.agree(*pair):
            for link in together[pair]:
                claimed[link.object].add(link.subject)
    return claimed


def _weighed(
    evidence: int,
    namesakes: Namesakes,
    pair: Ends,
    links: Iterable[Link],
    claimed: dict[int, set[int]],
) -> int:
    """Evidence for a pair of records, in the light of their names."""
    if evidence == ALTERNATES:
        return evidence
    if namesakes.agree(*pair):
        return min(evidence, NAMESAKE if namesakes.alike(*pair) else AGREEING)
    if namesakes.elsewhere(*pair):
        return DOUBTED if evidence == CURATED else CONTRADICTED
    if evidence != CURATED and namesakes.strangers(*pair):
        return max(evidence, STRANGE)
    better = any(claimed.get(link.object) for link in links)
    return max(evidence, DOUBTED) if better else evidence


def _order(gathered: Gathered, pair: Pair) -> tuple[int, bool, str, str]:
    """Best evidence first; two records before an id that no source tells anything of."""
    bare = pair.subject not in gathered.names or pair.object not in gathered.names
    return pair.evidence, bare, gathered.curies[pair.subject], gathered.curies[pair.object]


def _evidence(
    gathered: Gathered,
    links: set[Link],
    objects: Times,
    subjects: Times,
) -> int:
    links = {link for link in links if link.kind != GROUPED}
    if not links:
        return FILED_UNDER
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
