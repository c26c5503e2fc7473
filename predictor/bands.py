"""Points by bands: what bedside scores are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = float | None
Bands = Sequence[tuple[float, int]]
"""(limit, points): a value below the limit has the points; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score's points, or `None` with the inputs that were missed, by name and unit.

    Points are whole, but for scores that a table holds already. A score whose inputs are missing
    is not computable; it is never counted as zero.
    """

    points: float | None
    missed: tuple[str, ...] = ()


def absent(value: Value) -> bool:
    """Whether an input was not observed."""
    return value is None or math.isnan(value)


def below(value: float, bands: Bands, otherwise: int) -> int:
    """The points of the first band whose limit the value stays below."""
    return next((points for limit, points in bands if value < limit), otherwise)


def worst(low: float, high: float, bands: Bands, otherwise: int) -> int:
    """The larger of the points of the lowest and the highest value observed."""
    return max(below(low, bands, otherwise), below(high, bands, otherwise))


def missed(inputs: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of the inputs that were not observed, in the order given."""
    return tuple(name for name, value in inputs.items() if absent(value))


def just_above(limit: float) -> float:
    """The next number: makes a band that holds its limit (`<=`)."""
    return math.nextafter(limit, math.inf)
