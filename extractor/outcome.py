"""The outcome of a patient from what is known by a prediction time, as a model's probability.

The probability is that of the answer tokens, never of a parsed word. It is made calibrated by
`calibration`. A prompt tells of each passage which of the patient's findings it names, and has room
for some of both: passages that join two findings that are there come first, and so do findings
that a passage names. The rationale cites what the probability rests on: the numbers of the
findings and passages whose removal lowers it most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import combinations
from typing import Final, TypeVar

from extractor.llm import LLM
from extractor.prompt import COMPACT
from extractor.schema import Finding, Identifier, Kind, Note, NoteFindings, Passage, Status

OUTCOME_PROMPT: Final = "outcome-2"
"""The version of `outcome_prompt`, which an adapter that was fitted on it needs."""
MOST_FINDINGS: Final = 16
MOST_PASSAGES: Final = 4
ACTIVE: Final = (Status.PRESENT, Status.POSSIBLE)
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
    read: Iterable[NoteFindings],
    row: OutcomeRow,
    passages: Sequence[Passage] = (),
    *,
    most: int | None = MOST_FINDINGS,
) -> Evidence:
    """The findings of the row's notes that were known by its time, the latest notes first.

    Notes of other stays count where they are of the same subject. Each thing is said once: the
    latest note's word on a concept (or on a quote without one) stands. What a prompt has no room
    for is left out; see `chosen`. Raises `ClockError` for a passage that was published after the
    prediction time.
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
    return chosen(tuple(said.values()), passages, most)


@dataclass(frozen=True, slots=True)
class Join:
    """What a passage states of two findings, by their places among the findings."""

    first: int
    second: int
    states: str
    refuted: bool = False

    @property
    def ends(self) -> frozenset[int]:
        """Both places."""
        return frozenset((self.first, self.second))


def chosen(
    findings: Sequence[Finding],
    passages: Sequence[Passage] = (),
    most: int | None = MOST_FINDINGS,
) -> Evidence:
    """The findings and passages that a prompt has room for, `most` findings (all where `None`).

    Passages come first that state something of two findings which are present or possible, where
    none before states it of the same two; then those that name a finding; else as they were
    ranked. They keep their numbers. Findings that a passage names come first, then those that are
    present or possible, problems and treatments before tests, else as they were given.
    """
    ranks = {p.number: rank for p, rank in zip(passages, _ranks(findings, passages), strict=True)}
    shown = sorted(passages, key=lambda p: (ranks[p.number], p.number))[:MOST_PASSAGES]
    told = {at for passage in shown for at in named_by(passage, findings)}
    order = sorted(range(len(findings)), key=lambda n: (n not in told, *_weight(findings[n]), n))
    return Evidence(tuple(findings[n] for n in order[:most]), tuple(shown))


def _weight(finding: Finding) -> tuple[bool, bool]:
    return finding.status not in ACTIVE, finding.kind is Kind.TEST


def _ranks(findings: Sequence[Finding], passages: Sequence[Passage]) -> list[int]:
    active = {n for n, finding in enumerate(findings) if finding.status in ACTIVE}
    joined: set[frozenset[int]] = set()
    ranks = []
    for passage in passages:
        new = {j.ends for j in joins(passage, findings) if j.ends <= active} - joined
        joined |= new
        ranks.append(0 if new else 1 if named_by(passage, findings) else 2)
    return ranks


def named_by(passage: Passage, findings: Sequence[Finding]) -> tuple[int, ...]:
    """Places of the findings that a passage names: by its concepts, or by their very words.

    A quote whose words stand in those of another finding that is named by its words counts only
    where its concept is named too: a passage on chest pain does not name pain besides.
    """
    text = _words(passage.text)
    concepts = {end for r in passage.relations for end in (r.subject, r.other)}
    by_concept = {n for n, f in enumerate(findings) if f.concept in concepts}
    quotes = {n: _words(f.quote) for n, f in enumerate(findings)}
    by_words = [n for n, quote in quotes.items() if quote.strip() and quote in text]
    whole = {
        n
        for n in by_words
        if not any(quotes[n] in quotes[m] and quotes[n] != quotes[m] for m in by_words)
    }
    return tuple(sorted(by_concept | whole))


def joins(passage: Passage, findings: Sequence[Finding]) -> tuple[Join, ...]:
    """What a passage states of pairs of findings, each pair once, as the graph read it.

    Of a passage that the graph did not read, two findings that it names count as joined.
    """
    if not passage.relations:
        named = named_by(passage, findings)
        return tuple(Join(a, b, "is named with") for a, b in combinations(named, 2))
    places = {f.concept: n for n, f in reversed(list(enumerate(findings))) if f.concept}
    found: dict[frozenset[int], Join] = {}
    for relation in passage.relations:
        first, second = places.get(relation.subject), places.get(relation.other)
        if relation.predicate != _BESIDE and first is not None and second not in (None, first):
            words = relation.predicate.replace("_", " ").lower()
            join = Join(first, second, words, relation.refuted)
            found.setdefault(join.ends, join)
    return tuple(found.values())


_BESIDE: Final = "CO_OCCURS_WITH"
"""The graph's predicate of concepts that stand in one sentence, of which it states no more."""


@lru_cache(maxsize=1 << 16)
def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "


_WORD = re.compile(r"\w+")


def outcome_prompt(evidence: Evidence, form: str) -> str:
    """The question about the outcome: findings numbered from 1, passages with what they name.

    In the compact form a passage is what it states of two findings, told once: a small model that
    was trained on nothing but such prompts could make nothing of its text.
    """
    findings = [
        f"{number} {finding.status.value} {' '.join(finding.quote.split())}"
        for number, finding in enumerate(evidence.findings, 1)
    ]
    if form == COMPACT:
        return f" outcome:\n {'; '.join(findings)}\n{''.join(_compact_joins(evidence))}"
    return (
        "Findings of the patient's notes:\n" + "\n".join(findings) + "\n\nLiterature:\n"
        + "\n".join(_cited(p, evidence.findings) for p in evidence.passages)
        + "\n\nWill the outcome happen? Answer: "
    )  # fmt: skip


def _compact_joins(evidence: Evidence) -> list[str]:
    told: dict[frozenset[int], str] = {}
    for passage in evidence.passages:
        for join in joins(passage, evidence.findings):
            one, other = (
                f"{n + 1} {evidence.findings[n].status.value}" for n in (join.first, join.second)
            )
            no = " not" if join.refuted else ""
            told.setdefault(join.ends, f" {one} + {other}:{no} {join.states}\n")
    return list(told.values())


def _cited(passage: Passage, findings: Sequence[Finding]) -> str:
    named = " and ".join(str(n + 1) for n in named_by(passage, findings))
    return f"{passage.number} {f'(names {named}) ' if named else ''}{passage.text}"


def outcome_answers(form: str) -> tuple[str, str]:
    """How yes and no are written."""
    return _COMPACT_ANSWERS if form == COMPACT else _ANSWERS


def outcome_chances(llm: LLM, evidence: Sequence[Evidence]) -> list[float]:
    """The uncalibrated probability that the outcome happens, by the answers' tokens."""
    prompts = [outcome_prompt(one, llm.form) for one in evidence]
    return [chances[0] for chances in llm.choose(prompts, outcome_answers(llm.form))]


Chances = Callable[[Sequence[Evidence]], list[float]]


def citations(chances: Chances, evidence: Evidence) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the findings and of the passages that the probability rests on, most first.

    Each is left out in turn; those whose absence lowers the probability most are cited, at most
    three of each. `chances` gives the probabilities of some evidence.
    """
    findings, passages = evidence.findings, evidence.passages
    without = [
        *(Evidence(_less(findings, n), passages) for n in range(len(findings))),
        *(Evidence(findings, _less(passages, n)) for n in range(len(passages))),
    ]
    whole, *rest = chances([evidence, *without])
    lost = [whole - chance for chance in rest]
    numbers = [passage.number for passage in passages]
    return (
        _most(dict(enumerate(lost[: len(findings)], 1))),
        _most(dict(zip(numbers, lost[len(findings) :], strict=True))),
    )


def rationale(evidence: Evidence, findings: Sequence[int], passages: Sequence[int]) -> str:
    """A sentence that cites findings and passages by their numbers.

    >>> fall = Finding(0, 4, "fall", Kind.PROBLEM, Status.PRESENT)
    >>> rationale(Evidence((fall,), (Passage(2, "Falls recur.", "77", "2001"),)), [1], [2])
    'Rests most on finding 1 (fall, present) and on passage 2 (PMID 77).'
    """
    told = [
        f"finding {n} ({' '.join(f.quote.split())}, {f.status.value})"
        for n in findings
        for f in (evidence.findings[n - 1],)
    ]
    pmids = {passage.number: passage.pmid for passage in evidence.passages}
    told += [f"passage {n} (PMID {pmids[n]})" for n in passages]
    if not told:
        return "Rests on no single finding or passage."
    return f"Rests most on {' and on '.join(told)}."


def _less(items: tuple[_Any, ...], at: int) -> tuple[_Any, ...]:
    return items[:at] + items[at + 1 :]


def _most(lost: Mapping[int, float]) -> tuple[int, ...]:
    order = sorted(lost, key=lambda number: (-lost[number], number))
    return tuple(number for number in order[:CITED] if lost[number] > 0)
