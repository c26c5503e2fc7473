"""Who has which concepts: documented pairs, and as many of the same concepts in pairs of nothing.

A patient has some places for two concepts. In a documented place they are the two ends of one
pair. The second ends of all other places are dealt out among those places, so that each concept
is as frequent in documented places as in the others: alone it tells nothing, only together do two.
No two concepts of a patient are connected in the corpus but by a documented place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from predictor.synthetic.knowledge import Pair, connected, pairs

PLACES: Final = 3
DOCUMENTED: Final = 0.3
"""The share of places that hold a documented pair."""
REFUTED: Final = 0.08
"""The share of patients who besides have a pair that was refuted."""
_TRIES: Final = 400


@dataclass(frozen=True, slots=True, eq=False)
class Dealt:
    """Concepts of patients: `first` and `second` are indices into `concepts`, one a place.

    `documented` tells which places hold a documented pair; `refuted` holds the index of the
    patient's refuted pair in `refuted_pairs`, or -1.
    """

    concepts: tuple[str, ...]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    documented: npt.NDArray[np.bool_]
    refuted: npt.NDArray[np.int64]
    refuted_pairs: tuple[Pair, ...]

    def of(self, patient: int) -> list[str]:
        """All concepts of a patient, without repetition, in order of the places."""
        held = [self.concepts[i] for pair in zip(self.first[patient], self.second[patient],
                strict=True) for i in pair]  # fmt: skip
        if self.refuted[patient] >= 0:
            pair = self.refuted_pairs[self.refuted[patient]]
            held += [pair.first, pair.second]
        return list(dict.fromkeys(held))


def usable_pairs(before: int, excluded: frozenset[str]) -> tuple[Pair, ...]:
    """Documented pairs published before a year, none of whose ends is excluded."""
    return tuple(
        pair for pair in pairs()
        if not pair.refuted and pair.year < before and not pair.ends & excluded
    )  # fmt: skip


def deal(
    count: int, before: int, excluded: frozenset[str], rng: np.random.Generator
) -> Dealt:  # fmt: skip
    """Deal concepts to `count` patients from pairs published before the year."""
    usable = usable_pairs(before, excluded)
    concepts = tuple(sorted({end for pair in usable for end in pair.ends}))
    index = {concept: number for number, concept in enumerate(concepts)}
    links = _links(concepts)
    ends = np.array([[index[p.first], index[p.second]] for p in usable])
    bundles = _bundles(ends, links)
    chosen = bundles[rng.integers(len(bundles), size=count)]
    for row in chosen:
        rng.shuffle(row)
    first, second = ends[chosen, 0], ends[chosen, 1]
    documented = rng.random((count, PLACES)) < DOCUMENTED
    second = _dealt_out(first, second, documented, links, rng)
    refuted_pairs = tuple(
        pair for pair in pairs() if pair.refuted and pair.year < before and not pair.ends & excluded
    )
    refuted = _refuted(first, second, concepts, refuted_pairs, rng)
    return Dealt(concepts, first, second, documented, refuted, refuted_pairs)


def _links(concepts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which concepts the corpus connects; a concept counts as connected with itself."""
    made = np.eye(len(concepts), dtype=bool)
    for row, one in enumerate(concepts):
        for column, other in enumerate(concepts):
            made[row, column] |= connected(one, other)
    return made


def _bundles(
    ends: npt.NDArray[np.int64], links: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:  # fmt: skip
    """All sets of pairs that are connected by themselves alone."""
    count = len(ends)
    apart = ~links[ends[:, 0][:, None, None], ends[None, :, :]].any(2)
    apart &= ~links[ends[:, 1][:, None, None], ends[None, :, :]].any(2)
    found = [
        (a, b, c)
        for a in range(count)
        for b in range(a + 1, count)
        if apart[a, b]
        for c in range(b + 1, count)
        if apart[a, c] and apart[b, c]
    ]
    return np.array(found)


def _dealt_out(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64],
    documented: npt.NDArray[np.bool_], links: npt.NDArray[np.bool_], rng: np.random.Generator,
) -> npt.NDArray[np.int64]:  # fmt: skip
    """Exchange second ends among the places that are not documented until nothing connects.

    Only exchanges are made, so that the second ends of these places stay the same collection.
    A place that finds no partner keeps an end that connects; `Unmatched` counts none in practice.
    """
    second = second.copy()
    rows, places = np.nonzero(~documented)
    order = rng.permutation(len(rows))
    second[rows, places] = second[rows[order], places[order]]
    for _ in range(_TRIES):
        wrong = np.flatnonzero(_wrong(first, second, documented, links)[rows, places])
        if not len(wrong):
            return second
        partner = rng.integers(len(rows), size=len(wrong))
        for one, other in zip(wrong, partner, strict=True):
            a, b = (rows[one], places[one]), (rows[other], places[other])
            second[a], second[b] = second[b], second[a]
            if _clash(first, second, documented, links, *a) or _clash(
                first, second, documented, links, *b
            ):
                second[a], second[b] = second[b], second[a]
    raise ValueError("concepts could not be dealt out without connecting some by chance")


def _wrong(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64],
    documented: npt.NDArray[np.bool_], links: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Places whose second end is connected with another concept of the patient."""
    wrong = np.zeros(first.shape, dtype=bool)
    for place in range(PLACES):
        for other in range(PLACES):
            linked = links[second[:, place], first[:, other]]
            wrong[:, place] |= linked & ~(documented[:, place] & (place == other))
            if other != place:
                wrong[:, place] |= links[second[:, place], second[:, other]]
    return wrong & ~documented


def _clash(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64],
    documented: npt.NDArray[np.bool_], links: npt.NDArray[np.bool_], row: int, place: int,
) -> bool:  # fmt: skip
    end = second[row, place]
    others = [*first[row], *(second[row, p] for p in range(PLACES) if p != place)]
    return bool(links[end, others].any())


def _refuted(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], concepts: Sequence[str],
    refuted_pairs: Sequence[Pair], rng: np.random.Generator,
) -> npt.NDArray[np.int64]:  # fmt: skip
    """A refuted pair for some, where it connects with nothing else that the patient has."""
    made = np.full(len(first), -1)
    if not refuted_pairs:
        return made
    touching = np.array(
        [[any(end == c or connected(end, c) for end in pair.ends) for c in concepts]
         for pair in refuted_pairs]
    )  # fmt: skip
    wanted = np.flatnonzero(rng.random(len(first)) < REFUTED)
    choice = rng.integers(len(refuted_pairs), size=len(wanted))
    for row, pair in zip(wanted, choice, strict=True):
        if not touching[pair, np.concatenate([first[row], second[row]])].any():
            made[row] = pair
    return made
