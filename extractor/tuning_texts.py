"""What adapters are fitted on: marked notes and labelled rows, as texts of token ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from extractor.examples import MarkedNote, examples, stated
from extractor.outcome import (
    Evidence,
    OutcomeRow,
    evidence_of,
    known_by,
    outcome_answers,
    outcome_prompt,
)
from extractor.prompt import answer, prompt
from extractor.schema import Identifier, NoteFindings, Passage, State


@dataclass(frozen=True, slots=True)
class Tuning:
    """How adapters are fitted; saved beside them. `share_checked` of patients stop it early.

    `form` is that of the prompts, the base's own unless given. Of the windows in which nothing is
    to be found, `empty_share` are learned from, of rows whose outcome did not happen at most
    `negatives` for each where it did (calibration puts right what this moves); of all texts at
    most `texts`, and the loss is checked on `checked` others at most.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    rate: float = 1e-3
    batch: int = 16
    epochs: int = 3
    longest: int = 1024
    share_checked: float = 0.1
    patience: int = 3
    check_every: int = 25
    outcome_weight: float = 1.0
    four_bit: bool = True
    form: str | None = None
    empty_share: float = 1.0
    negatives: float | None = None
    texts: int | None = None
    checked: int | None = None
    seed: int = 1


@dataclass(frozen=True)
class TuningData:
    """Marked notes, and rows with labels; what notes say and passages by subject for the rows."""

    marked: tuple[MarkedNote, ...]
    rows: tuple[OutcomeRow, ...] = ()
    read: tuple[NoteFindings, ...] = ()
    passages: Mapping[tuple[str, str], tuple[Passage, ...]] | None = None

    def evidence(self, row: OutcomeRow) -> Evidence:
        """What is known at the row's time."""
        key = str(row.subject_id), row.prediction_time
        return evidence_of(self._known(row), row, (self.passages or {}).get(key, ()))

    def states(self, row: OutcomeRow) -> list[State]:
        """How the reading of each note that was known at the row's time ended."""
        return [read.state for read in self._known(row)]

    def _known(self, row: OutcomeRow) -> list[NoteFindings]:
        return [r for r in self._read.get(row.subject_id, ()) if known_by(r, row.prediction_time)]

    @cached_property
    def _read(self) -> dict[Identifier | None, list[NoteFindings]]:
        """What was read, by subject: rows and notes are too many to compare each with each."""
        by_subject: dict[Identifier | None, list[NoteFindings]] = defaultdict(list)
        for read in self.read:
            by_subject[read.subject_id].append(read)
        return by_subject


@dataclass(frozen=True, slots=True)
class Item:
    """A training text: token ids, the length of its prompt, its weight."""

    ids: tuple[int, ...]
    asked: int
    weight: float = 1.0


def items(data: TuningData, tokenizer: Any, form: str, tuning: Tuning) -> Iterable[Item]:
    """Texts of the windows of marked notes and of the labelled rows, however long."""
    rng = Random(tuning.seed)
    for marked in data.marked:
        for example in examples(marked):
            if not example.findings and rng.random() >= tuning.empty_share:
                continue
            asked, said = prompt(example.window, form), answer(stated(example), form)
            yield _item(asked, said, tokenizer, 1.0)
    for row in _balanced([r for r in data.rows if r.label is not None], tuning.negatives, rng):
        if data.states(row):
            asked = outcome_prompt(data.evidence(row), form)
            said = outcome_answers(form)[0 if row.label else 1]
            yield _item(asked, said, tokenizer, tuning.outcome_weight)


def _balanced(rows: list[OutcomeRow], negatives: float | None, rng: Random) -> list[OutcomeRow]:
    """All rows with the event, and so many of the others for each of these."""
    without = [row for row in rows if not row.label]
    most = len(without) if negatives is None else round(negatives * (len(rows) - len(without)))
    kept = set(rng.sample(range(len(without)), min(most, len(without))))
    left = {id(row) for n, row in enumerate(without) if n not in kept}
    return [row for row in rows if id(row) not in left]


def _item(asked: str, said: str, tokenizer: Any, weight: float) -> Item:
    first = tokenizer(asked, add_special_tokens=False)["input_ids"]
    ids = (*first, *tokenizer(said, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id)
    return Item(ids, len(first), weight)


def short_enough(texts: Iterable[Item], longest: int) -> tuple[list[Item], int]:
    """The texts of at most so many tokens, and how many others there are."""
    every = list(texts)
    kept = [item for item in every if len(item.ids) <= longest]
    return kept, len(every) - len(kept)


def some_of(all_items: list[Item], most: int | None, rng: Random) -> list[Item]:
    """At most so many of the texts, drawn; all of them unless `most` is given."""
    return rng.sample(all_items, most) if most is not None and most < len(all_items) else all_items
