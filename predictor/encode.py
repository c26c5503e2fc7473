"""From a feature table to a model's matrix, by what was learned from training rows alone.

Two forms: for trees (categories as numbers, missing stays missing) and for linear models (missing
filled with the median and marked, scaled, one column a category). A category that training never
met is treated as missing, which is stated, counted by `unseen` and never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predictor.schema import FeatureError, FeatureTable

F64 = npt.NDArray[np.float64]
LEAST_ROWS: Final = 20
MOST_LEVELS: Final = 254
FARTHEST: Final = 6.0
LESS_SKEWED: Final = 0.2
"""A feature is used where at least `LEAST_ROWS` training rows differ from its most common value
(missing is a value), a category where as many have it; of less than 100 training rows a fifth is
enough. LightGBM takes at most 254 categories.
What is always above 0 in training (creatinine, days) is taken as its logarithm in the linear form
where that is less skewed by `LESS_SKEWED`: risks go with ratios of such values.
Scaled values are cut at `FARTHEST` standard deviations, so that one typing error moves little."""


@dataclass(frozen=True, slots=True)
class NumberCode:
    """A number column: what stands for a missing value, and its scale, in training rows.

    With `log` the linear form takes its logarithm, and `mean` and `scale` are of that.
    """

    name: str
    median: float
    mean: float
    scale: float
    missing: bool
    log: bool = False

    def scaled(self, values: F64) -> F64:
        """The linear form of values, missing ones filled."""
        filled = np.where(np.isnan(values), self.median, values)
        if self.log:
            filled = _log(filled, self.median)
        clipped: F64 = np.clip((filled - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return clipped


@dataclass(frozen=True, slots=True)
class CategoryCode:
    """A category column: its levels in training, the most common first, ties by name."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Which features a model uses and how they become numbers."""

    numbers: tuple[NumberCode, ...]
    categories: tuple[CategoryCode, ...]

    @classmethod
    def fit(cls, table: FeatureTable, least_rows: int | None = None) -> Encoder:
        """Learn from training rows alone; `FeatureError` where no feature says anything."""
        if least_rows is None:
            least_rows = min(LEAST_ROWS, max(2, len(table) // 5))
        numbers, categories = [], []
        for column in table.columns:
            if column.kind == "number":
                code = _number(column.name, table.number(column.name), least_rows)
                numbers += [code] if code else []
            else:
                levels = _levels(table, column.name, least_rows)
                categories += [CategoryCode(column.name, levels)] if levels else []
        if not numbers and not categories:
            raise FeatureError(
                f"none of {len(table.columns)} features differs in at least {least_rows} of "
                f"{len(table)} training rows: there is nothing to learn from"
            )
        return cls(tuple(numbers), tuple(categories))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of `trees`, in order: numbers, then categories."""
        numbers = tuple(code.name for code in self.numbers)
        return numbers + tuple(category.name for category in self.categories)

    @property
    def categorical(self) -> list[int]:
        """Places of the categories among the columns of `trees`."""
        return list(range(len(self.numbers), len(self.names)))

    def check(self, table: FeatureTable) -> None:
        """Raise `FeatureError` naming the features that a table lacks or holds as another kind."""
        kinds = {column.name: column.kind for column in table.columns}
        wanted = {code.name: "number" for code in self.numbers}
        wanted |= {code.name: "category" for code in self.categories}
        wrong = sorted(name for name, kind in wanted.items() if kinds.get(name) != kind)
        if wrong:
            raise FeatureError(
                f"the table does not fit the model: {len(wrong)} features are missing or of "
                f"another kind, the first {', '.join(wrong[:5])}; make them with the model's task"
            )

    def trees(self, table: FeatureTable) -> F64:
        """(rows, features): NaN where missing; categories as their place among the levels."""
        self.check(table)
        matrix = np.empty((len(table), len(self.names)))
        for place, code in enumerate(self.numbers):
            matrix[:, place] = table.number(code.name)
        for place, category in enumerate(self.categories, len(self.numbers)):
            codes = self._codes(table, category)
            matrix[:, place] = np.where(codes < 0, np.nan, codes)
        return matrix

    def linear(self, table: FeatureTable) -> F64:
        """(rows, columns): scaled numbers, marks of missing ones, one column a category."""
        self.check(table)
        columns: list[F64] = []
        for code in self.numbers:
            values = table.number(code.name)
            columns.append(code.scaled(values))
            if code.missing:
                columns.append(np.isnan(values).astype(np.float64))
        for category in self.categories:
            codes = self._codes(table, category)
            columns += [
                (codes == level).astype(np.float64) for level in range(len(category.levels))
            ]
        return np.column_stack(columns)

    @property
    def linear_names(self) -> tuple[str, ...]:
        """The feature behind each column of `linear`; one feature may have several columns."""
        names: list[str] = []
        for code in self.numbers:
            names += [code.name] * (2 if code.missing else 1)
        for category in self.categories:
            names += [category.name] * len(category.levels)
        return tuple(names)

    def unseen(self, table: FeatureTable) -> dict[str, int]:
        """How many rows hold a category that training never met, by feature; zeros left out."""
        found = {}
        for category in self.categories:
            codes = self._codes(table, category)
            unknown = int((codes < 0).sum()) - table.table[category.name].null_count
            if unknown:
                found[category.name] = unknown
        return found

    def _codes(self, table: FeatureTable, category: CategoryCode) -> npt.NDArray[np.int64]:
        """Place of each row's level, -1 where it is missing or unseen."""
        at = pc.index_in(
            table.table[category.name], value_set=pa.array(category.levels, pa.string())
        )
        codes: npt.NDArray[np.int64] = pc.fill_null(at, -1).to_numpy().astype(np.int64)
        return codes

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Encoder:
        return cls(
            tuple(NumberCode(**code) for code in value["numbers"]),
            tuple(
                CategoryCode(code["name"], tuple(code["levels"])) for code in value["categories"]
            ),
        )


def _number(name: str, values: F64, least_rows: int) -> NumberCode | None:
    seen = values[~np.isnan(values)]
    if not len(seen):
        return None
    _, counts = np.unique(seen, return_counts=True)
    commonest = max(int(counts.max()), len(values) - len(seen))
    if len(values) - commonest < least_rows:
        return None
    median = float(np.median(seen))
    filled = np.where(np.isnan(values), median, values)
    log = seen.min() > 0 and abs(_skew(_log(filled, median))) < abs(_skew(filled)) - LESS_SKEWED
    filled = _log(filled, median) if log else filled
    scale = float(filled.std()) or 1.0
    return NumberCode(name, median, float(filled.mean()), scale, len(seen) < len(values), bool(log))


def _log(values: F64, median: float) -> F64:
    """log(1 + value / median): for values never met in training that are not above 0, that of 0."""
    logs: F64 = np.log1p(np.maximum(values, 0.0) / median)
    return logs


def _skew(values: F64) -> float:
    """The third standardized moment, 0 where nothing varies."""
    spread = float(values.std())
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread else 0.0


def _levels(table: FeatureTable, name: str, least_rows: int) -> tuple[str, ...]:
    counted = pc.value_counts(table.table[name].drop_null()).to_pylist()
    often = [(-pair["counts"], pair["values"]) for pair in counted if pair["counts"] >= least_rows]
    return tuple(level for _, level in sorted(often)[:MOST_LEVELS])
