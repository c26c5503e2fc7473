"""The digest follows the content, all of it, and nothing else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from kg_builder.digest import PMIDS_PER_BUCKET, UnmentionedConceptError, snapshot_digest
from kg_builder.mine import ShardTables, mine
from kg_builder.model import Article, Evidence, PublicationDate, Section
from kg_builder.schema import SNAPSHOT_TABLES
from kg_builder.snapshot import SnapshotInfo, build_snapshot
from kg_builder.snapshot_tables import map_table
from kg_builder.verify import digest_of_snapshot
from tests.kg_builder.shard_world import WordExtractor, WordLinker, Words, add_file, article


def content_hash(one: Article) -> bytes:
    tables = mine([one], WordLinker(), WordExtractor())
    found: bytes = tables.articles["content_hash"][0].as_py()
    return found


FULL = replace(
    article(7, "A > B it."),
    published=PublicationDate(2001, 2, 3),
    revised="2002-01-01",
    doi="10.1/x",
    vernacular_title="Titel",
)
CHANGES: list[dict[str, object]] = [
    {"pmid": 8},
    {"version": 2},
    {"title": "untitled"},
    {"sections": (Section("S", "A > B it."),)},
    {"sections": (Section("", "A > B it."), Section("", ""))},
    {"published": None},
    {"published": PublicationDate(2001, 2)},
    {"types": ("Letter", "")},
    {"types": ("Letter", "M1"), "mesh": ("M2",)},
    {"mesh": ()},
    {"languages": ("fre",)},
    {"retracted": True},
    {"revised": ""},
    {"journal": "K"},
    {"doi": ""},
    {"vernacular_title": ""},
    {"title": "untitled.Titel", "vernacular_title": ""},
]


def test_every_field_of_an_article_counts() -> None:
    hashes = [content_hash(FULL), *(content_hash(replace(FULL, **c)) for c in CHANGES)]
    assert len(set(hashes)) == len(hashes)


class Altered(WordExtractor):
    """Says something else of the same sentence."""

    def __init__(self, **change: object) -> None:
        self.change = change

    def relate(self, *given: object) -> list[Evidence]:
        return [one._replace(**self.change) for one in super().relate(*given)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"subject_id": "T:B", "object_id": "T:A"},
        {"predicate": "CAUSES"},
        *({name: 1} for name in Evidence._fields if name.endswith(("_start", "_end"))),
        {"polarity": "refutes"},
        {"hedged": True},
        {"score": 8999},
        {"extractor": "signs 2"},
    ],
)
def test_every_field_of_evidence_counts(change: dict[str, object]) -> None:
    altered = mine([FULL], WordLinker(), Altered(**change)).articles["content_hash"][0].as_py()
    assert altered != content_hash(FULL)


def test_mentions_without_evidence_count() -> None:
    class Nothing(WordExtractor):
        def relate(self, *given: object) -> list[Evidence]:
            return []

    class Fewer(WordLinker):
        def link(self, text: str) -> list[object]:  # type: ignore[override]
            return [m for m in super().link(text) if m.concept_id != "T:B"]

    found = [
        mine([FULL], linker, Nothing()).articles["content_hash"][0].as_py()
        for linker in (WordLinker(), Fewer())
    ]
    assert found[0] != found[1]


def test_order_of_evidence_does_not_count() -> None:
    class Backwards(WordExtractor):
        def relate(self, *given: object) -> list[Evidence]:
            return super().relate(*given)[::-1]  # type: ignore[arg-type]

    many = article(1, "A > B it. A > B at. C and D it. B ? A it. A > B or. F ! C it.")
    one, other = (mine([many], WordLinker(), e()) for e in (WordExtractor, Backwards))
    assert one.articles.equals(other.articles)
    assert one.evidence.to_pylist() == other.evidence.to_pylist()


def test_evidence_of_what_is_not_mentioned_is_refused() -> None:
    with pytest.raises(UnmentionedConceptError, match="T:H"):
        mine([FULL], WordLinker(), Altered(subject_id="T:H"))


def test_digest_is_a_function_of_pmids_contents_and_concepts() -> None:
    pmids = np.array([1, 2, PMIDS_PER_BUCKET])
    contents = np.arange(96, dtype=np.uint8).reshape(3, 32)
    plain = snapshot_digest(pmids, contents, [b"c" * 32])
    assert plain == snapshot_digest(pmids, contents.copy(), iter([b"c" * 32]))
    others = [
        snapshot_digest(pmids[:2], contents[:2], [b"c" * 32]),
        snapshot_digest(np.array([1, 2, 1001]), contents, [b"c" * 32]),
        snapshot_digest(pmids, contents[[1, 0, 2]], [b"c" * 32]),
        snapshot_digest(pmids, contents, [b"d" * 32]),
        snapshot_digest(pmids, contents, []),
    ]
    assert len({plain, *others}) == 6


@pytest.fixture
def built(tmp_path: Path) -> SnapshotInfo:
    records = [article(n, "A > B it. C ! D it. E it.", retracted=n == 3) for n in range(5)]
    add_file(tmp_path, records, order=(26, 1))
    return build_snapshot(tmp_path, Words())


def test_digest_of_content_is_the_name(built: SnapshotInfo) -> None:
    assert digest_of_snapshot(built.path) == built.digest == built.path.name


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("articles", "title", "other"),
        ("evidence", "score", 1),
        ("evidence", "refutes", True),
        ("edges", "predicate", 2),
        ("concepts", "definition", "other"),
        ("mentions", "concept", 0),
    ],
)
def test_altered_content_has_another_digest(
    built: SnapshotInfo, tmp_path: Path, table: str, column: str, value: object
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.path, copy)
    schema = SNAPSHOT_TABLES[table]
    rows = map_table(built.path / f"{table}.arrow", schema).to_pylist()
    rows[4 if table == "mentions" else 0][column] = value  # E stands in no evidence
    with pa.ipc.new_file(str(copy / f"{table}.arrow"), schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema))
    assert digest_of_snapshot(copy) != built.digest


def test_tables_of_a_shard_keep_what_fits_no_concept() -> None:
    found: ShardTables = mine([article(1, "A and x it. No letter.")], WordLinker(), WordExtractor())
    assert found.mentions["concept"].to_pylist() == ["T:A", None]
    assert found.sentences.num_rows == 3
    assert found.mentions["score"].to_pylist() == [7500, 7500]
