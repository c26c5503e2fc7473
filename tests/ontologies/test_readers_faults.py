"""Files that no reader takes, or that are damaged: left with a reason, named with a line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ontologies.readers.items import UnreadableFileError
from ontologies.recognize import Left, recognize
from tests.ontologies.reading import OBO, read, write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"some words\n"),
        ("b.png", b"\x89PNG\r\n\x1a\n\xff\xfe"),
        ("c.json", b'{"a": 1}'),
        ("d.csv", b"code,name\n1,x\n"),
        ("ICD10CM_to_CCSCM.csv", b"ICD10CM,CCSCM\nA15.0,1\n"),
    ],
)
def test_other_files_are_left_with_a_reason(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = recognize(path)
    assert isinstance(found, Left)
    assert found.reason


@pytest.mark.parametrize("content", [b"", gzip.compress(OBO.encode() * 200, mtime=0)[:60]])
def test_empty_and_truncated_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.obo.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"x\.obo\.gz: .*fetch"):
        read(path)


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", '{"graphs": [\n{"nodes": [')
    with pytest.raises(UnreadableFileError, match=r"x\.json:2: broken JSON"):
        read(path)
