"""Updates, deletions and cuts on the real corpus, against builds in one go."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kg_builder.history import State, compare
from kg_builder.ledger import Ledger
from kg_builder.model import Article, Deletion
from kg_builder.snapshot import SnapshotInfo, build_snapshot, set_current
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.sources import open_source
from kg_builder.sources.inputs import order_key
from kg_builder.update import cut_snapshot, update_snapshot
from tests.kg_builder.readings import answers
from tests.ray_jobs.mined import Workshop

pytestmark = [pytest.mark.accept, pytest.mark.usefixtures("no_waiting_for_the_disk")]

DATES = (date(1996, 12, 31), date(2001, 6, 30), date(2010, 3, 15))
SAMPLE = 400  # edges whose evidence is read


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture(scope="module")
def files(data: Path) -> list[Path]:
    found = [*(data / "pubmed").glob("*.xml.gz"), *(data / "pubmed" / "updates").glob("*.xml.gz")]
    return sorted(found, key=order_key)


@pytest.fixture(scope="module")
def stepwise(
    workshop: Workshop, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SnapshotInfo, SnapshotInfo]:
    """A graph built from the base files and then updated; both its snapshots."""
    graph = tmp_path_factory.mktemp("stepwise") / "graph"
    workshop.add(graph, files[:-1])
    base = workshop.publish(graph)
    workshop.add(graph, files[-1:])
    updated = update_snapshot(graph, workshop.vocabulary)
    set_current(graph, updated.digest)
    return graph, base, updated


def tables(info: SnapshotInfo) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(info.path.glob("*.arrow"))}


def test_base_and_update_equal_all_in_one_go(
    workshop: Workshop, stepwise: tuple[Path, SnapshotInfo, SnapshotInfo], tmp_path: Path
) -> None:
    graph, base, updated = stepwise
    built = build_snapshot(tmp_path, workshop.vocabulary, ledger=Ledger.open(graph))
    assert base.digest != updated.digest == built.digest
    assert tables(updated) == tables(built)
    assert updated.origin.superseded > 100
    assert (updated.origin.deleted, updated.retracted) == (100, 16)


def test_deleting_all_articles_of_a_file_equals_building_without_it(
    workshop: Workshop, files: list[Path], tmp_path: Path
) -> None:
    kept, gone = files[3:4], files[4]
    pmids = [r.pmid for r in open_source("pubmed").read(gone) if isinstance(r, Article)]
    with_it, without = tmp_path / "with", tmp_path / "without"
    workshop.add(with_it, [*kept, gone])
    set_current(with_it, build_snapshot(with_it, workshop.vocabulary).digest)
    workshop.add_records(with_it, [Deletion(pmid) for pmid in pmids], (2026, 999), "deletions")
    workshop.add(without, kept)
    updated = update_snapshot(with_it, workshop.vocabulary)
    built = build_snapshot(without, workshop.vocabulary)
    assert updated.digest == built.digest
    assert tables(updated) == tables(built)
    assert updated.origin.deleted == len(set(pmids))


@pytest.mark.parametrize("as_of", DATES)
def test_reads_as_of_a_date_a_cut_and_a_build_of_what_was_published_agree(
    as_of: date,
    workshop: Workshop,
    files: list[Path],
    stepwise: tuple[Path, SnapshotInfo, SnapshotInfo],
    tmp_path: Path,
) -> None:
    graph, _, whole = stepwise
    cut = cut_snapshot(graph, as_of)
    published = [a for a in in_force(files) if a.published and a.published.last_day() <= as_of]
    workshop.add_records(tmp_path, published, (0, 0), "what was published")
    built = build_snapshot(tmp_path, workshop.vocabulary)
    assert 0 < cut.articles < whole.articles
    assert cut.digest == built.digest
    assert tables(cut) == tables(built)
    one, other = SnapshotReader(whole.path), SnapshotReader(cut.path)
    ids = list(one.concept_ids())
    edges = one.edges(ids, min_articles=0)
    keys = [edge.key for edge in edges[:: max(1, len(edges) // SAMPLE)]]
    assert answers(one, ids, keys, as_of) == answers(other, ids, keys, None)
    moved = compare(State(one, as_of), State(other)).count()
    assert moved.pop("unchanged") == cut.edges
    assert set(moved.values()) == {0}


def in_force(files: list[Path]) -> list[Article]:
    """The last version of each article, file by file, deletions taken out."""
    found: dict[int, Article] = {}
    for path in files:
        gone = set()
        for record in open_source("pubmed").read(path):
            if isinstance(record, Deletion):
                gone.add(record.pmid)
            elif isinstance(record, Article):
                found[record.pmid] = record
        for pmid in gone:
            found.pop(pmid, None)
    return list(found.values())
