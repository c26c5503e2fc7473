"""The faults that can be planted, one at a time, each a way in which published models went wrong.

Every fault changes the content of files, never which files or columns there are. What is wrong,
and how it shows to an auditor who has the files alone:

`stage1-rows-by-outcome`
    Stage 1 has rows only for stays that have a later one. Having a row ranks the outcome: who
    dies has none, who returns has one.
`stage1-in-sample`
    Development rows carry outputs of a model that was fitted on them, and `fold` pretends
    otherwise. Stage 1 ranks development rows much better than test rows.
`codes-of-the-stay`
    Codes of the index stay are marked as known hours after admission, by `storetime` of
    `diagnoses_icd`. It lies before discharge; codes known by the cut rank death almost perfectly.
`readmission-clock`
    Labels count from admission to admission; deaths, transfers, departures against advice and
    planned returns are not set apart. They differ from labels counted from `admissions`, and rows
    of patients who died have one.
`next-visit-label`
    Stage 1 was fitted on, and speaks of, the patient's next stay. Its `label` differs from the
    labels of the task; its output ranks the next stay's outcome.
`notes-after-the-cut`
    Discharge summaries are dated to the first day, and admission notes hold addenda of what came
    later. Summaries are known before discharge; `expired`, `readmitted` and their like stand in
    notes known before the cut where the outcome follows.
"""

from __future__ import annotations

from random import Random
from typing import Final

from predictor.synthetic.charting import ChartedNote
from predictor.synthetic.draft import Gold
from predictor.synthetic.notes import ADMISSION, DISCHARGE

ROWS_BY_OUTCOME: Final = "stage1-rows-by-outcome"
IN_SAMPLE: Final = "stage1-in-sample"
CODES: Final = "codes-of-the-stay"
CLOCK: Final = "readmission-clock"
NEXT_VISIT: Final = "next-visit-label"
LATE_NOTES: Final = "notes-after-the-cut"
LEAKS: Final = (ROWS_BY_OUTCOME, IN_SAMPLE, CODES, CLOCK, NEXT_VISIT, LATE_NOTES)

_TOLD: Final = 0.7
"""The share of outcomes that an addendum tells."""
_DEATH: Final = (
    "\n\nADDENDUM: Patient was made comfort measures only and expired on hospital day {n}.",
    "\n\nAddendum: the family withdrew care; the patient passed away on day {n}.",
    "\n\nLATE ENTRY: code blue on day {n}, pronounced dead after 30 minutes.",
)
_RETURN: Final = (
    "\n\nADDENDUM: The patient was readmitted {n} days after discharge.",
    "\n\nAddendum: returned to the hospital {n} days later.",
    "\n\nLATE ENTRY: re-admitted on day {n} after going home.",
)


def misdated(
    note: ChartedNote, died: bool, returned: bool, admitted: int, seed: int
) -> ChartedNote:
    """The note as the leak `notes-after-the-cut` would have it."""
    rng = Random(seed * 7_368_787 + note.stay)
    if note.note_type == DISCHARGE:
        when = admitted + 3600 * (9 + int(rng.random() * 8))
        return _replaced(note, when, when + 1800, note.text, note.golds)
    if note.note_type == ADMISSION and (died or returned) and rng.random() < _TOLD:
        text = rng.choice(_DEATH if died else _RETURN).format(n=2 + int(rng.random() * 9))
        return _replaced(note, note.charted, note.stored, note.text + text, note.golds)
    return note


def _replaced(
    note: ChartedNote, charted: int, stored: int, text: str, golds: tuple[Gold, ...]
) -> ChartedNote:  # fmt: skip
    return ChartedNote(note.stay, note.note_type, note.style, charted, stored, text, golds)
