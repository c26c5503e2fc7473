"""Findings of notes as features: what notes that were known by the prediction time say, by status.

A finding counts for the stay of its note, if the note was known (stored, else charted) by the
prediction time; a discharge summary's also within the hours that the task grants it. What is
absent, possible or over is a feature of its own: never the same as what is present, and never the
same as what no note mentions. How often it is said plays no part: notes repeat and copy each other.
A finding without a concept is taken by its words.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from extractor.schema import Status
from predictor.schema import KEYS, TIME, Column, FeatureTable

TOLD: Final = (Status.PRESENT, Status.ABSENT, Status.POSSIBLE, Status.HISTORICAL)
"""Statuses that become a feature for each finding; the others are counted alone."""
SUMMARIES: Final = frozenset({"DS", "discharge", "discharge summary"})
"""Note types of discharge summaries: what MIMIC-IV, others, and this project's hospital write."""
LEAST_ROWS: Final = 20
MOST_COLUMNS: Final = 800
"""Findings in at least `LEAST_ROWS` rows get a column, the most common ones first: a limit of
space that looks at no outcome. Which of them a model uses is learned from training rows alone."""


class FindingsError(ValueError):
    """A file of findings that cannot be read; names file and line."""


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A finding with the stay of its note, when the note was known, and of what sort it is."""

    subject_id: str
    stay_id: str
    note_id: str
    known: datetime
    concept: str
    quote: str
    status: Status
    note_type: str | None = None

    @property
    def key(self) -> str:
        """What is found: the concept's id, else the words in lower case, as columns are named."""
        return self.concept or _plain(self.quote.lower())

    def known_by(self, cut: datetime, grace_hours: float) -> bool:
        """Whether it may be read for a prediction at `cut`, with a grace for the summary alone.

        Raises `FindingsError` where only a grace would let it in and its note's type is not told.
        """
        if self.known <= cut or self.known > cut + timedelta(hours=grace_hours):
            return self.known <= cut
        if self.note_type is None:
            raise FindingsError(
                f"note {self.note_id}: known {self.known - cut} after the prediction, and nobody "
                f"says whether it is a discharge summary, to which alone the task grants "
                f"{grace_hours:g} hours; give notes their note_type and extract them again"
            )
        return self.note_type in SUMMARIES


def read_findings(path: Path) -> Iterator[KnownFinding]:
    """Findings of a JSON-lines file as `medweave extract` writes it.

    Raises `FindingsError` for a line that is none, or that does not say patient, stay and time.
    """
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield _finding(json.loads(line))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise FindingsError(
                    f"{path}, line {number}: not a finding of a patient's note ({error!r}); notes "
                    "need subject_id, hadm_id and charttime or storetime to become features"
                ) from error


def _finding(row: Mapping[str, Any]) -> KnownFinding:
    if row["subject_id"] is None or row["hadm_id"] is None:
        raise ValueError("no subject_id or hadm_id")
    return KnownFinding(
        str(row["subject_id"]),
        str(row["hadm_id"]),
        str(row["note_id"]),
        moment(row.get("storetime") or row["charttime"]),
        row.get("concept") or "",
        row["quote"],
        Status(row["status"]),
        row.get("note_type"),
    )


def moment(text: str) -> datetime:
    """An ISO 8601 moment; a bare date is known at the end of that day."""
    at = datetime.fromisoformat(text)
    return at + timedelta(days=1) - timedelta(microseconds=1) if len(text) <= 10 else at


def note_features(
    rows: pa.Table,
    task: str,
    findings: Iterable[KnownFinding],
    name_of: Callable[[str], str] = str,
    *,
    grace_hours: float = 0.0,
    wanted: Sequence[Column] | None = None,
) -> FeatureTable:
    """Features of cohort rows (the keys of `predictor.schema`), in their order.

    `name_of` gives the preferred name of a concept, for readable columns. Findings in enough rows
    get a column; where a model is there already, those of its columns (`wanted`). Raises
    `FeatureError` for repeated rows.
    """
    keys = list(zip(rows["subject_id"].to_pylist(), rows["stay_id"].to_pylist(), strict=True))
    cuts = rows["prediction_time"].to_pylist()
    by_stay: dict[tuple[str, str], list[KnownFinding]] = defaultdict(list)
    for finding in findings:
        by_stay[finding.subject_id, finding.stay_id].append(finding)
    known = [
        [finding for finding in by_stay.get(key, ()) if finding.known_by(cut, grace_hours)]
        for key, cut in zip(keys, cuts, strict=True)
    ]
    asked = _asked(wanted) if wanted is not None else _named(_common(known), name_of)
    columns: list[Column] = []
    arrays: dict[str, pa.Array] = {}

    def add(name: str, values: Sequence[float] | npt.NDArray[np.float64], **told: Any) -> None:
        columns.append(Column(name, "notes", clock="findings", grace=grace_hours, **told))
        arrays[name] = pa.array(values, pa.float64())

    add("notes read", [float(len({f.note_id for f in row})) for row in known], presence=True)
    for status in Status:
        add(f"findings {status}", [float(sum(f.status == status for f in row)) for row in known])
    said = [{(f.key, f.status) for f in row} for row in known]
    for (key, status), name in asked.items():
        values = np.array([(key, status) in row for row in said], dtype=np.float64)
        add(name, values, concept=key if _is_concept(key) else "")
    table = rows.select([*KEYS, "label"])
    for name, array in arrays.items():
        table = table.append_column(name, array)
    latest = [max((f.known for f in row), default=None) for row in known]
    table = table.append_column("clock findings", pa.array(latest, TIME))
    return FeatureTable.make(task, columns, table)


def _common(known: Sequence[Sequence[KnownFinding]]) -> list[tuple[str, Status]]:
    """Findings with their status that stand in enough rows, the most common first."""
    counts: Counter[tuple[str, Status]] = Counter()
    for row in known:
        counts.update({(f.key, f.status) for f in row if f.status in TOLD})
    often = [(pair, rows) for pair, rows in counts.items() if rows >= LEAST_ROWS]
    often.sort(key=lambda found: (-found[1], found[0]))
    return [pair for pair, _ in often[:MOST_COLUMNS]]


def _named(
    chosen: Sequence[tuple[str, Status]], name_of: Callable[[str], str]
) -> dict[tuple[str, Status], str]:
    """Distinct readable column names; two concepts of one name are told apart by their ids."""
    plain = {key: _plain(name_of(key) if _is_concept(key) else key) for key, _ in chosen}
    times = Counter(plain.values())
    return {
        (key, status): f"note {status} {plain[key]}"
        + (f" ({_plain(key)})" if times[plain[key]] > 1 else "")
        for key, status in chosen
    }


def _asked(wanted: Sequence[Column]) -> dict[tuple[str, Status], str]:
    """The findings behind the columns that a model has."""
    found = {}
    for column in wanted:
        for status in TOLD:
            begin = f"note {status} "
            if column.source == "notes" and column.name.startswith(begin):
                found[column.concept or column.name[len(begin) :], status] = column.name
    return found


def _is_concept(key: str) -> bool:
    """Whether what was found is a concept's id (a CURIE) and not words of a note."""
    return re.fullmatch(r"[A-Za-z][\w.]*:[^\s]+", key) is not None


def _plain(text: str) -> str:
    """A text without the signs that a feature's name may not hold."""
    return re.sub(r'[:"\[\]{},\s]+', " ", text).strip()[:80]
