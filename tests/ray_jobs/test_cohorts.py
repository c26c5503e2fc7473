"""`medweave cohort` and `medweave seeds` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from ontologies.concept import Concept, Vocabulary
from ray_jobs.cli import main
from tests.predictor.mimic4_files import write_mimic4


def test_the_flow_is_shown_and_told_as_json(tmp_path: Path) -> None:
    data = str(write_mimic4(tmp_path / "hospital"))
    shown = CliRunner().invoke(main, ["cohort", "--data", data, "--task", "readmission_30d"])
    assert shown.exit_code == 0
    assert "left against medical advice" in shown.output
    rows = tmp_path / "rows.parquet"
    told = CliRunner().invoke(
        main,
        ["cohort", "--data", data, "--task", "readmission_30d", "--json", "--out", str(rows)],
    )
    value = json.loads(told.output)
    assert (value["source"], value["rows"], value["events"]) == ("mimic4", 2, 1)
    assert rows.exists()


def test_what_is_wrong_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["cohort", "--data", str(tmp_path), "--task", "x"])
    assert shown.exit_code == 1
    assert "no records were recognized" in shown.output


def test_seeds_are_written(tmp_path: Path) -> None:
    data = str(write_mimic4(tmp_path / "hospital"))
    heart = Concept("UMLS:C0018802", "Heart failure", xrefs=("ICD9CM:428.0",))
    Vocabulary.from_concepts([heart]).save(tmp_path / "vocabulary")
    out = tmp_path / "seeds.jsonl"
    shown = CliRunner().invoke(
        main,
        ["seeds", "--data", data, "--task", "readmission_30d", "--vocabulary",
         str(tmp_path / "vocabulary"), "--out", str(out)],
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    assert "codes: 1 of 2 resolve (50.0%)" in shown.output
    assert len(out.read_text().splitlines()) == 2
