"""The literature of each row, cut at its own date or at an earlier one."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from predictor.cohort import load_task, make_cohort
from predictor.sources import open_records
from ray_jobs.graph_step import retrieve_for_rows
from tests.retrieval.worlds import build, demo_records

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

TABLE = "person,stay,omeprazole,clopidogrel,back\na,1,Yes,Yes,yes\nb,2,Yes,No,no\n"
LAYOUT = """\
table: stays.csv
subject: person
stay: stay
features: {categories: [omeprazole, clopidogrel]}
drugs: {columns: [omeprazole, clopidogrel], given: ["Yes"]}
tasks:
  readmission_30d:
    prediction: {at: row, told: at discharge}
    literature_as_of: 2016-01-01
    outcome: {column: back, positive: ["yes"], negative: ["no"]}
"""


def test_an_earlier_cut_knows_less(tmp_path: Path) -> None:
    """The demo's articles on omeprazole with clopidogrel are of 2009 and later."""
    graph = tmp_path / "graph"
    build(graph, demo_records())
    (tmp_path / "stays.csv").write_text(TABLE)
    layout = tmp_path / "layout.yaml"
    layout.write_text(LAYOUT)
    found = {}
    with open_records(tmp_path, layout) as records:
        task = load_task("readmission_30d", records)
        cohort = make_cohort(records, task)
        for latest in (None, date(2005, 1, 1)):
            out = tmp_path / str(latest)
            out.mkdir()
            made = retrieve_for_rows(
                records, cohort, task, str(graph), out, passages=0, latest=latest
            )
            lines = [json.loads(line) for line in made.read_text().splitlines()]
            found[latest] = {line["subject_id"]: line for line in lines}
    count = "pair_drug_drug_interacts_with_refuted"
    assert found[None]["a"]["features"][count] == 1
    assert found[None]["a"]["as_of"] == "2016-01-01"
    assert found[date(2005, 1, 1)]["a"]["features"][count] == 0
    assert found[date(2005, 1, 1)]["a"]["as_of"] == "2005-01-01"
    assert {rows["b"]["features"][count] for rows in found.values()} == {0}
