"""How surprising it is that two concepts are named together: computed on reading, never stored.

All follow from four counts of articles (retracted ones left out): those in which one sentence
names both concepts, those that mention the first, those that mention the second, and all. Any
edge between two concepts counts, whatever its predicate and polarity; an article counts once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kg_builder.store import GraphStore, check_as_of

if TYPE_CHECKING:
    from kg_builder.snapshot_reader import SnapshotReader

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]


class PairStatistics(NamedTuple):
    """Two concepts (the smaller id first), their four counts, and what follows from them.

    `q` is the false discovery rate at which the pair would be called associated, among all pairs
    of the snapshot or cut; `None` where only some pairs were looked at.
    """

    first_id: str
    second_id: str
    together: int
    first: int
    second: int
    articles: int
    npmi: float
    g2: float
    p: float
    q: float | None


def npmi(together: Array, first: Array, second: Array, articles: int) -> Floats:
    """Normalized pointwise mutual information, -1 (never together) to 1 (never apart).

    ln(p(x,y) / (p(x) p(y))) / -ln p(x,y), after Bouma, 'Normalized (pointwise) mutual information
    in collocation extraction', GSCL 2009; its limits are -1 where the pair has no article and 1
    where it is in all. Raises `ValueError` for counts that no articles can have.

    >>> npmi(np.array([0, 5, 10]), np.array([5, 5, 10]), np.array([5, 5, 10]), 10).tolist()
    [-1.0, 1.0, 1.0]
    """
    both, one, other = _checked(together, first, second, articles)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(both * articles / (one * other)) / -np.log(both / articles)
    value = np.where(both == 0, -1.0, np.where(both == articles, 1.0, value))
    return np.clip(value, -1.0, 1.0)


def log_likelihood_ratio(together: Array, first: Array, second: Array, articles: int) -> Floats:
    """G² of the two-by-two table of articles with and without each concept; 0 or more.

    2 Σ observed ln(observed / expected), after Dunning, 'Accurate methods for the statistics of
    surprise and coincidence', Computational Linguistics 19 (1993). It grows with surprise in
    both directions: NPMI tells whether the pair is more or less frequent than by chance.

    An article may mention both concepts, but in different sentences. So where both are in most
    articles, fewer than none can remain for the cell with neither: it is 0 then.
    """
    both, one, other = _checked(together, first, second, articles)
    neither = np.maximum(articles - one - other + both, 0.0)
    observed = np.stack((both, one - both, other - both, neither))
    total = np.maximum(observed.sum(axis=0), 1.0)
    without_one, without_other = total - one, total - other
    expected = (
        np.stack(
            (one * other, one * without_other, without_one * other, without_one * without_other)
        )
        / total
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(observed > 0, observed * np.log(observed / expected), 0.0)
    g2: Floats = np.maximum(2.0 * terms.sum(axis=0), 0.0)
    return g2


def p_values(g2: Array) -> Floats:
    """Probability of a G² as great or greater by chance: χ² with one degree of freedom."""
    return np.array([math.erfc(math.sqrt(value / 2.0)) for value in np.atleast_1d(g2)])


def false_discovery_rates(p: Array) -> Floats:
    """Adjusted p-values (q) of a family of tests, in the order given.

    Benjamini and Hochberg, 'Controlling the false discovery rate', J R Stat Soc B 57 (1995).

    >>> false_discovery_rates(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    size = len(p)
    order = np.argsort(p, kind="stable")
    raw = np.asarray(p, float)[order] * size / np.arange(1, size + 1)
    rates = np.empty(size)
    rates[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return rates


def _checked(
    together: Array, first: Array, second: Array, articles: int
) -> tuple[Floats, Floats, Floats]:
    both, one, other = (np.atleast_1d(np.asarray(c, float)) for c in (together, first, second))
    wrong = (both < 0) | (both > np.minimum(one, other)) | (np.maximum(one, other) > articles)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{both[at]:.0f} articles with both, {one[at]:.0f} and {other[at]:.0f} with each, "
            f"{articles} in all cannot be"
        )
    return both, one, other


def pair_statistics(
    store: GraphStore, pairs: Iterable[tuple[str, str]], *, as_of: date | None = None
) -> list[PairStatistics]:
    """Statistics of some pairs, from any store, in the order asked; `q` is `None`.

    Reads all edges at the first of each two concepts.
    """
    asked = [(min(pair), max(pair)) for pair in pairs]
    stats = store.stats(as_of=as_of)
    total = stats.articles - stats.retracted
    counted = []
    for one, other in asked:
        keys = [
            edge.key
            for edge in store.edges([one], as_of=as_of)
            if other in (edge.subject_id, edge.object_id)
        ]
        stated = store.publications(keys, as_of=as_of)
        pmids = {pmid for said in stated for pmids in said for pmid in pmids}
        first_count, second_count = store.article_counts([one, other], as_of=as_of)
        counted.append((len(pmids), first_count, second_count))
    together, first, second = np.array(counted, np.int64).reshape(-1, 3).T
    g2 = log_likelihood_ratio(together, first, second, total)
    found = zip(npmi(together, first, second, total), g2, p_values(g2), strict=True)
    return [
        PairStatistics(*pair, *counts, total, float(value), float(ratio), float(p), None)
        for pair, counts, (value, ratio, p) in zip(asked, counted, found, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """All pairs of a snapshot or cut that co-occur, as columns, sorted by their ids.

    `first_row` and `second_row` are rows of the concepts table.
    """

    ids: tuple[str, ...]
    first_row: Array
    second_row: Array
    together: Array
    first: Array
    second: Array
    articles: int
    npmi: Floats
    g2: Floats
    p: Floats
    q: Floats

    def __len__(self) -> int:
        return len(self.together)

    def at(self, row: int) -> PairStatistics:
        """One pair as a value."""
        return PairStatistics(
            self.ids[self.first_row[row]],
            self.ids[self.second_row[row]],
            int(self.together[row]),
            int(self.first[row]),
            int(self.second[row]),
            self.articles,
            float(self.npmi[row]),
            float(self.g2[row]),
            float(self.p[row]),
            float(self.q[row]),
        )

    def find(self, one: str, other: str) -> PairStatistics | None:
        """The statistics of a pair, or `None` where no sentence names both."""
        at = [int(np.searchsorted(self.ids, concept_id)) for concept_id in sorted((one, other))]
        if any(place == len(self.ids) for place in at):
            return None
        if [self.ids[place] for place in at] != sorted((one, other)):
            return None
        first, last = np.searchsorted(self.first_row, [at[0], at[0] + 1])
        row = int(first + np.searchsorted(self.second_row[first:last], at[1]))
        return self.at(row) if row < last and self.second_row[row] == at[1] else None


def pair_table(reader: SnapshotReader, *, as_of: date | None = None) -> PairTable:
    """Statistics of every pair of a snapshot or cut, with false discovery rates among them."""
    check_as_of(as_of)
    first_row, second_row, together = reader.pairs(as_of=as_of)
    ids = tuple(reader.concept_ids())
    counts = np.array(reader.article_counts(ids, as_of=as_of), np.int64)
    stats = reader.article_total(as_of=as_of)
    first, second = counts[first_row], counts[second_row]
    g2 = log_likelihood_ratio(together, first, second, stats)
    p = p_values(g2)
    return PairTable(
        ids=ids,
        first_row=first_row,
        second_row=second_row,
        together=together,
        first=first,
        second=second,
        articles=stats,
        npmi=npmi(together, first, second, stats),
        g2=g2,
        p=p,
        q=false_discovery_rates(p),
    )
