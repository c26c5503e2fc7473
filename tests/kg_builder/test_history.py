"""Differences of two states against brute force over their articles, and by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg_builder.history import KINDS, ArticleCounts, EdgeChange, State, compare
from kg_builder.memory_store import MinedArticle
from kg_builder.model import REFUTES, EdgeKey, PublicationDate
from kg_builder.snapshot_reader import SnapshotReader
from tests.contracts.graphs import CONCEPTS, CUTS, Statement, World, worlds, written
from tests.contracts.snapshots import write_snapshot

Sides = dict[EdgeKey, dict[int, frozenset[str]]]
"""By edge and PMID, what the article says: `for`, `plainly`, `against`."""


def said(world: World, as_of: date | None) -> Sides:
    found: dict[EdgeKey, dict[int, set[str]]] = {}
    for mined in world.mined:
        if mined.article.retracted or not mined.published_by(as_of):
            continue
        for e in mined.evidence:
            key = EdgeKey(e.subject_id, e.predicate, e.object_id)
            own = found.setdefault(key, {}).setdefault(e.pmid, set())
            if e.polarity == REFUTES:
                own.add("against")
            else:
                own |= {"for"} if e.hedged else {"for", "plainly"}
    return {k: {p: frozenset(s) for p, s in v.items()} for k, v in found.items()}


def brute_force(one: Sides, other: Sides) -> dict[EdgeKey, EdgeChange]:
    changes = {}
    for key in one.keys() | other.keys():
        was, now = one.get(key, {}), other.get(key, {})
        if was != now:
            changes[key] = change_of(key, was, now)
    return changes


def change_of(
    key: EdgeKey, was: dict[int, frozenset[str]], now: dict[int, frozenset[str]]
) -> EdgeChange:
    def those(side: dict[int, frozenset[str]], word: str) -> set[int]:
        return {pmid for pmid, words in side.items() if word in words}

    def ordered(pmids: set[int]) -> tuple[int, ...]:
        return tuple(sorted(pmids))

    def counts(side: dict[int, frozenset[str]]) -> ArticleCounts:
        supporting = those(side, "for")
        plainly = those(side, "plainly")
        return ArticleCounts(
            len(supporting), len(those(side, "against")), len(supporting - plainly)
        )

    before, after = those(was, "for"), those(now, "for")
    firmed = before & after & (those(now, "plainly") - those(was, "plainly"))
    softened = before & after & (those(was, "plainly") - those(now, "plainly"))
    come = those(now, "against") - those(was, "against")
    gone = those(was, "against") - those(now, "against")
    if not was or not now:
        kinds: tuple[str, ...] = ("lost",) if was else ("gained",)
    else:
        true = {
            "strengthened": bool(after - before or firmed),
            "weakened": bool(before - after or softened),
            "contradicted": bool(come),
            "cleared": bool(gone),
        }
        kinds = tuple(kind for kind in KINDS if true.get(kind))
    return EdgeChange(
        key, kinds, counts(was), counts(now), ordered(after - before), ordered(before - after),
        ordered(come), ordered(gone), ordered(firmed), ordered(softened),
    )  # fmt: skip


def reader_of(world: World, folder: Path, batch: int | None = None) -> SnapshotReader:
    return SnapshotReader(write_snapshot(world, folder, batch=batch))


@st.composite
def next_worlds(draw: st.DrawFn) -> tuple[World, World]:
    """A world, and one that kept some of its articles."""
    first, second = draw(worlds()), draw(worlds())
    kept = [m for m in first.mined if draw(st.booleans())]
    new = {m.article.pmid for m in kept}
    mined = [*kept, *(m for m in second.mined if m.article.pmid not in new)]
    return first, World(tuple(sorted(mined, key=lambda m: m.article.pmid)), CONCEPTS)


@settings(max_examples=80, deadline=None)
@given(next_worlds(), CUTS, CUTS, st.none() | st.integers(1, 3))
def test_history_equals_brute_force(
    states: tuple[World, World], cut: date | None, later: date | None, batch: int | None
) -> None:
    expected = brute_force(said(states[0], cut), said(states[1], later))
    with tempfile.TemporaryDirectory() as folder:
        one, other = (reader_of(w, Path(folder) / str(n), batch) for n, w in enumerate(states))
        history = compare(State(one, cut), State(other, later))
        found = {kind: history.changes(kind) for kind in KINDS}
        one.close()
        other.close()
    for kind in KINDS:
        assert {c.key: c for c in found[kind]} == {
            key: change for key, change in expected.items() if kind in change.kinds
        }
        assert found[kind] == sorted(found[kind], key=order)
    counts = history.count()
    every = said(states[0], cut).keys() | said(states[1], later).keys()
    assert counts.pop("unchanged") == len(every) - len(expected)
    assert counts == {kind: len(found[kind]) for kind in KINDS}


def order(change: EdgeChange) -> tuple[int, EdgeKey]:
    """Most articles first, then key; an article counts once, whatever it does."""
    lists = (
        change.supporting_gained,
        change.supporting_lost,
        change.refuting_gained,
        change.refuting_lost,
        change.firmed,
        change.softened,
    )
    return -len({pmid for pmids in lists for pmid in pmids}), change.key


def article(pmid: int, *statements: Statement, year: int = 2001) -> MinedArticle:
    return written(pmid, statements, published=PublicationDate(year))


def history_of(tmp_path: Path, *worlds_: Sequence[MinedArticle]) -> dict[str, list[EdgeChange]]:
    one, other = (
        reader_of(World(tuple(mined), CONCEPTS), tmp_path / str(n))
        for n, mined in enumerate(worlds_)
    )
    history = compare(State(one), State(other))
    return {kind: history.changes(kind) for kind in KINDS}


TREATS = Statement(0, 1, "TREATS")
DENIED = Statement(0, 1, "TREATS", REFUTES)
PERHAPS = Statement(0, 1, "TREATS", hedged=True)
OTHER = Statement(2, 3, "CAUSES")


def test_an_article_that_refutes_contradicts_and_one_more_in_favour_strengthens(
    tmp_path: Path,
) -> None:
    found = history_of(
        tmp_path,
        [article(1, TREATS)],
        [article(1, TREATS), article(2, TREATS), article(3, DENIED)],
    )
    assert found["strengthened"] == found["contradicted"]
    (change,) = found["contradicted"]
    assert change.kinds == ("strengthened", "contradicted")
    assert (change.before, change.after) == (ArticleCounts(1, 0, 0), ArticleCounts(2, 1, 0))
    assert (change.supporting_gained, change.refuting_gained) == ((2,), (3,))


def test_a_revision_that_hedges_weakens_and_one_that_is_silent_loses(tmp_path: Path) -> None:
    found = history_of(
        tmp_path, [article(1, TREATS), article(2, OTHER)], [article(1, PERHAPS), article(2)]
    )
    assert [(c.key.predicate, c.softened) for c in found["weakened"]] == [("TREATS", (1,))]
    assert [(c.key.predicate, c.supporting_lost) for c in found["lost"]] == [("CAUSES", (2,))]


def test_the_same_state_has_no_history(tmp_path: Path) -> None:
    world = [article(1, TREATS, DENIED), article(2, OTHER)]
    assert history_of(tmp_path, world, world) == {kind: [] for kind in KINDS}


def test_limits_and_predicates(tmp_path: Path) -> None:
    pairs = [Statement(a, b, "CAUSES") for a, b in product(range(4), repeat=2) if a != b]
    one = reader_of(World((), CONCEPTS), tmp_path / "one")
    other = reader_of(World((article(7, TREATS, *pairs),), CONCEPTS), tmp_path / "other")
    history = compare(State(one), State(other))
    assert history.count()["gained"] == 13
    assert len(history.changes("gained", 5)) == 5
    only = compare(State(one), State(other), predicates=["TREATS"])
    assert [change.key.predicate for change in only.changes("gained")] == ["TREATS"]
    with pytest.raises(ValueError, match="no kind of change 'new'"):
        history.changes("new")
    with pytest.raises(ValueError, match="no predicate 'treats'"):
        compare(State(one), State(other), predicates=["treats"])
