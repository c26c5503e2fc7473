"""The leakage audit: is a good figure good because the outcome got into the features?

Every check measures how far something that should not tell the outcome tells it, with an error
over patients. An **alarm** is a lower confidence bound beyond the check's limit; bounds are
one-sided at 5 % over all checks together (Bonferroni), so a clean table raises a false alarm in at
most one audit of twenty. Less than that, but more than chance, is a **note** (missingness that
tells how ill a patient is, say). A check that could not be made says why: it is no pass.

The faults it looks for were all found in published readmission and mortality models: rows made by
outcome, stage-1 outputs of models fitted on the same rows, diagnosis codes assigned after
discharge, outcomes clocked from the wrong event or of another visit, notes written after the
prediction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from predictor.intervals import Interval, auroc_error
from predictor.metrics import F64, I8, auroc

Level = Literal["alarm", "note", "pass", "not run"]
FALSE_ALARMS: Final = 0.05
"""The chance that a table without any leak raises an alarm, over all checks together."""
LEAST_EVENTS: Final = 10
"""With fewer rows of either outcome nothing is said of how well a score tells it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a probe measured: a `value` with its standard `error` over patients.

    Beyond `limit` (by the corrected lower bound) it is an alarm; beyond `expected` (by the plain
    95 % lower bound) a note. `found` says what it means, `remedy` what to do.
    """

    check: str
    measure: str
    value: float
    error: float
    limit: float
    expected: float
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class NotRun:
    """A check that could not be made, and why."""

    check: str
    why: str


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One line of the audit. `size` is `None` where the check was not run."""

    check: str
    level: Level
    measure: str
    size: Interval | None
    limit: float | None
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Audit:
    """All findings, the gravest first."""

    findings: tuple[AuditFinding, ...]

    @property
    def alarms(self) -> tuple[AuditFinding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "alarm")


_GRAVITY: Final = {"alarm": 0, "note": 1, "not run": 2, "pass": 3}


def judge(probes: Iterable[Measured | NotRun], comparisons: int | None = None) -> Audit:
    """Turn what was measured into findings.

    `comparisons` is how many tests are corrected for; all measured probes unless given.
    """
    probes = list(probes)
    tests = comparisons or sum(isinstance(probe, Measured) for probe in probes) or 1
    corrected = NormalDist().inv_cdf(1 - FALSE_ALARMS / tests)
    found = [
        AuditFinding(probe.check, "not run", "", None, None, probe.why, "")
        if isinstance(probe, NotRun)
        else _judged(probe, corrected)
        for probe in probes
    ]
    return Audit(tuple(sorted(found, key=lambda f: _GRAVITY[f.level])))


def _judged(probe: Measured, corrected: float) -> AuditFinding:
    interval = Interval(
        probe.value, probe.value - 1.959964 * probe.error, probe.value + 1.959964 * probe.error
    )
    level: Level = "pass"
    if probe.value - corrected * probe.error > probe.limit:
        level = "alarm"
    elif interval.low > probe.expected:
        level = "note"
    return AuditFinding(
        probe.check, level, probe.measure, interval, probe.limit, probe.found, probe.remedy
    )


def counted(
    check: str, rows: int, total: int, found: str, remedy: str, *, tolerated: float = 0.0
) -> Measured:
    """A share of rows that is known without error: one row too many is an alarm."""
    share = rows / total if total else 0.0
    return Measured(check, "share of rows", share, 0.0, tolerated, 0.0, found, remedy)


def ranked(
    check: str,
    label: I8,
    score: F64,
    subjects: npt.NDArray[np.str_],
    limit: float,
    who: str,
    remedy: str,
    *,
    either: bool = False,
) -> Measured | NotRun:
    """How well a score tells the outcome: its AUROC, beside a `limit` and chance, 0.5.

    `who` and `remedy` are words for what is found; `either` takes the larger of both directions.
    Not run with fewer than `LEAST_EVENTS` rows of either outcome.
    """
    if min(int(label.sum()), int((1 - label).sum())) < LEAST_EVENTS:
        return NotRun(check, "too few events to measure")
    area = auroc(label, score)
    if either and area < 0.5:
        area, score = 1 - area, -score
    error = auroc_error(label, score, subjects)
    found = f"{who} tells the outcome with an AUROC of {area:.3f}"
    return Measured(check, "AUROC", area, error, limit, 0.5, found, remedy)


def summary(audit: Audit) -> str:
    """One sentence for the top of a report."""
    counts = {level: sum(f.level == level for f in audit.findings) for level in _GRAVITY}
    if not audit.findings:
        return "No check was made."
    if counts["alarm"]:
        named = ", ".join(dict.fromkeys(finding.check for finding in audit.alarms))
        return (
            f"{counts['alarm']} alarm{'s' * (counts['alarm'] > 1)} ({named}): the figures below "
            "are not to be trusted until this is mended."
        )
    left = f"; {counts['not run']} could not be made" if counts["not run"] else ""
    return (
        f"No alarm in {counts['pass'] + counts['note']} checks "
        f"({counts['note']} noted something){left}."
    )


def worst(findings: Sequence[AuditFinding]) -> int:
    """The exit status that a pipeline can stop on: 3 with an alarm, else 0."""
    return 3 if any(finding.level == "alarm" for finding in findings) else 0
