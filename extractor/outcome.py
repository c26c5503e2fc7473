"""The outcome of a patient from what is known by a prediction time, as a model's probability.

The probability is that of the answer tokens, never of a parsed word. It is made calibrated by
`calibration`. The rationale cites what the probability rests on: the numbers of the findings and
passages whose removal lowers it most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from extractor.llm import LLM
from extractor.prompt import COMPACT
from extractor.schema import Finding, Identifier, Note, NoteFindings, Passage, Status

MOST_FINDINGS: Final = 60
CITED: Final = 3
_COMPACT_ANSWERS: Final = (" yes", " no")
_ANSWERS: Final = ("Yes", "No")
_Any = TypeVar("_Any", Finding, Passage)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A prediction to make: who, when, and the label where it is known (1: it happened)."""

    subject_id: Identifier
    hadm_id: Identifier | None
    prediction_time: str
    label: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a patient at a prediction time: findings, and passages of the literature."""

    findings: tuple[Finding, ...]
    passages: tuple[Passage, ...] = ()


class ClockError(ValueError):
    """A time that cannot be compared, or that lies after the prediction time."""


def known_by(note: Note | NoteFindings, prediction_time: str) -> bool:
    """Whether the note could be read by then: its storetime, else its charttime, is not later.

    A note without any time is not known by any. Raises `ClockError` for what is no ISO 8601 time,
    and where one time has a zone and the other has none.
    """
    stored = note.storetime or note.charttime
    return stored is not None and _compared(stored, prediction_time) <= 0


def _compared(first: str, second: str) -> int:
    try:
        one, other = datetime.fromisoformat(first), datetime.fromisoformat(second)
        return (one > other) - (one < other)
    except (ValueError, TypeError) as error:
        raise ClockError(
            f"times {first!r} and {second!r} cannot be compared: write both as ISO 8601, both with "
            "or both without a zone"
        ) from error


def evidence_of(
    read: Iterable[NoteFindings], row: OutcomeRow, passages: Sequence[Passage] = ()
) -> Evidence:
    """The findings of the row's notes that were known by its time, the latest notes first.

    Notes of other stays count where they are of the same subject. Each thing is said once: the
    latest note's word on a concept (or on a quote without one) stands. Raises `ClockError` for a
    passage that was published after the prediction time.
    """
    for passage in passages:
        if _compared(passage.published, row.prediction_time[:10]) > 0:
            raise ClockError(
                f"passage {passage.number} (PMID {passage.pmid}) was published on "
                f"{passage.published}, after the prediction time; cut the literature at that time"
            )
    known = [r for r in read if r.subject_id == row.subject_id and known_by(r, row.prediction_time)]
    known.sort(key=lambda r: (r.storetime or r.charttime or "", str(r.note_id)), reverse=True)
    said: dict[tuple[str, bool], Finding] = {}
    for one in known:
        for finding in one.findings:
            name = finding.concept or finding.quote.casefold()
            said.setdefault((name, finding.status is Status.FAMILY), finding)
    return Evidence(tuple(said.values())[:MOST_FINDINGS], tuple(passages))


def outcome_prompt(evidence: Evidence, form: str) -> str:
    """The question about the outcome, findings and passages numbered from 1."""
    findings = [
        f"{number} {finding.status.value} {' '.join(finding.quote.split())}"
        for number, finding in enumerate(evidence.findings, 1)
    ]
    passages = [f"{passage.number} {passage.text}" for passage in evidence.passages]
    if form == COMPACT:
        return f" outcome:\n {'; '.join(findings)}\n {'; '.join(passages)}\n"
    return (
        "Findings of the patient's notes:\n" + "\n".join(findings) + "\n\nLiterature:\n"
        + "\n".join(passages) + "\n\nWill the outcome happen? Answer: "
    )  # fmt: skip


def outcome_answers(form: str) -> tuple[str, str]:
    """How yes and no are written."""
    return _COMPACT_ANSWERS if form == COMPACT else _ANSWERS


def outcome_chances(llm: LLM, evidence: Sequence[Evidence]) -> list[float]:
    """The uncalibrated probability that the outcome happens, by the answers' tokens."""
    prompts = [outcome_prompt(one, llm.form) for one in evidence]
    return [chances[0] for chances in llm.choose(prompts, outcome_answers(llm.form))]


def citations(llm: LLM, evidence: Evidence) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the findings and of the passages that the probability rests on, most first.

    Each is left out in turn; those whose absence lowers the probability most are cited, at most
    three of each.
    """
    findings, passages = evidence.findings, evidence.passages
    without = [
        *(Evidence(_less(findings, n), passages) for n in range(len(findings))),
        *(Evidence(findings, _less(passages, n)) for n in range(len(passages))),
    ]
    whole, *rest = outcome_chances(llm, [evidence, *without])
    lost = [whole - chance for chance in rest]
    numbers = [passage.number for passage in passages]
    return (
        _most(dict(enumerate(lost[: len(findings)], 1))),
        _most(dict(zip(numbers, lost[len(findings) :], strict=True))),
    )


def _less(items: tuple[_Any, ...], at: int) -> tuple[_Any, ...]:
    return items[:at] + items[at + 1 :]


def _most(lost: Mapping[int, float]) -> tuple[int, ...]:
    order = sorted(lost, key=lambda number: (-lost[number], number))
    return tuple(number for number in order[:CITED] if lost[number] > 0)
