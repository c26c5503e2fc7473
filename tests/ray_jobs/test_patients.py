"""Contexts of many patients, as a person asks for them: whole, interrupted, wrong, on Ray."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kg_builder.update import cut_snapshot
from predictor.schema import FeatureTable
from ray_jobs import patient_records, patients
from ray_jobs.cli import main
from ray_jobs.patient_records import PatientLineError, feature_table, read_patient
from ray_jobs.shards import Shard
from retrieval.patients import seed_of
from retrieval.retriever import GraphRetriever
from tests.retrieval.worlds import build, demo_records

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

TASK = "readmission_30d"
NAMES = ("omeprazole", "clopidogrel", "warfarin", "heart failure", "pneumonia", "amiodarone")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("patients") / "graph"
    address = build(folder, demo_records())
    cut_snapshot(folder, date(2015, 12, 31))
    return address


@pytest.fixture(scope="module")
def ids(graph: str) -> list[str]:
    view = GraphRetriever.open(graph).view()
    return [view.seeds(name)[0].concept_id for name in NAMES]


def patient(number: int, ids: list[str], **more: Any) -> dict[str, Any]:
    seeds = [{"concept_id": one, "time": "2150-01-02T00:00:00"} for one in ids]
    when = "2150-01-03T00:00:00"
    return {
        "subject_id": f"p{number}",
        "stay_id": "1",
        "prediction_time": when,
        "seeds": seeds,
        **more,
    }


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(source: Path, graph: str, out: Path, *more: str, status: int = 0) -> Result:
    arguments = ["contexts", str(source), "--graph", graph, "--task", TASK, "--out", str(out)]
    result = CliRunner().invoke(main, [*arguments, "--json", *more])
    assert result.exit_code == status, result.output
    return result


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_contexts_are_what_the_retriever_gives(graph: str, ids: list[str], tmp_path: Path) -> None:
    negated = {"concept_id": ids[2], "status": "absent"}
    late = {"concept_id": ids[5], "time": "2150-01-04T00:00:00"}
    first = patient(1, ids[:2])
    first["seeds"] += [negated, late, {"concept_id": "ICD10CM:I50.9"}]
    rows = [first, patient(2, ids[2:5]), patient(3, ids[:4], as_of="2016-05-01"), patient(4, [])]
    out, table = tmp_path / "contexts.jsonl", tmp_path / "features.parquet"
    result = run(write(tmp_path / "seeds.jsonl", rows), graph, out, "--features", str(table))
    figures = json.loads(result.stdout)
    assert (figures["patients_read"], figures["kept"], figures["failed"]) == (4, 4, 0)
    assert figures["seeds_later_than_prediction"] == 1
    assert figures["without_a_known_concept"] == 1
    found = lines(out)
    assert [row["subject_id"] for row in found] == ["p1", "p2", "p3", "p4"]
    retriever = GraphRetriever.open(graph)
    (failure,) = retriever.view().seeds("ICD10CM:I50.9")
    seeds = [seed_of(one) for one in (*ids[:2], failure.concept_id)]
    seeds.append(seed_of(ids[2], "absent"))
    expected = retriever.retrieve_for_patient(seeds, TASK)
    assert [p["pmid"] for p in found[0]["passages"]] == [p.pmid for p in expected.passages]
    assert found[0]["features"] == dict(expected.features.columns)
    assert found[0]["pairs"][0]["supporting"] == list(expected.features.pairs[0].supporting)
    assert found[2]["literature_until"] <= "2015-12-31" < found[0]["literature_until"]
    features = FeatureTable.load(table)
    assert {column.source for column in features.columns} == {"graph"}
    assert features.number("harm_count")[:3].tolist() == [
        row["features"]["harm_count"] for row in found[:3]
    ]
    assert features.times("clock graph")[0] == datetime(2150, 1, 2)
    assert not (tmp_path / ".contexts.jsonl.parts").exists()


def test_pairs_that_many_have_get_a_column_of_their_own(
    graph: str, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warfarin and amiodarone harm each other in the demo's literature."""
    monkeypatch.setattr(patient_records, "LEAST_ROWS", 2)
    rows = [patient(1, [ids[2], ids[5]]), patient(2, [ids[2]]), patient(3, ids[2:6])]
    out = tmp_path / "contexts.jsonl"
    run(write(tmp_path / "seeds.jsonl", rows), graph, out, "--limit", "0")
    with out.open() as text:
        made = feature_table(TASK, text)
    name = "pair of amiodarone and warfarin"
    assert made.number(name).tolist() == [1.0, 0.0, 1.0]
    told = out.read_text().splitlines(keepends=True)
    alone = feature_table(TASK, told[1:2], made.columns)
    assert alone.columns == made.columns
    assert alone.number(name).tolist() == [0.0]
    assert name not in {column.name for column in feature_table(TASK, told[:2]).columns}
    older = json.dumps({**json.loads(told[0]), "version": 1})
    with pytest.raises(PatientLineError, match="version 1, expected 2; make the contexts again"):
        feature_table(TASK, [older])


def test_numbers_alone_are_those_of_whole_contexts(
    graph: str, ids: list[str], tmp_path: Path
) -> None:
    source = write(tmp_path / "seeds.jsonl", [patient(1, ids[:3]), patient(2, [])])
    run(source, graph, tmp_path / "whole.jsonl", "--as-of", "2015-12-31")
    run(source, graph, tmp_path / "bare.jsonl", "--as-of", "2015-12-31", "--limit", "0")
    for whole, bare in zip(lines(tmp_path / "whole.jsonl"), lines(tmp_path / "bare.jsonl"),
                           strict=True):  # fmt: skip
        for key in ("features", "harmful", "literature_until", "as_of", "known", "missing"):
            assert bare[key] == whole[key]
        assert not bare["passages"]


def test_bad_lines_are_told_and_good_ones_kept(graph: str, ids: list[str], tmp_path: Path) -> None:
    rows = [
        patient(1, ids[:2]),
        {"subject_id": "p2"},
        patient(3, ids[:1], as_of="2001-01-01"),
        patient(4, ids[2:4]),
    ]
    source = write(tmp_path / "seeds.jsonl", rows)
    out = tmp_path / "contexts.jsonl"
    result = run(source, graph, out, status=1)
    assert [row["subject_id"] for row in lines(out)] == ["p1", "p4"]
    told = {row["line"]: row["reason"] for row in lines(tmp_path / "contexts.failures.jsonl")}
    assert "lacks seeds" in told[2]
    assert "medweave cut" in told[3]
    assert "2 lines could not be read" in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "a patient is list"),
        ('{"subject_id": "1", "seeds": {}}', "seeds is dict"),
        ('{"subject_id": 1, "seeds": []}', "subject_id is 1"),
        ('{"subject_id": "1", "seeds": [], "age": 3}', "no age"),
        ('{"subject_id": "1", "seeds": [{"concept_id": "X:1", "status": "maybe"}]}', "maybe"),
        ('{"subject_id": "1", "seeds": [{"concept_id": "X:1", "weight": 0}]}', "weight 0"),
        ('{"subject_id": "1", "seeds": [], "prediction_time": "soon"}', "ISO 8601"),
        ('{"subject_id": "1", "seeds": [], "as_of": "2001"}', "YYYY-MM-DD"),
        ('{"subject_id": "1", "seeds": [], "prediction_time": "2001-01-01T00:00Z"}', "time zone"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(line: str, said: str) -> None:
    with pytest.raises(PatientLineError, match=said):
        read_patient(line)


def test_wrong_use_makes_nothing(graph: str, ids: list[str], tmp_path: Path) -> None:
    source, out = write(tmp_path / "seeds.jsonl", [patient(1, ids[:2])]), tmp_path / "out.jsonl"
    arguments = ["contexts", str(source), "--graph", graph, "--out", str(out), "--task"]
    result = CliRunner().invoke(main, [*arguments, "length_of_stay"])
    assert result.exit_code == 1
    assert "readmission_30d" in result.output
    assert "medweave cut" in run(source, graph, out, "--as-of", "2001", status=1).output
    unkeyed = patient(1, ids[:2])
    del unkeyed["prediction_time"]
    source = write(tmp_path / "seeds.jsonl", [unkeyed])
    table = str(tmp_path / "f.parquet")
    assert "prediction_time" in run(source, graph, out, "--features", table, status=1).output


def test_an_interrupted_job_goes_on(
    graph: str, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "SHARD", 2)
    rows = [patient(number, ids[number % 3 :]) for number in range(6)]
    source = write(tmp_path / "seeds.jsonl", rows)
    run(source, graph, tmp_path / "whole.jsonl")
    made = patients.make_shard

    def dies(recipe: patients.Recipe, shard: Shard[patients.Line]) -> str:
        if shard.records[0][0] == 5:
            raise KeyboardInterrupt
        return made(recipe, shard)

    monkeypatch.setattr(patients, "make_shard", dies)
    out = tmp_path / "contexts.jsonl"
    run(source, graph, out, status=130)
    assert not out.exists()
    monkeypatch.setattr(patients, "make_shard", made)
    assert json.loads(run(source, graph, out).stdout)["reused"] == 4
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.accept
def test_workers_of_ray_write_the_same_bytes(
    graph: str, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patients, "SHARD", 2)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    rows = [patient(number, ids[number % 3 :]) for number in range(6)]
    source = write(tmp_path / "seeds.jsonl", rows)
    run(source, graph, tmp_path / "one.jsonl")
    run(source, graph, tmp_path / "two.jsonl", "--workers", "2")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_communities_are_listed_and_told(graph: str) -> None:
    listed = CliRunner().invoke(main, ["communities", "--graph", graph, "--json"])
    assert listed.exit_code == 0, listed.output
    rows = json.loads(listed.stdout)
    assert rows[0]["level"] == "top"
    sizes = [len(row["members"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    own = CliRunner().invoke(main, ["communities", "omeprazole", "--graph", graph, "--json"])
    found = json.loads(own.stdout)
    assert found[0]["level"] == "top"
    assert all(row["statements"] for row in found)
    told = CliRunner().invoke(main, ["communities", rows[0]["id"][:8], "--graph", graph])
    assert rows[0]["central"][0]["name"] in told.stdout
    assert "PMID" in told.stdout
    wrong = CliRunner().invoke(main, ["communities", "omeprazol", "--graph", graph])
    assert wrong.exit_code == 1
