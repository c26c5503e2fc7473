"""Tables beside a plain table: what was known by the prediction, against a count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontologies.starter_vocabulary import starter_vocabulary
from predictor.cohort import load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.given import GivenError
from predictor.patient_concepts import patient_seeds
from predictor.schema import FeatureTable
from predictor.sources import RecordsError, open_records
from predictor.sources.draft import draft_layout

STAYS = "person,stay,age,gone,end\n" + "".join(
    f"p{n // 2},{n},{50 + n},{5 if n == 11 else 40},{'dead' if n % 4 == 0 else 'home'}\n"
    for n in range(12)
)
LABS = "stay,test,number,hour,reported\n" + "".join(
    f"{n},Na,{130 + n},{hour},{hour + 1}\n" for n in range(12) for hour in (2, 10, 22, 30)
)
"""Sodium at hours 2, 10, 22 and 30; each is reported an hour later."""
DRUGS = "stay,drug,hour\n" + "".join(f"{n},digoxin,{n}\n{n},digoxin,{n + 20}\n" for n in range(12))
LAYOUT = """\
table: stays.csv
subject: person
stay: stay
features: {numbers: [age]}
never: [end]
events:
  lab: {table: labs.csv, item: test, value: number, hours: hour, known: reported}
  order: {table: drugs.csv, item: drug, hours: hour, means: drug}
tasks:
  death:
    prediction: {at: row, hours: 23, told: after 23 hours}
    exclude: [{why: left within 23 hours, column: gone, below: 23}]
    outcome: {column: end, positive: [dead], negative: [home]}
"""


@pytest.fixture
def hospital(tmp_path: Path) -> tuple[Path, Path]:
    for name, text in (("stays", STAYS), ("labs", LABS), ("drugs", DRUGS)):
        (tmp_path / f"{name}.csv").write_text(text)
    layout = tmp_path / "layout.yaml"
    layout.write_text(LAYOUT)
    return tmp_path, layout


def features_of(folder: Path, layout: Path, wanted: FeatureTable | None = None) -> FeatureTable:
    with open_records(folder, layout) as records:
        task = load_task("death", records)
        columns = None if wanted is None else wanted.columns
        return ehr_features(records, make_cohort(records, task), task, columns)


def row(features: FeatureTable, stay: str) -> dict[str, object]:
    return next(row for row in features.table.to_pylist() if row["stay_id"] == stay)


def test_values_count_once_they_were_reported(hospital: tuple[Path, Path]) -> None:
    features = features_of(*hospital)
    assert len(features) == 11  # stay 11 was left within 23 hours
    seven = row(features, "7")
    assert seven["lab records"] == 3  # hour 22 was reported at 23, hour 30 is later
    assert seven["lab Na last"] == seven["lab Na min"] == seven["lab Na mean"] == 137
    assert seven["lab Na count"] == 3
    assert seven["lab Na hours since"] == 1
    assert seven["lab Na slope"] == pytest.approx(0)
    assert str(seven["clock lab values"]) == "1970-01-01 23:00:00"


def test_what_has_no_value_is_counted(hospital: tuple[Path, Path]) -> None:
    features = features_of(*hospital)
    assert row(features, "3")["order digoxin"] == 2  # hours 3 and 23
    assert row(features, "4")["order digoxin"] == 1  # hour 4; hour 24 is later


def test_a_model_gets_the_columns_that_it_was_made_with(hospital: tuple[Path, Path]) -> None:
    before = features_of(*hospital)
    (hospital[0] / "stays.csv").write_text("".join(STAYS.splitlines(keepends=True)[:3]))
    assert "order digoxin" not in features_of(*hospital).table.column_names
    after = features_of(*hospital, wanted=before)
    assert after.columns == before.columns
    assert row(after, "1") == row(before, "1")


def test_drugs_of_a_table_beside_are_concepts(hospital: tuple[Path, Path]) -> None:
    with open_records(*hospital) as records:
        task = load_task("death", records)
        cohort = make_cohort(records, task)
        found = patient_seeds(records, cohort, task, starter_vocabulary())
    assert all(len(one.seeds) == 1 for one in found.rows)
    assert found.rows[0].seeds[0].time == "1970-01-01T20:00:00"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hours: hour, known: reported", "known: reported", "say when things happened"),
        ("hours: hour, known: reported", "time: hour", "say when things happened"),
        ("item: test", "item: tests", "no column tests"),
        ("table: labs.csv", "table: lab.csv", "no file lab.csv"),
        ("means: drug", "means: drugs", "`means` is one of"),
        ("hours: hour, means", "hours: drug, means", "none has a time"),
    ],
)
def test_what_is_wrong_is_named(hospital: tuple[Path, Path], old: str, new: str, told: str) -> None:
    hospital[1].write_text(LAYOUT.replace(old, new))
    with pytest.raises((GivenError, RecordsError), match=told):
        features_of(*hospital)


def test_a_draft_finds_the_tables_beside(hospital: tuple[Path, Path]) -> None:
    (hospital[0] / "other.csv").write_text("person,note\np1,x\n")
    draft = draft_layout(hospital[0] / "stays.csv")
    assert "  labs: {table: labs.csv, item: test, value: number, hours: hour}" in draft
    assert "  drugs: {table: drugs.csv, item: drug, hours: hour}" in draft
    assert "other" not in draft
