"""The audit's probe of outcomes: those that came with the data against those counted anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from predictor.leakage import Measured, NotRun, counted
from predictor.schema import FeatureTable


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """An outcome that came with the data, for comparison with the one counted from the records."""

    subject_id: str
    stay_id: str
    label: int


def outcome_probes(
    table: FeatureTable, given: Sequence[GivenOutcome] | None
) -> Iterator[Measured | NotRun]:
    """Outcomes that the data bring against those that the task counts from the records."""
    check = "outcomes counted anew"
    if given is None:
        yield NotRun(check, "the data bring no outcomes of their own to compare with")
        return
    ours = dict(zip(table.keys, table.labels.tolist(), strict=True))
    both = [
        (ours[key], row.label) for row in given if (key := (row.subject_id, row.stay_id)) in ours
    ]
    different = sum(mine != theirs for mine, theirs in both)
    yield counted(
        check,
        different,
        len(both),
        f"{different} of {len(both)} outcomes that came with the data differ from those counted "
        f"from its records ({sum(theirs for _, theirs in both)} events against "
        f"{sum(mine for mine, _ in both)})",
        "count readmission from discharge, among those discharged alive, and death in this stay",
    )
    surplus = len({(row.subject_id, row.stay_id) for row in given} - set(ours))
    yield counted(
        "stays at risk",
        surplus,
        len(given),
        f"{surplus} of {len(given)} outcomes that came with the data are of stays that the task "
        "leaves out (deaths before discharge, transfers, children)",
        "leave out stays that cannot have the outcome",
    )
