"""Which version of an article is in force, on histories small enough to read."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from kg_builder.current import current_view
from kg_builder.ledger import Ledger
from kg_builder.model import Article, Deletion
from tests.kg_builder.shard_world import add_file, article

UNNAMED = (-1, -1)
FIRST, SECOND, THIRD = (26, 1), (26, 2), (26, 3)
Files = list[tuple[tuple[int, int], list[Article | Deletion]]]


def in_force(graph: Path) -> dict[int, str]:
    """Text by PMID, as the current view of the ledger gives it."""
    ledger = Ledger.open(graph)
    view = current_view(ledger)
    found = {}
    for pmid, shard, row in zip(view.pmids, view.shard, view.rows, strict=True):
        texts = ledger.read(view.shards[shard], "articles", ["section_texts"])["section_texts"]
        found[int(pmid)] = texts[int(row)].as_py()[0]
    assert list(found) == sorted(found)
    return found


HISTORIES: dict[str, tuple[Files, dict[int, str]]] = {
    "a later file wins, whatever the versions": (
        [(FIRST, [article(1, "old", version=2)]), (SECOND, [article(1, "new", version=1)])],
        {1: "new"},
    ),
    "a year later wins over a greater number": (
        [((25, 900), [article(1, "old")]), (FIRST, [article(1, "new")])],
        {1: "new"},
    ),
    "a file without a name comes first": (
        [(UNNAMED, [article(1, "old")]), (FIRST, [article(1, "new")])],
        {1: "new"},
    ),
    "in one file the greater version wins": (
        [(FIRST, [article(1, "new", version=2), article(1, "old", revised="2020-01-01")])],
        {1: "new"},
    ),
    "of one version the later revision wins": (
        [
            (UNNAMED, [article(1, "new", revised="2020-01-02")]),
            (UNNAMED, [article(1, "old", revised="2020-01-01")]),
        ],
        {1: "new"},
    ),
    "a deletion takes what came before": (
        [(FIRST, [article(1, "gone"), article(2, "kept")]), (SECOND, [Deletion(1)])],
        {2: "kept"},
    ),
    "a deletion takes what its own file brought": ([(FIRST, [Deletion(1), article(1, "x")])], {}),
    "a later file brings a deleted article back": (
        [
            (FIRST, [article(1, "old")]),
            (SECOND, [Deletion(1)]),
            (THIRD, [article(1, "back")]),
        ],
        {1: "back"},
    ),
    "a deletion of nothing does nothing": ([(FIRST, [Deletion(7), article(1, "x")])], {1: "x"}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_newest_version_is_in_force_in_any_order_of_arguments(name: str, tmp_path: Path) -> None:
    files, expected = HISTORIES[name]
    for number, order in enumerate(permutations(range(len(files)))):
        graph = tmp_path / str(number)
        for at in order:
            add_file(graph, files[at][1], order=files[at][0], source=str(at))
        assert in_force(graph) == expected


def test_last_tie_is_decided_by_content_alone(tmp_path: Path) -> None:
    found = []
    for number, texts in enumerate(permutations(["A", "B", "C"])):
        for source, text in enumerate(texts):
            add_file(tmp_path / str(number), [article(1, text)], source=f"{number} {source}")
        found.append(in_force(tmp_path / str(number)))
    assert all(one == found[0] for one in found)


def test_what_is_not_in_force_is_counted(tmp_path: Path) -> None:
    add_file(tmp_path, [article(1, "a"), article(2, "b"), article(2, "c", version=2)], order=FIRST)
    add_file(tmp_path, [Deletion(1), Deletion(9), article(2, "d", version=3)], order=SECOND)
    view = current_view(Ledger.open(tmp_path))
    assert (len(view), view.superseded, view.deleted) == (1, 2, 1)
