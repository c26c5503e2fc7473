"""`medweave extractor ...` and `medweave evaluate extraction`, as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from extractor.examples import MarkedNote
from extractor.reader import SMALL
from extractor.records import NoteInputError, finding_lines, note_line
from extractor.schema import NoteFindings, State
from extractor.split import make_split
from ray_jobs.cli import main
from ray_jobs.tuning_files import tuning_data
from tests.extractor.shorthand import shorthand

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

TINY = {
    "width": 16, "layers": 1, "inner": 24, "heads": 2, "vocabulary": 300, "tokens_per_batch": 64,
    "steps": 2, "save_every": 1, "checked": 4,
}  # fmt: skip


def medweave(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == status, done.output
    return done.output if status else done.stdout


def write_marked(folder: Path, name: str, marked: Iterable[MarkedNote]) -> tuple[Path, Path]:
    """The files of notes and of what is marked in them."""
    notes, gold = folder / f"{name}.jsonl", folder / f"{name}.gold.jsonl"
    kept = list(marked)
    notes.write_text("".join(note_line(one.note) for one in kept), encoding="utf-8")
    read = [NoteFindings(one.note.note_id, State.OK, "gold", one.findings) for one in kept]
    gold.write_text("".join(line for one in read for line in finding_lines(one)), encoding="utf-8")
    return notes, gold


def f1(gold: Path, found: Path) -> float:
    figures = json.loads(medweave("evaluate", "extraction", gold, found, "--json"))
    return float(figures[found.name]["groups"]["all"]["status"]["f1"])


def test_an_adapter_reads_a_shorthand_that_its_base_does_not(tmp_path: Path) -> None:
    notes, gold = write_marked(tmp_path, "fitted", map(shorthand, range(16)))
    checked, checked_gold = write_marked(tmp_path, "checked", map(shorthand, range(16, 18)))
    unseen, unseen_gold = write_marked(tmp_path, "unseen", map(shorthand, range(18, 24)))
    adapter = tmp_path / "adapter"
    marked = ["--gold", gold, "--held-out-notes", checked, "--held-out-gold", checked_gold]
    how = ["--form", "compact-1", "--rate", 1e-2, "--epochs", 3, "--batch", 8, "--rank", 16]
    said = medweave(
        "extractor", "adapt", "--base", SMALL, "--notes", notes, *marked, *how, "--out", adapter
    )
    assert f"Adapter in {adapter}" in said.replace("\n", "")
    scores = []
    for model, out in ((SMALL, "base.jsonl"), (adapter, "tuned.jsonl")):
        medweave("extract", unseen, "--model", model, "--out", tmp_path / out)
        scores.append(f1(unseen_gold, tmp_path / out))
    assert scores[1] > scores[0] + 0.1


def test_what_is_marked_must_stand_in_the_notes(tmp_path: Path) -> None:
    notes, _ = write_marked(tmp_path, "some", map(shorthand, range(2)))
    _, other = write_marked(tmp_path, "other", map(shorthand, range(2, 4)))
    said = medweave(
        "extractor", "adapt", "--base", SMALL, "--notes", notes, "--gold", other,
        "--held-out-notes", notes, "--held-out-gold", other, "--out", tmp_path / "out", status=1,
    )  # fmt: skip
    assert "other.gold.jsonl" in said
    assert not (tmp_path / "out").exists()


def test_a_record_that_is_no_note_is_not_left_out_in_silence(tmp_path: Path) -> None:
    notes, gold = write_marked(tmp_path, "some", map(shorthand, range(2)))
    with notes.open("a", encoding="utf-8") as lines:
        lines.write('{"note_id": 2}\n')
    with pytest.raises(NoteInputError, match="line 3"):
        tuning_data(notes, None, None, gold, None)
    with pytest.raises(NoteInputError, match="line 3"):
        tuning_data(notes, gold, None, None, None)


def test_practice_notes_train_a_model_of_a_given_size_that_can_be_asked(tmp_path: Path) -> None:
    for name, options in (("made", []), ("unseen", ["--held-out"])):
        medweave("extractor", "practice", "--notes", 6, *options, "--out", tmp_path / name)
    settings = tmp_path / "tiny.json"
    settings.write_text(json.dumps(TINY), encoding="utf-8")
    made, unseen = tmp_path / "made", tmp_path / "unseen"
    medweave(
        "extractor", "pretrain", "--settings", settings, "--out", tmp_path / "model",
        "--notes", made / "notes.jsonl", "--gold", made / "gold.jsonl",
        "--held-out-notes", unseen / "notes.jsonl", "--held-out-gold", unseen / "gold.jsonl",
    )  # fmt: skip
    assert json.loads((tmp_path / "model/settings.json").read_text())["width"] == TINY["width"]
    assert f1(made / "gold.jsonl", made / "gold.jsonl") == 1.0


def test_outcomes_of_a_fine_tuning_come_from_folds_that_did_not_see_the_patient(
    tmp_path: Path,
) -> None:
    marked = [shorthand(number) for number in range(12)]
    stored = [note.note for note in marked]
    notes, gold = write_marked(tmp_path, "notes", marked)
    lines = [{**json.loads(note_line(note)), "storetime": "2150-01-01T00:00:00"} for note in stored]
    notes.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    labels = {str(note.subject_id): int(note.note_id) % 2 for note in stored}
    rows = [f"{subject},,2150-01-02T00:00:00,{label}" for subject, label in labels.items()]
    table = tmp_path / "labels.csv"
    table.write_text("subject_id,hadm_id,prediction_time,label\n" + "\n".join(rows) + "\n")
    split = make_split("task", labels, seed=1, k=2)
    split.save(tmp_path / "split.json")
    medweave(
        "extractor", "finetune", "--base", SMALL, "--data", notes, "--gold", gold,
        "--labels", table, "--split", tmp_path / "split.json", "--out", tmp_path / "model",
        "--epochs", 1, "--rank", 2,
    )  # fmt: skip
    told = (tmp_path / "model/outcomes.jsonl").read_text(encoding="utf-8").splitlines()
    folds = {str(row["subject_id"]): row["fold"] for row in map(json.loads, told)}
    assert folds == {subject: split.fold(subject) for subject in labels}
    assert all(0 < json.loads(line)["probability"] < 1 for line in told)
    measured = medweave(
        "evaluate", "extraction", gold, gold, "--json", "--labels", table,
        "--outcomes", tmp_path / "model/outcomes.jsonl",
    )  # fmt: skip
    assert json.loads(measured)["outcome"]["rows"] == len(labels)
