"""`medweave extract`: notes in, findings with spans out; in this process or on Ray's workers.

Notes are read in shards of `SHARD`. A complete shard is a file of its own, named by its content
and the reader's version, and is not read again after an interruption. Logs and messages hold ids
and counts, never text.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from extractor.reader import Reader, open_reader
from extractor.records import (
    BadNote,
    finding_lines,
    note_line,
    outcome_line,
    read_findings,
    read_notes,
    state_line,
)
from extractor.schema import Identifier, Note, NoteFindings, State, SubjectOutcome
from kg_builder.durable import replace_text
from ontologies.concept import Vocabulary
from ray_jobs.config import AsOf, vocabulary_directory
from ray_jobs.options import out_file_option, processes_option, told_plainly
from ray_jobs.screen import bars, console, resumable, tell_figures
from ray_jobs.shards import Parts, Shard, cut_shards

if TYPE_CHECKING:
    from ray_jobs.outcome_step import Literature

SHARD = 64


@dataclass(slots=True)
class Tally:
    """What an extraction did. `failed` counts notes whose reading raised an error, by its name."""

    notes: int = 0
    reused: int = 0
    findings: int = 0
    ungrounded: int = 0
    windows: int = 0
    truncated: int = 0
    invalid: int = 0
    states: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    bad: list[BadNote] = field(default_factory=list)
    outcomes: int = 0
    seconds: float = 0.0


def extract(
    source: Path,
    out: Path,
    *,
    model: str,
    vocabulary: str | None = None,
    workers: int = 1,
    outcomes: Path | None = None,
    literature: Literature | None = None,
    progress: Progress | None = None,
) -> Tally:
    """Read the notes of `source` and write their findings to `out`, in the order of the notes.

    Beside `out` lie `NAME.notes.jsonl` (a line a note: its state, and quotes that could not be
    located) and `NAME.outcomes.jsonl` (a line per subject and prediction time). With one worker
    all is done in this process, without Ray. The probabilities are those of the outcome model in
    the folder `outcomes`, with what the `literature` says where that is given. Raises
    `NoteInputError`, `FileNotFoundError`.
    """
    started = time.monotonic()
    tally = Tally()
    notes: list[Note] = []
    for record in read_notes(source):
        if isinstance(record, BadNote):
            tally.bad.append(record)
        else:
            notes.append(record)
    tally.notes = len(notes)
    recipe = Recipe(model, str(vocabulary_directory(vocabulary)))
    version = recipe.version
    parts = Parts(out, cut_shards(notes, SHARD, version, note_line))
    tally.reused = parts.reused
    try:
        parts.make(functools.partial(_read, recipe, version), workers, progress, "notes")
    finally:
        opened_reader.cache_clear()  # a model is large
    _join(parts, notes, out, tally)
    if outcomes is not None:
        _ask_outcomes(notes, out, outcomes, literature, tally)
    parts.remove()
    tally.seconds = time.monotonic() - started
    return tally


@dataclass(frozen=True, slots=True)
class Recipe:
    """How notes are read: the same on every worker, and part of every shard's name."""

    model: str
    vocabulary: str

    def open(self) -> Reader:
        """The reader, with its model loaded."""
        return open_reader(self.model, Vocabulary.load(self.vocabulary))

    @property
    def version(self) -> str:
        """The reader's version and the vocabulary's digest."""
        return f"{self.open().version}/{Vocabulary.load(self.vocabulary).digest}"


@functools.lru_cache(maxsize=1)
def opened_reader(recipe: Recipe, _version: str) -> Reader:
    """The reader of this process, opened once for each version of its model and vocabulary."""
    return recipe.open()


def _read(recipe: Recipe, version: str, shard: Shard[Note]) -> str:
    return read_shard(opened_reader(recipe, version), shard.records)


def read_shard(reader: Reader, notes: Sequence[Note]) -> str:
    """The lines of a shard: for each note its findings, after a line that tells of the note.

    Where the reader fails over a note, that note alone is `failed`, and the error's name is told.
    """
    try:
        read = reader.read(notes)
    except Exception:  # noqa: BLE001  # the outermost rim of a worker: one note must not end it
        read = [_read_alone(reader, note) for note in notes]
    return "".join(line for result in read for line in (state_line(result), *finding_lines(result)))


def _read_alone(reader: Reader, note: Note) -> NoteFindings:
    try:
        return reader.read([note])[0]
    except Exception as error:  # noqa: BLE001  # its message may hold the note's text: left out
        return NoteFindings(
            note.note_id,
            State.FAILED,
            f"{reader.version}: {type(error).__name__}",
            subject_id=note.subject_id,
            hadm_id=note.hadm_id,
            charttime=note.charttime,
            storetime=note.storetime,
            note_type=note.note_type,
        )


def _join(parts: Parts[Note], notes: Sequence[Note], out: Path, tally: Tally) -> None:
    """Write the three files from the shards, in the order of the notes, and count."""
    findings: list[str] = []
    states: list[str] = []
    for line in parts.lines():
        value = json.loads(line)
        (states if "state" in value else findings).append(line)
        _count(value, tally)
    replace_text(out, "".join(findings))
    replace_text(beside(out, "notes"), "".join(states))
    replace_text(beside(out, "outcomes"), "".join(map(outcome_line, _outcomes(notes, states))))


def _ask_outcomes(
    notes: Sequence[Note], out: Path, model: Path, literature: Literature | None, tally: Tally
) -> None:
    """Write the outcomes anew, with their probabilities."""
    from ray_jobs.outcome_step import told_outcomes

    found = read_findings(out)
    states = beside(out, "notes").read_text(encoding="utf-8").split("\n")
    said = {value["note_id"]: value for value in map(json.loads, filter(None, states))}
    read = [
        NoteFindings(
            n.note_id, State(said[n.note_id]["state"]), said[n.note_id]["reader"],
            tuple(found.get(n.note_id, ())), subject_id=n.subject_id, hadm_id=n.hadm_id,
            charttime=n.charttime, storetime=n.storetime, note_type=n.note_type,
        )
        for n in notes
    ]  # fmt: skip
    rows = told_outcomes(_outcomes(notes, [s for s in states if s]), read, model, literature)
    tally.outcomes = sum(row.probability is not None for row in rows)
    replace_text(beside(out, "outcomes"), "".join(map(outcome_line, rows)))


def beside(out: Path, name: str) -> Path:
    """The file that lies beside the findings: `findings.jsonl` → `findings.NAME.jsonl`."""
    return out.with_name(f"{out.name.removesuffix('.jsonl')}.{name}.jsonl")


def _count(value: Mapping[str, Any], tally: Tally) -> None:
    if "state" not in value:
        tally.findings += 1
        tally.kinds[f"{value['kind']}, {value['status']}"] += 1
        return
    tally.states[value["state"]] += 1
    tally.ungrounded += len(value["ungrounded"])
    for name in ("windows", "truncated", "invalid"):
        setattr(tally, name, getattr(tally, name) + value[name])


def _outcomes(notes: Sequence[Note], states: Sequence[str]) -> list[SubjectOutcome]:
    """A row per subject, at the time when the last of its notes could be read.

    The probability is unknown where no model of an outcome was asked.
    """
    said = {json.loads(line)["note_id"]: json.loads(line) for line in states}
    times: dict[Identifier, str] = defaultdict(str)
    worst: dict[Identifier, State] = {}
    model: dict[Identifier, str] = {}
    for note in notes:
        if note.subject_id is None:
            continue
        times[note.subject_id] = max(times[note.subject_id], note.storetime or note.charttime or "")
        state = State(said[note.note_id]["state"])
        order = [State.NO_NOTE, State.OK, State.TRUNCATED, State.FAILED]
        worst[note.subject_id] = max(
            worst.get(note.subject_id, State.NO_NOTE), state, key=order.index
        )
        model[note.subject_id] = said[note.note_id]["reader"]
    return [
        SubjectOutcome(subject, times[subject], worst[subject], model[subject])
        for subject in sorted(times, key=str)
    ]


def summary(tally: Tally) -> dict[str, Any]:
    """The figures of an extraction, as the table and `--json` tell them."""
    return {
        "notes": tally.notes,
        "notes_reused": tally.reused,
        "records_refused": len(tally.bad),
        "states": dict(sorted(tally.states.items())),
        "findings": tally.findings,
        "by_kind_and_status": dict(sorted(tally.kinds.items())),
        "ungrounded": tally.ungrounded,
        "windows": tally.windows,
        "truncated": tally.truncated,
        "invalid": tally.invalid,
        "outcomes": tally.outcomes,
        "seconds": round(tally.seconds, 2),
        "notes_per_minute": round(60 * (tally.notes - tally.reused) / tally.seconds, 1)
        if tally.seconds
        else None,
    }


@click.command("extract")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="NOTES.jsonl|DIR")
@out_file_option("Findings, as JSON lines; what became of notes and outcomes goes beside.")
@click.option(
    "--model",
    default="rules",
    show_default=True,
    metavar="rules|small|both|smollm|PATH",
    help="Who reads: rules, the model that ships, both, SmolLM2 tuned, or a model's folder.",
)
@click.option("--vocabulary", metavar="DIR", help="The starter vocabulary unless given.")
@click.option(
    "--outcomes",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Say how likely the outcome is, by the folder that `extractor finetune` wrote.",
)
@click.option(
    "--graph",
    metavar="DIR|URL",
    help="With --outcomes and --task: what this graph's literature says counts too.",
)
@click.option("--task", help="With --graph: readmission_30d, in_hospital_mortality or a variant.")
@click.option("--as-of", type=AsOf(), help="With --graph: cut it here, not at prediction times.")
@processes_option
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the note with most findings, marked.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the final figures as JSON.")
@resumable()
def command(
    source: Path,
    out: Path,
    model: str,
    vocabulary: str | None,
    outcomes: Path | None,
    graph: str | None,
    task: str | None,
    as_of: date | None,
    workers: int,
    page: Path | None,
    as_json: bool,
) -> None:
    """Find problems, treatments and tests in clinical notes, each with its span and status.

    NOTES.jsonl holds a JSON object a line with note_id and text, and where known subject_id,
    hadm_id, charttime, storetime and note_type; a folder holds .txt files. Run it again after an
    interruption: what is complete is not read again.
    """
    if graph is not None and (outcomes is None or task is None):
        raise click.UsageError("--graph is for the outcome: give --outcomes and --task with it")
    with told_plainly():
        literature = _literature(graph, task, as_of) if graph and task else None
        with bars() as shown:
            tally = extract(
                source, out, model=model, vocabulary=vocabulary, workers=workers,
                outcomes=outcomes, literature=literature, progress=shown,
            )  # fmt: skip
        if page is not None:
            write_page(source, out, page)
    tell_figures(summary(tally), as_json, "Notes read")
    for bad in tally.bad[:20]:
        console.print(f"[yellow]refused:[/] {bad.place}: {bad.problem}")
    if len(tally.bad) > 20:
        console.print(f"[yellow]refused:[/] and {len(tally.bad) - 20} more")
    if tally.bad and not tally.notes:
        sys.exit(1)


def _literature(graph: str, task: str, as_of: date | None) -> Literature:
    from ray_jobs.outcome_step import Literature
    from retrieval.retriever import graph_directory

    return Literature(str(Path(graph_directory(graph)).resolve()), task, as_of)


def write_page(source: Path, out: Path, page: Path) -> None:
    """Write a page that shows the note with most findings, with its findings marked."""
    from extractor.page import note_page

    found = read_findings(out)
    notes = [n for n in read_notes(source) if isinstance(n, Note)]
    if notes:
        chosen = max(notes, key=lambda n: len(found.get(n.note_id, ())))
        replace_text(page, note_page(chosen, found.get(chosen.note_id, [])))
