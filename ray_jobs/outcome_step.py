"""The outcome of each subject after its notes were read: retrieval, probability, rationale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from extractor.outcome import OutcomeRow, evidence_of
from extractor.outcome_model import OutcomeModel
from extractor.schema import Finding, Identifier, NoteFindings, Passage, State, SubjectOutcome
from ontologies.linker import Seed
from predictor.patient_concepts import RowSeeds, write_seeds
from ray_jobs.graph_step import PASSAGES, cut, missing_cuts
from ray_jobs.patients import Recipe, contexts
from ray_jobs.tuning_files import read_passages
from retrieval.seeds import STATUS_WEIGHTS

Passages = Mapping[tuple[str, str], tuple[Passage, ...]]


@dataclass(frozen=True, slots=True)
class Literature:
    """Where passages come from: a graph, the task whose outcome it is asked about, and the cut.

    Without `as_of` the graph is cut at the first day of the month of each prediction, and such cuts
    are made where they are missing; dates that were moved into the future need `as_of`.
    """

    graph: str
    task: str
    as_of: date | None = None


class NoTimeError(ValueError):
    """A prediction time that is no date, or that no literature can be cut at."""


def told_outcomes(
    rows: Sequence[SubjectOutcome],
    read: Sequence[NoteFindings],
    model: Path,
    literature: Literature | None = None,
) -> list[SubjectOutcome]:
    """The rows with their probabilities, by what their notes say and, where given, by literature.

    Raises `ModelError`, `MissingCutError`, `NoTimeError`.
    """
    opened = OutcomeModel.open(model)
    by_subject: dict[Identifier | None, list[NoteFindings]] = {}
    for one in read:
        by_subject.setdefault(one.subject_id, []).append(one)
    passages = retrieved(rows, by_subject, literature) if literature else {}
    told = []
    for row in rows:
        asked = OutcomeRow(row.subject_id, row.hadm_id, row.prediction_time)
        given = passages.get((str(row.subject_id), row.prediction_time), ())
        if row.state in (State.OK, State.TRUNCATED) and row.prediction_time:
            evidence = evidence_of(by_subject.get(row.subject_id, ()), asked, given)
            told.append(opened.told(row, evidence))
        else:
            told.append(row)
    return told


def retrieved(
    rows: Sequence[SubjectOutcome],
    read: Mapping[Identifier | None, Sequence[NoteFindings]],
    literature: Literature,
) -> Passages:
    """Passages by subject and prediction time, from the concepts that the notes state."""
    with TemporaryDirectory() as folder:
        seeds, answer = Path(folder) / "seeds.jsonl", Path(folder) / "contexts.jsonl"
        asked = [row for row in rows if row.prediction_time]
        days = {row.prediction_time: _day(row, literature.as_of) for row in asked}
        for day in missing_cuts(literature.graph, sorted(set(days.values()))):
            cut(literature.graph, day)
        write_seeds(seeds, [_seeds_of(row, read, days[row.prediction_time]) for row in asked])
        recipe = Recipe(literature.graph, literature.task, literature.as_of, PASSAGES)
        tally = contexts(seeds, answer, recipe)
        if tally.bad:
            raise NoTimeError(
                f"the graph gave no passages for {len(tally.bad)} of {tally.read} subjects, the "
                f"first: {tally.bad[0].reason}"
            )
        found = read_passages(answer)
    times = {(str(row.subject_id), _moment(row).isoformat()): row.prediction_time for row in asked}
    return {(subject, times[subject, time]): given for (subject, time), given in found.items()}


def _day(row: SubjectOutcome, as_of: date | None) -> date:
    day = as_of or _moment(row).date().replace(day=1)
    if day > date.today():
        raise NoTimeError(
            f"subject {row.subject_id}: the literature cannot be cut at {day}, which is to come; "
            "where dates are moved, give --as-of with a day to cut it at"
        )
    return day


def _seeds_of(
    row: SubjectOutcome,
    read: Mapping[Identifier | None, Sequence[NoteFindings]],
    as_of: date,
) -> RowSeeds:
    moment = _moment(row)
    asked = OutcomeRow(row.subject_id, row.hadm_id, row.prediction_time)
    findings = evidence_of(read.get(row.subject_id, ()), asked, most=None).findings
    seeds: dict[str, Seed] = {}
    for finding in findings:
        if finding.concept and finding.status.value in STATUS_WEIGHTS:
            seed = _seed(finding, moment)
            held = seeds.get(finding.concept)
            if held is None or seed.weight > held.weight:
                seeds[finding.concept] = seed
    ordered = tuple(sorted(seeds.values(), key=lambda seed: (-seed.weight, seed.concept_id)))
    return RowSeeds(str(row.subject_id), str(row.hadm_id or ""), moment, as_of, ordered)


def _seed(finding: Finding, moment: datetime) -> Seed:
    assert finding.concept is not None
    status = finding.status.value
    return Seed(finding.concept, STATUS_WEIGHTS[status], status, moment.isoformat())


def _moment(row: SubjectOutcome) -> datetime:
    try:
        return datetime.fromisoformat(row.prediction_time)
    except ValueError as error:
        raise NoTimeError(
            f"subject {row.subject_id}: prediction time {row.prediction_time!r} is no ISO 8601 time"
        ) from error
