"""The commands that update, cut and compare a graph, as a user runs them."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import kg_builder.demo
from kg_builder.snapshot import current_digest, list_snapshots
from kg_builder.store import open_store
from ray_jobs.cli import main
from tests.kg_builder.nlm_server import Server, serving
from tests.ray_jobs.mined import Workshop

DEMO = sorted(Path(kg_builder.demo.__file__).parent.glob("*.xml"))
NUMBERS = [int(path.stem.removeprefix("pubmed26n")) for path in DEMO]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture(scope="module")
def whole(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A graph of all files of the demo, and its digest."""
    graph = tmp_path_factory.mktemp("whole") / "graph"
    workshop.add(graph, DEMO)
    return graph, workshop.publish(graph).digest


@pytest.fixture
def begun(workshop: Workshop, tmp_path: Path) -> tuple[Path, str]:
    """A graph of the first file, and its digest."""
    workshop.add(tmp_path / "graph", DEMO[:1])
    return tmp_path / "graph", workshop.publish(tmp_path / "graph").digest


def medweave(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done.output


def as_json(*arguments: object) -> Any:
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def publish(server: Server, path: Path) -> None:
    server.put(f"{path.name}.gz", gzip.compress(path.read_bytes()))


def test_update_ends_where_one_build_ends(
    whole: tuple[Path, str], begun: tuple[Path, str], server: Server
) -> None:
    graph, first = begun
    for path in DEMO:
        publish(server, path)
    command = ["update", "--graph", graph, "--base-url", server.address]
    figures = as_json(*command, "--workers", "1")
    assert figures["applied"] == [f"{path.name}.gz" for path in DEMO[1:]]
    assert figures["digest"] == whole[1] != first
    assert current_digest(graph) == figures["digest"]
    assert as_json(*command) == {"applied": [], "digest": figures["digest"]}
    assert "Nothing new" in medweave(*command)


def test_an_update_that_died_after_mining_is_published_by_the_next(
    whole: tuple[Path, str], begun: tuple[Path, str], server: Server
) -> None:
    graph, first = begun
    shutil.rmtree(graph / "ledger")
    shutil.copytree(whole[0] / "ledger", graph / "ledger")
    publish(server, DEMO[-1])
    told = as_json("update", "--graph", graph, "--base-url", server.address)
    assert told == {"applied": [], "digest": whole[1]}
    assert current_digest(graph) == whole[1] != first


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ("pubmed27n0001.xml.gz", "Build a new graph"),
        (f"pubmed26n{max(NUMBERS) + 2}.xml.gz", f"pubmed26n{max(NUMBERS) + 1}.xml.gz"),
    ],
)
def test_nothing_is_applied_where_a_file_does_not_follow(
    whole: tuple[Path, str], server: Server, published: str, said: str
) -> None:
    server.put(published, b"anything")
    told = medweave("update", "--graph", whole[0], "--base-url", server.address, status=1)
    assert said in told
    assert server.ranges_asked() == []
    assert current_digest(whole[0]) == whole[1]


def test_a_wrong_md5_is_told_and_nothing_applied(whole: tuple[Path, str], server: Server) -> None:
    name = f"pubmed26n{max(NUMBERS) + 1}.xml.gz"
    server.put(name, b"anything", md5="0" * 32)
    told = medweave("update", "--graph", whole[0], "--base-url", server.address, status=1)
    assert name in told
    assert "MD5" in told
    assert not (whole[0] / "inputs" / name).exists()


def test_a_graph_that_is_not_there_cannot_be_updated_or_cut(tmp_path: Path) -> None:
    for command in (["update"], ["cut", "--as-of", "2015"]):
        assert "kg_build" in medweave(*command, "--graph", tmp_path / "none", status=1)
    assert not (tmp_path / "none").exists()


# -- cut --------------------------------------------------------------------------------------


def test_a_cut_is_a_snapshot_that_answers_as_the_whole_did(
    whole: tuple[Path, str],
) -> None:
    graph, digest = whole
    cut = as_json("cut", "--graph", graph, "--as-of", "2015")
    store, early = open_store(str(graph)), open_store(cut["path"])
    day = date(2015, 12, 31)
    then, all_of_it = store.stats(as_of=day), store.stats()
    assert (cut["as_of"], cut["snapshot"]) == (day.isoformat(), digest)
    assert (cut["articles"], cut["edges"]) == (then.articles, then.edges) != (0, all_of_it.edges)
    assert cut["articles"] + cut["later"] + cut["undated"] == all_of_it.articles
    assert cut["superseded_versions"] + cut["deleted_by_today"] > 0
    ids = list(store.concept_ids())
    assert early.edges(ids) == store.edges(ids, as_of=day)
    assert early.cypher("MATCH ()-[r:TREATS]->() RETURN count(r) AS n") != []
    store.close()
    early.close()
    listed = as_json("snapshots", "list", "--graph", graph)
    assert {s["digest"]: s["as_of"] for s in listed}[cut["digest"]] == day.isoformat()
    assert current_digest(graph) == digest
    again = medweave("cut", "--graph", graph, "--as-of", "2015")
    assert "apply at every date" in again
    assert len(list_snapshots(graph)) == len(listed)


def test_stats_tell_what_a_date_leaves_out_and_what_it_does_not(whole: tuple[Path, str]) -> None:
    graph, _ = whole
    cut = as_json("cut", "--graph", graph, "--as-of", "2015")
    stats = as_json("stats", "--graph", graph, "--as-of", "2015")
    assert stats["later_articles_left_out"] == cut["later"] > 0
    assert stats["undated_articles_left_out"] == cut["undated"]
    for name in ("retracted_by_today", "superseded_versions", "deleted_by_today"):
        assert stats[name] == cut[name]
    assert "apply at every date" in medweave("stats", "--graph", graph, "--as-of", "2015")
    assert "apply at every date" not in medweave("stats", "--graph", graph)


def test_a_cut_in_the_future_is_refused(whole: tuple[Path, str]) -> None:
    later = date.today() + timedelta(days=400)
    assert "future" in medweave("cut", "--graph", whole[0], "--as-of", later, status=2)


# -- diff -------------------------------------------------------------------------------------


def test_dates_and_the_digests_of_their_cuts_differ_alike(
    whole: tuple[Path, str],
) -> None:
    graph, digest = whole
    cut = as_json("cut", "--graph", graph, "--as-of", "2012")
    by_date = as_json("diff", "2012", digest[:10], "--graph", graph)
    by_digest = as_json("diff", cut["digest"], digest, "--graph", graph)
    assert by_date.pop("before") == "2012-12-31"
    assert by_digest.pop("before") == cut["digest"][:16]
    assert by_date == by_digest
    assert by_date["counts"]["gained"] == len(by_date["gained"]) > 0
    assert by_date["counts"]["lost"] == 0
    turned = as_json("diff", digest, "2012-12", "--graph", graph, "--kind", "lost")
    lost = {(c["subject_id"], c["predicate"], c["object_id"]) for c in turned["lost"]}
    gained = {(c["subject_id"], c["predicate"], c["object_id"]) for c in by_date["gained"]}
    assert lost == gained
    assert set(turned) == {"before", "after", "counts", "lost"}


def test_a_table_tells_what_it_leaves_out(whole: tuple[Path, str]) -> None:
    graph, digest = whole
    told = medweave("diff", "2012", digest, "--graph", graph, "--limit", "1")
    assert "not shown" in told
    assert "gained" in told


def test_what_names_no_state_is_refused(whole: tuple[Path, str]) -> None:
    graph, digest = whole
    later = (date.today() + timedelta(days=400)).isoformat()
    for wrong, said in (("zzz", "begin with"), (later, "future"), ("2012-13", "not a date")):
        assert said in medweave("diff", wrong, digest, "--graph", graph, status=1)
