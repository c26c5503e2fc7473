"""Notes, and what is found in them: values that cross the borders of this package.

Kinds and statuses follow the i2b2/VA 2010 challenge (Uzuner 2011, doi:10.1136/amiajnl-2011-000203):
its `conditional` is part of `hypothetical` here, its `associated with someone else` is `family`,
and `historical` is added for what is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a finding is of: a problem, a treatment or a test."""

    PROBLEM = "problem"
    TREATMENT = "treatment"
    TEST = "test"


class Status(StrEnum):
    """What the note says of a finding.

    `hypothetical` is what may come, or comes only under a condition (on exertion, an allergy);
    `family` is what somebody else has or had; `historical` is what is over.
    """

    PRESENT = "present"
    ABSENT = "absent"
    POSSIBLE = "possible"
    HYPOTHETICAL = "hypothetical"
    FAMILY = "family"
    HISTORICAL = "historical"


class State(StrEnum):
    """How the reading of a note, or of all a subject's notes, ended.

    `truncated`: an answer was cut by the token limit; what stood before the cut is kept.
    `no note`: nothing was there to read, which is not the same as nothing found.
    """

    OK = "ok"
    TRUNCATED = "truncated"
    FAILED = "failed"
    NO_NOTE = "no note"


Identifier = str | int
"""An identifier as the record has it: MIMIC's are integers, other hospitals' are strings."""


@dataclass(frozen=True, slots=True)
class Note:
    """A clinical note. Times are ISO 8601 as the record has them, `None` where it has none.

    `charttime` is when the note speaks of, `storetime` when it could first be read: only the
    latter tells what was known at a prediction time. `note_type` is what the record calls its sort.
    """

    note_id: Identifier
    text: str
    subject_id: Identifier | None = None
    hadm_id: Identifier | None = None
    charttime: str | None = None
    storetime: str | None = None
    note_type: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, treatment or test that a note mentions at `[start, end)`.

    Offsets count Unicode code points of the note's text, `text[start:end] == quote`. `concept` is
    a concept's id, `None` where none fits. `time`, `value` and `unit` are the note's own words.
    `score` is the reader's probability of the status, `None` where it has none.

    >>> Finding(8, 13, "fever", Kind.PROBLEM, Status.ABSENT).moved(100).start
    108
    """

    start: int
    end: int
    quote: str
    kind: Kind
    status: Status
    concept: str | None = None
    time: str | None = None
    value: str | None = None
    unit: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.end - self.start != len(self.quote):
            raise SpanError(f"[{self.start}, {self.end}) is no span of a quote of its length")

    def moved(self, by: int) -> Finding:
        """The same finding in a text that has `by` more characters before it."""
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class Stated:
    """What an answer says before it is aligned: a quote that may or may not stand in the note."""

    quote: str
    kind: Kind
    status: Status
    time: str | None = None
    value: str | None = None
    unit: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class NoteFindings:
    """All that was found in a note. Only `findings` may become features.

    `ungrounded` are statements whose quote could not be located. `windows` counts the answers
    asked for, `truncated` those cut by the token limit, `invalid` those that did not parse.
    `reader` names the method, model and prompt with their versions.
    """

    note_id: Identifier
    state: State
    reader: str
    findings: tuple[Finding, ...] = ()
    ungrounded: tuple[Stated, ...] = ()
    windows: int = 0
    truncated: int = 0
    invalid: int = 0
    subject_id: Identifier | None = None
    hadm_id: Identifier | None = None
    charttime: str | None = None
    storetime: str | None = None
    note_type: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """What a passage states of two concepts; `refuted` where it denies it.

    `predicate` is the graph's, in capitals, such as `INTERACTS_WITH`.
    """

    subject: str
    predicate: str
    other: str
    refuted: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of the literature that is given to the reader beside a patient's notes.

    `number` is how the rationale cites it, from 1; `published` is an ISO date, which the caller
    has compared with the prediction time: it lies before it. `relations` are what the graph read
    in the sentence; without any, what it names is known by its words alone.
    """

    number: int
    text: str
    pmid: str
    published: str
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectOutcome:
    """The outcome probability for a subject at a prediction time.

    `probability` is calibrated, in [0, 1]; `None` unless `state` is ok or truncated. `fold` is the
    development fold whose adapter was held out from this row, `None` for the mean of all.
    `rationale` cites findings and passages by number.
    """

    subject_id: Identifier
    prediction_time: str
    state: State
    model: str
    probability: float | None = None
    fold: int | None = None
    hadm_id: Identifier | None = None
    cited_findings: tuple[int, ...] = field(default=())
    cited_passages: tuple[int, ...] = field(default=())
    rationale: str = ""


class SpanError(ValueError):
    """Offsets that are no span, or that do not belong to their quote."""
