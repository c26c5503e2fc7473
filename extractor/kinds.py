"""Which kind of finding a concept is, by its semantic types and by what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from extractor.schema import Kind
from extractor.words import listed, words

if TYPE_CHECKING:
    from ontologies import Mention

_TESTS = frozenset(("T059", "T060", "T034", "T201"))
_TREATMENTS = frozenset(("T061", "T074", "T121", "T200", "T195", "T203"))
_PROBLEMS = listed("T019 T020 T033 T037 T046 T047 T048 T049 T184 T190 T191")
_DOSE = re.compile(
    r"\s*\d+(?:\.\d+)?\s*(?:mg|mcg|g|meq|units?|puffs?|tabs?|ml)(?![\w/])", re.IGNORECASE
)
_NEVER = listed(
    """
    ill sick patient disease symptoms symptom signs history finding findings normal stable
    alert well clear negative positive severe mild acute chronic onset male female man woman
    child adult smoking alcohol tobacco smoker married single water milk protein juice air
    coffee cold pregnant pregnancy death died birth rest relief problem problems condition
    injured focal family illness disorder syndrome
    """
)


def kind_of(semantic_types: Sequence[str], text: str, mention: Mention) -> Kind | None:
    """The kind of a mention, or `None` where it is no finding (an anatomical site, a person).

    `semantic_types` are the TUIs of its concept. A substance is a test where it is known as one
    and no dose follows: `potassium 3.1`, but `potassium 20 mEq`.
    """
    named = mention.text.lower()
    if named in _NEVER:
        return None
    tests = words().kinds[Kind.TEST]
    if tests.names(named) and not _DOSE.match(text, mention.end):
        return Kind.TEST
    return kind_of_types(semantic_types)


def kind_of_types(semantic_types: Sequence[str]) -> Kind | None:
    """The kind that a concept has by its semantic types alone (TUIs)."""
    types = set(semantic_types)
    if types & _PROBLEMS:
        return Kind.PROBLEM
    if types & _TESTS:
        return Kind.TEST
    if types & _TREATMENTS or any(tui in _CHEMICALS for tui in types):
        return Kind.TREATMENT
    return None


_CHEMICALS = listed(
    """
    T103 T104 T109 T114 T116 T120 T121 T122 T123 T125 T126 T127 T129 T130 T131 T195 T196 T197
    T200
    """
)
