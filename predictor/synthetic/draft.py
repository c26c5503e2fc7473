"""A note in the making: text, and where in it each finding stands."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gold:
    """A finding and its place: `text[start:end]` of the note is `quote`, `end` exclusive.

    `status` is one of present, absent, possible, hypothetical, family, historical. `value` and
    `unit` are as the note states them, "" where it does not; `concept` is `None` where no name of
    the starter vocabulary fits.
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

    def append(self, other: Draft) -> None:
        """Copy another draft forward, findings included."""
        for gold in other.golds:
            self.golds.append(
                Gold(gold.start + self._length, gold.end + self._length, gold.quote, gold.kind,
                     gold.status, gold.concept, gold.section, gold.value, gold.unit)
            )  # fmt: skip
        self.add(other.text)

    @property
    def ends_line(self) -> bool:
        return not self._parts or self._parts[-1].endswith("\n")

    @property
    def text(self) -> str:
        return "".join(self._parts)
