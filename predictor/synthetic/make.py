"""Making a hospital: simulate, then write its files and, apart from them, the truth about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from extractor.split import Split, make_split
from predictor.synthetic import leaks
from predictor.synthetic.causes import MORTALITY, READMISSION, TASKS, TRAITS
from predictor.synthetic.charting import ChartedNote, Schedule, chart, schedule
from predictor.synthetic.draft import Gold
from predictor.synthetic.hosp_tables import hosp_tables
from predictor.synthetic.icu_tables import icu_tables
from predictor.synthetic.notes import DISCHARGE
from predictor.synthetic.phrases import names_by_concept
from predictor.synthetic.population import PRESENT, Patients, draw_patients
from predictor.synthetic.stage1 import Outputs, stage1_outputs
from predictor.synthetic.stay_rows import Ids, stay_order, subjects
from predictor.synthetic.stays import HOUR, Course, simulate
from predictor.synthetic.styles import HELD_OUT
from predictor.synthetic.tasks import TaskRows, next_stay, notes_known, task_rows, wrong_clock
from predictor.synthetic.writing import seconds, stamp, write_csv, write_lines

I64 = npt.NDArray[np.int64]
TRUTH: Final = "truth"
FORMAT: Final = 1
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


class HospitalError(ValueError):
    """A hospital that cannot be made as asked; tells what would do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What hospital to make. `leak` is "" or one of `leaks.LEAKS`."""

    patients: int
    seed: int
    leak: str = ""
    without_notes: bool = False
    without_graph: bool = False

    def __post_init__(self) -> None:
        if self.patients < LEAST:
            raise HospitalError(
                f"{self.patients} patients are too few for a split with events in every part; "
                f"ask for {LEAST} or more"
            )
        if self.leak and self.leak not in leaks.LEAKS:
            raise HospitalError(f"unknown leak {self.leak!r}; known: {', '.join(leaks.LEAKS)}")


LEAST: Final = 300


@dataclass(slots=True)
class Report:
    """What was made: rows of each file, and the truth's summary of each task."""

    rows: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, dict[str, float]] = field(default_factory=dict)


def make_hospital(
    plan: Plan, folder: Path, progress: Progress = lambda what, done, total: None, *,
    notes: bool = True,
) -> Report:  # fmt: skip
    """Write a hospital into an empty or new folder.

    The same plan gives the same bytes; `notes=False` leaves out the files of notes alone, which
    take most of the time. Raises `HospitalError` where the folder holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise HospitalError(f"{folder} is not empty; name a new folder")
    progress("simulating", 0, 1)
    patients = draw_patients(plan.patients, _rng(plan, 1))
    weights = (float(not plan.without_notes), float(not plan.without_graph))
    course = simulate(patients, weights, _rng(plan, 2))
    made = _Made(plan, folder, patients, course, schedule(course, _rng(plan, 3)), progress)
    made.write(notes)
    return made.report


def _rng(plan: Plan, stream: int) -> np.random.Generator:
    """A stream of chance of its own for each step, so that a leak disturbs no other step."""
    return np.random.default_rng([plan.seed, stream])


class _Made:
    """One hospital being written."""

    def __init__(
        self, plan: Plan, folder: Path, patients: Patients, course: Course, times: Schedule,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.plan, self.folder, self.progress = plan, folder, progress
        self.patients, self.course, self.times = patients, course, times
        self.ids = Ids.draw(len(course.stays), _rng(plan, 4))
        self.order = stay_order(patients, course)
        self.subject = subjects(patients, course)
        self.rows = {task: task_rows(course, self.order, task) for task in TASKS}
        self.report = Report(tasks={task: rows.summary() for task, rows in self.rows.items()})

    def write(self, notes: bool) -> None:
        self._tables()
        if notes:
            self._notes()
        for number, task in enumerate(TASKS):
            self.progress("predictions", number, len(TASKS))
            self._predictions(task)
        self._truth()

    def _put(self, name: str, columns: Mapping[str, Any], rows: int) -> None:
        self.report.rows[name] = write_csv(self.folder / f"{name}.csv.gz", columns, rows)

    def _tables(self) -> None:
        stays = self.course.stays
        coded = stays.coded
        if self.plan.leak == leaks.CODES:
            coded = stays.admit + 6 * HOUR + coded % HOUR
        hosp = hosp_tables(self.patients, self.course, self.ids, coded, _rng(self.plan, 5))
        icu = icu_tables(self.patients, self.course, self.ids, _rng(self.plan, 6))
        for number, made in enumerate(chain(hosp, icu)):
            self.progress("tables", number, _TABLES)
            self._put(*made)

    def _notes(self) -> None:
        summaries, progress = _NoteTable(), _NoteTable()
        numbers: dict[int, int] = {}
        self.folder.joinpath(TRUTH).mkdir(parents=True, exist_ok=True)
        golds = self.folder / TRUTH / "findings.jsonl"
        with golds.open("w", encoding="utf-8", newline="\n") as truth:

            def lines() -> Iterator[dict[str, object]]:
                for note in self._charted():
                    subject = int(self.subject[note.stay])
                    hadm = int(self.ids.hadm[note.stay])
                    numbers[subject] = numbers.get(subject, 0) + 1
                    name = f"{subject}-{note.note_type}-{numbers[subject]}"
                    table = summaries if note.note_type == DISCHARGE else progress
                    table.add(name, subject, hadm, numbers[subject], note)
                    truth.writelines(_gold_line(name, note.style, gold) for gold in note.golds)
                    yield {
                        "note_id": name, "subject_id": str(subject), "hadm_id": str(hadm),
                        "note_type": note.note_type, "style": note.style,
                        "charttime": stamp(note.charted), "storetime": stamp(note.stored),
                        "text": note.text,
                    }  # fmt: skip

            self.report.rows["notes.jsonl"] = write_lines(self.folder / "notes.jsonl", lines())
        self._put("note/discharge", *summaries.columns())
        self._put("note/progress", *progress.columns())

    def _charted(self) -> Iterator[ChartedNote]:
        total, done = len(self.order), 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            if done % 50 == 0 or done == total:
                self.progress("notes", done, total)

        stays = self.course.stays
        returned = stays.returned & stays.at_risk_of_return
        for note in chart(self.patients, self.course, self.times, self.order, self.plan.seed, tick):
            if self.plan.leak == leaks.LATE_NOTES:
                yield leaks.misdated(
                    note, bool(stays.died[note.stay]), bool(returned[note.stay]),
                    int(stays.admit[note.stay]), self.plan.seed,
                )  # fmt: skip
            else:
                yield note

    def _predictions(self, task: str) -> None:
        rows = self.rows[task]
        stay, label = rows.stay, rows.label
        if task == READMISSION and self.plan.leak == leaks.CLOCK:
            stay, label = wrong_clock(self.course, self.order)
        cut = rows.cut if len(stay) == len(rows.stay) else self.course.stays.discharge[stay]
        self._put(f"labels/{task}", {**self._keys(stay, cut), "label": label}, len(stay))
        split = self._split(task)
        path = self.folder / "splits" / f"{task}.json"
        path.parent.mkdir(exist_ok=True)
        split.save(path)
        self._stage1(rows, split)

    def _split(self, task: str) -> Split:
        rows = self.rows[task]
        events: dict[str, int] = {}
        for subject, label in zip(self.subject[rows.stay], rows.label, strict=True):
            events[str(subject)] = max(events.get(str(subject), 0), int(label))
        return make_split(task, events, seed=self.plan.seed)

    def _stage1(self, rows: TaskRows, split: Split) -> None:
        leak = self.plan.leak
        said = self.patients.traits[self.course.stays.patient[rows.stay]] == PRESENT
        noted, known = notes_known(self.times, rows)
        stated, label = rows.logits.structured[rows.stay], rows.label
        if leak == leaks.NEXT_VISIT:
            said, stated, label = self._of_next(rows)
        outputs: Outputs = stage1_outputs(
            said, stated, noted, label, self.subject[rows.stay], split, _rng(self.plan, 7),
            in_sample=leak == leaks.IN_SAMPLE,
        )  # fmt: skip
        kept = np.ones(len(rows.stay), bool)
        if leak == leaks.ROWS_BY_OUTCOME:
            kept = next_stay(self.course)[rows.stay] >= 0
        columns = {
            **self._keys(rows.stay[kept], rows.cut[kept]),
            "probability": outputs.probability[kept],
            "fold": outputs.fold[kept],
            "split": split.digest,
            "model": "bag-of-findings 1",
            "state": outputs.state[kept],
            "known": seconds(known[kept]),
            "label": label[kept],
        }
        self._put(f"stage1/{rows.task}", columns, int(kept.sum()))

    def _of_next(
        self, rows: TaskRows
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.int8]]:
        """What notes say of the next stay, its end included, and its label; 0 without one."""
        stays = self.course.stays
        following = next_stay(self.course)[rows.stay]
        there = following >= 0
        label_of = np.zeros(len(stays), np.int8)
        label_of[rows.stay] = rows.label
        label = np.where(there, label_of[following], 0).astype(np.int8)
        said = self.patients.traits[stays.patient[rows.stay]] == PRESENT
        ends = there & stays.died[following]
        if rows.task == MORTALITY:
            said = np.hstack([said, ends[:, None]])
        stated = np.where(there, rows.logits.structured[following], 0.0)
        return said & there[:, None], stated, label

    def _keys(self, stay: I64, cut: I64) -> dict[str, Any]:
        return {
            "subject_id": self.subject[stay],
            "hadm_id": self.ids.hadm[stay],
            "prediction_time": seconds(cut),
        }

    def _truth(self) -> None:
        """What no command but evaluation opens."""
        for task, rows in self.rows.items():
            self._put(
                f"{TRUTH}/risks_{task}",
                {
                    **self._keys(rows.stay, rows.cut),
                    "label": rows.label,
                    "risk": rows.risk,
                    "base": np.full(len(rows.stay), rows.base),
                    "structured": rows.logits.structured[rows.stay],
                    "notes": rows.logits.notes[rows.stay],
                    "graph": rows.logits.graph[rows.stay],
                    "pairs": self.patients.pairs[self.course.stays.patient[rows.stay]],
                },
                len(rows.stay),
            )
        self._put(f"{TRUTH}/pairs", *self._pairs())
        told = {
            "format": FORMAT,
            **asdict(self.plan),
            "held_out_styles": list(HELD_OUT),
            "traits": [asdict(trait) for trait in TRAITS],
            "tasks": self.report.tasks,
        }
        path = self.folder / TRUTH / "truth.json"
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def _pairs(self) -> tuple[dict[str, Any], int]:
        """Each patient's places of two concepts, and whether the corpus documents them."""
        rows = []
        for patient in np.argsort(self.patients.subject).tolist():
            dealt = self.patients.dealt[self.patients.group[patient]]
            place = self.patients.place[patient]
            subject = int(self.patients.subject[patient])
            for first, second, documented in zip(
                dealt.first[place], dealt.second[place], dealt.documented[place], strict=True
            ):
                ends = dealt.concepts[first], dealt.concepts[second]
                rows.append((subject, *ends, "documented" if documented else "chance"))
            if dealt.refuted[place] >= 0:
                pair = dealt.refuted_pairs[dealt.refuted[place]]
                rows.append((subject, pair.first, pair.second, "refuted"))
        columns = list(zip(*rows, strict=True))
        names = names_by_concept()
        return {
            "subject_id": list(columns[0]),
            "first": list(columns[1]),
            "second": list(columns[2]),
            "first_name": [names[concept].plain[0] for concept in columns[1]],
            "second_name": [names[concept].plain[0] for concept in columns[2]],
            "kind": list(columns[3]),
        }, len(rows)


_quoted = json.encoder.encode_basestring


def _gold_line(note_id: str, style: str, gold: Gold) -> str:
    """A finding as a line of JSON; by hand, as a hospital has a million of them."""
    concept = "null" if gold.concept is None else _quoted(gold.concept)
    return (
        f'{{"note_id": {_quoted(note_id)}, "style": {_quoted(style)}, "start": {gold.start}, '
        f'"end": {gold.end}, "quote": {_quoted(gold.quote)}, "kind": {_quoted(gold.kind)}, '
        f'"status": {_quoted(gold.status)}, "concept": {concept}, '
        f'"section": {_quoted(gold.section)}, "value": {_quoted(gold.value)}, '
        f'"unit": {_quoted(gold.unit)}}}\n'
    )


_TABLES: Final = 19


class _NoteTable:
    """Notes as MIMIC-IV-Note sets them."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def add(self, name: str, subject: int, hadm: int, number: int, note: ChartedNote) -> None:
        self._rows.append(
            (name, subject, hadm, note.note_type, number, note.charted, note.stored, note.text)
        )

    def columns(self) -> tuple[dict[str, Any], int]:
        columns = list(zip(*self._rows, strict=True))
        return {
            "note_id": list(columns[0]),
            "subject_id": list(columns[1]),
            "hadm_id": list(columns[2]),
            "note_type": list(columns[3]),
            "note_seq": list(columns[4]),
            "charttime": seconds(np.array(columns[5])),
            "storetime": seconds(np.array(columns[6])),
            "text": list(columns[7]),
        }, len(self._rows)
