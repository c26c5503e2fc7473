"""`medweave extractor ...`: making readers of notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from extractor.examples import read_marked
from extractor.prompt import BRIEF, PROMPTS
from extractor.records import finding_lines, note_line, outcome_line
from extractor.schema import Finding, Kind, NoteFindings, State
from extractor.split import Split
from kg_builder.durable import replace_text
from ray_jobs.options import Command, existing, number_option, out_folder_option, told_plainly
from ray_jobs.tuning_files import tuning_data

console = Console(highlight=False)
notes_console = Console(stderr=True, highlight=False)
CHECKED = 200
"""The held-out sentences that decide which weights of an adapter are kept."""
PATIENCE = 20


notes_option = click.option(
    "--notes", required=True, type=existing, help="Notes to learn from, JSON lines."
)
gold_option = click.option(
    "--gold", required=True, type=existing, help="Their findings, as `extract` writes."
)
held_out_notes_option = click.option(
    "--held-out-notes", required=True, type=existing, help="Other notes, to measure the loss on."
)
held_out_gold_option = click.option(
    "--held-out-gold", required=True, type=existing, help="The findings of these."
)
base_option = click.option(
    "--base", required=True, type=existing, help="The folder of the model to start from."
)
out_option = out_folder_option("The folder to write.")
seed_option = click.option(
    "--seed", default=1, show_default=True, help="The same seed gives the same result."
)
rate_option = click.option(
    "--rate",
    default=1e-3,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="The learning rate at the start.",
)


def batch_option(command: Command) -> Command:
    """How many texts are learned from at once."""
    return number_option("--batch", default=16, text="Texts of a step.")(command)


def rounds_option(default: int) -> Callable[[Command], Command]:
    """How often every text is learned from."""
    return number_option("--epochs", default=default, text="Rounds over all texts.")


def rank_option(default: int) -> Callable[[Command], Command]:
    """How large an adapter is."""
    return number_option(
        "--rank", default=default, text="The rank of the adapter's matrices: its size."
    )


@click.group()
def extractor() -> None:
    """Train and fine-tune the models that read notes."""


@extractor.command("practice")
@number_option("--notes", "count", default=1500, text="How many notes.")
@seed_option
@click.option("--held-out", is_flag=True, help="Write in the styles that are kept for testing.")
@out_option
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
@notes_option
@gold_option
@held_out_notes_option
@held_out_gold_option
@out_option
@number_option("--steps", default=2600, text="Steps of training.")
@click.option("--minutes", type=float, help="End after so long, whatever the steps.")
@seed_option
@click.option(
    "--settings",
    "settings_file",
    type=existing,
    help="The settings.json of a model, to make one like it; --steps and the like do not count.",
)
@number_option(
    "--processes",
    default=0,
    least=0,
    text="Processes that make batches ahead, so that a GPU waits less.",
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

    with told_plainly():
        training, held = read_marked(notes, gold), read_marked(held_out_notes, held_out_gold)
        settings = (
            Settings.load(settings_file)
            if settings_file
            else Settings(steps=steps, minutes=minutes, seed=seed)
        )
        curve = train(training, held, out, settings, notes_console.print, processes=processes)
    draw_curve(curve.by_name(), out / "curve.png")
    console.print(f"Model in {out}")


@extractor.command("finetune")
@base_option
@click.option("--data", "notes", required=True, type=existing, help="Notes, JSON lines.")
@click.option("--gold", type=existing, help="Marked findings of the notes, to learn them from.")
@click.option("--labels", type=existing, help="CSV: subject_id, hadm_id, prediction_time, label.")
@click.option("--found", type=existing, help="Findings by `extract`, for outcomes; else --gold.")
@click.option(
    "--split",
    "split_file",
    required=True,
    type=existing,
    help="The split file of the task, the same that `train --split` gets.",
)
@click.option(
    "--passages", type=existing, help="What `contexts` wrote, or JSON lines of the same fields."
)
@out_option
@rounds_option(3)
@rate_option
@rank_option(16)
@batch_option
@click.option(
    "--negatives",
    type=click.FloatRange(0),
    help="Learn from so many rows without the event for each with it; from all unless given.",
)
@seed_option
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

    with told_plainly():
        split = Split.load(split_file)
        data = tuning_data(notes, gold, labels, found, passages)
        tuning = Tuning(
            epochs=epochs, rate=rate, rank=rank, batch=batch, negatives=negatives, seed=seed
        )
        outcomes = fit(base, data, split, out, tuning, notes_console.print)
    replace_text(out / "outcomes.jsonl", "".join(map(outcome_line, outcomes)))
    console.print(f"Adapters and {len(outcomes)} outcomes in {out}")


@extractor.command("adapt")
@base_option
@notes_option
@gold_option
@held_out_notes_option
@held_out_gold_option
@out_option
@click.option(
    "--form",
    type=click.Choice(PROMPTS),
    default=BRIEF,
    show_default=True,
    help="What prompts and answers look like; kept with the adapter.",
)
@click.option("--texts", type=click.IntRange(1), help="Learn from so many sentences, drawn.")
@click.option(
    "--empty-share",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Of the sentences without a finding, learn from this share.",
)
@rounds_option(1)
@rate_option
@rank_option(8)
@batch_option
@seed_option
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
    with told_plainly():
        fitted, checked = (
            TuningData(tuple(read_marked(n, g)))
            for n, g in ((notes, gold), (held_out_notes, held_out_gold))
        )
        fit_adapter(base, fitted, checked, out, tuning, notes_console.print)
    console.print(f"Adapter in {out}")
