from __future__ import annotations

from pathlib import Path

import pytest

from ontologies.pubtator import PubtatorError, curie, read_pubtator, split_ids

SAMPLE = """\
11|t|Pain and NIDDM
11|a|Aspirin for pain.
11\t0\t4\tPain\tDisease\tD010146
11\t9\t14\tNIDDM\tSpecificDisease\tD003924|125853
11\t15\t22\tAspirin\tChemical\t-1
11\tCID\tD001241\tD010146

12|t|Empty
12|a|
"""


def test_reads_mentions_with_curies(tmp_path: Path) -> None:
    path = tmp_path / "a.pubtator"
    path.write_text(SAMPLE, encoding="utf-8")
    first, second = read_pubtator(path)
    assert first.text == "Pain and NIDDM\nAspirin for pain."
    assert [(m.text, m.ids) for m in first.mentions] == [
        ("Pain", ("MESH:D010146",)),
        ("NIDDM", ("MESH:D003924", "OMIM:125853")),
        ("Aspirin", ()),
    ]
    assert (second.pmid, second.text, second.mentions) == (12, "Empty\n", ())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("11|t|Pain\n11\t0\t4\tPain\tDisease\tD1\n", "expected lines"),
        ("11|t|Pain\n11|a|\n11\t0\t3\tPain\tDisease\tD1\n", "offsets 0-3"),
    ],
)
def test_broken_records_are_named(tmp_path: Path, broken: str, said: str) -> None:
    path = tmp_path / "a.pubtator"
    path.write_text("1|t|Fine\n1|a|Fine\n\n" + broken, encoding="utf-8")
    with pytest.raises(PubtatorError, match=said) as caught:
        list(read_pubtator(path))
    assert f"{path}:4" in str(caught.value)


def test_ids() -> None:
    assert split_ids("D003924+C535984|-1", "Disease") == ("MESH:D003924", "MESH:C535984")
    assert curie("OMIM:1", "Disease") == "OMIM:1"
    assert curie("9606", "OrganismTaxon") == "NCBITaxon:9606"
    assert curie("rs1", "SequenceVariant") == "rs1"


def test_counts_of_the_public_corpora(data: Path) -> None:
    expected = {"bc5cdr/train": 500, "bc5cdr/dev": 500, "biored/train": 400, "biored/dev": 100}
    for name, count in expected.items():
        assert sum(1 for _ in read_pubtator(data / "corpora" / f"{name}.pubtator")) == count
