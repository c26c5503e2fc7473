"""Concepts of each prediction, known by its time: the seeds that retrieval starts from.

A line of the file is a prediction:

    {"subject_id": "1", "stay_id": "11", "prediction_time": "2150-01-05T12:00:00",
     "as_of": "2011-01-01", "seeds": [{"concept_id": "UMLS:C0018802", "weight": 0.6,
     "status": "historical", "time": "2149-03-01T09:00:00"}]}

`as_of` is the date up to which literature may be read; it is left out where none is known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ontologies.concept import Vocabulary
from ontologies.linker import Seed
from predictor.cohort import Cohort
from predictor.concept_names import CODE_PREFIXES, ConceptNames
from predictor.feature_parts import numbered
from predictor.sources.records import Records, column, in_list, quoted
from predictor.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

HISTORICAL: Final = 0.6
DRUG: Final = 0.7
ABNORMAL_WEIGHT: Final = 0.8
"""Weights of what earlier stays were coded with, of drugs ordered and of abnormal values; codes
and columns of the row itself weigh 1. A convention, not a fit."""

ABNORMAL: Final = (
    ("sodium", "<", 130, "Hyponatremia"), ("sodium", ">", 150, "Hypernatremia"),
    ("potassium", "<", 3, "Hypokalemia"), ("potassium", ">", 5.5, "Hyperkalemia"),
    ("calcium", "<", 7.5, "Hypocalcemia"), ("calcium", ">", 11, "Hypercalcemia"),
    ("glucose", "<", 60, "Hypoglycemia"), ("haemoglobin", "<", 8, "Anemia"),
    ("platelets", "<", 100, "Thrombocytopenia"), ("white cells", ">", 15, "Leukocytosis"),
    ("white cells", "<", 3, "Leukopenia"), ("creatinine", ">", 2, "Renal insufficiency"),
    ("albumin", "<", 2.5, "Hypoalbuminemia"), ("bilirubin", ">", 3, "Hyperbilirubinemia"),
    ("lactate", ">", 4, "Lactic acidosis"), ("pH", "<", 7.25, "Acidosis"),
)  # fmt: skip
"""A last value beyond a limit (in the measurement's unit) and the concept that it is."""


class SeedLineError(ValueError):
    """A line of a seeds file that cannot be read; names the line and what was expected."""


@dataclass(frozen=True, slots=True)
class RowSeeds:
    """The concepts of one prediction, heaviest first; no time in them is after the prediction."""

    subject_id: str
    stay_id: str
    prediction_time: datetime
    as_of: date | None
    seeds: tuple[Seed, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """How many records of a kind (counted for each row) resolve to a concept.

    `named` of these are concepts that vocabularies beside the tables of codes name, so that the
    literature may speak of them; `unresolved` are the commonest that do not resolve.
    """

    kind: str
    records: int
    resolved: int
    named: int
    unresolved: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where there were no records."""
        return self.resolved / self.records if self.records else 1.0


@dataclass(frozen=True, slots=True)
class PatientSeeds:
    """Seeds of all rows in the order of the cohort, and what share of each kind resolves."""

    rows: tuple[RowSeeds, ...]
    resolved: tuple[Resolved, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A record of a row that may be a concept."""

    row: int
    text: str
    system: str
    weight: float
    status: str
    time: datetime | None


def patient_seeds(
    records: Records, cohort: Cohort, task: Task, vocabulary: Vocabulary
) -> PatientSeeds:
    """Concepts by codes, drugs and abnormal values that were known by each prediction time.

    Codes of earlier stays are `historical`; those of the index stay enter only where the task
    allows them. Of a concept that is found twice the heaviest seed counts.
    """
    names = ConceptNames(vocabulary)
    rows = numbered(cohort)
    wide = records.has("wide")
    kinds = {
        "codes": _table_codes(records, rows, task) if wide else _codes(records, rows, task),
        "drugs": _table_drugs(records, rows) if wide else _drugs(records, rows),
        "values": _table_concepts(records, rows) if wide else _abnormal(records, rows),
    }
    for kind, found in (_events(records, rows) if wide else {}).items():
        kinds[kind] = kinds[kind] + found
    seeds: list[dict[str, Seed]] = [{} for _ in range(rows.num_rows)]
    told = []
    for kind, found in kinds.items():
        missed: Counter[str] = Counter()
        named = 0
        for one in found:
            concepts = _concepts(names, one, kind)
            named += any(not concept.startswith(CODE_PREFIXES) for concept, _ in concepts)
            if not concepts:
                missed[one.text] += 1
            for concept, share in concepts:
                _keep(seeds[one.row], concept, one, share)
        commonest = sorted(missed.items(), key=lambda item: (-item[1], item[0]))[:20]
        resolved = len(found) - missed.total()
        told.append(Resolved(kind, len(found), resolved, named, tuple(commonest)))
    return PatientSeeds(tuple(_rows(cohort, seeds)), tuple(told))


def write_seeds(path: Path, rows: Sequence[RowSeeds]) -> None:
    """Write predictions as JSON lines (see the module)."""
    with path.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(_told(row), ensure_ascii=False) + "\n")


def read_seeds(path: Path) -> Iterator[RowSeeds]:
    """Predictions as `write_seeds` wrote them; `SeedLineError` names a line that is not one."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield _row(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise SeedLineError(f"{path}, line {number}: no row of seeds: {error}") from error


def _told(row: RowSeeds) -> dict[str, Any]:
    told: dict[str, Any] = {
        "subject_id": row.subject_id,
        "stay_id": row.stay_id,
        "prediction_time": row.prediction_time.isoformat(),
    }
    if row.as_of is not None:
        told["as_of"] = row.as_of.isoformat()
    return {**told, "seeds": [seed._asdict() for seed in row.seeds]}


def _row(value: dict[str, Any]) -> RowSeeds:
    as_of = value.get("as_of")
    return RowSeeds(
        value["subject_id"],
        value["stay_id"],
        datetime.fromisoformat(value["prediction_time"]),
        None if as_of is None else date.fromisoformat(as_of),
        tuple(Seed(**seed) for seed in value["seeds"]),
    )


def _rows(cohort: Cohort, seeds: Sequence[dict[str, Seed]]) -> Iterator[RowSeeds]:
    for key, found in zip(cohort.rows.to_pylist(), seeds, strict=True):
        ordered = sorted(found.values(), key=lambda seed: (-seed.weight, seed.concept_id))
        yield RowSeeds(key["subject_id"], key["stay_id"], key["prediction_time"],
                       key["literature_date"], tuple(ordered))  # fmt: skip


def _concepts(names: ConceptNames, one: _Found, kind: str) -> tuple[tuple[str, float], ...]:
    if kind == "codes":
        return names.of_code(one.text, one.system)
    concept = names.of_drug(one.text) if kind == "drugs" else names.of_name(one.text)
    return () if concept is None else ((concept, 1.0),)


def _keep(seeds: dict[str, Seed], concept: str, one: _Found, share: float) -> None:
    time = None if one.time is None else one.time.isoformat()
    seed = Seed(concept, round(one.weight * share, 6), one.status, time)
    held = seeds.get(concept)
    if held is None or (seed.weight, seed.time or "") > (held.weight, held.time or ""):
        seeds[concept] = seed


def _found(answer: pa.Table, weight: float | None = None, status: str = "present") -> list[_Found]:
    """Records of an answer with `row`, `text`, `time` and, unless given, `own` and `system`."""
    return [
        _Found(
            one["row"], one["text"], one.get("system", ""),
            (1.0 if one["own"] else HISTORICAL) if weight is None else weight,
            status if weight is not None or one["own"] else "historical", one["time"],
        )
        for one in answer.to_pylist()
    ]  # fmt: skip


def _codes(records: Records, rows: pa.Table, task: Task) -> list[_Found]:
    if not records.has("diagnoses"):
        return []
    own = " OR d.stay_id = cohort_rows.stay_id" if task.allow_index_codes else ""
    return _found(
        records.query(
            f"""SELECT row, code AS text, system, bool_or(d.stay_id = cohort_rows.stay_id) AS own,
            max(least(d.known, prediction_time)) AS time FROM cohort_rows
            JOIN diagnoses d USING (subject_id) WHERE (d.known <= prediction_time AND
                d.stay_id <> cohort_rows.stay_id){own} GROUP BY ALL ORDER BY row, system, text""",
            cohort_rows=rows,
        )
    )


def _drugs(records: Records, rows: pa.Table) -> list[_Found]:
    if not records.has("drugs"):
        return []
    answer = records.query(
        """SELECT row, drug AS text, max(known) AS time FROM cohort_rows JOIN drugs
        USING (stay_id) WHERE known <= prediction_time GROUP BY ALL ORDER BY row, text""",
        cohort_rows=rows,
    )
    return _found(answer, DRUG)


def _abnormal(records: Records, rows: pa.Table) -> list[_Found]:
    if not records.has("measurements"):
        return []
    names = sorted({name for name, *_ in ABNORMAL})
    cases = " UNION ALL ".join(
        f"SELECT row, {quoted(concept)} AS text, time FROM seen WHERE name = {quoted(name)} AND "
        f"value {sign} {limit}"
        for name, sign, limit, concept in ABNORMAL
    )
    answer = records.query(
        f"""WITH seen AS (SELECT row, name, arg_max(value, {{'time': time, 'value': value}}) AS
                value, arg_max(known, {{'time': time, 'value': value}}) AS time
            FROM measurements JOIN cohort_rows USING (subject_id) JOIN stays USING (stay_id)
            WHERE name IN {in_list(names)} AND time >= stays.admitted AND time <= prediction_time
                AND known <= prediction_time GROUP BY row, name)
        SELECT * FROM ({cases}) ORDER BY row, text""",
        cohort_rows=rows,
    )
    return _found(answer, ABNORMAL_WEIGHT)


def _table_codes(records: Records, rows: pa.Table, task: Task) -> list[_Found]:
    """Codes of earlier rows, and of the row itself where the task allows them."""
    layout = records.layout
    if layout is None or not layout.codes:
        return []
    codes = " UNION ALL ".join(
        f"SELECT subject_id, stay_id, row_time, {column(name)} AS code, {quoted(system)} AS system "
        "FROM wide"
        for name, system in layout.codes.items()
    )
    own = " OR d.stay_id = cohort_rows.stay_id" if task.allow_index_codes else ""
    earlier = "d.row_time < prediction_time" if layout.order or layout.time else "false"
    return _found(
        records.query(
            f"""SELECT row, code AS text, system, bool_or(d.stay_id = cohort_rows.stay_id) AS own,
            max(row_time) AS time FROM cohort_rows JOIN ({codes}) d USING (subject_id)
            WHERE code NOTNULL AND (({earlier} AND d.stay_id <> cohort_rows.stay_id){own})
            GROUP BY ALL ORDER BY row, system, text""",
            cohort_rows=rows,
        )
    )


def _table_drugs(records: Records, rows: pa.Table) -> list[_Found]:
    """Drugs whose column holds one of the values that mean that it was given."""
    layout = records.layout
    if layout is None or not layout.drugs:
        return []
    parts = " UNION ALL ".join(
        f"SELECT row, {quoted(name)} AS text, row_time AS time FROM cohort_rows JOIN wide "
        f"USING (stay_id) WHERE {column(name)} IN {in_list(values)}"
        for name, values in layout.drugs.items()
    )
    return _found(records.query(f"{parts} ORDER BY row, text", cohort_rows=rows), DRUG)


_KIND_OF: Final = {"drug": "drugs", "name": "values"}


def _events(records: Records, rows: pa.Table) -> dict[str, list[_Found]]:
    """What tables beside a plain table tell of concepts by the prediction time, by kind."""
    layout = records.layout
    found: dict[str, list[_Found]] = {}
    for events in layout.events if layout is not None else ():
        if not events.means:
            continue
        kind = _KIND_OF.get(events.means, "codes")
        text = "item" if kind != "codes" else "trim(unnest(string_split(item, ',')))"
        answer = records.query(
            f"""SELECT row, text, {quoted(events.means)} AS system, max(known) AS time FROM
            (SELECT row, {text} AS text, known FROM events JOIN cohort_rows
                USING (subject_id, stay_id) WHERE family = {quoted(events.name)} AND
                time <= prediction_time AND known <= prediction_time)
            WHERE text <> '' GROUP BY ALL ORDER BY row, text""",
            cohort_rows=rows,
        )
        found.setdefault(kind, []).extend(_found(answer, DRUG if kind == "drugs" else 1.0))
    return found


def _table_concepts(records: Records, rows: pa.Table) -> list[_Found]:
    """Concepts that values of columns mean, as the layout says."""
    layout = records.layout
    if layout is None or not layout.concepts:
        return []
    parts = " UNION ALL ".join(
        f"SELECT row, {quoted(name)} AS text, row_time AS time FROM cohort_rows JOIN wide "
        f"USING (stay_id) WHERE {column(held)} = {quoted(value)}"
        for held, meanings in layout.concepts.items()
        for value, name in meanings.items()
    )
    return _found(records.query(f"{parts} ORDER BY row, text", cohort_rows=rows), 1.0)
