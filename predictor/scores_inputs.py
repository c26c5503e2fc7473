"""What bedside scores need of each row, as known by its prediction time; `None`: not observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from predictor.comorbidity import charlson_index, lace_comorbidity, present
from predictor.drug_classes import actions_of
from predictor.feature_parts import code_bits
from predictor.sources.records import Records, in_list

if TYPE_CHECKING:
    import pyarrow as pa

    from predictor.task import Task

ONCOLOGY: Final = ("OMED", "ONC")
SURGICAL: Final = (
    "SURG", "CSURG", "NSURG", "TSURG", "VSURG", "PSURG", "ORTHO", "GYN", "GU", "ENT", "DENT",
    "TRAUM", "EYE",
)  # fmt: skip
"""Services of MIMIC whose patients are surgical."""

DAY: Final = (
    "heart rate", "systolic pressure", "mean pressure", "respiratory rate", "temperature",
    "urea nitrogen", "white cells", "potassium", "sodium", "bicarbonate", "bilirubin", "platelets",
    "creatinine",
)  # fmt: skip
FIO2_HOURS: Final = 4
"""A PaO2 is read with the latest FiO2 of this many hours before it."""


def stay_inputs(records: Records, rows: pa.Table, task: Task) -> list[dict[str, Any]]:
    """The inputs of all scores, a mapping for each row in the order of the cohort."""
    found: list[dict[str, Any]] = [{} for _ in range(rows.num_rows)]
    keys = rows.select(["row", "subject_id", "stay_id", "prediction_time"])
    parts = [_stay(records, keys), _admissions(records, keys), _codes(records, keys, task),
             _service(records, keys), _procedure(records, keys)]  # fmt: skip
    if records.has("measurements"):
        parts.append(_last(records, keys))
    parts += _first_day(records, keys)
    for part in parts:
        for one in part.to_pylist():
            found[one.pop("row")].update(one)
    return found


def _stay(records: Records, rows: pa.Table) -> pa.Table:
    """Age, kind of admission, length of stay, and hours before intensive care."""
    entered = "SELECT stay_id, min(entered) AS entered FROM icu GROUP BY 1"
    if not records.has("icu"):
        entered = "SELECT NULL::VARCHAR AS stay_id, NULL::TIMESTAMP AS entered LIMIT 0"
    return records.query(
        f"""SELECT row, age, planned, date_diff('minute', admitted, discharged) / 1440.0 AS days,
        coalesce(entered + INTERVAL 24 HOUR <= prediction_time, false) AS first_day,
        greatest(date_diff('minute', admitted, entered), 0) / 60.0 AS hours_before
        FROM cohort_rows JOIN stays USING (stay_id) LEFT JOIN ({entered}) USING (stay_id)
        ORDER BY row""",
        cohort_rows=rows,
    )


def _admissions(records: Records, rows: pa.Table) -> pa.Table:
    """Stays of the year and emergency visits of the half year before; unknown without a table."""
    visits = (
        """(SELECT row, count(*) AS n FROM this JOIN ed v ON v.subject_id = this.subject_id AND
        v.arrived < this.arrived AND v.arrived >= this.arrived - INTERVAL 182 DAY AND
        v.stay_id IS DISTINCT FROM this.stay_id GROUP BY row)"""
        if records.has("ed")
        else "(SELECT row, NULL::BIGINT AS n FROM this)"
    )
    zero = "coalesce(visits.n, 0)" if records.has("ed") else "visits.n"
    return records.query(
        f"""WITH this AS (SELECT row, cohort_rows.subject_id, cohort_rows.stay_id,
            stays.admitted, least(stays.admitted, ed_arrived) AS arrived
            FROM cohort_rows JOIN stays USING (stay_id)),
        before AS (SELECT row, count(*) AS n FROM this JOIN stays s ON
            s.subject_id = this.subject_id AND s.admitted < this.admitted AND
            s.discharged <= this.admitted AND s.discharged >= this.admitted - INTERVAL 365 DAY
            GROUP BY row),
        visits AS {visits}
        SELECT row, coalesce(before.n, 0) AS admissions, {zero} AS emergency_visits
        FROM this LEFT JOIN before USING (row) LEFT JOIN visits USING (row) ORDER BY row""",
        cohort_rows=rows,
    )


def _codes(records: Records, rows: pa.Table, task: Task) -> pa.Table:
    """Charlson, its variant for LACE, and the chronic diseases of SAPS II, by known codes."""
    import pyarrow as pa

    if not records.has("diagnoses"):
        empty = pa.nulls(rows.num_rows)
        return pa.table({"row": rows["row"], "charlson": empty, "lace_comorbidity": empty,
                         "chronic": empty})  # fmt: skip
    allowed = " OR d.stay_id = cohort_rows.stay_id" if task.allow_index_codes else ""
    found = records.query(
        f"""SELECT row, bit_or(bits) AS found FROM cohort_rows LEFT JOIN (SELECT row, bits FROM
            cohort_rows JOIN diagnoses d USING (subject_id) JOIN flags USING (code, system)
            WHERE (d.known <= prediction_time AND d.stay_id <> cohort_rows.stay_id){allowed})
        USING (row) GROUP BY row ORDER BY row""",
        cohort_rows=rows,
        flags=code_bits(records, "SELECT code, system FROM diagnoses"),
    )
    unknown = found["found"].is_null().to_numpy(zero_copy_only=False)
    joined = np.asarray(found["found"].fill_null(0).cast(pa.uint64()).to_numpy(), dtype=np.uint64)
    charlson, saps2 = present(joined, "charlson"), present(joined, "saps2")
    chronic = np.select(
        [charlson["AIDS or HIV"], saps2["haematological malignancy"],
         charlson["metastatic solid tumour"]],
        ["AIDS", "haematological malignancy", "metastatic cancer"], "none",
    )  # fmt: skip
    return pa.table({
        "row": found["row"],
        "charlson": pa.array(charlson_index(joined), mask=unknown),
        "lace_comorbidity": pa.array(lace_comorbidity(joined), mask=unknown),
        "chronic": pa.array(chronic, mask=unknown),
    })  # fmt: skip


def _service(records: Records, rows: pa.Table) -> pa.Table:
    """Whether the latest service is oncological, and the first one surgical."""
    if not records.has("services"):
        return _unknown(rows, "oncology", "surgical")
    return records.query(
        f"""SELECT row, (max({{'known': s.known, 'service': s.service}}).service IN
            {in_list(ONCOLOGY)})::INTEGER AS oncology,
        min({{'known': s.known, 'service': s.service}}).service IN {in_list(SURGICAL)} AS surgical
        FROM cohort_rows LEFT JOIN (SELECT row, s.service, s.known FROM cohort_rows
            JOIN services s USING (stay_id) WHERE s.known <= prediction_time) s USING (row)
        GROUP BY row ORDER BY row""",
        cohort_rows=rows,
    )


def _procedure(records: Records, rows: pa.Table) -> pa.Table:
    """Whether a coded procedure was done in the stay: the staff know at discharge what was done."""
    if not records.has("procedures"):
        return _unknown(rows, "procedure")
    return records.query(
        """SELECT row, (stay_id IN (SELECT stay_id FROM procedures))::INTEGER AS procedure
        FROM cohort_rows ORDER BY row""",
        cohort_rows=rows,
    )


def _last(records: Records, rows: pa.Table) -> pa.Table:
    """The last sodium and haemoglobin of the stay."""
    return records.query(
        """WITH seen AS (SELECT row, name, arg_max(value, {'time': time, 'value': value}) AS last
            FROM measurements JOIN cohort_rows USING (subject_id) JOIN stays USING (stay_id)
            WHERE name IN ('sodium', 'haemoglobin') AND time >= admitted AND
                time <= prediction_time AND known <= prediction_time GROUP BY row, name)
        SELECT row, max(last) FILTER (name = 'sodium') AS "sodium last",
            max(last) FILTER (name = 'haemoglobin') AS "haemoglobin last"
        FROM cohort_rows LEFT JOIN seen USING (row) GROUP BY row ORDER BY row""",
        cohort_rows=rows,
    )


def _first_day(records: Records, rows: pa.Table) -> list[pa.Table]:
    """The first 24 hours in intensive care of the rows for which they have passed."""
    if not records.has("icu"):
        return [_unknown(rows, "GCS", "oxygenation", "urine", "ventilated", "supported",
                         "pressors")]  # fmt: skip
    records.keep(
        "first_day",
        """SELECT row, subject_id, stay_id, prediction_time, entered, entered + INTERVAL 24 HOUR
        AS over FROM cohort_rows JOIN (SELECT stay_id, min(entered) AS entered FROM icu
        GROUP BY 1) USING (stay_id) WHERE entered + INTERVAL 24 HOUR <= prediction_time""",
        cohort_rows=rows,
    )
    parts = [_unknown(rows, "GCS", "oxygenation", "urine", "ventilated", "supported", "pressors")]
    if records.has("measurements"):
        names = (*DAY, "GCS eye", "GCS verbal", "GCS motor", "PaO2", "FiO2", "urine")
        records.keep(
            "first_day_values",
            f"""SELECT row, name, time, value FROM measurements JOIN first_day USING (subject_id)
            WHERE name IN {in_list(names)} AND time >= entered AND time < over AND
            known <= prediction_time""",
        )
        parts += [_extremes(records), _gcs(records), _oxygenation(records)]
    if records.has("actions"):
        parts.append(_ventilation(records))
    if records.has("infusions"):
        parts.append(_pressors(records))
    return parts


def _unknown(rows: pa.Table, *names: str) -> pa.Table:
    import pyarrow as pa

    return pa.table({"row": rows["row"], **{name: pa.nulls(rows.num_rows) for name in names}})


def _extremes(records: Records) -> pa.Table:
    each = ", ".join(
        f"min(value) FILTER (name = '{name}') AS \"{name} low\", "
        f"max(value) FILTER (name = '{name}') AS \"{name} high\"" for name in DAY
    )  # fmt: skip
    return records.query(
        f"""SELECT row, sum(value::DECIMAL(18, 3)) FILTER (name = 'urine')::DOUBLE AS urine, {each}
        FROM first_day_values GROUP BY row ORDER BY row"""
    )


def _gcs(records: Records) -> pa.Table:
    """The lowest sum of the three parts charted at one time, as charted."""
    return records.query(
        """SELECT row, min(total) AS "GCS" FROM (SELECT row, time, sum(part) AS total FROM
            (SELECT row, time, name, min(value) AS part FROM first_day_values
            WHERE name LIKE 'GCS %' GROUP BY ALL) GROUP BY row, time HAVING count(*) = 3)
        GROUP BY row ORDER BY row"""
    )


def _oxygenation(records: Records) -> pa.Table:
    """The lowest PaO2/FiO2 in mmHg."""
    return records.query(
        f"""WITH oxygen AS (SELECT row, time, value FROM first_day_values WHERE name = 'PaO2'),
        inspired AS (SELECT row, time, max(value) AS percent FROM first_day_values
            WHERE name = 'FiO2' GROUP BY row, time)
        SELECT oxygen.row AS row, min(value * 100 / percent) AS oxygenation FROM oxygen
        ASOF JOIN inspired ON oxygen.row = inspired.row AND inspired.time <= oxygen.time
        WHERE oxygen.time - inspired.time <= INTERVAL {FIO2_HOURS} HOUR GROUP BY oxygen.row
        ORDER BY row"""
    )


def _ventilation(records: Records) -> pa.Table:
    """Whether mechanical (`ventilated`) or any ventilation (`supported`) ran in the day."""
    labels = records.query("SELECT DISTINCT name FROM actions ORDER BY 1")["name"].to_pylist()
    invasive = [one for one in labels if "invasive ventilation" in actions_of(one)]
    mask = [one for one in labels if "non-invasive ventilation" in actions_of(one)]
    return records.query(
        f"""SELECT first_day.row, coalesce(max((name IN {in_list(invasive)})::INTEGER), 0)
            AS ventilated, coalesce(max((name IN {in_list([*invasive, *mask])})::INTEGER), 0)
            AS supported
        FROM first_day LEFT JOIN actions ON actions.stay_id = first_day.stay_id AND
            started < over AND coalesce(ended, over) > entered AND known <= prediction_time
        GROUP BY 1 ORDER BY 1"""
    )


def _pressors(records: Records) -> pa.Table:
    drugs = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
    each = ", ".join(f"'{d}': coalesce(max(rate) FILTER (drug = '{d}'), 0)" for d in drugs)
    return records.query(
        f"""SELECT first_day.row, {{{each}}} AS pressors FROM first_day LEFT JOIN infusions ON
            infusions.stay_id = first_day.stay_id AND started < over AND
            coalesce(ended, over) > entered AND known <= prediction_time AND
            unit = 'mcg/kg/min'
        GROUP BY 1 ORDER BY 1"""
    )
