"""Charlson and Elixhauser comorbidities from diagnosis codes.

The codes are those of Quan et al., Med Care 2005;43:1130-9 (ICD-10 and the enhanced ICD-9-CM);
the weights those of Charlson et al., J Chronic Dis 1987;40:373-83.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

System = Literal["ICD9CM", "ICD10CM"]
TABLE: Final = Path(__file__).parent / "comorbidities.tsv"
OUTRANKED: Final = {
    "mild liver disease": "moderate or severe liver disease",
    "diabetes without complication": "diabetes with complication",
    "malignancy": "metastatic solid tumour",
}
"""Charlson: the first does not count where the second is present."""

LACE_WEIGHTS: Final = {
    "myocardial infarction": 1, "cerebrovascular disease": 1, "peripheral vascular disease": 1,
    "diabetes without complication": 1, "congestive heart failure": 2,
    "diabetes with complication": 2, "chronic pulmonary disease": 2, "mild liver disease": 2,
    "malignancy": 2, "dementia": 3, "rheumatic disease": 3, "AIDS or HIV": 4,
    "moderate or severe liver disease": 4, "metastatic solid tumour": 6,
}  # fmt: skip
"""The weights that the LACE index counts with (van Walraven, CMAJ 2010;182:551-7)."""


@dataclass(frozen=True, slots=True)
class Comorbidity:
    """A condition of an index with the beginnings of its codes, written without dots."""

    index: str
    name: str
    weight: int
    icd9: tuple[str, ...]
    icd10: tuple[str, ...]


@cache
def comorbidities() -> tuple[Comorbidity, ...]:
    """All conditions of both indices; their position is their bit in `bits`."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple(
        Comorbidity(index, name, int(weight or 0), _prefixes(icd9), _prefixes(icd10))
        for index, name, weight, icd9, icd10 in rows
    )


def bits(code: str, system: str) -> int:
    """The conditions that a code belongs to, as bits; 0 for a code of none.

    Codes may be written with or without a dot, in either case; see `written`.
    """
    plain = written(code, system).replace(".", "")
    return sum({1 << at for prefix, at in _by_prefix(system) if plain.startswith(prefix)})


def written(code: str, system: str) -> str:
    """A code in capitals; ICD-9-CM categories with the leading zeros that numbers lose.

    >>> written("38", "ICD9CM"), written("8.45", "ICD9CM"), written("i50.9", "ICD10CM")
    ('038', '008.45', 'I50.9')
    """
    plain = code.strip().upper()
    category, dot, rest = plain.partition(".")
    if system.startswith("ICD9CM") and category.isdigit() and (dot or len(category) < 3):
        return category.zfill(3) + dot + rest
    return plain


def present(found: npt.NDArray[np.uint64], index: str) -> dict[str, npt.NDArray[np.bool_]]:
    """The conditions of an index for each row of bits that were joined by or."""
    return {
        one.name: (found >> np.uint64(at)) & np.uint64(1) == 1
        for at, one in enumerate(comorbidities())
        if one.index == index
    }


def charlson_index(found: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """The Charlson index (0 to 29) for each row of bits; see `OUTRANKED` for the hierarchy."""
    weights = {one.name: one.weight for one in comorbidities() if one.index == "charlson"}
    return _weighted(found, weights)


def lace_comorbidity(found: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """The comorbidity score that the LACE index reads, by `LACE_WEIGHTS`."""
    return _weighted(found, LACE_WEIGHTS)


def charlson_of(codes: Iterable[tuple[str, str]]) -> int:
    """The Charlson index of (code, system) pairs of one patient."""
    joined = 0
    for code, system in codes:
        joined |= bits(code, system)
    return int(charlson_index(np.array([joined], dtype=np.uint64))[0])


def _weighted(found: npt.NDArray[np.uint64], weights: dict[str, int]) -> npt.NDArray[np.float64]:
    has = present(found, "charlson")
    total = np.zeros(len(found))
    for name, weight in weights.items():
        outranked = has[OUTRANKED[name]] if name in OUTRANKED else np.zeros(len(found), bool)
        total += weight * (has[name] & ~outranked)
    return total


@cache
def _by_prefix(system: str) -> tuple[tuple[str, int], ...]:
    """Beginnings of codes with the position of their condition."""
    pairs: list[tuple[str, int]] = []
    for at, one in enumerate(comorbidities()):
        mine = {"ICD9CM": one.icd9, "ICD10CM": one.icd10}.get(system, ())
        pairs += [(prefix, at) for prefix in mine]
    return tuple(pairs)


def _prefixes(text: str) -> tuple[str, ...]:
    """`425.4-425.9 428` as `4254 ... 4259 428`; the two ends of a range have equal lengths."""
    found: list[str] = []
    for item in text.split():
        first, _, last = item.replace(".", "").partition("-")
        found += [first] if not last else _range(first, last)
    return tuple(found)


def _range(first: str, last: str) -> Sequence[str]:
    letter = first[0] if first[0].isalpha() else ""
    low, high = first[len(letter) :], last[len(letter) :]
    width = len(low)
    return [f"{letter}{number:0{width}d}" for number in range(int(low), int(high) + 1)]
