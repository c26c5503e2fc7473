"""Statistics of pairs against scipy, counting by hand, and the definition of their family."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from kg_builder.memory_store import MemoryStore
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.statistics import (
    PairStatistics,
    false_discovery_rates,
    log_likelihood_ratio,
    npmi,
    p_values,
    pair_statistics,
    pair_table,
)
from tests.contracts.graphs import CUTS, World, worlds
from tests.contracts.snapshots import write_snapshot


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Four counts with no empty margin: both, first, second, all."""
    cells = [draw(st.integers(0, 500)) for _ in range(4)]
    both, first, second = cells[0], cells[0] + cells[1], cells[0] + cells[2]
    total = sum(cells)
    if min(first, second, total - first, total - second) == 0:
        cells = [cell + 1 for cell in cells]
        both, first, second, total = cells[0], sum(cells[:2]), cells[0] + cells[2], sum(cells)
    return both, first, second, total


@given(counts())
def test_log_likelihood_is_scipys(four: tuple[int, int, int, int]) -> None:
    both, first, second, total = four
    table = [[both, first - both], [second - both, total - first - second + both]]
    expected = scipy_stats.chi2_contingency(table, lambda_="log-likelihood", correction=False)
    g2 = log_likelihood_ratio(np.array([both]), np.array([first]), np.array([second]), total)
    assert g2[0] == pytest.approx(expected.statistic, abs=1e-8)
    assert p_values(g2)[0] == pytest.approx(expected.pvalue, abs=1e-8)


@given(counts())
def test_npmi_is_its_definition(four: tuple[int, int, int, int]) -> None:
    both, first, second, total = four
    (value,) = npmi(np.array([both]), np.array([first]), np.array([second]), total)
    assert -1 <= value <= 1
    if both and both < total:
        joint = both / total
        expected = np.log(joint / (first / total * second / total)) / -np.log(joint)
        assert value == pytest.approx(expected, abs=1e-9)


def test_npmi_has_the_sign_of_the_association() -> None:
    # 10 of 100 with each: 1 together is what chance gives, 5 is more, 0 is never.
    value = npmi(np.array([1, 5, 0]), np.array([10] * 3), np.array([10] * 3), 100)
    assert value[0] == pytest.approx(0, abs=1e-12)
    assert value[1] > 0
    assert value[2] == -1


def test_a_concept_in_every_article_says_nothing() -> None:
    assert log_likelihood_ratio(np.array([4]), np.array([10]), np.array([4]), 10)[0] == 0


def test_together_in_an_article_is_not_together_in_a_sentence() -> None:
    """Two articles mention both concepts, one of them in one sentence: none has neither."""
    g2 = log_likelihood_ratio(np.array([1]), np.array([2]), np.array([2]), 2)[0]
    expected = scipy_stats.chi2_contingency(
        [[1, 1], [1, 0]], lambda_="log-likelihood", correction=False
    )
    assert g2 == pytest.approx(expected.statistic)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discovery_rates_are_scipys(p: list[float]) -> None:
    expected = scipy_stats.false_discovery_control(p, method="bh")
    np.testing.assert_allclose(false_discovery_rates(np.array(p)), expected, atol=1e-12)


@pytest.mark.parametrize("four", [(5, 4, 9, 10), (-1, 4, 9, 10), (1, 11, 2, 10)])
def test_impossible_counts_are_refused(four: tuple[int, int, int, int]) -> None:
    both, first, second, total = four
    with pytest.raises(ValueError, match="cannot be"):
        npmi(np.array([both]), np.array([first]), np.array([second]), total)


@settings(max_examples=50, deadline=None)
@given(world=worlds(), as_of=CUTS)
def test_all_pairs_equal_pairs_counted_by_hand(world: World, as_of: date | None) -> None:
    together: dict[tuple[str, str], set[int]] = {}
    for mined in world.mined:
        if mined.published_by(as_of) and not mined.article.retracted:
            for e in mined.evidence:
                pair = (min(e.subject_id, e.object_id), max(e.subject_id, e.object_id))
                together.setdefault(pair, set()).add(e.pmid)
    with tempfile.TemporaryDirectory() as folder:
        reader = SnapshotReader(write_snapshot(world, Path(folder)))
        table = pair_table(reader, as_of=as_of)
        rows = [table.at(row) for row in range(len(table))]
        assert [(r.first_id, r.second_id) for r in rows] == sorted(together)
        assert [r.together for r in rows] == [len(together[pair]) for pair in sorted(together)]
        some = pair_statistics(MemoryStore(*world), sorted(together), as_of=as_of)
        for row, one in zip(rows, some, strict=True):
            assert_close(row, one)
            assert table.find(row.second_id, row.first_id) == row
        assert table.find("UMLS:C0000000", "zz") is None
        reader.close()


def assert_close(row: PairStatistics, one: PairStatistics) -> None:
    assert row[:6] == one[:6]
    assert row[6:9] == pytest.approx(one[6:9])
    assert row.q is not None
    assert row.q >= row.p - 1e-12
