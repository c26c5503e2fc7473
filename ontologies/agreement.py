"""How far what was found agrees with what was marked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of what was found, of what is marked, and of what of the former is right.

    A share of nothing is `None`: where nothing was found, nobody knows how precise it is.

    >>> Agreement(right=3, found=4, marked=5).precision
    0.75
    >>> Agreement(0, 0, 5).precision is None
    True
    """

    right: int = 0
    found: int = 0
    marked: int = 0

    @property
    def precision(self) -> float | None:
        """The share of what was found that is marked."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of what is marked that was found."""
        return self.right / self.marked if self.marked else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall: twice the right over found and marked."""
        total = self.found + self.marked
        return 2 * self.right / total if total else None

    def with_more(self, right: int, found: int, marked: int) -> Agreement:
        """The counts with those of another article added."""
        return Agreement(self.right + right, self.found + found, self.marked + marked)
