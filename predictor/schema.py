"""The contract of the predictor: rows, features with their clock, stage-1 outputs, risks.

| column | meaning | type | null | time rule |
|---|---|---|---|---|
| `subject_id` | the patient | text | never | – |
| `stay_id` | the index admission (a source's own id) | text | never | – |
| `prediction_time` | when the risk is asked for | timestamp (µs, no zone) | never | the cut |
| `label` | 1: the outcome happened, 0: it did not | int8 | outcome not known | after the cut |
| a feature | see `Column` | double or text | not observed | at most the cut |
| `clock NAME` | when NAME's latest record was known | timestamp | no record | at most the cut |

A row is one prediction: (subject_id, stay_id, prediction_time) is unique. A patient may have many.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FORMAT: Final = 1
Key = tuple[str, str]
"""(subject_id, stay_id)."""
KEYS: Final = ("subject_id", "stay_id", "prediction_time")
CLOCK: Final = "clock "
TIME: Final = pa.timestamp("us")
METADATA: Final = b"medweave.features"
PAIR: Final = "pair of "
"""How a feature begins that says: the patient has these two concepts, which articles say do harm
together."""

Source = Literal["structured", "notes", "graph"]
SOURCES: Final[tuple[Source, ...]] = ("structured", "notes", "graph")
Kind = Literal["number", "category"]

F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]


class FeatureError(ValueError):
    """Features that break the contract; names the column, the row and the remedy."""


class LaterThanPredictionError(FeatureError):
    """A feature that holds what was known only after the prediction time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One feature.

    `source` is where its information comes from: the unit of ablation. `kind`: a `number` is a
    double, a `category` is text. `clock` names the column that tells when its latest record was
    known; "" for what is known at admission by definition (age, sex, kind of admission).
    `from_codes` marks what was derived from diagnosis or procedure codes, `presence` what says
    only whether something was recorded: the leakage audit fits models on these alone. `concept` is
    the id of the concept that the feature is about, "" where there is none. `grace` is how many
    hours after the prediction time the clock may lie: 0 but where a task grants its discharge
    summary a stated time, which the audit then names.
    """

    name: str
    source: Source
    kind: Kind = "number"
    clock: str = ""
    from_codes: bool = False
    presence: bool = False
    concept: str = ""
    grace: float = 0.0

    def __post_init__(self) -> None:
        bad = [sign for sign in ':"[]{},' if sign in self.name]
        if bad or not self.name or self.name in (*KEYS, "label") or self.name.startswith(CLOCK):
            raise FeatureError(
                f'feature {self.name!r}: a name must be given, holds none of : " [ ] {{ }} , '
                "(LightGBM refuses them) and is no key of the table"
            )
        if self.source not in SOURCES or self.kind not in ("number", "category"):
            raise FeatureError(f"feature {self.name!r}: source {self.source!r}, kind {self.kind!r}")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """Features of predictions, checked: nothing in it is later than its prediction time.

    `table` holds the columns of the module's contract, ordered by `KEYS`. Use `make` or `load`.
    """

    task: str
    columns: tuple[Column, ...]
    table: pa.Table

    @classmethod
    def make(
        cls, task: str, columns: Sequence[Column], table: pa.Table, *, check_clocks: bool = True
    ) -> FeatureTable:
        """A table that keeps the contract.

        Raises `LaterThanPredictionError` for a clock after the prediction time, `FeatureError` for
        missing or surplus columns, wrong types, null keys and repeated rows. `check_clocks=False`
        is for the leakage audit alone, which reports what is late instead of refusing it.
        """
        table = _ordered(_typed(columns, table))
        _check_keys(table)
        made = cls(task, tuple(columns), table)
        if check_clocks:
            made.check_clocks()
        return made

    def check_clocks(self) -> None:
        """Raise `LaterThanPredictionError` naming the first late clock and row."""
        for clock, late in self.late_rows().items():
            if len(late):
                row = int(late[0])
                keys = {key: str(self.table[key][row]) for key in KEYS}
                names = [column.name for column in self.columns if column.clock == clock]
                raise LaterThanPredictionError(
                    f"{len(late)} rows hold records of {clock!r} known only after the prediction "
                    f"time, the first of {keys} (known {self.table[CLOCK + clock][row]}); cut the "
                    f"records at the prediction time before making {', '.join(names[:5])}"
                )

    def late_rows(self) -> dict[str, npt.NDArray[np.int64]]:
        """For each clock the rows whose latest record was known after the prediction time."""
        cut = self.times("prediction_time")
        graces = {column.clock: column.grace for column in self.columns if column.clock}
        ends = {
            clock: cut + np.timedelta64(round(hours * 3600), "s") for clock, hours in graces.items()
        }
        return {
            clock: np.flatnonzero(self.times(CLOCK + clock) > end) for clock, end in ends.items()
        }

    def clocks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.clock for column in self.columns if column.clock))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def times(self, name: str) -> npt.NDArray[np.datetime64]:
        """A time column as datetime64[us]; NaT where it is null."""
        values: npt.NDArray[np.datetime64] = self.table[name].to_numpy().astype("datetime64[us]")
        return values

    @property
    def subjects(self) -> npt.NDArray[np.str_]:
        return np.array(self.table["subject_id"].to_pylist(), dtype=str)

    @property
    def keys(self) -> list[Key]:
        """(subject_id, stay_id) of each row."""
        return list(
            zip(*(self.table[k].to_pylist() for k in ("subject_id", "stay_id")), strict=True)
        )

    @property
    def labels(self) -> I8:
        """0 or 1 for each row; `FeatureError` where an outcome is not known."""
        labels = self.table["label"]
        if labels.null_count:
            raise FeatureError(
                f"{labels.null_count} rows have no label; training and evaluation need the outcome "
                "of every row (leave out those whose outcome is not known)"
            )
        return np.asarray(labels.to_numpy(), dtype=np.int8)

    def number(self, name: str) -> F64:
        """A number column; NaN where it was not observed."""
        return np.asarray(self.table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    def select(self, sources: Iterable[Source]) -> FeatureTable:
        """Only the features of some sources."""
        wanted = set(sources)
        kept = tuple(column for column in self.columns if column.source in wanted)
        return FeatureTable(self.task, kept, self.table.select(_names(kept)))

    def only(self, names: Collection[str]) -> FeatureTable:
        """Only the features of some names, in the table's order."""
        kept = tuple(column for column in self.columns if column.name in names)
        return FeatureTable(self.task, kept, self.table.select(_names(kept)))

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> FeatureTable:
        """Some rows, by number or mask, in the table's order."""
        at = np.flatnonzero(rows) if rows.dtype == bool else np.sort(rows)
        return FeatureTable(self.task, self.columns, self.table.take(pa.array(at)))

    def join(self, other: FeatureTable) -> FeatureTable:
        """The features of both for the rows of this table; null where the other has no row."""
        right = other.table.drop_columns(["label"])
        joined = self.table.join(right, keys=list(KEYS), join_type="left outer")
        return FeatureTable.make(self.task, self.columns + other.columns, joined)

    def save(self, path: Path) -> None:
        """Write as Parquet with the columns' descriptions in the file's metadata."""
        told = {
            "format": FORMAT,
            "task": self.task,
            "columns": [asdict(column) for column in self.columns],
        }
        metadata = {METADATA: json.dumps(told).encode()}
        pq.write_table(self.table.replace_schema_metadata(metadata), path)

    @classmethod
    def load(cls, path: Path, *, check_clocks: bool = True) -> FeatureTable:
        """A table as `save` wrote it; `FeatureError` for any other Parquet file."""
        table = pq.read_table(path)
        told = (table.schema.metadata or {}).get(METADATA)
        if told is None:
            raise FeatureError(
                f"{path}: a Parquet file that was not written by medweave; say which columns are "
                "what by a YAML (see docs/tables.md)"
            )
        value = json.loads(told)
        if value["format"] != FORMAT:
            raise FeatureError(f"{path}: format {value['format']}, expected {FORMAT}; make it anew")
        columns = [Column(**column) for column in value["columns"]]
        return cls.make(value["task"], columns, table, check_clocks=check_clocks)


def _names(columns: Sequence[Column]) -> list[str]:
    clocks = dict.fromkeys(CLOCK + column.clock for column in columns if column.clock)
    return [*KEYS, "label", *(column.name for column in columns), *clocks]


def _typed(columns: Sequence[Column], table: pa.Table) -> pa.Table:
    """The table's columns in order and of the contract's types."""
    names = _names(columns)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FeatureError(f"features that stand twice: {', '.join(twice)}")
    missing = sorted(set(names) - set(table.column_names))
    surplus = sorted(set(table.column_names) - set(names))
    if missing or surplus:
        raise FeatureError(f"columns missing: {missing}; columns that no feature names: {surplus}")
    kinds = {column.name: pa.float64() if column.kind == "number" else pa.string()
             for column in columns}  # fmt: skip
    keys = {"subject_id": pa.string(), "stay_id": pa.string(), "label": pa.int8()}
    types = [kinds.get(name) or keys.get(name) or TIME for name in names]
    try:
        return table.select(names).cast(pa.schema(list(zip(names, types, strict=True))))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise FeatureError(f"a column has another type than its feature's: {error}") from error


def _ordered(table: pa.Table) -> pa.Table:
    """The table by `KEYS`; one that is in order already is not copied: it may fill the memory."""
    keys = [(key, "ascending") for key in KEYS]
    order = pc.sort_indices(table.select(list(KEYS)), sort_keys=keys)
    in_order = np.array_equal(order.to_numpy(), np.arange(table.num_rows))
    return table if in_order else table.take(order)


def _check_keys(table: pa.Table) -> None:
    for key in KEYS:
        if table[key].null_count:
            raise FeatureError(f"{table[key].null_count} rows without {key}")
    counted = table.group_by(list(KEYS)).aggregate([([], "count_all")])
    if counted.num_rows < table.num_rows:
        repeated = counted.filter(pc.greater(counted["count_all"], 1)).slice(0, 1)
        raise FeatureError(
            f"{table.num_rows - counted.num_rows} repeated rows, the first "
            f"{repeated.to_pylist()[0]}; a prediction is one row"
        )
    labels = set(table["label"].drop_null().unique().to_pylist())
    if labels - {0, 1}:
        raise FeatureError(f"labels {sorted(labels)}; expected 0, 1 or null")


@dataclass(frozen=True, slots=True)
class Risk:
    """A probability of the outcome for one prediction.

    `low` and `high` are an interval of the probability by the method that the model names, or
    `None` where it has none. `calibrated` tells whether the probability was calibrated on
    predictions that the model was not fitted on.
    """

    subject_id: str
    stay_id: str
    prediction_time: np.datetime64
    probability: float
    low: float | None
    high: float | None
    model: str
    calibrated: bool
