"""Each probe on a table with its leak and on the same table without."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from extractor.split import TEST, Split, make_split
from predictor.cohort import load_task, make_cohort
from predictor.ehr_features import ehr_features
from predictor.leakage import Audit, Measured, NotRun, judge, summary, worst
from predictor.outcome_probes import GivenOutcome, outcome_probes
from predictor.probes import Limits, audit_folds, literature_probe, singles, table_probes
from predictor.reliance import CHECK, reliance
from predictor.schema import CLOCK, Column, FeatureTable
from predictor.sources import open_records
from predictor.sources.layout import SHIPPED as LAYOUTS
from predictor.stage1 import Stage1Output
from predictor.stage1_probes import stage1_probes
from predictor.text_probes import NoteText, note_probes

sys.path.insert(0, str(Path(__file__).parent))
from made import NOON, made_table

Probes = Iterable[Measured | NotRun]


def levels(probes: Probes, comparisons: int = 20) -> dict[str, str]:
    return {finding.check: finding.level for finding in judge(probes, comparisons).findings}


@pytest.fixture(scope="module")
def table() -> FeatureTable:
    return made_table(1500)[0]


@pytest.fixture(scope="module")
def split(table: FeatureTable) -> Split:
    labels = dict(zip(table.subjects.tolist(), table.labels.tolist(), strict=True))
    return make_split("made", labels, seed=0)


def with_column(table: FeatureTable, column: Column, values: np.ndarray) -> FeatureTable:
    grown = table.table.append_column(column.name, pa.array(values, from_pandas=True))
    if column.clock and CLOCK + column.clock not in grown.column_names:
        grown = grown.append_column(CLOCK + column.clock, table.table["prediction_time"])
    return FeatureTable.make(table.task, (*table.columns, column), grown, check_clocks=False)


def test_a_clean_table_raises_no_alarm(table: FeatureTable, split: Split) -> None:
    audit = judge(table_probes(table, split))
    assert not audit.alarms
    assert worst(audit.findings) == 0
    assert summary(audit).startswith("No alarm")


def noisy(label: np.ndarray, wrong: float, seed: int = 1) -> np.ndarray:
    flip = np.random.default_rng(seed).random(len(label)) < wrong
    return np.where(flip, 1 - label, label).astype(float)


@pytest.mark.parametrize(
    ("check", "column", "wrong", "missing"),
    [
        ("missingness alone", Column("lactate", "structured"), 0.05, True),
        ("presence of a note alone", Column("note", "notes", presence=True), 0.1, False),
        ("codes alone", Column("code of shock", "structured", from_codes=True), 0.05, False),
        ("a single feature", Column("days to death", "structured"), 0.03, False),
    ],
)
def test_what_tells_too_much_is_an_alarm(
    table: FeatureTable, split: Split, check: str, column: Column, wrong: float, missing: bool
) -> None:
    told = noisy(table.labels, wrong)
    values = np.where(told > 0, 1.0, np.nan) if missing else told
    assert levels(table_probes(with_column(table, column, values), split))[check] == "alarm"
    chance = np.random.default_rng(2).permutation(values)
    assert levels(table_probes(with_column(table, column, chance), split))[check] != "alarm"


def test_informative_missingness_is_a_note(table: FeatureTable, split: Split) -> None:
    values = np.where(noisy(table.labels, 0.4) > 0, 1.0, np.nan)
    found = levels(table_probes(with_column(table, Column("lactate", "structured"), values), split))
    assert found["missingness alone"] == "note"


def test_identifiers_that_follow_the_outcome(table: FeatureTable, split: Split) -> None:
    numbers = [f"s{10_000 * label + place}" for place, label in enumerate(table.labels.tolist())]
    at = table.table.column_names.index("stay_id")
    changed = table.table.set_column(at, "stay_id", pa.array(numbers))
    other = FeatureTable.make("made", table.columns, changed)
    assert levels(table_probes(other, split))["identifiers and order"] == "alarm"


def test_late_records_are_counted(table: FeatureTable, split: Split) -> None:
    late = table.times("prediction_time").copy()
    late[:3] += np.timedelta64(1, "h")
    at = table.table.column_names.index("clock labs")
    changed = table.table.set_column(at, "clock labs", pa.array(late))
    other = FeatureTable.make("made", table.columns, changed, check_clocks=False)
    audit = judge(table_probes(other, split))
    (alarm,) = audit.alarms
    assert alarm.found.startswith("3 of 1875 rows use records of labs")
    assert worst(audit.findings) == 3


def test_copies_under_another_patient(table: FeatureTable) -> None:
    copied = table.table.slice(0, 60)
    names = pa.array([f"q{place}" for place in range(60)])
    copied = copied.set_column(0, "subject_id", names)
    other = FeatureTable.make("made", table.columns, pa.concat_tables([table.table, copied]))
    assert levels(table_probes(other, None))["duplicates across parts"] == "alarm"


def test_a_category_is_scored_by_other_folds_only(table: FeatureTable, split: Split) -> None:
    """A category of its own for every row must not tell that row's outcome."""
    own = pa.array([f"v{place}" for place in range(len(table))])
    grown = table.table.append_column("own", own)
    other = FeatureTable.make(
        "made", (*table.columns, Column("own", "structured", "category")), grown
    )
    probes = list(singles(other.select(["structured"]), audit_folds(other, split), Limits()))
    assert "own alone" not in " ".join(probe.found for probe in probes)


def test_too_few_events_are_no_pass() -> None:
    small = made_table(20)[0]
    found = levels(table_probes(small, None))
    assert found["what tells the outcome"] == "not run"


# --- stage 1 ------------------------------------------------------------------------------------


def outputs_of(table: FeatureTable, split: Split, score: np.ndarray) -> list[Stage1Output]:
    return [
        Stage1Output(s, stay, NOON, float(p), split.fold(s), split.digest, "m", "ok", NOON)
        for (s, stay), p in zip(table.keys, score.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def fair(table: FeatureTable) -> np.ndarray:
    return np.clip(
        noisy(table.labels, 0.35) * 0.2 + np.random.default_rng(3).random(len(table)) * 0.5, 0, 1
    )


def test_fair_stage1_outputs_pass(table: FeatureTable, split: Split, fair: np.ndarray) -> None:
    found = levels(stage1_probes(table, outputs_of(table, split, fair), split))
    assert set(found.values()) <= {"pass", "not run"}


def test_stage1_rows_by_outcome(table: FeatureTable, split: Split, fair: np.ndarray) -> None:
    rows = noisy(table.labels, 0.1) > 0
    outputs = [o for o, kept in zip(outputs_of(table, split, fair), rows, strict=True) if kept]
    assert levels(stage1_probes(table, outputs, split))["stage-1 rows by outcome"] == "alarm"


def test_stage1_outputs_in_sample(table: FeatureTable, split: Split, fair: np.ndarray) -> None:
    develop = np.array([split.fold(s) != TEST for s in table.subjects.tolist()])
    score = np.where(develop, 0.5 * fair + 0.5 * noisy(table.labels, 0.1), fair)
    found = levels(stage1_probes(table, outputs_of(table, split, score), split))
    assert found["stage-1 outputs in sample"] == "alarm"


def test_stage1_outputs_without_a_fold(table: FeatureTable, split: Split, fair: np.ndarray) -> None:
    outputs = outputs_of(table, split, fair)
    outputs[5] = replace(outputs[5], fold=None)
    found = levels(stage1_probes(table, outputs, split))
    assert found["stage-1 outputs without their fold"] == "alarm"


def test_stage1_outputs_of_the_next_visit(table: FeatureTable, split: Split) -> None:
    rng = np.random.default_rng(4)
    following = {key: int(rng.random() < 0.3) for key in table.keys}
    score = noisy(np.array(list(following.values())), 0.2) * 0.5 + rng.random(len(table)) * 0.3
    outputs = outputs_of(table, split, score)
    found = levels(stage1_probes(table, outputs, split, following))
    assert found["stage-1 outputs of another visit"] == "alarm"
    fair = noisy(table.labels, 0.3) * 0.5 + rng.random(len(table)) * 0.3
    found = levels(stage1_probes(table, outputs_of(table, split, fair), split, following))
    assert found["stage-1 outputs of another visit"] == "pass"


# --- outcomes, notes, literature ----------------------------------------------------------------


def test_outcomes_by_another_clock(table: FeatureTable) -> None:
    same = [
        GivenOutcome(*key, label)
        for key, label in zip(table.keys, table.labels.tolist(), strict=True)
    ]
    assert set(levels(outcome_probes(table, same)).values()) == {"pass"}
    other = [*same[1:], replace(same[0], label=1 - same[0].label), GivenOutcome("dead", "1", 0)]
    assert set(levels(outcome_probes(table, other)).values()) == {"alarm"}
    assert set(levels(outcome_probes(table, None)).values()) == {"not run"}


def notes_of(table: FeatureTable, told: np.ndarray, hours: int = -1) -> list[NoteText]:
    known = table.times("prediction_time").astype(object) + timedelta(hours=hours)
    plain = "Seen on rounds, comfortable, continues the present treatment. " * 5
    return [
        NoteText(s, stay, when, when, f"{plain} {stay} " + ("Made CMO." if says else "Stable."))
        for (s, stay), when, says in zip(table.keys, known, told > 0, strict=True)
    ]


def mortality(table: FeatureTable) -> FeatureTable:
    return FeatureTable.make("in_hospital_mortality", table.columns, table.table)


def test_notes_that_tell_what_came_after(table: FeatureTable, split: Split) -> None:
    asked, fold = mortality(table), audit_folds(table, split)
    leaking = notes_of(table, noisy(table.labels, 0.2))
    found = levels(note_probes(asked, leaking, fold, 0))
    assert found["outcome words in notes"] == "alarm"
    clean = notes_of(table, np.random.default_rng(5).permutation(table.labels))
    found = levels(note_probes(asked, clean, fold, 0))
    assert found["outcome words in notes"] == "pass"
    assert found["words of notes alone"] == "pass"
    later = notes_of(table, noisy(table.labels, 0.0), hours=1)
    assert levels(note_probes(asked, later, fold, 0))["outcome words in notes"] == "not run"


def test_a_note_that_stands_with_two_patients(table: FeatureTable, split: Split) -> None:
    notes = notes_of(table, np.zeros(len(table)))
    copies = [replace(note, text=notes[0].text) for note in notes[:200]] + notes[200:]
    found = levels(note_probes(mortality(table), copies, audit_folds(table, split), 0))
    assert found["the same note with two patients"] == "alarm"


def test_literature_of_later_dates() -> None:
    key = ("p", "s")
    clean = literature_probe({key: date(2014, 1, 1)}, {key: date(2014, 1, 1)})
    late = literature_probe({key: date(2014, 1, 2)}, {key: date(2014, 1, 1)})
    assert [*levels([clean]).values(), *levels([late]).values()] == ["pass", "alarm"]


def test_bounds_are_corrected_for_the_number_of_checks() -> None:
    probe = Measured("x", "AUROC", 0.85, 0.02, 0.8, 0.5, "", "")
    assert judge([probe]).findings[0].level == "alarm"  # 0.85 - 1.645 * 0.02 > 0.8
    assert judge([probe], 1000).findings[0].level == "note"
    assert isinstance(judge([]), Audit)


def test_when_a_note_is_written_does_not_matter_but_when_it_is_known() -> None:
    table = mortality(made_table(1500)[0])
    told = notes_of(table, table.labels)
    late = [replace(note, known=datetime(2021, 6, 1)) for note in told]
    found = levels(note_probes(table, late, audit_folds(table, None), 0))
    assert found["outcome words in notes"] == "not run"


def test_a_feature_that_no_other_replaces_is_an_alarm(table: FeatureTable, split: Split) -> None:
    """It ranks no better alone than an honest score may, and is found by what it adds."""
    rng = np.random.default_rng(4)
    wide = table
    for number in range(15):
        like = table.number("age") + rng.normal(0, 10, len(table))
        wide = with_column(wide, Column(f"like age {number}", "structured"), like)
    told = noisy(table.labels, 0.2)
    leaking = with_column(wide, Column("order", "structured"), told)
    fold = audit_folds(leaking, split)
    assert levels(singles(leaking, fold, Limits()))["a single feature"] == "pass"
    assert levels([reliance(leaking, fold)])[CHECK] == "alarm"
    chance = with_column(wide, Column("order", "structured"), rng.permutation(told))
    honest = chance.select(["structured"])
    assert levels([reliance(honest, fold)])[CHECK] != "alarm"
    assert levels([reliance(table, fold)])[CHECK] == "not run"


@pytest.mark.skipif("MEDWEAVE_DATA" not in os.environ, reason="MEDWEAVE_DATA is not set")
def test_an_order_not_to_resuscitate_is_found_among_support2s_features(tmp_path: Path) -> None:
    shipped = (LAYOUTS / "support2.yaml").read_text()
    leaking = tmp_path / "leaking.yaml"
    lines = [line for line in shipped.splitlines() if not line.startswith("  dnr:")]
    leaking.write_text("\n".join(lines).replace("race, ca]", "race, ca, dnr]"))
    found = {}
    for name, layout in (("as shipped", None), ("with dnr", leaking)):
        with open_records(Path(os.environ["MEDWEAVE_DATA"]) / "ehr/support2", layout) as records:
            task = load_task("in_hospital_mortality", records)
            table = ehr_features(records, make_cohort(records, task), task)
        found[name] = levels([reliance(table, audit_folds(table, None))])[CHECK]
    assert found == {"as shipped": "pass", "with dnr": "alarm"}
