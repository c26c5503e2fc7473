"""Plain tables: a layout, a cohort, features with their clock; on a hospital of seven rows."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from predictor.cohort import load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.given import GivenError
from predictor.schema import FeatureTable
from predictor.sources import CalendarError, RecordsError, open_records
from predictor.sources.draft import draft_layout
from predictor.sources.layout import load_layout

ROWS = """\
person,visit,age,ward,days,code,end,back
a,1,50,med,2,428.0,home,no
a,3,51,med,4,250.00,home,yes
a,5,52,surg,1,41001,died,no
b,2,"  60",surg,?,,home,no
b,4,61,med,3,V450,home,yes
b,9,,,7,428,home,unknown
c,7,70,med,5,401.9,home,no
"""
LAYOUT = """\
table: visits.csv
subject: person
stay: visit
order: visit
missing: ["?"]
features:
  numbers: [age, days]
  categories: [ward]
codes: {ICD9CM: [code]}
never: {end: after the stay}
history: {total: [days], last: [days, ward], outcome_known_by_next_row: true}
tasks:
  again:
    prediction: {at: discharge}
    horizon_days: 30
    exclude: [{why: died, column: end, values: [died]}]
    outcome: {column: back, positive: ["yes"], negative: ["no"]}
"""


@pytest.fixture
def hospital(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "visits.csv").write_text(ROWS)
    layout = tmp_path / "layout.yaml"
    layout.write_text(LAYOUT)
    return tmp_path, layout


def features_of(folder: Path, layout: Path) -> FeatureTable:
    with open_records(folder, layout) as records:
        task = load_task("again", records)
        return ehr_features(records, make_cohort(records, task), task)


def values(features: FeatureTable, name: str) -> dict[str, object]:
    """A feature by stay."""
    column = features.table[name].to_pylist()
    return dict(zip(features.table["stay_id"].to_pylist(), column, strict=True))


def test_the_flow_counts_every_exclusion(hospital: tuple[Path, Path]) -> None:
    with open_records(*hospital) as records:
        cohort = make_cohort(records, load_task("again", records))
    flow = [(step.name, step.excluded, step.left) for step in cohort.flow]
    assert flow == [
        ("candidates", 0, 7),
        ("died", 1, 6),
        ("outcome not known", 1, 5),
        ("cohort", 0, 5),
    ]
    assert cohort.flow[-1].told == "3 patients, 2 with the outcome"
    assert dict(zip(cohort.rows["stay_id"].to_pylist(), cohort.rows["label"].to_pylist(),
                    strict=True)) == {"1": 0, "3": 1, "2": 0, "4": 1, "7": 0}  # fmt: skip


def test_columns_are_taken_as_they_are(hospital: tuple[Path, Path]) -> None:
    features = features_of(*hospital)
    assert values(features, "age") == {"1": 50, "3": 51, "2": 60, "4": 61, "7": 70}
    assert values(features, "days") == {"1": 2, "3": 4, "2": None, "4": 3, "7": 5}
    assert values(features, "ward")["2"] == "surg"
    assert "end" not in {column.name for column in features.columns}


def test_history_is_what_earlier_rows_tell(hospital: tuple[Path, Path]) -> None:
    features = features_of(*hospital)
    assert values(features, "earlier rows") == {"1": 0, "3": 1, "2": 0, "4": 1, "7": 0}
    assert values(features, "earlier days total") == {"1": None, "3": 2, "2": None, "4": None,
                                                      "7": None}  # fmt: skip
    assert values(features, "previous ward") == {"1": None, "3": "med", "2": None, "4": "surg",
                                                 "7": None}  # fmt: skip
    assert values(features, "earlier outcomes") == {"1": None, "3": 0, "2": None, "4": 0, "7": None}
    assert values(features, "clock history")["3"] == datetime(1970, 1, 1, 0, 0, 1)


def test_the_gap_to_earlier_rows_is_told_where_the_order_tells_time(
    hospital: tuple[Path, Path],
) -> None:
    assert "order since earlier row" not in features_of(*hospital).table.column_names
    layout = LAYOUT.replace("history: {", "history: {gap: true, ")
    hospital[1].write_text(
        layout.replace("horizon_days", "allow_index_codes: true\n    horizon_days")
    )
    features = features_of(*hospital)
    since = values(features, "order since earlier row")
    assert since == {"1": None, "3": np.log(3), "2": None, "4": np.log(3), "7": None}
    assert set(values(features, "order between earlier rows").values()) == {None}
    same = values(features, "code group as before")
    assert same == {"1": None, "3": 0, "2": None, "4": None, "7": None}


def test_codes_of_the_row_are_read_only_where_the_task_allows(hospital: tuple[Path, Path]) -> None:
    features = features_of(*hospital)
    assert values(features, "earlier charlson congestive heart failure") == {
        "1": None, "3": 1, "2": None, "4": None, "7": None
    }  # fmt: skip
    assert not [c.name for c in features.columns if c.name.startswith("charlson")]
    hospital[1].write_text(
        LAYOUT.replace("horizon_days", "allow_index_codes: true\n    horizon_days")
    )
    allowed = features_of(*hospital)
    assert values(allowed, "code group") == {
        "1": "428",
        "3": "250",
        "2": None,
        "4": "V45",
        "7": "401",
    }
    assert values(allowed, "charlson index") == {"1": 1, "3": 1, "2": None, "4": 0, "7": 0}
    assert all(c.from_codes for c in allowed.columns if "charlson" in c.name)


def test_the_same_table_in_another_order_gives_the_same_features(
    hospital: tuple[Path, Path],
) -> None:
    before = features_of(*hospital)
    lines = ROWS.splitlines()
    (hospital[0] / "visits.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert features_of(*hospital).table.equals(before.table)


def test_a_zip_and_a_gz_are_read_alike(hospital: tuple[Path, Path], tmp_path: Path) -> None:
    import gzip

    before = features_of(*hospital)
    for name in ("zipped", "packed"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(tmp_path / "zipped" / "all.zip", "w") as archive:
        archive.writestr("inner/visits.csv", ROWS)
    (tmp_path / "packed" / "visits.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    for name in ("zipped", "packed"):
        assert features_of(tmp_path / name, hospital[1]).table.equals(before.table)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("numbers: [age, days]", "numbers: [agee, days]", "no column agee"),
        ("subject: person", "subjects: person", "`subject` is missing"),
        ("table: visits.csv", "table: visit.csv", "no file visit.csv"),
        ("categories: [ward]", "category: [ward]", "did you mean `categories`"),
        ("numbers: [age, days]", "numbers: [age, ward]", "as number and as category"),
        ("numbers: [age, days]", "numbers: [age, end]", "`never` and as features"),
        ("order: visit\n", "", "no row is earlier"),
        ('missing: ["?"]\n', "", r"first visit 2: '\?'"),
    ],
)
def test_a_wrong_layout_is_told(hospital: tuple[Path, Path], old: str, new: str, told: str) -> None:
    hospital[1].write_text(LAYOUT.replace(old, new))
    with pytest.raises((GivenError, RecordsError), match=told):
        features_of(*hospital)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("b,4,61", "b,3,61", "stands in another row"),
        ("b,4,61", ",4,61", "without a patient"),
        ("b,4,61", "b,x,61", "whole number"),
    ],
)
def test_rows_that_break_the_contract_are_named(
    hospital: tuple[Path, Path], old: str, new: str, told: str
) -> None:
    (hospital[0] / "visits.csv").write_text(ROWS.replace(old, new))
    with pytest.raises(RecordsError, match=told):
        open_records(*hospital)


def test_the_outcome_may_stand_under_never(hospital: tuple[Path, Path]) -> None:
    hospital[1].write_text(LAYOUT.replace("never: {end: after the stay}", "never: [back, end]"))
    assert "back" not in {column.name for column in features_of(*hospital).columns}


def test_the_outcome_cannot_be_a_feature(hospital: tuple[Path, Path]) -> None:
    hospital[1].write_text(LAYOUT.replace("categories: [ward]", "categories: [ward, back]"))
    with pytest.raises(GivenError, match="move it to `never`"):
        features_of(*hospital)


def test_rest_takes_all_other_columns_and_guesses_their_kind(hospital: tuple[Path, Path]) -> None:
    start = LAYOUT.index("features:")
    rest = LAYOUT[:start] + "features: rest\n" + LAYOUT[LAYOUT.index("codes:") :]
    hospital[1].write_text(rest)
    features = features_of(*hospital)
    kinds = {c.name: c.kind for c in features.columns if c.clock == ""}
    assert kinds == {"age": "number", "days": "number", "ward": "category"}


def test_a_source_without_a_calendar_has_no_date_of_the_literature(
    hospital: tuple[Path, Path],
) -> None:
    with open_records(*hospital) as records:
        cohort = make_cohort(records, load_task("again", records))
        with pytest.raises(CalendarError, match="literature_as_of"):
            cohort.literature_dates()
    hospital[1].write_text(LAYOUT.replace("horizon", "literature_as_of: 2008-12-31\n    horizon"))
    with open_records(*hospital) as records:
        cohort = make_cohort(records, load_task("again", records))
        assert set(cohort.literature_dates()) == {"2008-12-31"}
    hospital[1].write_text(LAYOUT.replace("horizon", "literature_as_of: 2208-12-31\n    horizon"))
    with open_records(*hospital) as records, pytest.raises(CalendarError, match="after today"):
        load_task("again", records)


def test_a_column_of_years_is_a_calendar(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("p,s,x,year,y\n1,1,3,2014,1\n2,2,4,2015,0\n")
    layout = tmp_path / "l.yaml"
    layout.write_text(
        "table: t.csv\nsubject: p\nstay: s\nfeatures: [x]\nliterature_year: year\n"
        "tasks: {t: {prediction: {at: row}, outcome: {column: y, positive: ['1']}}}\n"
    )
    with open_records(tmp_path, layout) as records:
        cohort = make_cohort(records, load_task("t", records))
    assert cohort.literature_dates() == ["2014-01-01", "2015-01-01"]


def test_a_time_gives_days_between_rows_and_real_dates(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "p,s,x,at,y\n1,a,3,2020-01-01 12:00,0\n1,b,4,2020-02-01 00:00,1\n"
    )
    layout = tmp_path / "l.yaml"
    layout.write_text(
        "table: t.csv\nsubject: p\nstay: s\ntime: at\nreal_dates: true\nfeatures: [x]\n"
        "history: {last: [x]}\n"
        "tasks: {t: {prediction: {at: row}, outcome: {column: y, positive: ['1']}}}\n"
    )
    with open_records(tmp_path, layout) as records:
        task = load_task("t", records)
        cohort = make_cohort(records, task)
        features = ehr_features(records, cohort, task)
    assert cohort.literature_dates() == ["2020-01-01", "2020-02-01"]
    assert values(features, "days since earlier row") == {"a": None, "b": 30.5}
    assert values(features, "previous x") == {"a": None, "b": 3}


def test_nothing_recognized_names_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"support2 \(support2.csv\)"):
        open_records(tmp_path)


def test_an_unknown_task_lists_the_known(hospital: tuple[Path, Path]) -> None:
    with (
        open_records(*hospital) as records,
        pytest.raises(GivenError, match="its layout has: again"),
    ):
        load_task("agai", records)


def test_diabetes_and_support_are_recognized(data: Path) -> None:
    """Counts of the published tables: 1,652 encounters that ended in death, 2,360 deaths."""
    with open_records(data / "ehr" / "diabetes130") as records:
        cohort = make_cohort(records, load_task("readmission_30d", records))
    assert [(step.excluded, step.left) for step in cohort.flow[:4]] == [
        (0, 101_766), (1_652, 100_114), (771, 99_343), (0, 99_343)
    ]  # fmt: skip
    with open_records(data / "ehr" / "support2") as records:
        task = load_task("in_hospital_mortality", records)
        cohort = make_cohort(records, task)
        features = ehr_features(records, cohort, task)
    assert (len(cohort), cohort.events) == (9_105, 2_360)
    assert np.isnan(features.number("adlp")).sum() == 5_641
    assert not {"dnr", "avtisst", "sps", "surv2m"} & {column.name for column in features.columns}


def test_a_draft_is_a_layout_that_works(tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text(
        "person_id,visit,age,ward no,weight:kg,end_status\n"
        "a,1,50,med,70,Alive\na,2,51,med,,Alive\nb,3,> 89,surg,60,Expired\nc,4,30,surg,,Alive\n"
    )
    text = draft_layout(tmp_path / "visits.csv")
    layout = tmp_path / "layout.yaml"
    layout.write_text(text)
    loaded = load_layout(layout)
    assert (loaded.subject, loaded.stay) == ("person_id", "visit")
    assert loaded.features == {"age": "number", "weight:kg": "number", "ward no": "category"}
    assert loaded.replace == {"age": {"> 89": "89"}}
    assert dict(loaded.never) == {"end_status": "by its name"}
    with open_records(tmp_path, layout) as records:
        task = load_task("my_task", records)
        cohort = make_cohort(records, task)
        features = ehr_features(records, cohort, task)
    assert cohort.rows["label"].to_pylist() == [0, 0, 1, 0]
    assert "weight kg" in {column.name for column in features.columns}
    with pytest.raises(RecordsError, match="no file"):
        draft_layout(tmp_path / "other.csv")
