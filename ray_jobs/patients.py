"""`medweave contexts`: patients' concepts in, cited contexts and graph features out.

Patients are read in shards of `SHARD`. A complete shard is a file of its own, named by its lines,
the task, the cut and the graph, and is not made again after an interruption. Messages hold ids and
counts.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from kg_builder.durable import replace_text
from kg_builder.snapshot_tables import find_snapshot, read_build
from ray_jobs.options import (
    as_of_option,
    existing,
    graph_option,
    number_option,
    out_file_option,
    processes_option,
    told_plainly,
)
from ray_jobs.patient_records import (
    CONTEXT_VERSION,
    BadLine,
    Patient,
    PatientLineError,
    context_line,
    feature_table,
    numbered_lines,
    read_patient,
    resolved,
)
from ray_jobs.screen import bars, console, resumable, tell_figures
from ray_jobs.shards import Parts, Shard, cut_shards
from retrieval.patients import numbers_alone
from retrieval.retriever import GraphRetriever, MissingCutError, graph_directory

SHARD = 128


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is asked of every patient: the same on every worker, and part of every shard's name.

    `graph` is a folder that every worker sees. With 0 for `k`, the passages of a patient, contexts
    hold the features alone.
    """

    graph: str
    task: str
    as_of: date | None
    k: int

    @property
    def version(self) -> str:
        """Names the recipe and the content of the graph, its cuts included."""
        snapshot = find_snapshot(self.graph)
        folders = sorted(path.name for path in snapshot.parent.iterdir() if path.is_dir())
        digest = read_build(snapshot)["digest"]
        said = [CONTEXT_VERSION, digest, folders, self.task, str(self.as_of), self.k]
        return json.dumps(said)


Line = tuple[int, str]
"""The number and the text of a line of seeds."""


@dataclass(slots=True)
class Tally:
    """What a job did. `without` counts patients of whom the graph knows no concept."""

    read: int = 0
    kept: int = 0
    reused: int = 0
    without: int = 0
    later: int = 0
    passages: int = 0
    pairs: int = 0
    bad: list[BadLine] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def contexts(
    source: Path,
    out: Path,
    recipe: Recipe,
    *,
    features: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Tally:
    """Write the context of every patient in `source` to `out`, in order; features as Parquet.

    With one worker all is done in this process, without Ray. Raises `MissingCutError` and
    `UnknownTaskError` before anything is made.
    """
    started = time.monotonic()
    opened_retriever(recipe.graph, recipe.version).outcome_graph(recipe.task, recipe.as_of)
    parts = Parts(out, cut_shards(numbered_lines(source), SHARD, recipe.version, _content))
    tally = Tally(read=parts.total, reused=parts.reused)
    parts.make(functools.partial(make_shard, recipe), workers, progress, "patients")
    _join(parts, out, tally)
    if features is not None:
        with out.open(encoding="utf-8") as stream:
            feature_table(recipe.task, stream).save(features)
    parts.remove()
    tally.seconds = time.monotonic() - started
    return tally


def _content(line: Line) -> str:
    number, text = line
    return f"{number} {text}"


@functools.lru_cache(maxsize=2)
def opened_retriever(graph: str, version: str) -> GraphRetriever:
    """A worker's retriever, opened once for each content of the graph (`Recipe.version`)."""
    return GraphRetriever.open(graph)


def make_shard(recipe: Recipe, shard: Shard[Line]) -> str:
    """For each line of seeds a context, or a line that tells what is wrong with it."""
    retriever = opened_retriever(recipe.graph, recipe.version)
    return "".join(_made_line(retriever, recipe, number, text) for number, text in shard.records)


def _made_line(retriever: GraphRetriever, recipe: Recipe, number: int, text: str) -> str:
    try:
        patient = read_patient(text)
        return context_of(retriever, recipe, patient)
    except (PatientLineError, MissingCutError, ValueError) as error:
        return json.dumps({"line": number, "reason": str(error)}, ensure_ascii=False) + "\n"


def context_of(retriever: GraphRetriever, recipe: Recipe, patient: Patient) -> str:
    """The context of a patient as a line."""
    as_of = patient.as_of or recipe.as_of
    seeds = resolved(patient.seeds, retriever.view(as_of).vocabulary)
    if recipe.k:
        context = retriever.retrieve_for_patient(seeds, recipe.task, as_of, recipe.k)
    else:
        context = numbers_alone(retriever.outcome_graph(recipe.task, as_of), seeds, as_of)
    return context_line(patient, context)


def _join(parts: Parts[Line], out: Path, tally: Tally) -> None:
    """Put the shards together in order; what could not be read goes beside, by line."""
    temporary = parts.folder / "joined"
    with temporary.open("w", encoding="utf-8") as stream:
        for line in parts.lines():
            row = json.loads(line)
            if "reason" in row:
                tally.bad.append(BadLine(**row))
                continue
            stream.write(line)
            _count(tally, row)
    temporary.replace(out)
    failures = failures_path(out)
    failures.unlink(missing_ok=True)
    if tally.bad:
        told = (json.dumps({"line": bad.line, "reason": bad.reason}) + "\n" for bad in tally.bad)
        replace_text(failures, "".join(told))


def failures_path(out: Path) -> Path:
    """Where the lines are told that could not be read."""
    return out.with_name(f"{out.stem}.failures.jsonl")


def _count(tally: Tally, row: dict[str, Any]) -> None:
    tally.kept += 1
    tally.without += not row["features"]["concepts_known"]
    tally.later += row["later"]
    tally.passages += len(row["passages"])
    tally.pairs += len(row["pairs"])
    tally.missing.update(row["missing"])


def summary(tally: Tally) -> dict[str, Any]:
    """The figures of a job."""
    made = tally.read - tally.reused
    return {
        "patients_read": tally.read,
        "kept": tally.kept,
        "failed": len(tally.bad),
        "reused": tally.reused,
        "without_a_known_concept": tally.without,
        "seeds_later_than_prediction": tally.later,
        "passages": tally.passages,
        "pairs_with_evidence": tally.pairs,
        "names_of_the_outcome_not_in_the_graph": sorted(tally.missing),
        "patients_per_second": round(made / tally.seconds, 1) if made and tally.seconds else None,
        "seconds": round(tally.seconds, 2),
    }


@click.command("contexts")
@click.argument("source", type=existing, metavar="SEEDS.jsonl")
@graph_option
@click.option("--task", required=True, help="readmission_30d, in_hospital_mortality or a variant.")
@out_file_option("JSON lines to write, one for each of SEEDS.")
@click.option(
    "--features",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Features, as Parquet.",
)
@number_option(
    "--limit",
    default=10,
    least=0,
    text="Passages for each line; 0: features alone, ten times as fast.",
)
@as_of_option
@processes_option
@click.option("--json", "as_json", is_flag=True, help="Print the final figures as JSON.")
@resumable()
def command(
    source: Path,
    graph: str,
    task: str,
    out: Path,
    features: Path | None,
    limit: int,
    as_of: date | None,
    workers: int,
    as_json: bool,
) -> None:
    """Retrieve what the literature says of each patient in SEEDS: passages, subgraph, features.

    Run it again after an interruption: what is complete is not made again.
    """
    with told_plainly():
        recipe = Recipe(str(Path(graph_directory(graph)).resolve()), task, as_of, limit)
        with bars() as shown:
            tally = contexts(
                source, out, recipe, features=features, workers=workers, progress=shown
            )
    tell_figures(summary(tally), as_json, "Contexts made")
    if tally.bad:
        first = tally.bad[0]
        console.print(f"[red]line {first.line}:[/] {first.reason}")
        console.print(f"{len(tally.bad)} lines could not be read: {failures_path(out)}")
        sys.exit(1)
