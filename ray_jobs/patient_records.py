"""Patients in and out as JSON lines: seeds to read, contexts to write, features as a table.

A line of seeds is a prediction:

    {"subject_id": "7", "stay_id": "42", "prediction_time": "2150-03-01T14:00:00",
     "seeds": [{"concept_id": "UMLS:C0018801", "status": "present", "time": "2150-02-27T09:00:00"}]}

`concept_id` is a concept's id or a code that a concept of the graph has (`ICD10CM:I50.9`).
`status` is `present` unless given; `weight` is what the status says unless given; `time` is when
the concept was known, and one known after `prediction_time` is left out and counted. `as_of` (a
date) cuts the literature for this line alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ontologies.concept import Vocabulary
from ontologies.linker import Seed
from predictor.schema import CLOCK, PAIR, Column, FeatureTable
from retrieval.patients import PatientContext, seed_of
from retrieval.seeds import STATUS_WEIGHTS

CONTEXT_VERSION = 2
"""Raised when the same seeds get another line: what an interrupted job left is made anew."""

GRAPH: Final = "graph"
_PATIENT = {"subject_id", "stay_id", "prediction_time", "as_of", "seeds"}
_SEED = {"concept_id", "status", "weight", "time"}


class PatientLineError(ValueError):
    """A line that is not a patient's seeds; names what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A prediction and the concepts known by then; `later` counts those known only after it."""

    subject_id: str
    stay_id: str
    prediction_time: datetime | None
    as_of: date | None
    seeds: tuple[Seed, ...]
    later: int


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read, by its number (from 1)."""

    line: int
    reason: str


def read_patient(text: str) -> Patient:
    """A patient from a line; raises `PatientLineError`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise PatientLineError(f"not JSON: {error}") from error
    _keys(value, _PATIENT, {"subject_id", "seeds"}, "a patient")
    moment = _moment(value.get("prediction_time"), "prediction_time")
    as_of = value.get("as_of")
    seeds = value["seeds"]
    if not isinstance(seeds, list):
        raise PatientLineError(f"seeds is {type(seeds).__name__}, expected a list")
    known, later = [], 0
    for one in seeds:
        seed = _seed(one)
        found = _moment(seed.time, "time")
        if moment is not None and found is not None and found > moment:
            later += 1
        else:
            known.append(seed)
    return Patient(
        _text(value["subject_id"], "subject_id"),
        _text(value.get("stay_id", ""), "stay_id"),
        moment,
        None if as_of is None else _date(as_of),
        tuple(known),
        later,
    )


def _seed(value: Any) -> Seed:
    _keys(value, _SEED, {"concept_id"}, "a seed")
    concept_id = _text(value["concept_id"], "concept_id")
    status = value.get("status", "present")
    if status not in STATUS_WEIGHTS:
        raise PatientLineError(f"status {status!r} is none of {', '.join(STATUS_WEIGHTS)}")
    seed = seed_of(concept_id, status, value.get("time"))
    weight = value.get("weight")
    if weight is None:
        return seed
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise PatientLineError(f"weight {weight!r} of {concept_id} is no number above 0")
    return seed._replace(weight=float(weight))


def _keys(value: Any, allowed: set[str], needed: set[str], what: str) -> None:
    if not isinstance(value, dict):
        raise PatientLineError(f"{what} is {type(value).__name__}, expected an object")
    if surplus := sorted(set(value) - allowed):
        raise PatientLineError(f"{what} has no {', '.join(surplus)}; known: {sorted(allowed)}")
    if missing := sorted(needed - set(value)):
        raise PatientLineError(f"{what} lacks {', '.join(missing)}")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or (not value and name != "stay_id"):
        raise PatientLineError(f"{name} is {value!r}, expected a text")
    return value


def _moment(value: Any, name: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PatientLineError(f"{name} is {value!r}, expected an ISO 8601 moment") from error
    if moment.tzinfo is not None:
        raise PatientLineError(f"{name} {value!r} has a time zone; times of records have none")
    return moment


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PatientLineError(f"as_of is {value!r}, expected YYYY-MM-DD") from error


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, text) of the lines of a file that are not empty."""
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, line


def resolved(seeds: Iterable[Seed], vocabulary: Vocabulary) -> list[Seed]:
    """Seeds with codes replaced by the ids of their concepts, where the vocabulary knows them."""
    found = []
    for seed in seeds:
        concept_id = vocabulary.resolve(seed.concept_id)
        found.append(seed if concept_id is None else seed._replace(concept_id=concept_id))
    return found


# -- writing ----------------------------------------------------------------------------------


def context_line(patient: Patient, context: PatientContext) -> str:
    """The line of a context: passages, subgraph, communities, features and what is behind them."""
    graph = context.subgraph
    row = {
        "subject_id": patient.subject_id,
        "stay_id": patient.stay_id,
        "prediction_time": patient.prediction_time,
        "known": max(
            (datetime.fromisoformat(s.time) for s in patient.seeds if s.time), default=None
        ),
        "task": context.task,
        "as_of": context.as_of,
        "later": patient.later,
        "passages": [dataclasses.asdict(passage) for passage in context.passages],
        "subgraph": {
            "concepts": [{"id": c.id, "name": c.name} for c in graph.concepts],
            "edges": [dataclasses.asdict(edge) for edge in graph.edges],
            "seeds": [seed._asdict() for seed in graph.seeds],
        },
        "communities": [
            {
                "id": chosen.community.id,
                "level": chosen.community.level,
                "members": len(chosen.community.members),
                "relevance": chosen.relevance,
                "direct": chosen.direct,
                "indirect": chosen.indirect,
            }
            for chosen in context.communities
        ],
        "version": CONTEXT_VERSION,
        "features": context.features.columns,
        "harmful": context.features.harmful,
        "pairs": [dataclasses.asdict(pair) for pair in context.features.pairs],
        "literature_until": context.features.literature_until,
        "missing": context.missing,
    }
    return json.dumps(row, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of a context")


def feature_table(
    task: str, lines: Iterable[str], wanted: Sequence[Column] | None = None
) -> FeatureTable:
    """The features of contexts as the predictor reads them, their labels not known.

    The columns are those of all lines: a community that is none of a line's snapshot is null
    there. Two concepts that harm each other in at least `LEAST_ROWS` lines get a column of their
    own, the most common `MOST_PAIRS`; where a model is there already, those of its columns
    (`wanted`). `clock graph` is when the latest seed was known. Raises `PatientLineError` for a
    line of another version, or without stay or prediction time, which are keys of the table.
    """
    rows = [json.loads(line) for line in lines]
    for row in rows:
        if row.get("version") != CONTEXT_VERSION:
            raise PatientLineError(
                f"subject {row['subject_id']}: a context of version {row.get('version', 1)}, "
                f"expected {CONTEXT_VERSION}; make the contexts again with `medweave contexts`"
            )
        if not row["stay_id"] or row["prediction_time"] is None:
            raise PatientLineError(
                f"subject {row['subject_id']}: features are told by subject, stay and prediction "
                "time; give stay_id and prediction_time in every line"
            )
    names = list(dict.fromkeys(name for row in rows for name in row["features"]))
    harmful = [{pair_name(*pair) for pair in row["harmful"]} for row in rows]
    if wanted is None:
        pairs = _common(harmful)
    else:
        pairs = [column.name for column in wanted if column.name.startswith(PAIR)]
    for row, held in zip(rows, harmful, strict=True):
        row["features"] |= {name: float(name in held) for name in pairs}
    columns = [Column(name, GRAPH, clock=GRAPH) for name in (*names, *pairs)]
    return FeatureTable.make(task, columns, _table(rows, [*names, *pairs]))


LEAST_ROWS: Final = 20
MOST_PAIRS: Final = 300
"""A limit of space that looks at no outcome, as for findings of notes."""


def pair_name(first: str, second: str) -> str:
    """How the column of two concepts is named.

    >>> pair_name("aspirin", "warfarin")
    'pair of aspirin and warfarin'
    """
    text = f"{PAIR}{first} and {second}"
    return re.sub(r'[:"\[\]{},\s]+', " ", text).strip()[:160]


def _common(harmful: Iterable[set[str]]) -> list[str]:
    counts = Counter(name for held in harmful for name in held)
    often = sorted((-rows, name) for name, rows in counts.items() if rows >= LEAST_ROWS)
    return [name for _, name in often[:MOST_PAIRS]]


def _table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> pa.Table:
    def moments(name: str) -> pa.Array:
        found = (row[name] for row in rows)
        values = [None if text is None else datetime.fromisoformat(text) for text in found]
        return pa.array(values, pa.timestamp("us"))

    data = {
        "subject_id": pa.array([row["subject_id"] for row in rows], pa.string()),
        "stay_id": pa.array([row["stay_id"] for row in rows], pa.string()),
        "prediction_time": moments("prediction_time"),
        "label": pa.nulls(len(rows), pa.int8()),
        CLOCK + GRAPH: moments("known"),
    }
    for name in names:
        data[name] = pa.array([row["features"].get(name) for row in rows], pa.float64())
    return pa.table(data)
