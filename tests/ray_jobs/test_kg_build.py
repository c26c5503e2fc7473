"""The build as a command: the same graph however it is run, interrupted or fed."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import kg_builder.demo
import ray_jobs.build
from kg_builder.mine import ShardTables
from ontologies.starter_vocabulary import starter_vocabulary
from ray_jobs import kg_build, mining
from ray_jobs.build import build
from ray_jobs.cluster import ALONE, Workers
from ray_jobs.mining import InputFile
from tests.processes import python
from tests.ray_jobs.builds import command, run

DEMO = sorted(Path(kg_builder.demo.__file__).parent.glob("*.xml"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    graph = tmp_path_factory.mktemp("built") / "graph"
    figures, _ = run(DEMO, graph)
    return graph, figures


def test_what_is_read_is_kept_or_told(built: tuple[Path, dict[str, object]]) -> None:
    _, figures = built
    assert figures["files"] == len(DEMO)
    assert figures["citations_kept"] >= 300
    assert figures["failed"] == {}
    assert figures["edges"] > 0


def test_workers_and_order_of_files_change_nothing(
    built: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    figures, _ = run(list(reversed(DEMO)), tmp_path / "graph", workers=2)
    assert figures["digest"] == built[1]["digest"]


def test_the_same_command_again_reads_nothing(built: tuple[Path, dict[str, object]]) -> None:
    graph, first = built
    figures, _ = run(DEMO, graph)
    assert figures["files_reused"] == len(DEMO)
    assert figures["digest"] == first["digest"]


def test_bad_files_are_named_and_the_good_ones_kept(
    built: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for path in DEMO:
        shutil.copy(path, inputs)
    packed = gzip.compress(DEMO[0].read_bytes())
    (inputs / "truncated.xml.gz").write_bytes(packed[: len(packed) // 2])
    (inputs / "broken.xml").write_text("<PubmedArticleSet><PubmedArticle>", encoding="utf-8")
    (inputs / "empty.xml").touch()
    (inputs / "notes.txt").write_text("not citations", encoding="utf-8")
    (inputs / "bomb.xml").write_text(
        '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
        "<PubmedArticleSet><PubmedArticle>&c;</PubmedArticle></PubmedArticleSet>",
        encoding="utf-8",
    )
    figures, said = run([inputs], tmp_path / "graph")
    assert figures["digest"] == built[1]["digest"]
    assert sum(figures["failed"].values()) >= 4
    assert "notes.txt" in said


def test_an_input_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    _, said = run([tmp_path / "nothing.xml"], tmp_path / "graph", status=1)
    assert "nothing.xml" in said


def test_a_vocabulary_of_another_version_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "vocabulary"
    starter_vocabulary().save(other)
    manifest = other / "vocabulary.json"
    text = manifest.read_text(encoding="utf-8")
    changed = text.replace('"format_version": ', '"format_version": 9')
    assert changed != text
    manifest.write_text(changed, encoding="utf-8")
    _, said = run(DEMO, tmp_path / "graph", "--vocabulary", str(other), status=1)
    assert str(other) in said


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    from kg_builder.lock import one_writer

    graph = tmp_path / "graph"
    graph.mkdir()
    with one_writer(graph):
        _, said = run(DEMO, graph, status=1)
    assert str(os.getpid()) in said


def killed_builds(graph: Path, moments: Iterable[float], workers: int) -> int:
    """Start the build and kill it at each of the moments; how many were still running then."""
    killed = 0
    for moment in moments:
        process = subprocess.Popen(
            command(DEMO, graph, "--workers", str(workers)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moment)
        killed += process.poll() is None
        with contextlib.suppress(ProcessLookupError):  # it may have come to its end
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return killed


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_at_random_moments_changes_nothing(
    built: tuple[Path, dict[str, object]], tmp_path: Path, workers: int
) -> None:
    graph, dice = tmp_path / "graph", random.Random(1)
    longest = 3.0 * workers  # Ray takes its time to start
    assert killed_builds(graph, [dice.uniform(0.5, longest) for _ in range(2)], workers) > 0
    figures, _ = run(DEMO, graph, workers=workers)
    assert figures["digest"] == built[1]["digest"]


@pytest.mark.accept
@pytest.mark.parametrize("workers", [1, 2])
def test_ten_kills_over_the_whole_run_change_nothing(
    built: tuple[Path, dict[str, object]], tmp_path: Path, workers: int
) -> None:
    started = time.monotonic()
    run(DEMO, tmp_path / "whole", workers=workers)
    longest = time.monotonic() - started
    dice, killed = random.Random(2), 0
    for part in range(10):
        graph = tmp_path / f"graph-{part}"
        killed += killed_builds(graph, [(part + dice.random()) / 10 * longest], workers)
        figures, _ = run(DEMO, graph, workers=workers)
        assert figures["digest"] == built[1]["digest"], part
    assert killed > 5


def test_one_worker_is_the_process_itself_without_ray(
    built: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    check = (
        "import sys\n"
        "from ray_jobs.kg_build import command\n"
        "command(sys.argv[1:], standalone_mode=False)\n"
        "sys.exit('ray' in sys.modules)\n"
    )
    graph = tmp_path / "graph"
    arguments = command(DEMO, graph, "--workers", "1")[1:]
    figures = json.loads(python(check, *arguments))
    assert figures["digest"] == built[1]["digest"]
    assert figures["processes"] == 1
    assert figures["mining_cpu_seconds"] > 0
    assert figures["peak_memory_mb"] > 50


def test_no_worker_is_asked_for_that_has_nothing_to_do(
    built: tuple[Path, dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []

    @contextmanager
    def recorded(count: int | None) -> Iterator[Workers]:
        asked.append(count)
        yield ALONE

    monkeypatch.setattr(ray_jobs.build, "workers", recorded)
    graph, demo = tmp_path / "graph", list(map(str, DEMO))
    shutil.copytree(built[0], graph)
    build(demo, str(graph), count=4)
    assert asked.pop() == 1  # all is mined, and the snapshot is there
    (graph / "CURRENT").unlink()
    build(demo, str(graph), count=4)
    assert asked.pop() == 4  # a snapshot of several files is to be made
    for name, count, expected in (("a", None, 1), ("b", 2, 2)):
        more = tmp_path / f"{name}.xml"
        more.write_text(f"<PubmedArticleSet><!--{name}--></PubmedArticleSet>", encoding="utf-8")
        build([*demo, str(more)], str(graph), count=count)
        assert asked.pop() == expected
    build(demo, str(tmp_path / "new"))
    assert asked == [None]


def test_an_interrupted_build_of_one_process_goes_on(
    built: tuple[Path, dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of the last file: the others are kept, and it alone is mined again."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    mine, read = mining.mine_here, []

    def interrupted(recipe: mining.Recipe, file: InputFile, content: bytes | None) -> ShardTables:
        read.append(file.name)
        if len(read) == len(DEMO):
            raise KeyboardInterrupt
        return mine(recipe, file, content)

    monkeypatch.setattr(mining, "mine_here", interrupted)
    graph = tmp_path / "graph"
    arguments = command(DEMO, graph, "--workers", "1")[1:]
    stopped = CliRunner().invoke(kg_build.command, arguments)
    assert stopped.exit_code == 130
    assert "the same command goes on from there" in stopped.output
    assert not (graph / "CURRENT").exists()
    again = CliRunner().invoke(kg_build.command, arguments)
    assert again.exit_code == 0, again.output
    figures = json.loads(again.stdout)
    assert figures["files_reused"] == len(DEMO) - 1
    assert read[-1] == read[-2]
    assert figures["digest"] == built[1]["digest"]
