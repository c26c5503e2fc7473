"""How well findings were found: by span, concept and status, with intervals, by group of notes.

Marked and found findings of a note are paired one to one, the greatest overlap first. Levels:

- `exact span`: both ends equal;
- `span`: they overlap;
- `status`: they overlap and have the same status;
- `concept`: they overlap and have the same concept, or the marked one has none;
- `finding`: they overlap and have the same status and, where one is marked, the same concept;
- `kind`: they overlap and have the same kind.

Intervals are 95 % percentile bootstrap intervals over notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from extractor.schema import Finding, Identifier, Kind
from ontologies.agreement import Agreement

Fits = Callable[[Finding, Finding], bool]
DRAWS: Final = 1000


def _same_concept(marked: Finding, found: Finding) -> bool:
    return marked.concept is None or marked.concept == found.concept


LEVELS: Final[Mapping[str, Fits]] = {
    "exact span": lambda marked, found: (marked.start, marked.end) == (found.start, found.end),
    "span": lambda marked, found: True,
    "kind": lambda marked, found: marked.kind is found.kind,
    "status": lambda marked, found: marked.status is found.status,
    "concept": _same_concept,
    "finding": lambda m, f: m.status is f.status and _same_concept(m, f),
}
"""When two findings that overlap count as the same."""


@dataclass(frozen=True, slots=True)
class Score(Agreement):
    """The agreement over some notes, with the interval of its F1, `None` where not defined."""

    low: float | None = None
    high: float | None = None


Findings = Mapping[Identifier, Sequence[Finding]]


def score(
    marked: Findings,
    found: Findings,
    *,
    notes: Iterable[Identifier] | None = None,
    kind: Kind | None = None,
    seed: int = 1,
) -> dict[str, Score]:
    """Scores by level over `notes` (those of `marked` unless given), of one kind or of all.

    A note in which nothing is marked counts what was found in it as wrong.
    """
    chosen = sorted(marked if notes is None else notes, key=str)
    counts: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for note in chosen:
        ours = [f for f in marked.get(note, ()) if kind in (None, f.kind)]
        theirs = [f for f in found.get(note, ()) if kind in (None, f.kind)]
        for level, fits in LEVELS.items():
            counts[level].append((pairs(ours, theirs, fits), len(theirs), len(ours)))
    return {level: _score(np.array(rows).reshape(-1, 3), seed) for level, rows in counts.items()}


def pairs(marked: Sequence[Finding], found: Sequence[Finding], fits: Fits) -> int:
    """How many findings pair one to one, the greatest overlap first."""
    candidates = [
        (min(m.end, f.end) - max(m.start, f.start), i, j)
        for i, m in enumerate(marked)
        for j, f in enumerate(found)
        if m.start < f.end and f.start < m.end and fits(m, f)
    ]
    taken: set[int] = set()
    used: set[int] = set()
    for _, i, j in sorted(candidates, key=lambda c: (-c[0], c[1], c[2])):
        if i not in taken and j not in used:
            taken.add(i)
            used.add(j)
    return len(taken)


def _score(counts: npt.NDArray[np.int64], seed: int) -> Score:
    right, found, marked = (int(n) for n in counts.sum(axis=0))
    low = high = None
    if len(counts) > 1 and found + marked:
        drawn = np.random.default_rng(seed).integers(0, len(counts), (DRAWS, len(counts)))
        sums = counts[drawn].sum(axis=1)
        values = 2 * sums[:, 0] / np.maximum(sums[:, 1] + sums[:, 2], 1)
        low, high = (float(v) for v in np.quantile(values, (0.025, 0.975)))
    return Score(right, found, marked, low, high)
