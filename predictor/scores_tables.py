"""Bedside scores of plain tables: their layout says which columns are the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from predictor.bands import Score, Value
from predictor.cohort import Cohort
from predictor.comorbidity import lace_comorbidity
from predictor.feature_parts import code_bits, numbered
from predictor.given import Given, GivenError
from predictor.scores_ward import hospital, lace
from predictor.sources.records import Records, column, quoted
from predictor.task import Task

if TYPE_CHECKING:
    from predictor.sources.layout import Layout

INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "LACE": ("days", "acute", "comorbidity", "emergency_visits"),
    "HOSPITAL": ("haemoglobin", "oncology", "sodium", "procedure", "urgent", "admissions", "days"),
}
MADE_BY: Final[Mapping[str, Callable[..., Score]]] = {"LACE": lace, "HOSPITAL": hospital}


def table_scores(records: Records, cohort: Cohort, task: Task) -> dict[str, list[Score]]:
    """The scores that a layout names under `scores`.

    `LACE` and `HOSPITAL` take a column for each input, or `{column, values}` (1 for these values,
    0 for others), or `codes` for the comorbidity of LACE; an input that is not named is missed.
    Any other name is a score that the table holds: `{column: sps}`, or with `lower: true` where
    less means more risk.
    """
    layout = records.layout
    assert layout is not None, "plain tables have a layout"
    return {
        name: _made(name, copy(given), records, cohort, task, layout)
        for name, given in layout.scores.items()
    }


def _made(
    name: str, given: Given, records: Records, cohort: Cohort, task: Task, layout: Layout
) -> list[Score]:
    if name not in INPUTS:
        return _held(given, records, cohort)
    inputs = {key: _input(key, given, records, cohort, task, layout) for key in INPUTS[name]}
    given.text("note", "")
    given.done()
    rows = range(len(cohort))
    return [MADE_BY[name](**{key: values[at] for key, values in inputs.items()}) for at in rows]


def _held(given: Given, records: Records, cohort: Cohort) -> list[Score]:
    name = given.text("column")
    sign = -1.0 if given.flag("lower", False) else 1.0
    given.done()
    values = _values(f"TRY_CAST({column(name)} AS DOUBLE) * {sign}", records, cohort, given, [name])
    return [Score(value) if value is not None else Score(None, (name,)) for value in values]


def _input(
    key: str, given: Given, records: Records, cohort: Cohort, task: Task, layout: Layout
) -> list[Value]:
    if key not in given:
        return [None] * len(cohort)
    if given.contains_text(key):
        name = given.text(key)
        if name == "codes":
            return _comorbidity(records, cohort, task, layout)
        return _values(f"TRY_CAST({column(name)} AS DOUBLE)", records, cohort, given, [name])
    inside = given.inside(key)
    name, values = inside.text("column"), inside.texts("values")
    inside.done()
    listed = ", ".join(quoted(value) for value in values)
    return _values(f"({column(name)} IN ({listed}))::DOUBLE", records, cohort, given, [name])


def _values(
    sql: str, records: Records, cohort: Cohort, given: Given, names: list[str]
) -> list[Value]:
    there = records.query("SELECT * FROM wide LIMIT 0").column_names
    for name in names:
        if name not in there:
            raise GivenError(f"{given.where}: the table has no column {name!r}")
    values: list[Value] = records.query(
        f"SELECT {sql} AS value FROM cohort_rows JOIN wide USING (subject_id, stay_id) "
        "ORDER BY row",
        cohort_rows=numbered(cohort),
    )["value"].to_pylist()
    return values


def _comorbidity(records: Records, cohort: Cohort, task: Task, layout: Layout) -> list[Value]:
    """The comorbidity of LACE by the codes of the row, where the task allows them."""
    if not task.allow_index_codes:
        return [None] * len(cohort)
    codes = " UNION ALL ".join(
        f"SELECT stay_id, {column(name)} AS code, {quoted(system)} AS system FROM wide"
        for name, system in layout.codes.items()
    )
    found: Any = records.query(
        f"""SELECT row, bit_or(bits) AS found FROM cohort_rows LEFT JOIN ({codes})
        USING (stay_id) LEFT JOIN flags USING (code, system) GROUP BY row ORDER BY row""",
        cohort_rows=numbered(cohort),
        flags=code_bits(records, codes),
    )["found"].to_pylist()
    unknown = [value is None for value in found]
    joined = np.array([value or 0 for value in found], dtype=np.uint64)
    return [None if gone else float(value)
            for gone, value in zip(unknown, lace_comorbidity(joined), strict=True)]  # fmt: skip
