"""What concepts bear on a task's outcome, as a graph knows them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ontologies.concept import Vocabulary

COMPLICATION_SHARE = 0.5
"""What a complication counts beside the outcome itself: a convention, not a fit."""


class UnknownTaskError(LookupError):
    """No concepts are stated for a task."""


@dataclass(frozen=True, slots=True)
class OutcomeNames:
    """The names of a task's outcome and of its complications."""

    outcomes: tuple[str, ...]
    complications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The concepts of a task's outcome that a vocabulary holds, sorted, and the names it lacks.

    A concept that is named as both is an outcome.
    """

    task: str
    outcomes: tuple[str, ...]
    complications: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def weights(self) -> dict[str, float]:
        """By concept id: 1 for the outcome, `COMPLICATION_SHARE` for a complication."""
        shares = dict.fromkeys(self.complications, COMPLICATION_SHARE)
        return shares | dict.fromkeys(self.outcomes, 1.0)


@cache
def outcome_names() -> Mapping[str, OutcomeNames]:
    """By task, as `outcomes.toml` states them."""
    text = Path(__file__).with_name("outcomes.toml").read_text(encoding="utf-8")
    return {
        task: OutcomeNames(tuple(names["outcomes"]), tuple(names["complications"]))
        for task, names in tomllib.loads(text).items()
    }


def outcome_of(task: str, vocabulary: Vocabulary) -> Outcome:
    """The outcome of a task: `readmission_30d` or `in_hospital_mortality`, or a variant of one
    that its name begins with (`in_hospital_mortality_24h`). Raises `UnknownTaskError` for others.
    """
    known = outcome_names()
    stated = next((name for name in known if task == name or task.startswith(f"{name}_")), None)
    if stated is None:
        raise UnknownTaskError(
            f"no outcome is stated for the task {task!r}; known: {', '.join(known)}, and their "
            "variants, such as in_hospital_mortality_24h"
        )
    names = known[stated]
    found = {name: vocabulary.find(name) for name in (*names.outcomes, *names.complications)}
    outcomes = {one for name in names.outcomes for one in found[name]}
    complications = {one for name in names.complications for one in found[name]} - outcomes
    missing = tuple(name for name, ids in found.items() if not ids)
    return Outcome(task, tuple(sorted(outcomes)), tuple(sorted(complications)), missing)
