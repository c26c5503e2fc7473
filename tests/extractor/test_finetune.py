"""Fine-tuning on a CPU: what it learns, who it sees, and that it goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from extractor.answers import grammar, read_answer
from extractor.examples import MarkedNote, examples
from extractor.finetune import (
    DONE,
    Item,
    Tuning,
    TuningData,
    _rounds,
    finetune,
    fit_adapter,
    items,
    training_subjects,
)
from extractor.llm import Ask
from extractor.local_llm import LocalLLM, load_model
from extractor.outcome import OutcomeRow, outcome_answers
from extractor.prompt import BRIEF, COMPACT, prompt
from extractor.reader import SMALL
from extractor.schema import Finding, Kind, Note, NoteFindings, State, Status
from extractor.split import Split, make_split
from extractor.tuning_texts import short_enough
from tests.extractor.shorthand import shorthand


def f1(folder: Path, marked: list[MarkedNote]) -> float:
    """F1 of quotes with their statuses."""
    llm = LocalLLM.open(folder)
    cut = [example for note in marked for example in examples(note)]
    asks = [Ask(prompt(e.window, llm.form), grammar(e.window, llm.form)) for e in cut]
    said = [
        {(s.quote.strip(), s.status) for s in read_answer(c.text)} for c in llm.complete(asks, 64)
    ]
    gold = [{(f.quote, f.status) for f in e.findings} for e in cut]
    right = sum(len(a & b) for a, b in zip(said, gold, strict=True))
    return 2 * right / (sum(map(len, said)) + sum(map(len, gold)))


def test_fine_tuning_improves_what_is_read_in_held_out_notes(tmp_path: Path) -> None:
    notes = [shorthand(n) for n in range(24)]
    fitted, checked, held_out = notes[:16], notes[16:18], notes[18:]
    tuning = Tuning(rate=1e-2, epochs=3, batch=8, check_every=6)
    fit_adapter(
        SMALL, TuningData(tuple(fitted)), TuningData(tuple(checked)), tmp_path / "a", tuning
    )
    before, after = f1(SMALL, held_out), f1(tmp_path / "a", held_out)
    assert after > before + 0.1
    about = json.loads((tmp_path / "a" / "medweave.json").read_text(encoding="utf-8"))
    assert about["tuning"]["rate"] == 1e-2
    assert (tmp_path / "a" / "curve.png").stat().st_size > 1000
    assert (tmp_path / "a" / "adapter_model.safetensors").stat().st_size < 15e6


def hospital(rows: int) -> tuple[TuningData, Split]:
    """Patients whose outcome depends on one finding of their only note."""
    read, wanted, labels = [], [], {}
    for number in range(rows):
        label = number % 2
        quote = "syncope" if label else "cough"
        finding = Finding(0, len(quote), quote, Kind.PROBLEM, Status.PRESENT)
        stored = "2150-01-01T00:00:00" if number != 3 else None
        read.append(
            NoteFindings(number, State.OK, "r", (finding,), subject_id=number, storetime=stored)
        )
        wanted.append(OutcomeRow(number, None, "2150-01-02T00:00:00", label))
        labels[str(number)] = label
    return TuningData((), tuple(wanted), tuple(read)), make_split("task", labels, seed=1, k=2)


def test_rows_get_the_output_of_an_adapter_that_did_not_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import extractor.finetune as module

    data, split = hospital(40)
    seen: dict[str, set[str]] = {}
    real = module.fit_adapter

    def recording(
        base: Path, fitted: TuningData, checked: TuningData, folder: Path, *rest: object
    ) -> None:
        seen[folder.name] = {str(r.subject_id) for d in (fitted, checked) for r in d.rows}
        real(base, fitted, checked, folder, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "fit_adapter", recording)
    tuning = Tuning(rate=1e-2, epochs=12, batch=4, check_every=8, patience=10)
    outcomes = finetune(SMALL, data, split, tmp_path, tuning)
    for fold, part in enumerate(split.folds):
        assert not seen[f"fold-{fold}"] & (set(part) | set(split.test))
    by_subject = {str(o.subject_id): o for o in outcomes}
    assert set(by_subject) == {str(n) for n in range(40)}
    assert by_subject["3"].state is State.NO_NOTE
    assert by_subject["3"].probability is None
    likely = [o.probability or 0.0 for o in outcomes if int(o.subject_id) % 2 and o.probability]
    unlikely = [o.probability or 0.0 for o in outcomes if int(o.subject_id) % 2 == 0]
    assert min(likely) > max(unlikely)
    # Run again, nothing is fitted anew, and the result is the same.
    seen.clear()
    assert finetune(SMALL, data, split, tmp_path, tuning) == outcomes
    assert seen == {}
    assert (tmp_path / "fold-0" / DONE).exists()


def test_who_stops_an_adapter_early_is_not_fitted_on() -> None:
    _, split = hospital(40)
    fitted, checked = training_subjects(split, 0, 0.1)
    assert fitted & checked == set()
    assert fitted | checked == set(split.folds[1])
    assert replace(Tuning(), seed=2) != Tuning()


def test_rows_without_the_event_are_sampled_and_those_with_it_all_kept() -> None:
    data, _ = hospital(60)
    rows = [replace(r, label=int(int(r.subject_id) % 6 == 0)) for r in data.rows]
    _, tokenizer = load_model(SMALL)
    tuning = Tuning(negatives=2.0)
    texts = list(items(replace(data, rows=tuple(rows)), tokenizer, COMPACT, tuning))
    yes, no = outcome_answers(COMPACT)
    said = [tokenizer.decode(text.ids[text.asked : -1]) for text in texts]
    assert (said.count(yes), said.count(no)) == (10, 20)


def test_texts_that_are_too_long_are_left_out_and_counted() -> None:
    texts = [Item(tuple(range(length)), 1) for length in (3, 9, 4, 5)]
    assert short_enough(texts, 4) == ([texts[0], texts[2]], 2)


def test_windows_without_a_finding_are_learned_from_as_often_as_asked() -> None:
    note = MarkedNote(Note(1, "PLAN\n" + "Call.\n" * 400), ())
    _, tokenizer = load_model(SMALL)
    texts = list(items(TuningData((note,)), tokenizer, BRIEF, Tuning(empty_share=0.25)))
    assert 70 < len(texts) < 130


def test_batches_hold_each_text_once_a_round_beside_texts_of_its_length() -> None:
    rng = Random(1)
    texts = [Item(tuple(range(rng.randrange(2, 90))), 1) for _ in range(100)]
    rounds = list(_rounds(texts, Tuning(batch=8, epochs=2)))
    assert sorted(i.ids for b in rounds for i in b) == sorted([t.ids for t in texts] * 2)
    assert sum(max(len(i.ids) for i in b) * len(b) for b in rounds) < 1.3 * 2 * sum(
        len(t.ids) for t in texts
    )


def test_the_form_of_the_prompts_is_kept_with_the_adapter(tmp_path: Path) -> None:
    few = TuningData((shorthand(1),))
    fit_adapter(SMALL, few, few, tmp_path, Tuning(rank=2, epochs=1, texts=2, checked=1, form=BRIEF))
    assert LocalLLM.open(tmp_path).form == BRIEF
