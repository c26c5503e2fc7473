"""Scores, against counts by hand and against brute force."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.evaluate import LEVELS, pairs, score
from extractor.schema import Finding, Kind, Status


def finding(
    start: int, end: int, status: Status = Status.PRESENT, concept: str | None = None
) -> Finding:
    return Finding(start, end, "x" * (end - start), Kind.PROBLEM, status, concept)


def test_levels_by_hand() -> None:
    marked = {1: [finding(0, 5, concept="A"), finding(10, 15), finding(20, 25, Status.ABSENT, "B")]}
    found = {
        1: [
            finding(0, 5, concept="Z"),  # concept wrong
            finding(11, 15, concept="Q"),  # span not exact; none marked, so any concept does
            finding(20, 25, Status.PRESENT, "B"),  # status wrong
            finding(30, 35),  # nothing there
        ]
    }
    got = {level: (s.right, s.found, s.marked) for level, s in score(marked, found).items()}
    assert got == {
        "exact span": (2, 4, 3), "span": (3, 4, 3), "kind": (3, 4, 3), "status": (2, 4, 3),
        "concept": (2, 4, 3), "finding": (1, 4, 3),
    }  # fmt: skip
    assert score(marked, found)["span"].f1 == pytest.approx(6 / 7)


def test_what_is_found_in_a_note_without_marks_is_wrong() -> None:
    scored = score({}, {2: [finding(0, 2)]}, notes=[1, 2])["span"]
    assert (scored.precision, scored.recall, scored.f1) == (0.0, None, 0.0)


def test_nothing_marked_and_nothing_found_has_no_score() -> None:
    assert score({1: []}, {})["span"].f1 is None


def test_intervals_hold_the_score_and_are_the_same_each_time() -> None:
    marked = {n: [finding(0, 5), finding(9, 12)] for n in range(30)}
    found = {n: [finding(0, 5)] if n % 3 else [] for n in range(30)}
    first, again = score(marked, found)["span"], score(marked, found)["span"]
    assert first == again
    assert first.low is not None
    assert first.f1 is not None
    assert first.high is not None
    assert first.low < first.f1 < first.high


spans = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 5)).map(lambda p: finding(p[0], p[0] + p[1])),
    max_size=5,
)


@given(spans, spans)
def test_pairs_are_one_to_one_and_at_least_half_of_the_most_possible(
    marked: list[Finding], found: list[Finding]
) -> None:
    """A greedy pairing is maximal, so no less than half of the greatest one by brute force."""
    got = pairs(marked, found, LEVELS["span"])
    short, long = sorted((marked, found), key=len)
    best = max(
        sum(a.start < b.end and b.start < a.end for a, b in zip(short, chosen, strict=True))
        for chosen in itertools.permutations(long, len(short))
    )
    assert best / 2 <= got <= best
