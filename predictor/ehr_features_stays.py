"""Features of hospital stays: the patient, the admission, prior use, codes, care and orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from predictor.drug_classes import ACTIONS, actions_of, classes, classes_of
from predictor.ehr_features_windows import window_parts
from predictor.feature_parts import Part, code_bits, comorbidity_part, numbered, part_of
from predictor.sources.records import Records, column, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from predictor.cohort import Cohort
    from predictor.task import Task


def stay_parts(records: Records, cohort: Cohort, task: Task) -> list[Part]:
    """The parts of a source of stays; families whose tables are missing are left out."""
    rows = numbered(cohort)
    parts = [_admission(records, rows), _emergency(records, rows), _prior_use(records, rows)]
    if task.prediction.at == "discharge":
        parts.append(_discharge(records, rows))
    if records.has("diagnoses"):
        parts += _codes(records, rows, task)
    if records.has("measurements"):
        parts += window_parts(records, rows)
    for table, make in (("icu", _icu), ("services", _services), ("drugs", _drugs),
                        ("actions", _actions), ("infusions", _infusions),
                        ("notes", _notes)):  # fmt: skip
        if records.has(table):
            parts.append(make(records, rows))
    return parts


def _admission(records: Records, rows: pa.Table) -> Part:
    """What is known at the door."""
    return part_of(
        records.query(
            """SELECT age, sex, admission_type, admitted_from, insurance, race, language,
            marital_status, planned::INTEGER AS planned, hour(stays.admitted) AS admission_hour,
            (ed_arrived NOTNULL)::INTEGER AS "through emergency"
            FROM cohort_rows JOIN stays USING (stay_id) ORDER BY row""",
            cohort_rows=rows,
        )
    )


def _emergency(records: Records, rows: pa.Table) -> Part:
    """Hours in the emergency department, once the patient has left it."""
    return part_of(
        records.query(
            """SELECT CASE WHEN ed_left <= prediction_time THEN
            date_diff('minute', ed_arrived, ed_left) / 60.0 END AS "emergency hours",
            CASE WHEN ed_left <= prediction_time THEN ed_left END AS known
            FROM cohort_rows JOIN stays USING (stay_id) ORDER BY row""",
            cohort_rows=rows,
        ),
        "emergency",
    )


def _discharge(records: Records, rows: pa.Table) -> Part:
    return part_of(
        records.query(
            """SELECT discharged_to, date_diff('minute', stays.admitted, stays.discharged) / 1440.0
            AS "days in hospital", hour(stays.discharged) AS discharge_hour,
            stays.discharged AS known
            FROM cohort_rows JOIN stays USING (stay_id) ORDER BY row""",
            cohort_rows=rows,
        ),
        "discharge",
    )


def _prior_use(records: Records, rows: pa.Table) -> Part:
    """Earlier stays that have ended, and earlier emergency visits (those before this arrival)."""
    visits = next((table for table in ("ed", "ed_admitted") if records.has(table)), None)
    if visits is None:
        visits = "(SELECT NULL AS subject_id, NULL::TIMESTAMP AS arrived, NULL AS stay_id LIMIT 0)"
    answer = records.query(
        f"""WITH this AS (SELECT row, cohort_rows.subject_id, cohort_rows.stay_id, prediction_time,
            stays.admitted, least(stays.admitted, ed_arrived) AS arrived
            FROM cohort_rows JOIN stays USING (stay_id)),
        before AS (SELECT row, count(*) AS n, count(*) FILTER (s.discharged >= this.admitted -
                INTERVAL 182 DAY) AS n_6, count(*) FILTER (s.discharged >= this.admitted -
                INTERVAL 365 DAY) AS n_12, count(*) FILTER (s.discharged >= this.admitted -
                INTERVAL 365 DAY AND NOT coalesce(s.planned, false)) AS unplanned_12,
            sum(date_diff('minute', s.admitted, s.discharged))::DOUBLE / 1440 AS days,
            max(s.discharged) AS latest
            FROM this JOIN stays s ON s.subject_id = this.subject_id AND s.admitted < this.admitted
                AND s.discharged <= this.admitted GROUP BY row),
        visits AS (SELECT row, count(*) FILTER (v.arrived >= this.arrived - INTERVAL 182 DAY)
            AS n_6, count(*) FILTER (v.arrived >= this.arrived - INTERVAL 365 DAY) AS n_12,
            max(v.arrived) AS latest FROM this JOIN {visits} v ON v.subject_id = this.subject_id AND
            v.arrived < this.arrived AND v.stay_id IS DISTINCT FROM this.stay_id GROUP BY row)
        SELECT coalesce(before.n, 0) AS "earlier stays", coalesce(before.n_6, 0) AS
            "stays in 6 months", coalesce(before.n_12, 0) AS "stays in 12 months",
            coalesce(unplanned_12, 0) AS "unplanned stays in 12 months",
            coalesce(days, 0) AS "earlier days in hospital",
            date_diff('minute', before.latest, this.admitted) / 1440.0
                AS "days since last discharge",
            coalesce(visits.n_6, 0) AS "emergency visits in 6 months",
            coalesce(visits.n_12, 0) AS "emergency visits in 12 months",
            greatest(before.latest, visits.latest) AS known
        FROM this LEFT JOIN before USING (row) LEFT JOIN visits USING (row) ORDER BY row""",
        cohort_rows=rows,
    )
    return part_of(answer, "prior use")


def _codes(records: Records, rows: pa.Table, task: Task) -> list[Part]:
    """Comorbidities by codes of earlier stays; by those of this stay where the task allows it."""
    flags = code_bits(records, "SELECT code, system FROM diagnoses")
    earlier = _bits(records, rows, flags, "d.stay_id <> cohort_rows.stay_id AND "
                    "d.known <= prediction_time")  # fmt: skip
    parts = [comorbidity_part(earlier["found"], earlier["known"], "earlier codes", "earlier")]
    if task.allow_index_codes:
        own = _bits(records, rows, flags, "d.stay_id = cohort_rows.stay_id")
        parts.append(comorbidity_part(own["found"], None, "", ""))
    return parts


def _bits(records: Records, rows: pa.Table, flags: pa.Table, which: str) -> pa.Table:
    return records.query(
        f"""SELECT row, bit_or(bits) AS found, max(coded.known) AS known FROM cohort_rows
        LEFT JOIN (SELECT row, bits, d.known FROM cohort_rows JOIN diagnoses d USING (subject_id)
            JOIN flags USING (code, system) WHERE {which}) coded USING (row)
        GROUP BY row ORDER BY row""",
        cohort_rows=rows,
        flags=flags,
    )


def _icu(records: Records, rows: pa.Table) -> Part:
    """Intensive care of this stay up to the prediction time."""
    return part_of(
        records.query(
            """WITH seen AS (SELECT row, entered, unit, CASE WHEN left_at <= prediction_time THEN
                left_at END AS gone, prediction_time AS cut FROM cohort_rows
                JOIN icu USING (stay_id) WHERE entered <= prediction_time)
            SELECT row, count(entered) AS "intensive care stays", coalesce(sum(date_diff('minute',
                entered, coalesce(gone, cut))), 0)::DOUBLE / 60 AS
                "intensive care hours", count(*) FILTER (entered NOTNULL AND gone IS NULL) AS
                "in intensive care now", arg_max(unit, entered) AS "intensive care unit",
                greatest(max(entered), max(gone)) AS known
            FROM cohort_rows LEFT JOIN seen USING (row) GROUP BY row ORDER BY row""",
            cohort_rows=rows.select(["row", "stay_id", "prediction_time"]),
        ),
        "intensive care",
    )


def _services(records: Records, rows: pa.Table) -> Part:
    return part_of(
        records.query(
            """SELECT row, max({'known': s.known, 'service': s.service}).service AS service,
            count(s.known) AS services, max(s.known) AS known
            FROM cohort_rows LEFT JOIN (SELECT row, s.service, s.known FROM cohort_rows
                JOIN services s USING (stay_id) WHERE s.known <= prediction_time) s USING (row)
            GROUP BY row ORDER BY row""",
            cohort_rows=rows,
        ),
        "services",
    )


def _drugs(records: Records, rows: pa.Table) -> Part:
    """Orders of this stay: how many, of how many drugs, and which classes."""
    counted = [
        'count(o.drug) AS "drug orders"',
        'count(DISTINCT lower(o.drug)) AS "distinct drugs"',
    ]
    return _listed(records, rows, "drugs", "drug", classes_of, tuple(classes()), counted, "drug")


def _actions(records: Records, rows: pa.Table) -> Part:
    counted = ['count(o.name) AS "bedside procedures"']
    return _listed(records, rows, "actions", "name", actions_of, tuple(ACTIONS), counted, "care")


def _listed(
    records: Records,
    rows: pa.Table,
    table: str,
    name: str,
    kinds_of: Callable[[str], tuple[str, ...]],
    kinds: tuple[str, ...],
    counted: list[str],
    prefix: str,
) -> Part:
    """Whether any record of each kind was known, 1 or 0; kinds are told by the record's name."""
    import pyarrow as pa

    found = records.query(f"SELECT DISTINCT {name} AS n FROM {table} ORDER BY 1")["n"].to_pylist()
    pairs = [(one, kind) for one in found for kind in kinds_of(one)]
    listed = pa.table({"n": pa.array([p[0] for p in pairs], pa.string()),
                       "kind": pa.array([p[1] for p in pairs], pa.string())})  # fmt: skip
    flags = [f"count(*) FILTER (list_contains(k.kinds, {quoted(kind)})) AS "
             f"{column(f'{prefix} {kind}')}" for kind in kinds]  # fmt: skip
    answer = records.query(
        f"""WITH k AS (SELECT n, list(kind ORDER BY kind) AS kinds FROM listed GROUP BY n),
        o AS (SELECT row, x.{name}, x.known FROM cohort_rows JOIN {table} x USING (stay_id)
            WHERE x.known <= prediction_time)
        SELECT row, {", ".join([*counted, *flags])}, max(o.known) AS known
        FROM cohort_rows LEFT JOIN o USING (row) LEFT JOIN k ON k.n = o.{name}
        GROUP BY row ORDER BY row""",
        cohort_rows=rows.select(["row", "stay_id", "prediction_time"]),
        listed=listed,
    )
    return part_of(answer, table)


def _infusions(records: Records, rows: pa.Table) -> Part:
    """Vasoactive drugs at the bedside: the highest rate so far in mcg/kg/min; null without one."""
    drugs = ("norepinephrine", "epinephrine", "dopamine", "dobutamine")
    rates = [f"max(i.rate) FILTER (i.drug = '{drug}') AS {column(f'{drug} highest rate')}"
             for drug in drugs]  # fmt: skip
    return part_of(
        records.query(
            f"""SELECT row, {", ".join(rates)}, max(i.known) AS known FROM cohort_rows
            LEFT JOIN (SELECT row, i.drug, i.rate, i.known FROM cohort_rows JOIN infusions i
                USING (stay_id) WHERE i.known <= prediction_time AND i.unit = 'mcg/kg/min' AND
                i.drug IN {drugs}) i USING (row) GROUP BY row ORDER BY row""",
            cohort_rows=rows.select(["row", "stay_id", "prediction_time"]),
        ),
        "infusions",
    )


def _notes(records: Records, rows: pa.Table) -> Part:
    """How many notes there are: what they say is no matter here."""
    answer = records.query(
        """SELECT row, count(n.known) AS "notes so far",
        count(n.known) FILTER (n.category = 'Discharge summary') AS "discharge summaries so far",
        max(n.known) AS known FROM cohort_rows LEFT JOIN (SELECT row, n.category, n.known FROM
            cohort_rows JOIN notes n USING (stay_id) WHERE n.known <= prediction_time) n
        USING (row) GROUP BY row ORDER BY row""",
        cohort_rows=rows.select(["row", "stay_id", "prediction_time"]),
    )
    return part_of(answer, "note presence", presence=("notes so far", "discharge summaries so far"))
