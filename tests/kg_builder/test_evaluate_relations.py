"""Scores of stated relations on articles small enough to count by hand, and on the corpora."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg_builder.evaluate_relations import (
    count_matches,
    evaluate_marked_mentions,
    read_induced,
)
from ontologies.agreement import Agreement
from ontologies.pubtator import PubtatorError

TWO_ARTICLES = """\
1|t|Aspirin-induced asthma.
1|a|Iron did not cause asthma. Aspirin and iron were given for fever.
1\t0\t7\tAspirin\tChemical\tD1
1\t16\t22\tasthma\tDisease\tD2
1\t24\t28\tIron\tChemical\tD3
1\t43\t49\tasthma\tDisease\tD2
1\t51\t58\tAspirin\tChemical\tD1
1\t63\t67\tiron\tChemical\tD3
1\t83\t88\tfever\tDisease\tD4
1\tCID\tD1\tD2

2|t|Iron causes rash.
2|a|Nothing more was seen.
2\t0\t4\tIron\tChemical\tD3
2\t12\t16\trash\tDisease\tD5
2\tCID\tD3\tD6
"""


def test_pairs_of_small_articles_are_counted_as_by_hand(tmp_path: Path) -> None:
    """Stated: aspirin-asthma, right, and iron-rash, wrong; iron-asthma is denied.

    Named together: iron-asthma, aspirin-fever and iron-fever besides.
    """
    path = tmp_path / "two.pubtator"
    path.write_text(TWO_ARTICLES, encoding="utf-8")
    report = evaluate_marked_mentions(path)
    assert report.articles == 2
    assert report.stated == Agreement(right=1, found=2, marked=2)
    assert report.co_occurrence == Agreement(right=1, found=5, marked=2)
    assert report.unmapped == 0


def test_the_marked_pairs_of_each_article(tmp_path: Path) -> None:
    path = tmp_path / "two.pubtator"
    path.write_text(TWO_ARTICLES, encoding="utf-8")
    assert read_induced(path) == {
        1: frozenset({("MESH:D1", "MESH:D2")}),
        2: frozenset({("MESH:D3", "MESH:D6")}),
    }


def test_a_file_without_marked_relations_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "none.pubtator"
    path.write_text("1|t|A title\n1|a|Text.\n", encoding="utf-8")
    with pytest.raises(PubtatorError, match=r"none\.pubtator.*CID"):
        read_induced(path)


def test_one_prediction_matches_at_most_one_marked_pair() -> None:
    marked = frozenset({("c1", "d1"), ("c1", "d2"), ("c2", "d1")})
    wide = (frozenset({"c1"}), frozenset({"d1", "d2"}))
    assert count_matches([wide], marked) == 1
    assert count_matches([wide, wide], marked) == 2
    assert count_matches([wide, wide, wide], marked) == 2
    assert count_matches([], marked) == 0


def test_stated_relations_beat_co_occurrence_on_marked_mentions(data: Path) -> None:
    """With the mentions of the tuning split: the patterns were developed on it."""
    report = evaluate_marked_mentions(data / "corpora" / "bc5cdr" / "train.pubtator")
    assert report.articles == 500
    assert report.stated.f1 > 0.5 > report.co_occurrence.f1
    assert report.stated.precision > 0.6
