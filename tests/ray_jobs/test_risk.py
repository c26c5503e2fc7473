"""The risk model's commands on a plain table, from training to the page in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from predictor.metrics import auroc, expit
from predictor.study import Job, Plan, do
from ray_jobs import train_risk
from ray_jobs.cli import main
from ray_jobs.risk_data import Inputs

LAYOUT = """\
name: ward
title: A ward's stays
table: stays.csv
subject: patient
stay: stay
features:
  numbers: [age, sodium, lactate]
  categories: [sex]
never:
  dead: the outcome
tasks:
  death:
    title: Death in hospital, predicted on the ward
    prediction: {at: row, told: the second day}
    outcome: {column: dead, positive: ["1"], negative: ["0"]}
"""


def write_ward(folder: Path, patients: int = 700, seed: int = 0, shift: float = 0.0) -> Path:
    rng = np.random.default_rng(seed)
    age, sodium = rng.normal(65, 12, patients), rng.normal(138, 4, patients)
    lactate = np.where(rng.random(patients) < 0.4, rng.gamma(2, 1, patients), np.nan)
    risk = expit(-1.6 + shift + 0.06 * (age - 65) - 0.15 * (sodium - 138))
    columns = {
        "patient": [f"p{n}" for n in range(patients)],
        "stay": list(range(patients)),
        "age": age.round(1),
        "sodium": sodium.round(1),
        "lactate": pa.array(lactate.round(1), from_pandas=True),
        "sex": rng.choice(["F", "M"], patients),
        "dead": (rng.random(patients) < risk).astype(int),
    }
    folder.mkdir()
    pa_csv.write_csv(pa.table(columns), folder / "stays.csv")
    (folder / "layout.yaml").write_text(LAYOUT, encoding="utf-8")
    return folder


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A ward's data and a run trained on it."""
    folder = tmp_path_factory.mktemp("ward")
    data, out = write_ward(folder / "data"), folder / "run"
    run(
        "train", "--data", str(data), "--layout", str(data / "layout.yaml"), "--task", "death",
        "--out", str(out), "--model", "blend", "--model", "lightgbm", "--replicates", "50",
        "--folds", "3",
    )  # fmt: skip
    return data, out


def given(data: Path) -> list[str]:
    return ["--data", str(data), "--layout", str(data / "layout.yaml")]


def test_a_run_keeps_its_figures(ward: tuple[Path, Path]) -> None:
    _, out = ward
    metrics = json.loads((out / "metrics.json").read_text())
    rows = pq.read_table(out / "predictions.parquet").to_pylist()
    test = [row for row in rows if row["model"] == "blend" and row["fold"] == -1]
    told = metrics["models"]["blend"]["test"]
    area = auroc([row["label"] for row in test], [row["probability"] for row in test])
    assert told["auroc"]["value"] == pytest.approx(area)
    assert told["n"] == len(test)
    assert metrics["audit"]["findings"]
    assert metrics["ablations"]["structured"]["auroc"] == told["auroc"]


def test_training_again_gives_the_same_run(ward: tuple[Path, Path], tmp_path: Path) -> None:
    data, out = ward
    run(
        "train", *given(data), "--task", "death", "--out", str(tmp_path / "again"),
        "--model", "blend", "--model", "lightgbm", "--replicates", "50", "--folds", "3",
        "--workers", "2",
    )  # fmt: skip
    for name in ("metrics.json", "split.json", "audit.json"):
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    first, second = (pq.read_table(p / "predictions.parquet") for p in (out, tmp_path / "again"))
    assert first.equals(second)


def test_an_interrupted_training_goes_on(
    ward: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = ward
    plan = Plan(("blend", "lightgbm"), replicates=50)
    again = tmp_path / "again"
    fitted: list[str] = []

    def counted(job: Job, left_out: int, *given: Any) -> Any:
        fitted.append(f"{job.name} {left_out}")
        return do(job, left_out, *given)

    def interrupted(what: str, done: int, total: int) -> None:
        if (what, done) == ("fitting", 5):
            raise KeyboardInterrupt

    def goes_on(told: Any) -> None:
        inputs = Inputs(data, "death", data / "layout.yaml")
        train_risk.train(inputs, again, plan, division=train_risk.Division(3), told=told)

    monkeypatch.setattr(train_risk, "do", counted)
    with pytest.raises(KeyboardInterrupt):
        goes_on(interrupted)
    goes_on(lambda *_: None)
    assert len(fitted) == len(set(fitted)) == 8
    assert not (again / "fits").exists()
    assert (out / "metrics.json").read_bytes() == (again / "metrics.json").read_bytes()
    for model in ("blend", "lightgbm"):
        kept = (out / "models" / model, again / "models" / model)
        assert_same_files(*kept)


def assert_same_files(one: Path, other: Path) -> None:
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    assert [str(p) for p in files if (one / p).read_bytes() != (other / p).read_bytes()] == []


def test_scoring_the_same_rows_gives_the_kept_models_risks(
    ward: tuple[Path, Path], tmp_path: Path
) -> None:
    data, out = ward
    run("score", "--run", str(out), *given(data), "--out", str(tmp_path / "risks.jsonl"))
    risks = [json.loads(line) for line in (tmp_path / "risks.jsonl").read_text().splitlines()]
    kept = {
        row["stay_id"]: row["probability"]
        for row in pq.read_table(out / "predictions.parquet").to_pylist()
        if row["model"] == "blend" and row["fold"] == -1
    }
    assert len(risks) == 700
    scored = {risk["stay_id"]: risk["probability"] for risk in risks}
    assert all(scored[stay] == pytest.approx(value) for stay, value in kept.items())
    assert all(risk["low"] <= risk["probability"] <= risk["high"] for risk in risks)


def test_a_stranger_hospital_is_validated(ward: tuple[Path, Path], tmp_path: Path) -> None:
    _, out = ward
    other = write_ward(tmp_path / "other", 600, seed=9, shift=1.0)
    told = json.loads(run("validate", "--run", str(out), *given(other), "--json"))
    assert told["unchanged"]["calibration_intercept"]["value"] > 0.5
    assert abs(told["recalibrated"]["calibration_intercept"]["value"]) < 0.4
    assert told["unchanged"]["n"] == 600


def test_an_explanation_adds_up(ward: tuple[Path, Path]) -> None:
    _, out = ward
    (told,) = json.loads(run("explain", "--run", str(out), "--subject", "p3", "--json"))
    assert told["risk"]["subject_id"] == "p3"
    assert {reason["feature"] for reason in told["reasons"]} <= {"age", "sodium", "lactate", "sex"}
    message = run("explain", "--run", str(out), "--subject", "nobody", status=1)
    assert "no row of patient nobody" in message


def test_the_audit_stops_a_pipeline(ward: tuple[Path, Path], tmp_path: Path) -> None:
    data, _ = ward
    run("audit", *given(data), "--task", "death", status=0)
    leaking = tmp_path / "leaking"
    shutil.copytree(data, leaking)
    table = pa_csv.read_csv(leaking / "stays.csv")
    pa_csv.write_csv(table.append_column("days dead", table["dead"]), leaking / "stays.csv")
    layout = LAYOUT.replace("lactate]", "lactate, days dead]")
    (leaking / "layout.yaml").write_text(layout)
    told = json.loads(run("audit", *given(leaking), "--task", "death", "--json", status=3))
    assert "days dead" in told["findings"][0]["found"]


def test_a_table_of_someone_else_is_audited(ward: tuple[Path, Path]) -> None:
    _, out = ward
    told = run("audit", "--table", str(out / "features.parquet"), "--task", "death", "--json")
    assert "missingness alone" in told


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    told = run("report", "--run", str(tmp_path), "--out", str(tmp_path / "r.html"), status=1)
    assert "medweave train" in told


@pytest.fixture(scope="module")
def page(ward: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    run("report", "--run", str(ward[1]), "--out", str(path))
    return path


def test_the_page_loads_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#][^"']*)""", text)
    assert [link for link in links if not link.startswith("data:")] == []
    assert "url(http" not in text


def test_the_page_opens_in_a_browser(page: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    shown = done.stdout
    for plot in ("roc", "precision", "calibration", "decision", "importance", "subgroups"):
        assert f'id="plot-{plot}"' in shown
    assert shown.index("Leakage audit") < shown.index("What the models are worth")
    assert "to be written by the authors" in shown
    assert "Not a medical device" in shown


LATE = """\
table: stays.csv
subject: patient
stay: stay
time: discharged
features: {numbers: [age]}
never: {back: the outcome}
tasks:
  return:
    prediction: {at: discharge}
    discharge_summary_grace_hours: 6
    outcome: {column: back, positive: ["1"], negative: ["0"]}
"""


def test_what_a_grace_is_worth_is_told(tmp_path: Path) -> None:
    """Only the summaries, written two hours after discharge, say who will be back."""
    rng = np.random.default_rng(4)
    frail = rng.random(400) < 0.5
    columns = {
        "patient": [f"p{n}" for n in range(400)],
        "stay": list(range(400)),
        "discharged": ["2020-03-01 10:00:00"] * 400,
        "age": rng.normal(65, 12, 400).round(1),
        "back": (rng.random(400) < np.where(frail, 0.5, 0.1)).astype(int),
    }
    pa_csv.write_csv(pa.table(columns), tmp_path / "stays.csv")
    (tmp_path / "layout.yaml").write_text(LATE, encoding="utf-8")
    finding = {
        "quote": "frail", "status": "present", "storetime": "2020-03-01T12:00:00",
        "note_type": "discharge summary",
    }  # fmt: skip
    said = [
        {**finding, "note_id": f"n{n}", "subject_id": f"p{n}", "hadm_id": str(n)}
        for n in np.flatnonzero(frail).tolist()
    ]
    findings = tmp_path / "findings.jsonl"
    findings.write_text("".join(json.dumps(one) + "\n" for one in said), encoding="utf-8")
    out = tmp_path / "run"
    run(
        "train", *given(tmp_path), "--task", "return", "--findings", str(findings), "--out",
        str(out), "--model", "logistic", "--replicates", "20", "--folds", "2", "--no-ablation",
        "--test-share", "0.4",
    )  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text())
    worth = metrics["counterfactuals"]["no grace for the discharge summary"]
    assert worth["difference"]["low"] > 0
    assert worth["second"] == pytest.approx(0.5, abs=0.12)
