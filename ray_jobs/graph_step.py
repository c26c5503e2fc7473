"""From a cohort to what the literature says of each of its rows, as it was known at the time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from kg_builder.lock import one_writer
from kg_builder.snapshot import list_snapshots
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.update import cut_snapshot
from ontologies.concept import Vocabulary
from ontologies.linker import Seed
from predictor.cohort import Cohort
from predictor.explain import CitedSentence
from predictor.note_features import KnownFinding
from predictor.patient_concepts import RowSeeds, patient_seeds, write_seeds
from predictor.schema import Column, FeatureTable
from predictor.sources import Records
from predictor.task import Task
from ray_jobs.config import vocabulary_directory
from ray_jobs.patient_records import feature_table
from ray_jobs.patients import Recipe, contexts
from retrieval.seeds import STATUS_WEIGHTS

PASSAGES = 6
Key = tuple[str, str]


def retrieve_for_rows(
    records: Records,
    cohort: Cohort,
    task: Task,
    graph: str,
    out: Path,
    *,
    findings: Iterable[KnownFinding] = (),
    vocabulary: str | None = None,
    passages: int = PASSAGES,
    latest: date | None = None,
    workers: int = 1,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> Path:
    """Write `contexts.jsonl` for every row of a cohort into the folder `out`.

    The concepts are those that records and findings held by the prediction time; the literature is
    cut at the row's own date, and no later than `latest`, for which cuts of the graph are made
    where they are missing. Raises `FileNotFoundError` where there is no graph.
    """
    told("concepts", 0, 1)
    opened = Vocabulary.load(vocabulary_directory(vocabulary))
    made = patient_seeds(records, cohort, task, opened)
    grace = task.discharge_summary_grace_hours
    rows = with_findings(made.rows, findings, grace)
    if latest is not None:
        rows = [replace(row, as_of=min(row.as_of or latest, latest)) for row in rows]
    seeds, answer = out / "seeds.jsonl", out / "contexts.jsonl"
    write_seeds(seeds, rows)
    days = sorted({row.as_of for row in rows if row.as_of is not None})
    for place, day in enumerate(missing_cuts(graph, days)):
        told("cuts of the graph", place, len(days))
        cut(graph, day)
    told("literature", 0, 1)
    tally = contexts(seeds, answer, Recipe(graph, task.name, None, passages), workers=workers)
    if tally.bad:
        raise ValueError(
            f"{seeds}: {len(tally.bad)} of {tally.read} rows got no answer of the graph, the first "
            f"(line {tally.bad[0].line}): {tally.bad[0].reason}"
        )
    return answer


def with_findings(
    rows: Sequence[RowSeeds], findings: Iterable[KnownFinding], grace_hours: float = 0.0
) -> list[RowSeeds]:
    """Rows with the concepts of their notes added; of one found twice the heavier seed counts."""
    said: dict[Key, list[KnownFinding]] = defaultdict(list)
    for finding in findings:
        if finding.concept and str(finding.status) in STATUS_WEIGHTS:
            said[finding.subject_id, finding.stay_id].append(finding)
    grown = []
    for row in rows:
        seeds = {seed.concept_id: seed for seed in row.seeds}
        for finding in said.get((row.subject_id, row.stay_id), ()):
            if not finding.known_by(row.prediction_time, grace_hours):
                continue
            status, time = str(finding.status), min(finding.known, row.prediction_time)
            seed = Seed(finding.concept, STATUS_WEIGHTS[status], status, time.isoformat())
            held = seeds.get(finding.concept)
            if held is None or seed.weight > held.weight:
                seeds[finding.concept] = seed
        ordered = sorted(seeds.values(), key=lambda seed: (-seed.weight, seed.concept_id))
        grown.append(replace(row, seeds=tuple(ordered)))
    return grown


def missing_cuts(graph: str, days: Iterable[date]) -> list[date]:
    """Days at which the graph has no cut: an earlier one would miss what a row may see."""
    current = find_snapshot(graph)
    there = {info.origin.as_of for info in list_snapshots(current.parent.parent)}
    return [day for day in days if day.isoformat() not in there]


def cut(graph: str, day: date) -> None:
    """Materialize the graph as it was known on a day."""
    with one_writer(graph):
        cut_snapshot(graph, day)


def read_contexts(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of contexts."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def graph_features(path: Path, task: str, wanted: Sequence[Column] | None = None) -> FeatureTable:
    """The features of a file of contexts; where a model is there, with its columns (`wanted`)."""
    with path.open(encoding="utf-8") as lines:
        return feature_table(task, lines, wanted)


def literature_dates(path: Path) -> tuple[dict[Key, date], dict[Key, date]]:
    """The newest publication behind each row, and the day up to which it was allowed to read."""
    until: dict[Key, date] = {}
    allowed: dict[Key, date] = {}
    for row in read_contexts(path):
        key = str(row["subject_id"]), str(row["stay_id"])
        if row["literature_until"]:
            until[key] = date.fromisoformat(row["literature_until"])
        if row["as_of"]:
            allowed[key] = date.fromisoformat(row["as_of"])
    return until, allowed


def cited_sentences(path: Path, keys: Iterable[Key]) -> Mapping[Key, Sequence[CitedSentence]]:
    """Passages behind the rows of some stays, in the order in which retrieval ranked them."""
    wanted = set(keys)
    found: dict[Key, list[CitedSentence]] = {}
    for row in read_contexts(path):
        key = str(row["subject_id"]), str(row["stay_id"])
        if key in wanted:
            names = {concept["id"]: concept["name"] for concept in row["subgraph"]["concepts"]}
            found[key] = [_cited(passage, names) for passage in row["passages"]]
    return found


def _cited(passage: Mapping[str, Any], names: Mapping[str, str]) -> CitedSentence:
    edges = passage.get("edges") or []
    told = "; ".join(
        f"{names.get(e['subject_id'], e['subject_id'])} {e['predicate']} "
        f"{names.get(e['object_id'], e['object_id'])}"
        for e in edges[:2]
    )
    refutes = bool(edges) and all(edge.get("polarity") == "refutes" for edge in edges)
    published = passage.get("published")
    return CitedSentence(
        str(passage["pmid"]), str(published or "undated"), passage["sentence"], told, refutes
    )
