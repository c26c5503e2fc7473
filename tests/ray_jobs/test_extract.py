"""`medweave extract`, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ray_jobs.extract_notes as job
from extractor.reader import Reader
from extractor.schema import Note, NoteFindings
from ray_jobs.cli import main

NOTES = [
    {"note_id": n, "text": f"PMH: asthma, gout.\nDenies fever {n}. Continue aspirin 81 mg.",
     "subject_id": n // 2, "hadm_id": 70 + n, "charttime": f"2150-01-{n + 1:02}T08:00:00"}
    for n in range(6)
]  # fmt: skip


def write(path: Path, notes: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(note) + "\n" for note in notes), encoding="utf-8")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def run(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["extract", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_findings_repeat_the_note_s_ids_and_quote_it(tmp_path: Path) -> None:
    source, out = write(tmp_path / "notes.jsonl", NOTES), tmp_path / "found.jsonl"
    figures = run(source, "--out", out, "--model", "rules", "--page", tmp_path / "note.html")
    texts = {note["note_id"]: note["text"] for note in NOTES}
    found = lines(out)
    assert figures["findings"] == len(found) == 24
    assert figures["states"] == {"ok": 6}
    for row in found:
        assert texts[row["note_id"]][row["start"] : row["end"]] == row["quote"]
        assert row["hadm_id"] == 70 + row["note_id"]
    assert [row["status"] for row in found if row["quote"] == "fever"] == ["absent"] * 6
    states = lines(tmp_path / "found.notes.jsonl")
    assert [row["note_id"] for row in states] == list(range(6))
    outcomes = lines(tmp_path / "found.outcomes.jsonl")
    assert [(o["subject_id"], o["prediction_time"]) for o in outcomes] == [
        (0, "2150-01-02T08:00:00"),
        (1, "2150-01-04T08:00:00"),
        (2, "2150-01-06T08:00:00"),
    ]
    assert {o["probability"] for o in outcomes} == {None}
    assert "<mark" in (tmp_path / "note.html").read_text(encoding="utf-8")


def test_an_interrupted_extraction_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SHARD", 2)
    source, out = write(tmp_path / "notes.jsonl", NOTES), tmp_path / "found.jsonl"
    run(source, "--out", tmp_path / "whole.jsonl", "--model", "rules")
    real, asked = job.read_shard, []

    def once(reader: Reader, notes: list[Note]) -> str:
        asked.append(notes[0].note_id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(reader, notes)

    monkeypatch.setattr(job, "read_shard", once)
    done = CliRunner().invoke(main, ["extract", str(source), "--out", str(out), "--model", "rules"])
    assert done.exit_code == 130
    assert not out.exists()
    assert run(source, "--out", out, "--model", "rules")["notes_reused"] == 2
    assert asked == [0, 2, 2, 4]
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".parts")] == []


def test_a_note_that_fails_is_counted_and_the_others_are_kept() -> None:
    class Stumbling:
        version = "stumbling"

        def read(self, notes: list[Note]) -> list[NoteFindings]:
            from extractor.schema import State

            if any(note.note_id == 2 for note in notes):
                raise ValueError(notes[0].text)
            return [NoteFindings(note.note_id, State.OK, "stumbling") for note in notes]

    said = job.read_shard(Stumbling(), [Note(1, "secret"), Note(2, "secret"), Note(3, "secret")])
    states = [json.loads(line)["state"] for line in said.split("\n") if line]
    assert states == ["ok", "failed", "ok"]
    assert "secret" not in said
    assert "ValueError" in said


def test_bad_records_are_told_and_good_ones_kept(tmp_path: Path) -> None:
    source = tmp_path / "notes.jsonl"
    source.write_text('{"note_id": 1, "text": "Cough."}\n{"note_id": 2}\n', encoding="utf-8")
    done = CliRunner().invoke(
        main, ["extract", str(source), "--out", str(tmp_path / "o.jsonl"), "--model", "rules"]
    )
    assert done.exit_code == 0
    assert "line 2: text is missing; expected a string" in " ".join(done.output.split())
    assert [row["quote"] for row in lines(tmp_path / "o.jsonl")] == ["Cough"]


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.jsonl", NOTES)
    done = CliRunner().invoke(
        main, ["extract", str(source), "--out", str(tmp_path / "o"), "--model", "nothing"]
    )
    assert done.exit_code == 1
    assert "nothing" in done.output


NO_NETWORK = ["unshare", "-rn", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh"]


def may_unshare() -> bool:
    try:
        return (
            subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


@pytest.mark.skipif(not may_unshare(), reason="unshare -rn is not permitted here")
def test_extraction_on_ray_s_workers_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a network namespace that holds a loopback alone, Ray's workers in it too.

    The result is the same, byte for byte, as that of this process.
    """
    many = [NOTES[0] | {"note_id": n} for n in range(2 * job.SHARD)]
    source = write(tmp_path / "notes.jsonl", many)
    command = [
        sys.executable,
        "-c",
        "from ray_jobs.cli import main; main()",
        "extract",
        str(source),
        "--json",
    ]
    command += ["--model", "rules", "--workers", "2", "--out", str(tmp_path / "far.jsonl")]
    check = "import socket; s = socket.socket(); s.settimeout(2); s.connect(('192.0.2.1', 80))"
    reached = subprocess.run(
        [*NO_NETWORK, sys.executable, "-c", check], capture_output=True, check=False, text=True
    )
    assert "unreachable" in reached.stderr
    done = subprocess.run([*NO_NETWORK, *command], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["states"] == {"ok": len(many)}
    run(source, "--out", tmp_path / "near.jsonl", "--model", "rules")
    assert (tmp_path / "far.jsonl").read_bytes() == (tmp_path / "near.jsonl").read_bytes()
    assert NOTES[0]["text"] not in done.stderr + done.stdout
