"""Codes that many concepts may claim: which concept gets each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator

from ontologies.clusters import Clusters
from ontologies.evidence import CONFIRMED, Conflict, Pair, conflict
from ontologies.gather import Gathered

_UNSAID = (", unspecified", " unspecified", " nos", ", not otherwise specified")


def give_codes(
    gathered: Gathered, clusters: Clusters, ordered: Iterable[Pair], identities: Collection[str]
) -> Iterator[Conflict]:
    """Give each claimed code to one concept, or to none; yield the claims that were refused."""
    claims: dict[int, list[tuple[int, Pair]]] = defaultdict(list)
    for pair in ordered:
        ends = [gathered.prefix(end) in identities for end in (pair.subject, pair.object)]
        if ends == [True, False]:
            claims[pair.object].append((pair.subject, pair))
        elif ends == [False, True]:
            claims[pair.subject].append((pair.object, pair))
    above = Ancestors(gathered, clusters)
    winners = {}
    for code in sorted(claims, key=gathered.curies.__getitem__):
        winner = _winner(gathered, clusters, above, code, claims[code])
        winners[code] = winner
        for claimant, pair in claims[code]:
            if winner is None or not clusters.same(claimant, winner):
                yield conflict(gathered, pair, _reason(gathered, winner))
    for code, winner in winners.items():
        if winner is not None:
            clusters.join(winner, code)


def _reason(gathered: Gathered, winner: int | None) -> str:
    if winner is None:
        return "claimed alike by several concepts"
    return f"a better claim gives it to the concept of {gathered.curies[winner]}"


def _winner(
    gathered: Gathered,
    clusters: Clusters,
    above: Ancestors,
    code: int,
    claims: list[tuple[int, Pair]],
) -> int | None:
    """A node of the concept that gets the code, or `None`."""
    level = min(min(pair.evidence, CONFIRMED + 1) for _, pair in claims)
    best = {
        clusters.root(claimant): claimant
        for claimant, pair in claims
        if min(pair.evidence, CONFIRMED + 1) == level
    }
    if len(best) == 1:
        return next(iter(best.values()))
    wanted = _code_names(gathered, code)
    named = [root for root in best if wanted & _names(gathered, clusters, root)]
    if len(named) == 1:
        return best[named[0]]
    top = [root for root in best if all(above.has(other, root) for other in best.keys() - {root})]
    return best[top[0]] if len(top) == 1 else None


def _code_names(gathered: Gathered, code: int) -> set[str]:
    """Names of a code's record, also without the words that say that no more is known."""
    names = {text.casefold() for text, _, _ in gathered.names.get(code, ())}
    return names | {name.removesuffix(end) for name in names for end in _UNSAID}


def _names(gathered: Gathered, clusters: Clusters, root: int) -> set[str]:
    members = clusters.members(root)
    return {text.casefold() for m in members for text, _, _ in gathered.names.get(m, ())}


class Ancestors:
    """Which cluster stands above which, by the parents of all of their ids."""

    def __init__(self, gathered: Gathered, clusters: Clusters) -> None:
        self._gathered = gathered
        self._clusters = clusters
        self._known: dict[int, set[int]] = {}

    def has(self, root: int, ancestor: int) -> bool:
        """Whether the second cluster is above the first; cycles are tolerated."""
        if root not in self._known:
            self._known[root] = self._above(root)
        return ancestor in self._known[root]

    def _above(self, root: int) -> set[int]:
        found: set[int] = set()
        pending = [root]
        while pending:
            for member in self._clusters.members(pending.pop()):
                parents = self._gathered.parents.get(member, ())
                new = {self._clusters.root(parent) for parent in parents} - found
                found |= new
                pending += new
        return found - {root}


def equate_codes(
    gathered: Gathered, clusters: Clusters, ordered: Iterable[Pair], identities: Collection[str]
) -> Iterator[Conflict]:
    """Join codes that are stated to be equal one to one, unless two concepts already have them."""
    equal = [
        pair
        for pair in ordered
        if gathered.prefix(pair.subject) not in identities
        and gathered.prefix(pair.object) not in identities
    ]
    times = Counter(end for pair in equal for end in (pair.subject, pair.object))
    for pair in equal:
        if clusters.same(pair.subject, pair.object):
            continue
        if times[pair.subject] > 1 or times[pair.object] > 1:
            yield conflict(gathered, pair, "one of several codes that are stated to be equal")
        elif all(_owned(gathered, clusters, n, identities) for n in (pair.subject, pair.object)):
            yield conflict(gathered, pair, "two concepts already have the codes")
        else:
            clusters.join(pair.subject, pair.object)


def _owned(gathered: Gathered, clusters: Clusters, code: int, identities: Collection[str]) -> bool:
    return any(gathered.prefix(member) in identities for member in clusters.members(code))
