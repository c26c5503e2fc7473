"""A note in the making: text, and where in it each finding stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Gold(NamedTuple):
    """A finding and its place: `text[start:end]` of the note is `quote`, `end` exclusive.

    `status` is one of present, absent, possible, hypothetical, family, historical. `value` and
    `unit` are as the note states them, "" where it does not; `concept` is `None` where no name of
    the starter vocabulary fits. A named tuple, as a note has dozens.
    """

    start: int
    end: int
    quote: str
    kind: str
    status: str
    concept: str | None
    section: str
    value: str = ""
    unit: str = ""


@dataclass(slots=True)
class Draft:
    """Pieces of text and the findings in them. `section` is noted with every finding."""

    section: str = ""
    golds: list[Gold] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _length: int = 0

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def mark(
        self, quote: str, kind: str, status: str, concept: str | None, value: str = "",
        unit: str = "",
    ) -> None:  # fmt: skip
        """Add a finding's quote."""
        start = self._length
        self.add(quote)
        self.golds.append(
            Gold(start, self._length, quote, kind, status, concept, self.section, value, unit)
        )

    def give_value(self, value: str) -> None:
        """Say the value of the test that was written last, if it was one and has none."""
        if self.golds and self.golds[-1].kind == "test" and not self.golds[-1].value:
            self.golds[-1] = self.golds[-1]._replace(value=value)

    def append(self, other: Draft) -> None:
        """Copy another draft forward, findings included."""
        at = self._length
        self.golds += [
            Gold(g[0] + at, g[1] + at, g[2], g[3], g[4], g[5], g[6], g[7], g[8])
            for g in other.golds
        ]
        self.add(other.text)

    @property
    def ends_line(self) -> bool:
        return not self._parts or self._parts[-1].endswith("\n")

    @property
    def text(self) -> str:
        return "".join(self._parts)
