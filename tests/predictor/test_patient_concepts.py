"""Seeds of each prediction: by codes, drugs and abnormal values, none later than the prediction."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest

from ontologies.concept import Concept, Vocabulary
from ontologies.linker import Seed
from predictor.cohort import load_task, make_cohort
from predictor.concept_names import ConceptNames
from predictor.patient_concepts import (
    PatientSeeds,
    RowSeeds,
    SeedLineError,
    patient_seeds,
    read_seeds,
    write_seeds,
)
from predictor.sources import open_records
from tests.predictor.mimic4_files import write_mimic4


def concept(curie: str, name: str, tui: str, *xrefs: str, parents: tuple[str, ...] = ()) -> Concept:
    return Concept(curie, name, semantic_types=(tui,), xrefs=xrefs, parents=parents)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    heart = concept("UMLS:C0018802", "Heart failure", "T047", "ICD9CM:428.0", "ICD10CM:I50.9")
    diabetes = concept("UMLS:C0011849", "Diabetes mellitus", "T047", "ICD9CM:250")
    return Vocabulary.from_concepts([
        heart,
        diabetes,
        concept("ICD9CM:250.0", "Diabetes without complication", "T047", parents=(diabetes.id,)),
        concept("ICD9CM:250.00", "Type II, controlled", "T047", parents=("ICD9CM:250.0",)),
        concept("UMLS:C0004238", "Atrial fibrillation", "T047"),
        concept("ICD10CM:I48.91", "Unspecified atrial fibrillation", "T047"),
        concept("ICD10CM:Z66", "Do not resuscitate", "T033"),
        concept("MESH:D005665", "Furosemide", "T121"),
        concept("MESH:D008790", "Metoprolol", "T121"),
        concept("MESH:D000082", "Acetaminophen", "T121"),
        concept("MESH:D013594", "Syringe", "T074"),
        concept("UMLS:C0020625", "Hyponatremia", "T047"),
    ])  # fmt: skip


def seeds_of(folder: Path, vocabulary: Vocabulary, task: str = "readmission_30d") -> PatientSeeds:
    with open_records(write_mimic4(folder)) as records:
        loaded = load_task(task)
        return patient_seeds(records, make_cohort(records, loaded), loaded, vocabulary)


def test_codes_of_earlier_stays_and_drugs_of_this_one(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    found = seeds_of(tmp_path, vocabulary)
    first, second = found.rows
    assert (first.stay_id, second.stay_id) == ("11", "12")
    assert first.seeds == (Seed("MESH:D005665", 0.7, "present", "2150-01-04T00:00:00"),)
    assert second.seeds == (
        Seed("MESH:D008790", 0.7, "present", "2150-01-16T00:00:00"),
        Seed("UMLS:C0018802", 0.6, "historical", "2150-01-05T12:00:00"),
        Seed("UMLS:C0011849", 0.384, "historical", "2150-01-05T12:00:00"),  # two steps up
    )
    assert first.as_of == date(2011, 1, 1)


def test_the_share_that_resolves_is_told(tmp_path: Path, vocabulary: Vocabulary) -> None:
    codes, drugs, values = seeds_of(tmp_path, vocabulary).resolved
    assert (codes.kind, codes.records, codes.resolved, codes.named) == ("codes", 2, 2, 2)
    assert (drugs.records, drugs.share) == (2, 1)
    assert (values.records, values.share) == (0, 1)


def test_abnormal_values_are_concepts(tmp_path: Path, vocabulary: Vocabulary) -> None:
    found = seeds_of(tmp_path, vocabulary, "in_hospital_mortality_24h")
    dying = next(row for row in found.rows if row.stay_id == "31")
    assert dying.seeds == (Seed("UMLS:C0020625", 0.8, "present", "2170-03-01T13:00:00"),)


def test_nothing_is_later_than_the_prediction(tmp_path: Path, vocabulary: Vocabulary) -> None:
    for task in ("readmission_30d", "in_hospital_mortality", "in_hospital_mortality_24h"):
        for row in seeds_of(tmp_path, vocabulary, task).rows:
            times = [datetime.fromisoformat(seed.time) for seed in row.seeds if seed.time]
            assert all(time <= row.prediction_time for time in times)


def test_seeds_are_written_and_read_again(tmp_path: Path, vocabulary: Vocabulary) -> None:
    found = seeds_of(tmp_path / "data", vocabulary)
    file = tmp_path / "seeds.jsonl"
    write_seeds(file, found.rows)
    assert tuple(read_seeds(file)) == found.rows
    first = json.loads(file.read_text().splitlines()[0])
    assert first["as_of"] == "2011-01-01"
    assert set(first["seeds"][0]) == {"concept_id", "weight", "status", "time"}
    file.write_text(file.read_text() + '{"subject_id": "1"}\n')
    with pytest.raises(SeedLineError, match="line 3"):
        list(read_seeds(file))


def test_a_row_without_a_calendar_has_no_cut(tmp_path: Path) -> None:
    file = tmp_path / "seeds.jsonl"
    row = RowSeeds("1", "2", datetime(2150, 1, 1), None, (Seed("UMLS:C0018802"),))
    write_seeds(file, [row])
    assert "as_of" not in json.loads(file.read_text())
    assert list(read_seeds(file)) == [row]


@pytest.mark.parametrize(("drug", "concept_id"), [
    ("Metoprolol Succinate XL", "MESH:D008790"), ("metoprolol tartrate", "MESH:D008790"),
    ("Acetaminophen IV", "MESH:D000082"), ("Tylenol (Acetaminophen)", "MESH:D000082"),
    ("Furosemide 40 mg Tab", "MESH:D005665"), ("Syringe (0.9% Sodium Chloride)", None),
    ("Bag", None),
])  # fmt: skip
def test_drugs_as_they_are_ordered(
    vocabulary: Vocabulary, drug: str, concept_id: str | None
) -> None:
    assert ConceptNames(vocabulary).of_drug(drug) == concept_id


@pytest.mark.parametrize(("code", "system", "found"), [
    ("4280", "ICD9CM", (("UMLS:C0018802", 1.0),)), ("I509", "ICD10CM", (("UMLS:C0018802", 1.0),)),
    ("I48.91", "ICD10CM", (("UMLS:C0004238", 1.0),)),
    ("25000", "ICD9CM", (("UMLS:C0011849", 0.8 * 0.8),)),
    ("2501", "ICD9CM", (("UMLS:C0011849", 0.8),)),  # not in the vocabulary: its category is
    ("Z66", "ICD10CM", (("ICD10CM:Z66", 1.0),)), ("999", "ICD9CM", ()),
])  # fmt: skip
def test_codes(
    vocabulary: Vocabulary, code: str, system: str, found: tuple[tuple[str, float], ...]
) -> None:
    meant = ConceptNames(vocabulary).of_code(code, system)
    assert [(one, round(share, 6)) for one, share in meant] == [
        (one, round(share, 6)) for one, share in found
    ]
