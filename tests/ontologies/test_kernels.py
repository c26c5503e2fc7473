"""The compiled loops against numpy and against plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ontologies import hashing, kernels, known_words, lexicon_linker, precision
from ontologies.candidates import GapKinds, TokenTable, tokenize
from ontologies.hashing import ABSENT, HashTable
from ontologies.linker import open_linker
from ontologies.precision import LEAVES, Trees
from ontologies.starter_vocabulary import starter_vocabulary

USERS = (hashing, known_words, lexicon_linker, precision)


def never(_loop: object, _items: int = 0) -> None:
    """As `compiled` where numba is not installed."""


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[Any, Any]]:
    """What a call gives with compiled loops, however little there is to do, and with numpy."""
    pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "WORTH", 0)
    monkeypatch.setattr(kernels, "START", 0)

    def run(call: Callable[[], Any]) -> tuple[Any, Any]:
        fast = call()
        with monkeypatch.context() as without:
            for module in USERS:
                without.setattr(module, "compiled", never)
            return fast, call()

    return run


Both = Callable[[Callable[[], Any]], tuple[Any, Any]]


def test_few_items_are_left_to_numpy() -> None:
    assert kernels.compiled(kernels.probe, kernels.WORTH - 1) is None


def test_numba_starts_once_there_was_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "START", 3 * kernels.WORTH)
    monkeypatch.setattr(kernels, "_done", {"items": 0})
    asked = [kernels.compiled(kernels.probe, kernels.WORTH) is not None for _ in range(5)]
    assert asked == [False, False, False, True, True]


def test_a_table_is_probed_as_numpy_does(both: Both) -> None:
    dice = np.random.default_rng(1)
    keys = np.unique(dice.integers(1, 2**64 - 1, 5000, dtype=np.uint64))
    # The last keys crowd the table's end; a few hundred asked for are not in it, and 0 is none.
    keys = np.unique(np.append(keys, np.arange(2**64 - 400, 2**64 - 1, dtype=np.uint64)))
    table = HashTable.build(keys, np.arange(len(keys), dtype=np.int32))
    asked = np.append(keys[::-1], dice.integers(0, 2**64 - 1, 700, dtype=np.uint64))
    asked = np.append(asked, np.uint64(0))
    fast, plain = both(lambda: table.lookup(asked).tolist())
    places = {int(key): place for place, key in enumerate(keys)}
    assert fast == plain == [places.get(int(key), ABSENT) for key in asked]


def test_trees_add_up_as_numpy_does(both: Both) -> None:
    dice = np.random.default_rng(2)
    limits = [np.sort(dice.normal(size=size)) for size in (1, 7, 0, 40)]
    rows = sum(len(limit) + 1 for limit in limits)
    trees = Trees(
        tuple("abcd"),
        np.concatenate(limits),
        np.cumsum([0, *map(len, limits)]),
        dice.integers(0, 1 << LEAVES, (rows, 30), dtype=np.uint16) | np.uint16(1 << 9),
        dice.normal(size=(30, LEAVES)).astype(np.float32),
    )
    columns = {name: dice.normal(size=1500) for name in trees.names}
    columns["b"][:7] = limits[1]  # a threshold itself is not above it
    fast, plain = both(lambda: trees.raw(columns, 1500))
    assert fast.tolist() == plain.tolist()
    assert len(set(fast.tolist())) > 100


def test_stretches_come_first_as_by_hand(both: Both) -> None:
    firsts, counts = (np.array(of, dtype=np.int32) for of in ([4, 2, 0, 6, 7], [3, 3, 2, 1, 1]))
    fast, plain = both(lambda: lexicon_linker._first_come(firsts, counts, 8).tolist())
    assert fast == plain == [True, False, True, False, True]


def test_tokens_have_the_same_numbers(both: Both) -> None:
    """Over many batches, so that the table of words grows several times."""
    dice = np.random.default_rng(3)
    words = ["".join(map(chr, row)) for row in dice.integers(97, 123, (9000, 4))]
    texts = [" ".join(words[at : at + 500]) + " Crohn's 二 12α" for at in range(0, 9000, 300)]

    def numbers() -> tuple[list[list[int]], list[str], list[int]]:
        table = TokenTable()
        found = [tokenize([text, text], table, GapKinds()).token.tolist() for text in texts]
        return found, list(table), table.hash.tolist()

    fast, plain = both(numbers)
    assert fast == plain
    assert len(fast[1]) > 8000


def test_a_word_met_in_a_small_batch_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    table = TokenTable()
    assert tokenize(["pain and fever"], table, GapKinds()).token.tolist() == [0, 1, 2]
    monkeypatch.setattr(kernels, "WORTH", 0)
    monkeypatch.setattr(kernels, "START", 0)
    for _ in range(2):
        assert tokenize(["fever and chill"], table, GapKinds()).token.tolist() == [2, 1, 3]


def test_links_are_the_same(both: Both) -> None:
    vocabulary = starter_vocabulary()
    texts = [
        "Patients with type 2 diabetes mellitus (T2DM) and heart failure took metformin. T2DM "
        "and renal or hepatic failure were seen; aspirin caused gastrointestinal bleeding.",
        "",
        "Hypertension, atrial fibrillation and stroke: warfarin, digoxin or amiodarone?",
    ]
    fast, plain = both(lambda: open_linker("lexicon", vocabulary).link_many(texts))
    assert fast == plain
    assert sum(map(len, fast)) >= 10
