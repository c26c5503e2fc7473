"""Notes to outcomes: what was read, what the literature says of it, what the probability cites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from extractor.finetune import fit_adapter
from extractor.outcome import OutcomeRow
from extractor.reader import SMALL
from extractor.schema import Finding, Kind, NoteFindings, State, Status
from extractor.tuning_texts import Tuning, TuningData
from kg_builder.neo4j_publish import publish
from kg_builder.snapshot_tables import find_snapshot
from ray_jobs.cli import main
from ray_jobs.tuning_files import LabelError, read_passages
from tests.retrieval.worlds import build, demo_records
from tools.neo4j_server import Neo4jServer

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

NOTES = [
    {"note_id": n, "subject_id": n, "text": text, "storetime": "2016-05-03T08:00:00"}
    for n, text in enumerate(("Medications:\n- omeprazole\n- clopidogrel", "PMH:\n- gout", " "))
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An outcome model of one adapter that has seen two rows: it is asked, not believed."""
    folder = tmp_path_factory.mktemp("model")
    finding = Finding(0, 4, "gout", Kind.PROBLEM, Status.PRESENT)
    read = NoteFindings(1, State.OK, "r", (finding,), subject_id=1, storetime="2016-01-01")
    rows = tuple(OutcomeRow(1, None, f"2016-01-0{day}", day % 2) for day in (2, 3))
    data = TuningData((), rows, (read,))
    fit_adapter(SMALL, data, data, folder / "fold-0", Tuning(rank=2, epochs=1, batch=2))
    (folder / "calibration.json").write_text('{"slope": 1.0, "intercept": 0.0}')
    return folder


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "graph"
    build(folder, demo_records())
    return folder


def outcomes(folder: Path, *options: object) -> list[dict[str, Any]]:
    source = folder / "notes.jsonl"
    source.write_text("".join(json.dumps(note) + "\n" for note in NOTES))
    out = folder / "found.jsonl"
    done = CliRunner().invoke(main, ["extract", str(source), "--out", str(out), *map(str, options)])
    assert done.exit_code == 0, done.output
    lines = (folder / "found.outcomes.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_literature_on_what_the_notes_say_enters_the_probability(
    tmp_path: Path, model: Path, graph: Path
) -> None:
    without = outcomes(tmp_path, "--outcomes", model)
    told = outcomes(tmp_path, "--outcomes", model, "--graph", graph, "--task", "readmission_30d")
    assert [row["state"] for row in told] == ["ok", "ok", "no note"]
    assert told[0]["probability"] != without[0]["probability"]
    assert told[2]["probability"] is None
    assert all(row["rationale"].startswith("Rests") for row in told[:2])
    for row in told:
        assert all(f"passage {n} (PMID" in row["rationale"] for n in row["cited_passages"])
        assert all(f"finding {n} (" in row["rationale"] for n in row["cited_findings"])
    # The first article on the two drugs is of 2009: cut before it, there is nothing to add.
    early = outcomes(
        tmp_path, "--outcomes", model, "--graph", graph, "--task", "readmission_30d",
        "--as-of", "2005-01-01",
    )  # fmt: skip
    assert early[0]["probability"] == pytest.approx(without[0]["probability"], abs=1e-5)


@pytest.mark.accept
def test_a_server_tells_what_the_directory_published_there_tells(
    tmp_path: Path,
    model: Path,
    graph: Path,
    neo4j_server: Neo4jServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    publish(find_snapshot(graph), neo4j_server.url)
    without = outcomes(tmp_path, "--outcomes", model)
    for cut in ((), ("--as-of", "2012-06-30")):
        asked = ["--outcomes", model, "--task", "readmission_30d", *cut, "--graph"]
        told = outcomes(tmp_path, *asked, graph)
        assert outcomes(tmp_path, *asked, neo4j_server.url) == told
        assert told[0]["probability"] != without[0]["probability"]


def test_moved_dates_need_a_cut(tmp_path: Path, model: Path, graph: Path) -> None:
    source = tmp_path / "notes.jsonl"
    source.write_text(json.dumps({**NOTES[0], "storetime": "2150-05-03T08:00:00"}) + "\n")
    asked = ["extract", str(source), "--out", str(tmp_path / "found.jsonl"), "--graph", str(graph)]
    alone = CliRunner().invoke(main, asked)
    assert alone.exit_code == 2
    assert "--outcomes and --task" in alone.output
    done = CliRunner().invoke(main, [*asked, "--outcomes", str(model), "--task", "readmission_30d"])
    assert done.exit_code == 1
    assert "--as-of" in done.output


def test_a_folder_without_adapters_is_no_outcome_model(tmp_path: Path) -> None:
    source = tmp_path / "notes.jsonl"
    source.write_text(json.dumps(NOTES[0]) + "\n")
    asked = ["extract", str(source), "--out", str(tmp_path / "f.jsonl"), "--outcomes"]
    done = CliRunner().invoke(main, [*asked, str(tmp_path)])
    assert done.exit_code == 1
    assert "no outcome model" in done.output


def test_passages_are_read_as_contexts_are_written_and_undated_ones_left_out(
    tmp_path: Path,
) -> None:
    edge = {"subject_id": "A", "predicate": "CAUSES", "object_id": "B", "polarity": "refutes"}
    row = {
        "subject_id": 7,
        "prediction_time": "2016-01-01",
        "passages": [
            {"sentence": "It does not.", "pmid": 9, "published": "2001-01-01", "edges": [edge]},
            {"sentence": "Undated.", "pmid": 8, "published": None, "edges": []},
            {"text": "Plain.", "pmid": "7", "published": "2001-01-01"},
        ],
    }
    file = tmp_path / "contexts.jsonl"
    file.write_text(json.dumps(row) + "\n")
    (given,) = read_passages(file).values()
    assert [(p.number, p.text, p.pmid) for p in given] == [
        (1, "It does not.", "9"), (3, "Plain.", "7"),
    ]  # fmt: skip
    assert [(r.predicate, r.refuted) for r in given[0].relations] == [("CAUSES", True)]
    file.write_text("{}\n")
    with pytest.raises(LabelError, match="line 1"):
        read_passages(file)
