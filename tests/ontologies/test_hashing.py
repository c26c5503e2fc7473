from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ontologies.hashing import ABSENT, HashTable, extend_hash, path_hash, text_hash

KEYS = st.integers(min_value=1, max_value=2**64 - 1)


@given(st.dictionaries(KEYS, st.integers(0, 1000), max_size=300), st.lists(KEYS, max_size=50))
def test_a_table_is_a_dictionary(expected: dict[int, int], others: list[int]) -> None:
    keys = np.array(sorted(expected), dtype=np.uint64)
    values = np.array([expected[int(key)] for key in keys], dtype=np.int32)
    asked = [*expected, *others]
    found = HashTable.build(keys, values).lookup(np.array(asked, dtype=np.uint64))
    assert found.tolist() == [expected.get(key, ABSENT) for key in asked]


def test_crowded_keys_are_all_found() -> None:
    """Keys that all begin at the last slots fill the table's tail and no more."""
    keys = np.arange(2**64 - 500, 2**64 - 1, dtype=np.uint64)
    table = HashTable.build(keys, np.arange(len(keys), dtype=np.int32))
    assert table.lookup(keys).tolist() == list(range(len(keys)))
    assert table.lookup(np.array([2**64 - 1, 5], dtype=np.uint64)).tolist() == [ABSENT, ABSENT]


def test_saved_tables_answer_alike(tmp_path: Path) -> None:
    keys = np.array([3, 9, 2**40, 2**63], dtype=np.uint64)
    HashTable.build(keys, np.arange(4, dtype=np.int32)).save(tmp_path, "t")
    assert HashTable.load(tmp_path, "t").lookup(keys).tolist() == [0, 1, 2, 3]


def test_hashes_are_fixed_and_depend_on_order() -> None:
    # printf pain | b2sum -l 64, its bytes from the last to the first
    assert text_hash("pain") == 1558163764587191875
    one, two = text_hash("a"), text_hash("b")
    assert path_hash([one, two]) != path_hash([two, one])
    start = np.zeros(1, dtype=np.uint64)
    step = extend_hash(start, np.array([one], dtype=np.uint64))
    assert path_hash([one, two]) == int(extend_hash(step, np.array([two], dtype=np.uint64))[0])
