"""Why a risk is what it is: feature → finding → edge → sentences with PMIDs.

Contributions are in log odds of the uncalibrated model: what each feature adds to the mean
prediction, by TreeSHAP (Lundberg 2020) for trees, by weight times distance from the mean for a
regression. They tell what the model used, not what would help the patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor.fuse import RiskModel
from predictor.model import Explained
from predictor.note_features import KnownFinding
from predictor.schema import Column, FeatureTable, Risk, Source

MOST_REASONS = 12


class ExplainError(ValueError):
    """A model that cannot be taken apart, or a row that is not there."""


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence of the literature behind a feature: what it says and where it stands."""

    pmid: str
    published: str
    sentence: str
    assertion: str
    refutes: bool


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """Where a note says it; `quote` is "" unless patient text was asked for."""

    note_id: str
    known: str
    status: str
    quote: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature of one prediction. `contribution` is in log odds, positive raises the risk."""

    feature: str
    source: Source
    value: str
    contribution: float
    findings: tuple[FindingPlace, ...]
    sentences: tuple[CitedSentence, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A risk and its reasons, the strongest first; `others` sums what is not listed."""

    risk: Risk
    reasons: tuple[Reason, ...]
    others: float


def explain(
    model: RiskModel,
    table: FeatureTable,
    *,
    findings: Iterable[KnownFinding] = (),
    sentences: Mapping[tuple[str, str], Sequence[CitedSentence]] | None = None,
    patient_text: bool = False,
    most: int = MOST_REASONS,
) -> list[Explanation]:
    """Explanations of a table's rows, in its order.

    `sentences` are those behind the graph's features, by (subject_id, stay_id). `patient_text`
    lets quotes of notes in; without it a place in a note is named and its words are not. Raises
    `ExplainError` for a model that has no contributions by feature.
    """
    fitted = model.fitted
    if not isinstance(fitted, Explained):
        raise ExplainError(
            f"a {fitted.kind} model has no contributions by feature; explain a blend, lightgbm or "
            "logistic model"
        )
    parts = fitted.contributions(table)
    columns = {column.name: column for column in table.columns}
    known = list(findings)
    explained = []
    for row, risk in enumerate(model.risks(table)):
        order = np.lexsort((np.arange(parts.shape[1]), -np.abs(parts[row])))[:most]
        said = [f for f in known if (f.subject_id, f.stay_id) == (risk.subject_id, risk.stay_id)]
        cited = (sentences or {}).get((risk.subject_id, risk.stay_id), ())
        reasons = tuple(
            _reason(
                columns[fitted.encoder.names[place]], table, row, float(parts[row, place]), said,
                cited, patient_text,
            )
            for place in order.tolist()
            if parts[row, place] != 0
        )  # fmt: skip
        listed = sum(reason.contribution for reason in reasons)
        explained.append(Explanation(risk, reasons, float(parts[row].sum()) - listed))
    return explained


def _reason(
    column: Column,
    table: FeatureTable,
    row: int,
    contribution: float,
    findings: Sequence[KnownFinding],
    sentences: Sequence[CitedSentence],
    patient_text: bool,
) -> Reason:
    cut = table.times("prediction_time")[row] + np.timedelta64(round(column.grace * 3600), "s")
    places = tuple(
        FindingPlace(f.note_id, f.known.isoformat(), str(f.status), f.quote if patient_text else "")
        for f in findings
        if column.source == "notes"
        and column.concept
        and f.key == column.concept
        and np.datetime64(f.known) <= cut
    )
    cited = tuple(sentences) if column.source == "graph" else ()
    value = table.table[column.name][row].as_py()
    shown = "not observed" if value is None else f"{value:g}" if isinstance(value, float) else value
    return Reason(column.name, column.source, shown, contribution, places, cited)


def rows_named(table: FeatureTable, subject_id: str, stay_id: str | None) -> npt.NDArray[np.int64]:
    """Rows of a patient (and a stay); `ExplainError` where there is none."""
    stays = np.array(table.table["stay_id"].to_pylist(), dtype=str)
    rows = table.subjects == subject_id
    if stay_id is not None:
        rows &= stays == stay_id
    if not rows.any():
        raise ExplainError(f"no row of patient {subject_id}, stay {stay_id or 'any'}")
    return np.flatnonzero(rows)
