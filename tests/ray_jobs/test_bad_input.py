"""Whatever is wrong with what a command is given, its user reads what, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ray_jobs.cli import main

READING = (
    "search x", "neighbors x", "evidence x y", "path x y", "stats", "cypher RETURN", "ask x",
    "communities", "digest", "embed --embedding EMPTY",
    "export --format kgx --out OUT", "draw x --out OUT",
    "contexts GARBAGE --task readmission_30d --out OUT", "evaluate retrieval GARBAGE",
    "evaluate pairs GARBAGE", "evaluate bridging", "evaluate discovery --as-of 2010",
)  # fmt: skip
KEEPING = (
    "snapshots list", "snapshots remove abc", "failures", "update", "cut --as-of 2010",
    "diff 2010 2012", "publish --store bolt://127.0.0.1:9",
)  # fmt: skip
WITHOUT_GRAPH = (
    "extract GARBAGE --out OUT", "extract EMPTY --out OUT",
    "extract GARBAGE --out OUT --model EMPTY", "extract GARBAGE --out OUT --vocabulary EMPTY",
    "extractor pretrain --notes GARBAGE --gold GARBAGE --held-out-notes GARBAGE"
    " --held-out-gold GARBAGE --out OUT",
    "extractor adapt --base EMPTY --notes GARBAGE --gold GARBAGE --held-out-notes GARBAGE"
    " --held-out-gold GARBAGE --out OUT",
    "extractor finetune --base EMPTY --data GARBAGE --split GARBAGE --out OUT",
    "vocabulary build GARBAGE --out OUT", "vocabulary build EMPTY --out OUT",
    "vocabulary fetch nonsense", "linker train GARBAGE --vocabulary EMPTY --out OUT",
    "evaluate linking GARBAGE --vocabulary EMPTY", "evaluate relations GARBAGE --vocabulary EMPTY",
    "evaluate withhold-titles GARBAGE OUT", "evaluate extraction GARBAGE GARBAGE",
    "cohort --data EMPTY --task readmission_30d", "cohort --data GARBAGE --task GARBAGE",
    "seeds --data EMPTY --task x --vocabulary EMPTY --out OUT", "layout GARBAGE",
    "train --data EMPTY --task readmission_30d --out OUT",
    "audit --data EMPTY --task readmission_30d", "audit --table GARBAGE --task readmission_30d",
    "score --run EMPTY --data EMPTY --out OUT", "explain --run EMPTY --subject 1",
    "report --run EMPTY --out OUT", "validate --run EMPTY --data EMPTY",
    "build NOWHERE --graph OUT --workers 1",
    "build GARBAGE --graph OUT --workers 1 --linker nonsense",
    "build GARBAGE --graph OUT --workers 1 --vocabulary EMPTY",
)  # fmt: skip
CASES = (
    *(f"{line} --graph {graph}" for line in READING for graph in ("EMPTY", "GARBAGE", "ftp://x")),
    *(f"{line} --graph {graph}" for line in KEEPING for graph in ("EMPTY", "GARBAGE")),
    *WITHOUT_GRAPH,
)


def failed(line: str, folder: Path) -> str:
    """What is said by a command that has to fail, and to say why in a sentence."""
    places = {name: folder / name.lower() for name in ("GARBAGE", "EMPTY", "OUT", "NOWHERE")}
    places["EMPTY"].mkdir()
    places["GARBAGE"].write_bytes(b'\0garbage\xff\n\n{"a": 1}\n')
    done = CliRunner().invoke(main, [str(places.get(word, word)) for word in line.split()])
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in (1, 2)
    assert "Error: " in done.output or "refused: " in done.output
    return done.output


@pytest.mark.parametrize("line", CASES)
def test_what_is_wrong_is_told(line: str, tmp_path: Path) -> None:
    said = failed(line, tmp_path)
    assert "Traceback" not in said
    assert len(said) > len("Error: ") + 20


@pytest.mark.parametrize("line", ["ask x", "communities", "evaluate bridging", "stats"])
def test_a_server_that_does_not_answer_is_told(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_USERNAME", "neo4j")
    monkeypatch.setenv("NEO4J_PASSWORD", "nobody's")
    assert "no Neo4j server answers" in failed(f"{line} --graph bolt://127.0.0.1:9", tmp_path)


def names(group: click.Group) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from (f"{name} {below}" for below in names(command))
        else:
            yield name


def test_every_command_is_asked() -> None:
    without_input = {"demo", "hospital make", "extractor practice"}
    asked = {name for name in names(main) if any(case.startswith(f"{name} ") for case in CASES)}
    assert asked | without_input == set(names(main))
