"""How far an edge can be believed: a function of the evidence left, never stored.

The form is that of INDRA's SimpleScorer (Gyori et al., 'From word models to executable models of
signaling networks using automated assembly', Mol Syst Biol 13:954, 2017). An extractor errs at
random, each article anew, and by system, in the same way in every article. So the chance that all
n articles in which extractor x found an assertion are wrong is

    wrong(x) = s + (1 - s) Π (1 - r_i)    over its articles i,

where s is the systematic error and r_i the reliability of article i: the score of its best
sentence (the extractor's own estimate that such a sentence is read rightly), halved where that
sentence is hedged. Extractors err apart from each other, hence

    supported = 1 - Π wrong(x)    over the extractors that found support,

and `refuted` is the same over the articles that refute. As in INDRA, an assertion holds where the
support is right and the refutation is not: belief = supported × (1 - refuted). INDRA adds the two
errors, with 0.3 for every reading; here the random part is scaled by 1 - s, so that low scores
leave a probability, and it comes from each score. Sentences of one article are no independent
witnesses: its best one counts. Retracted articles count nowhere, later ones not before their day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from kg_builder.model import REFUTES, SUPPORTS, CitedEvidence, EdgeKey
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.store import GraphStore

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

SYSTEMATIC_ERROR = 0.05
"""INDRA's prior for every reader: the share of assertions that it misreads in all articles."""
HEDGED_SHARE = 0.5
"""A hedged statement counts half of a plain one of the same score: a convention, not a fit."""
SCORE_UNIT = 10_000

Readings = Mapping[str, Iterable[float]]
"""By extractor, the reliability (0 to 1) of each article in which it found the assertion."""


def reliability(score: int, hedged: bool) -> float:
    """The chance that a sentence of this score (in 1/10,000) states what was read.

    >>> reliability(8000, False), reliability(8000, True)
    (0.8, 0.4)
    """
    return score / SCORE_UNIT * (HEDGED_SHARE if hedged else 1.0)


def belief(supporting: Readings, refuting: Readings) -> float:
    """The belief of an edge, 0 to 1; 0 without support. Raises `ValueError` for a reliability
    that is no probability.

    >>> round(belief({"patterns": [0.8]}, {}), 3), round(belief({"patterns": [0.8] * 9}, {}), 3)
    (0.76, 0.95)
    >>> belief({}, {"patterns": [0.8]})
    0.0
    """
    return _chance(supporting) * (1.0 - _chance(refuting))


def _chance(readings: Readings) -> float:
    """The chance that at least one extractor read rightly; 0 where none read anything."""
    wrong = 1.0
    for extractor, found in readings.items():
        chances = list(found)
        for chance in chances:
            if not 0.0 <= chance <= 1.0:
                raise ValueError(f"{extractor}: reliability {chance} is not between 0 and 1")
        if chances:
            missed = prod(1.0 - chance for chance in chances)
            wrong *= SYSTEMATIC_ERROR + (1.0 - SYSTEMATIC_ERROR) * missed
    return 1.0 - wrong


def extractor_name(signed: str) -> str:
    """The extractor without its version: versions of one share its systematic errors.

    >>> extractor_name("patterns/1"), extractor_name("patterns 2")
    ('patterns', 'patterns')
    """
    return signed.replace("/", " ").rsplit(" ", 1)[0]


def belief_of_evidence(evidence: Iterable[CitedEvidence]) -> float:
    """The belief that sentences of one edge give, those of retracted articles left out."""
    best: dict[tuple[str, str, int], float] = {}
    for cited in evidence:
        found = cited.evidence
        if not cited.retracted:
            key = (found.polarity, extractor_name(found.extractor), found.pmid)
            best[key] = max(best.get(key, 0.0), reliability(found.score, found.hedged))
    readings: dict[str, dict[str, list[float]]] = {SUPPORTS: {}, REFUTES: {}}
    for (polarity, extractor, _), chance in sorted(best.items()):
        readings[polarity].setdefault(extractor, []).append(chance)
    return belief(readings[SUPPORTS], readings[REFUTES])


def edge_beliefs(
    store: GraphStore, edges: Sequence[EdgeKey], *, as_of: date | None = None
) -> list[float]:
    """The belief of each edge in any store, in the order asked; 0 for an unknown edge.

    From tables where the store has them; of any other store all sentences are read.
    """
    if not isinstance(store, SnapshotReader):
        return [belief_of_evidence(store.evidence(edge, as_of=as_of)) for edge in edges]
    rows = [store.edge_row(edge) for edge in edges]
    known = np.array([row for row in rows if row is not None], np.int64)
    found = iter(beliefs(store, known, as_of=as_of).tolist())
    return [0.0 if row is None else next(found) for row in rows]


def beliefs(reader: SnapshotReader, edge_rows: Array, *, as_of: date | None = None) -> Floats:
    """The belief of edges given as rows of the edges table, in their order; repeats allowed.

    Equal to `belief_of_evidence` of each edge's sentences. Takes some 80 bytes of memory for
    each of their sentences.
    """
    at, owner, article = reader.evidence_left(edge_rows, as_of)
    extractors = reader.tables.array("evidence", "extractor")
    reader_of, names = _extractors(extractors, at)
    hedged = reader.tables.bits("evidence", "hedged")[at]
    score = reader.tables.column("evidence", "score")[at] / SCORE_UNIT
    chance = np.where(hedged, HEDGED_SHARE * score, score)
    refutes = reader.tables.bits("evidence", "refutes")[at]
    size = len(edge_rows)
    sides = []
    for chosen in (~refutes, refutes):
        group = owner[chosen] * np.int64(names) + reader_of[chosen]
        sides.append(_chances(group, article[chosen], chance[chosen], size, names))
    supported, refuted = sides
    result: Floats = supported * (1.0 - refuted)
    return result


def _extractors(signed: Any, at: Array) -> tuple[Array, int]:
    """The extractor of each row, numbered without regard to versions, and how many there are."""
    names = [extractor_name(name) for name in signed.dictionary.to_pylist()]
    distinct = sorted(set(names))
    place = np.array([distinct.index(name) for name in names], np.int64)
    return place[np.asarray(signed.indices)[at]], max(len(distinct), 1)


def _chances(group: Array, article: Array, chance: Array, edges: int, extractors: int) -> Floats:
    """`_chance` of each edge; `group` is its place times `extractors` plus the extractor's."""
    order = np.lexsort((article, group))
    group, article, chance = group[order], article[order], chance[order]
    new = np.ones(len(group), bool)
    new[1:] = (group[1:] != group[:-1]) | (article[1:] != article[:-1])
    runs = np.flatnonzero(new)
    best = np.maximum.reduceat(chance, runs) if len(runs) else np.zeros(0)
    with np.errstate(divide="ignore"):  # a certain reading leaves no chance: the log is -inf
        missed = np.bincount(group[runs], np.log1p(-best), minlength=edges * extractors)
    wrong = SYSTEMATIC_ERROR + (1.0 - SYSTEMATIC_ERROR) * np.exp(missed)
    read = np.bincount(group[runs], minlength=edges * extractors) > 0
    each = np.where(read, wrong, 1.0).reshape(edges, extractors)
    result: Floats = 1.0 - each.prod(axis=1)
    return result
