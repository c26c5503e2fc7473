"""`medweave evaluate extraction`: how findings and outcomes agree with what was marked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from extractor.evaluate import Score, score
from extractor.records import read_findings
from extractor.schema import Identifier, Kind
from ray_jobs.options import existing, json_option, told_plainly
from ray_jobs.tuning_files import read_labels

console = Console(highlight=False)


def measured(
    gold: Path, found: tuple[Path, ...], notes: Path | None, group: str | None, kind: str | None
) -> dict[str, Any]:
    """Scores of each file, over all notes and by group."""
    marked = read_findings(gold)
    groups = _groups(notes, group) if notes else {}
    everywhere = sorted(set(marked) | set(groups), key=str)
    parts: dict[str, list[Identifier]] = {"all": everywhere}
    for note, name in groups.items():
        if name:
            parts.setdefault(name, []).append(note)
    chosen = Kind(kind) if kind else None
    figures: dict[str, Any] = {}
    for path in found:
        ours = read_findings(path)
        figures[path.name] = {
            "groups": {
                name: {
                    level: as_values(value)
                    for level, value in score(marked, ours, notes=ids, kind=chosen).items()
                }
                for name, ids in parts.items()
            },
            **_rates(path),
        }
    return figures


def _groups(notes: Path, field: str | None) -> dict[Identifier, str]:
    named: dict[Identifier, str] = {}
    for line in notes.read_text(encoding="utf-8").split("\n"):
        if line:
            value = json.loads(line)
            named[value["note_id"]] = str(value.get(field, "")) if field else ""
    return named


def as_values(value: Score) -> dict[str, float | int | None]:
    """A score as plain values."""
    return {
        "precision": value.precision,
        "recall": value.recall,
        "f1": value.f1,
        "f1_low": value.low,
        "f1_high": value.high,
        "right": value.right,
        "found": value.found,
        "marked": value.marked,
    }


def _rates(found: Path) -> dict[str, Any]:
    """Shares of ungrounded statements and of truncated windows, where the states lie beside."""
    states = found.with_name(f"{found.name.removesuffix('.jsonl')}.notes.jsonl")
    if not states.exists():
        return {}
    total: Counter[str] = Counter()
    kinds: defaultdict[str, int] = defaultdict(int)
    for line in states.read_text(encoding="utf-8").split("\n"):
        if line:
            value = json.loads(line)
            kinds[value["state"]] += 1
            total["ungrounded"] += len(value["ungrounded"])
            for name in ("findings", "windows", "truncated", "invalid"):
                total[name] += value[name]
    said = total["findings"] + total["ungrounded"]
    return {
        "states": dict(sorted(kinds.items())),
        "ungrounded_share": total["ungrounded"] / said if said else None,
        "truncated_share": total["truncated"] / total["windows"] if total["windows"] else None,
        "invalid_share": total["invalid"] / total["windows"] if total["windows"] else None,
    }


def measured_outcomes(outcomes: Path, labels: Path) -> dict[str, Any]:
    """AUROC, Brier score, calibration slope and intercept of outcomes, and what had none."""
    import numpy as np

    from predictor.metrics import auroc, brier, calibration

    truth = {(str(r.subject_id), r.prediction_time): r.label for r in read_labels(labels)}
    label, chance, missing = [], [], 0
    for line in outcomes.read_text(encoding="utf-8").split("\n"):
        if line:
            value = json.loads(line)
            known = truth.get((str(value["subject_id"]), value["prediction_time"]))
            if known is None or value["probability"] is None:
                missing += 1
                continue
            label.append(known)
            chance.append(value["probability"])
    outcome, probability = np.array(label, dtype=np.int8), np.array(chance)
    if len(set(label)) < 2:
        raise ValueError(f"{outcomes}: both outcomes must occur among rows with a probability")
    line_of = calibration(outcome, probability)
    return {
        "rows": len(label),
        "without": missing,
        "auroc": auroc(outcome, probability),
        "brier": brier(outcome, probability),
        "calibration_slope": line_of.slope,
        "calibration_intercept": line_of.intercept,
    }


@click.command("extraction")
@click.argument("gold", type=existing, metavar="GOLD.jsonl")
@click.argument("found", type=existing, nargs=-1, required=True, metavar="FOUND.jsonl...")
@click.option("--notes", type=existing, help="The notes, for groups and for notes without gold.")
@click.option("--by", "group", help="A field of the notes to group by, for example style.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Of one kind alone.")
@click.option("--outcomes", type=existing, help="Outcomes, to be measured against --labels.")
@click.option("--labels", type=existing, help="What happened: CSV, as for `extractor finetune`.")
@json_option
def extraction(
    gold: Path,
    found: tuple[Path, ...],
    notes: Path | None,
    group: str | None,
    kind: str | None,
    outcomes: Path | None,
    labels: Path | None,
    as_json: bool,
) -> None:
    """Precision, recall and F1 of findings by span, concept and status, beside each other.

    GOLD.jsonl holds marked findings, each FOUND.jsonl what `medweave extract` found.
    """
    if (outcomes is None) != (labels is None):
        raise click.UsageError("--outcomes are measured against --labels: give both")
    with told_plainly():
        figures = measured(gold, found, notes, group, kind)
        if outcomes is not None and labels is not None:
            figures["outcome"] = measured_outcomes(outcomes, labels)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
        return
    for name, part in figures.items():
        if name == "outcome":
            console.print(part)
        else:
            _print(name, part)


def _print(name: str, figures: dict[str, Any]) -> None:
    table = Table("", "", "precision", "recall", "F1", "95 %", title=name, title_justify="left")
    for group, levels in figures["groups"].items():
        for level, value in levels.items():
            shown = [
                "-" if value[k] is None else f"{value[k]:.3f}"
                for k in ("precision", "recall", "f1")
            ]
            ends = value["f1_low"], value["f1_high"]
            between = "-" if None in ends else f"{ends[0]:.3f} to {ends[1]:.3f}"
            table.add_row(group, level, *shown, between)
    console.print(table)
    for rate in ("ungrounded_share", "truncated_share", "invalid_share"):
        if figures.get(rate) is not None:
            console.print(f"{rate.replace('_', ' ')}: {figures[rate]:.4f}")
