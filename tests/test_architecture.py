"""The direction of imports, and that importing a package is quick and quiet."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "ontologies": set(),
    "kg_builder": {"ontologies"},
    "extractor": {"ontologies"},
    "retrieval": {"kg_builder", "ontologies"},
    "predictor": {"kg_builder", "extractor", "ontologies"},
    "explorer": {"retrieval", "predictor", "kg_builder", "ontologies"},
    "ray_jobs": {"retrieval", "predictor", "extractor", "kg_builder", "ontologies"},
}
PRESENT = [package for package in MAY_IMPORT if (ROOT / package).is_dir()]
HEAVY = (
    "ray",
    "torch",
    "transformers",
    "llama_index",
    "lightgbm",
    "neo4j",
    "ladybug",
    "spacy",
    "scispacy",
    "sklearn",
    "matplotlib",
    "Bio",
    "peft",
    "xgboost",
    "imblearn",
    "duckdb",
    "sentence_transformers",
    "numba",
)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of all modules that the file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write it in full"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("package", PRESENT)
def test_imports_point_down(package: str) -> None:
    ours = set(MAY_IMPORT)
    allowed = MAY_IMPORT[package] | {package}
    wrong = {
        str(path.relative_to(ROOT)): sorted(imported(path) & ours - allowed)
        for path in modules(package)
        if imported(path) & ours - allowed
    }
    assert not wrong


def test_ray_is_imported_only_where_jobs_are() -> None:
    for package in PRESENT:
        if package != "ray_jobs":
            for path in modules(package):
                assert "ray" not in imported(path), path


def test_llama_index_has_one_home() -> None:
    for package in PRESENT:
        for path in modules(package):
            if "llama_index" in imported(path):
                assert package == "retrieval", path
                assert path.stem.startswith(("llama", "query_engine")), path


@pytest.mark.parametrize("package", PRESENT)
def test_import_is_quick_and_quiet(package: str) -> None:
    """Importing a package loads no heavy library, prints nothing and opens no socket."""
    code = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise OSError('a socket was opened on import')\n"
        "socket.socket.connect = refuse\n"
        f"import {package}\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_no_home_for_things_without_a_name() -> None:
    for package in PRESENT:
        names = {part for path in modules(package) for part in path.relative_to(ROOT).parts}
        assert not names & {"common", "core", "utils", "helpers", "utils.py", "helpers.py"}


def test_cypher_lives_in_the_stores() -> None:
    """A Cypher clause in a string literal stands only in a store's module."""
    for package in PRESENT:
        for path in modules(package):
            if path.stem.endswith("_store"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert "MATCH (" not in node.value, f"{path}: {node.value[:60]!r}"
