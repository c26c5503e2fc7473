"""`medweave extractor ...` and `medweave evaluate extraction`: making and measuring readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from extractor.examples import read_marked
from extractor.prompt import BRIEF, PROMPTS
from extractor.records import finding_lines, note_line, outcome_line
from extractor.schema import Finding, Kind, NoteFindings, State
from extractor.split import Split
from kg_builder.durable import replace_text
from ray_jobs.extraction_figures import measured, measured_outcomes
from ray_jobs.tuning_files import tuning_data

console = Console(highlight=False)
notes_console = Console(stderr=True, highlight=False)
existing = click.Path(exists=True, path_type=Path)
CHECKED = 200
"""The held-out sentences that decide which weights of an adapter are kept."""
PATIENCE = 20


@click.group()
def extractor() -> None:
    """Train and fine-tune the models that read notes."""


@extractor.command("practice")
@click.option("--notes", "count", default=1500, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
@click.option("--held-out", is_flag=True, help="In the styles that are kept for testing.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def practice(count: int, seed: int, held_out: bool, out: Path) -> None:
    """Write notes of nobody, OUT/notes.jsonl, and the findings in them, OUT/gold.jsonl."""
    from extractor.schema import Note, Status
    from predictor.synthetic.practice import practice_notes
    from predictor.synthetic.styles import BY_NAME, HELD_OUT

    out.mkdir(parents=True, exist_ok=True)
    styles = [BY_NAME[name] for name in HELD_OUT] if held_out else None
    notes: list[str] = []
    gold: list[str] = []
    for made in practice_notes(count, seed, styles):
        notes.append(note_line(Note(made.note_id, made.note.text)))
        found = tuple(
            Finding(g.start, g.end, g.quote, Kind(g.kind), Status(g.status), g.concept)
            for g in made.note.golds
        )
        gold += finding_lines(NoteFindings(made.note_id, State.OK, "gold", found))
    replace_text(out / "notes.jsonl", "".join(notes))
    replace_text(out / "gold.jsonl", "".join(gold))
    console.print(f"{count:,} notes and their findings in {out}")


@extractor.command("pretrain")
@click.option("--notes", required=True, type=existing, help="Notes to learn from, JSON lines.")
@click.option("--gold", required=True, type=existing, help="Their findings, as `extract` writes.")
@click.option("--held-out-notes", required=True, type=existing)
@click.option("--held-out-gold", required=True, type=existing)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--steps", default=2600, show_default=True)
@click.option("--minutes", type=float, help="End after so long, whatever the steps.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--settings",
    "settings_file",
    type=existing,
    help="The settings.json of a model, to make one of its size; steps, minutes and seed as there.",
)
@click.option(
    "--processes", default=0, show_default=True, help="Make batches beside, for a GPU to wait less."
)
def pretrain(
    notes: Path,
    gold: Path,
    held_out_notes: Path,
    held_out_gold: Path,
    out: Path,
    steps: int,
    minutes: float | None,
    seed: int,
    settings_file: Path | None,
    processes: int,
) -> None:
    """Train the small model from scratch on marked notes; run it again to go on."""
    from extractor.finetune import draw_curve
    from extractor.pretrain import Settings
    from extractor.pretrain import pretrain as train

    try:
        training, held = read_marked(notes, gold), read_marked(held_out_notes, held_out_gold)
        settings = (
            Settings(**json.loads(settings_file.read_text(encoding="utf-8")))
            if settings_file
            else Settings(steps=steps, minutes=minutes, seed=seed)
        )
        curve = train(training, held, out, settings, notes_console.print, processes=processes)
    except (OSError, ValueError, TypeError) as error:
        raise click.ClickException(str(error)) from error
    draw_curve(curve.by_name(), out / "curve.png")
    console.print(f"Model in {out}")


@extractor.command("finetune")
@click.option("--base", required=True, type=existing, help="The folder of the model to start from.")
@click.option("--data", "notes", required=True, type=existing, help="Notes, JSON lines.")
@click.option("--gold", type=existing, help="Marked findings of the notes, to learn them from.")
@click.option("--labels", type=existing, help="CSV: subject_id, hadm_id, prediction_time, label.")
@click.option("--found", type=existing, help="Findings by `extract`, for outcomes; else --gold.")
@click.option("--split", "split_file", required=True, type=existing)
@click.option(
    "--passages", type=existing, help="What `contexts` wrote, or JSON lines of the same fields."
)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--epochs", default=3, show_default=True)
@click.option("--rate", default=1e-3, show_default=True)
@click.option("--rank", default=16, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--negatives", type=click.FloatRange(0), help="Rows without event for each with.")
@click.option("--seed", default=1, show_default=True)
def finetune(
    base: Path,
    notes: Path,
    gold: Path | None,
    labels: Path | None,
    found: Path | None,
    split_file: Path,
    passages: Path | None,
    out: Path,
    epochs: int,
    rate: float,
    rank: int,
    batch: int,
    negatives: float | None,
    seed: int,
) -> None:
    """Fit LoRA adapters, one for each fold of the split, on findings and outcomes together.

    Run it again after an interruption: folds that are complete are not fitted again. Outcomes of
    all rows, out of fold, go to OUT/outcomes.jsonl.
    """
    from extractor.finetune import finetune as fit
    from extractor.tuning_texts import Tuning

    try:
        split = Split.load(split_file)
        data = tuning_data(notes, gold, labels, found, passages)
        tuning = Tuning(
            epochs=epochs, rate=rate, rank=rank, batch=batch, negatives=negatives, seed=seed
        )
        outcomes = fit(base, data, split, out, tuning, notes_console.print)
    except (OSError, ValueError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    replace_text(out / "outcomes.jsonl", "".join(map(outcome_line, outcomes)))
    console.print(f"Adapters and {len(outcomes)} outcomes in {out}")


@extractor.command("adapt")
@click.option("--base", required=True, type=existing, help="The folder of the model to start from.")
@click.option("--notes", required=True, type=existing, help="Notes to learn from, JSON lines.")
@click.option("--gold", required=True, type=existing, help="Their findings, as `extract` writes.")
@click.option("--held-out-notes", required=True, type=existing)
@click.option("--held-out-gold", required=True, type=existing)
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--form", type=click.Choice(PROMPTS), default=BRIEF, show_default=True)
@click.option("--texts", type=click.IntRange(1), help="Learn from so many sentences, drawn.")
@click.option("--empty-share", default=0.3, show_default=True, type=click.FloatRange(0, 1))
@click.option("--epochs", default=1, show_default=True)
@click.option("--rate", default=1e-3, show_default=True)
@click.option("--rank", default=8, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--seed", default=1, show_default=True)
def adapt(
    base: Path,
    notes: Path,
    gold: Path,
    held_out_notes: Path,
    held_out_gold: Path,
    out: Path,
    form: str,
    texts: int | None,
    empty_share: float,
    epochs: int,
    rate: float,
    rank: int,
    batch: int,
    seed: int,
) -> None:
    """Fit one LoRA adapter on marked notes, for `extract --model OUT`; of outcomes see `finetune`.

    The weights that are best on the held-out notes are kept as they come: what an interruption
    leaves can be used.
    """
    from extractor.finetune import fit_adapter
    from extractor.tuning_texts import Tuning, TuningData

    tuning = Tuning(
        rank=rank, alpha=2 * rank, dropout=0.0, rate=rate, batch=batch, epochs=epochs, form=form,
        empty_share=empty_share, texts=texts, checked=CHECKED, patience=PATIENCE, seed=seed,
    )  # fmt: skip
    try:
        fitted, checked = (
            TuningData(tuple(read_marked(n, g)))
            for n, g in ((notes, gold), (held_out_notes, held_out_gold))
        )
        fit_adapter(base, fitted, checked, out, tuning, notes_console.print)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    console.print(f"Adapter in {out}")


@click.command("extraction")
@click.argument("gold", type=existing, metavar="GOLD.jsonl")
@click.argument("found", type=existing, nargs=-1, required=True, metavar="FOUND.jsonl...")
@click.option("--notes", type=existing, help="The notes, for groups and for notes without gold.")
@click.option("--by", "group", help="A field of the notes to group by, for example style.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Of one kind alone.")
@click.option("--outcomes", type=existing, help="Outcomes, to be measured against --labels.")
@click.option("--labels", type=existing)
@click.option("--json", "as_json", is_flag=True)
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
    try:
        figures = measured(gold, found, notes, group, kind)
        if outcomes is not None and labels is not None:
            figures["outcome"] = measured_outcomes(outcomes, labels)
    except (OSError, ValueError, LookupError) as error:
        raise click.ClickException(str(error)) from error
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
