"""Rows, labels and known notes of both tasks, as the hospital's files give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor.synthetic.causes import MORTALITY, READMISSION
from predictor.synthetic.charting import Schedule
from predictor.synthetic.notes import ADMISSION, PROGRESS
from predictor.synthetic.outcome import SOURCES, Bases, Logits, reachable_auroc, sigmoid
from predictor.synthetic.stays import DECIDE, HORIZON, Course

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I8 = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TaskRows:
    """The predictions of a task: `stay` are indices of stays, in the order of the tables.

    `cut` is the prediction time in seconds, `label` what truly happened, `risk` the probability
    it was drawn by.
    """

    task: str
    stay: I64
    cut: I64
    label: I8
    logits: Logits
    base: float

    @property
    def risk(self) -> F64:
        return sigmoid(self.base + self.logits.total[self.stay])

    def best(self) -> float:
        """The best AUROC that can be reached."""
        return reachable_auroc(self.risk, self.risk)

    def without(self, source: str) -> float:
        """The AUROC of the risks' ranking when one source is taken out of them."""
        return reachable_auroc(self.risk, self.logits.without(source)[self.stay])

    def alone(self, source: str) -> float:
        """The AUROC of one source's part."""
        part: F64 = getattr(self.logits, source)
        return reachable_auroc(self.risk, part[self.stay])

    def summary(self) -> dict[str, float]:
        """Prevalence, best reachable AUROC and what each source adds to it when added last."""
        best = self.best()
        told = {
            "rows": float(len(self.stay)),
            "events": float(self.label.sum()),
            "mean_risk": float(self.risk.mean()),
            "best_reachable_auroc": best,
        }
        for source in SOURCES:
            told[f"added_last_{source}"] = best - self.without(source)
            told[f"alone_{source}"] = self.alone(source)
        return told


def task_rows(course: Course, order: I64, task: str) -> TaskRows:
    """The rows of a task, in the order of stays that is given."""
    stays = course.stays
    bases: Bases = course.bases
    if task == READMISSION:
        kept = order[stays.at_risk_of_return[order]]
        return TaskRows(task, kept, stays.discharge[kept], stays.returned[kept].astype(np.int8),
                        course.readmission, bases.readmission)  # fmt: skip
    assert task == MORTALITY, task
    kept = order[stays.at_risk_of_death[order]]
    return TaskRows(task, kept, stays.admit[kept] + DECIDE, stays.died[kept].astype(np.int8),
                    course.mortality, bases.mortality)  # fmt: skip


def wrong_clock(course: Course, order: I64) -> tuple[I64, I8]:
    """Stays and labels of a readmission clocked from admission to admission, whoever died.

    Planned returns count, transfers and departures against advice stay in.
    """
    stays = course.stays
    apart = np.where(stays.next_gap >= 0, stays.discharge + stays.next_gap - stays.admit, -1)
    return order, ((apart >= 0) & (apart <= HORIZON))[order].astype(np.int8)


def next_stay(course: Course) -> I64:
    """For each stay the index of the patient's next one, -1 where there is none."""
    stays = course.stays
    order = np.lexsort((stays.admit, stays.patient))
    following = np.full(len(order), -1)
    same = stays.patient[order][1:] == stays.patient[order][:-1]
    following[order[:-1][same]] = order[1:][same]
    return following


def notes_known(times: Schedule, rows: TaskRows) -> tuple[Bools, I64]:
    """Whether a note of the stay was stored by the cut, and when the last such was (-1: none)."""
    stored = np.full(len(rows.stay), -1)
    for kind in (ADMISSION, PROGRESS):
        charted, known = times.charted[kind][rows.stay], times.stored[kind][rows.stay]
        fits = (charted >= 0) & (known <= rows.cut)
        stored = np.where(fits, np.maximum(stored, known), stored)
    return stored >= 0, stored
