"""Which files are read, and in which order."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from kg_builder.sources.inputs import expand_inputs, order_key, unrecognized_inputs

_XML = b"<PubmedArticleSet/>"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("pubmed26n0001.xml.gz", (2026, 1)),
        ("a/b/pubmed25n1345.xml", (2025, 1345)),
        ("medline16n0902.xml.gz", (2016, 902)),
        ("medline99n0012.xml", (1999, 12)),
        ("pubmed26n0001.xml.gz.md5", (0, 0)),
        ("mine.xml", (0, 0)),
    ],
)
def test_order_key(name: str, key: tuple[int, int]) -> None:
    assert order_key(name) == key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "pubmed26n0002.xml.gz").write_bytes(gzip.compress(_XML))
    (tmp_path / "sub" / "medline16n0900.xml").write_bytes(_XML)
    (tmp_path / "sub" / "deep" / "pubmed26n0001.xml").write_bytes(b"broken")
    (tmp_path / "sub" / "download").write_bytes(gzip.compress(_XML))
    (tmp_path / "README.md").write_text("# not citations")
    (tmp_path / "pubmed26n0002.xml.gz.md5").write_text("MD5= 0")
    return tmp_path


def test_directories_are_walked_and_ordered_whatever_the_arguments(folder: Path) -> None:
    arguments = [folder, folder / "sub", folder / "sub" / "medline16n0900.xml", folder / "gone.xml"]
    expected = ["gone.xml", "download", "medline16n0900.xml", "pubmed26n0001.xml"]
    expected += ["pubmed26n0002.xml.gz"]
    for _ in range(5):
        random.shuffle(arguments)
        assert [path.name for path in expand_inputs(arguments)] == expected


def test_what_is_left_is_reported(folder: Path) -> None:
    left = unrecognized_inputs([folder])
    assert {Path(failure.place).name for failure in left} == {
        "README.md",
        "pubmed26n0002.xml.gz.md5",
    }
    assert {failure.reason for failure in left} == {"unrecognized-file"}


def test_a_directory_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_bytes(b"ID3")
    assert expand_inputs([tmp_path]) == []
    reasons = [failure.reason for failure in unrecognized_inputs([tmp_path])]
    assert reasons == ["unrecognized-file", "nothing-to-read"]


def test_a_file_that_is_named_is_taken(folder: Path) -> None:
    readme = folder / "README.md"
    assert expand_inputs([readme]) == [readme]
    assert unrecognized_inputs([readme]) == []
