"""The commands that README and docs/ show exist, and run as they stand there in one folder.

Run are the pages whose commands need nothing but medweave. Those of the other pages need a licence,
a server or a model of the reader's own: of these the options are looked up.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from ray_jobs.cli import main
from ray_jobs.kg_build import command as kg_build

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("risk.md", "audit.md")
"""In this order: the second goes on with what the first made."""


def commands(page: str) -> list[str]:
    """The commands of the console blocks of a page, each with its continuation lines."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        found += [line[2:] for line in lines if line.startswith("$ ")]
    return found


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def words(line: str) -> list[str]:
    """The words of a shell command, up to a comment."""
    return shlex.split(line, comments=True)


def called(line: str) -> tuple[click.Command, list[str]] | None:
    """The command of medweave that a line calls, and what it is given; none for other programs."""
    first, *rest = words(line)
    if first not in ("medweave", "kg_build"):
        return None
    command: click.Command = main if first == "medweave" else kg_build
    while isinstance(command, click.Group):
        command = command.commands[rest.pop(0)]
    return command, rest


EVERY_PAGE = [path.name for path in sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", ["../README.md", *EVERY_PAGE])
def test_every_option_that_is_shown_exists(page: str) -> None:
    for line in commands(page):
        if found := called(line):
            command, given = found
            known = {name for option in command.params for name in option.opts}
            shown = {word.partition("=")[0] for word in given if re.match("--?[a-z]", word)}
            assert shown <= known, line


def test_the_python_of_the_page_on_notes_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("extraction.md", "python")
    exec(compile(code, "extraction.md", "exec"), {})
    told = capsys.readouterr().out.splitlines()
    assert [tuple(line.rsplit(" ", 3)[:3]) for line in told] == [
        ("gout", "problem", "present"),
        ("chest pain", "problem", "absent"),
        ("aspirin", "treatment", "present"),
    ]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment with `medweave` and `kg_build` of this tree."""
    folder = tmp_path_factory.mktemp("bin")
    for name, module in (("medweave", "cli"), ("kg_build", "kg_build")):
        script = folder / name
        script.write_text(
            f"#!{sys.executable}\nfrom ray_jobs.{module} import main\nmain()\n", encoding="utf-8"
        )
        script.chmod(0o755)
    tree = str(Path(__file__).parents[2])
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": tree}


def run(command: str, folder: Path, environment: dict[str, str], status: int = 0) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.accept
def test_the_commands_from_records_to_a_report(tmp_path: Path, environment: dict[str, str]) -> None:
    for page in PAGES:
        found = commands(page)
        assert found
        for command in found:
            run(command, tmp_path, environment)
    assert "TRIPOD" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "risks.jsonl").stat().st_size > 0


def write_stays(folder: Path) -> None:
    """The table that docs/tables.md speaks of, made up."""
    rng = np.random.default_rng(0)
    lines = [
        "patient_id,stay_id,discharged_at,age,sodium,creatinine,sex,ward,admission_type,"
        "diagnosis_1,diagnosis_2,length_of_stay,discharged_to,readmitted"
    ]
    for number in range(200):
        age = rng.choice(["> 89", str(rng.integers(20, 89))], p=[0.02, 0.98])
        lines.append(
            f"p{number // 2},s{number},2026-01-{1 + number % 28:02d} 14:00,{age},"
            f"{rng.integers(125, 150)},{rng.normal(1.2, 0.2):.1f},{rng.choice(['F', 'M'])},"
            f"{rng.choice(['med', '?'])},{rng.choice(['urgent', 'planned'])},I50.9,E11.9,"
            f"{rng.integers(1, 20)},{rng.choice(['home', 'died'], p=[0.9, 0.1])},"
            f"{rng.choice(['yes', 'no'], p=[0.2, 0.8])}"
        )
    (folder / "stays.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_the_layout_of_a_table_of_ones_own(tmp_path: Path, environment: dict[str, str]) -> None:
    data = tmp_path / "my-data"
    data.mkdir()
    write_stays(data)
    draft, cohort = commands("tables.md")[:2]
    run(draft, tmp_path, environment)
    drafted = (tmp_path / "my-hospital.yaml").read_text(encoding="utf-8")
    assert "table: stays.csv" in drafted
    assert "discharged_to: by its name" in drafted
    corrected = blocks("tables.md", "yaml")[0]
    (tmp_path / "my-hospital.yaml").write_text(corrected, encoding="utf-8")
    told = run(f"{cohort} --json", tmp_path, environment)
    assert '"name": "died"' in told
