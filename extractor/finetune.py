"""Fine-tuning by LoRA (Hu 2021): findings and outcome together, one adapter for each fold.

The adapter of a fold has seen no patient of the fold, and none has seen a patient of the test
part. Rows of a development patient get the output of the adapter of their own fold, test rows the
mean log odds of all adapters; Platt scaling is fitted on the development rows' own. A fold that is
complete is not trained again.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from extractor.calibration import Platt, fit_platt, logit
from extractor.local_llm import ABOUT, LocalLLM, load_model, read_about, weights_digest
from extractor.outcome import (
    OUTCOME_PROMPT,
    OutcomeRow,
    outcome_chances,
)
from extractor.prompt import INSTRUCT
from extractor.schema import State, SubjectOutcome
from extractor.split import TEST, Split
from extractor.tuning_texts import Item, Tuning, TuningData, items, short_enough, some_of

DONE: Final = "done.json"
CHUNK: Final = 16
"""Batches are made from the texts of so many at a time."""
Tell = Callable[[str], None]


class TuningError(ValueError):
    """Nothing to fit on, or a patient who is not in the split."""


def finetune(
    base: Path,
    data: TuningData,
    split: Split,
    out: Path,
    tuning: Tuning,
    tell: Tell = lambda _: None,
) -> list[SubjectOutcome]:
    """Fit an adapter for each fold, and give every row its out-of-fold output.

    Adapters are saved in `out/fold-N`, calibration in `out/calibration.json`. Raises
    `TuningError`, `SplitError` for a patient the split does not know, `ModelError`.
    """
    logits: list[dict[OutcomeRow, float]] = []
    for fold in range(len(split.folds)):
        folder = out / f"fold-{fold}"
        if not (folder / DONE).exists():
            _fit_fold(base, data, split, fold, folder, tuning, tell)
        tell(f"fold {fold}: complete")
        logits.append(_logits(folder, data, split, fold))
    return _outcomes(data, split, logits, out)


def training_subjects(split: Split, fold: int, share: float) -> tuple[set[str], set[str]]:
    """Who an adapter is fitted on, and who of the same folds decides when to stop."""
    subjects = sorted(s for n, part in enumerate(split.folds) if n != fold for s in part)
    Random(f"{split.seed}/{fold}").shuffle(subjects)
    held = max(1, round(share * len(subjects)))
    return set(subjects[held:]), set(subjects[:held])


def _fit_fold(
    base: Path, data: TuningData, split: Split, fold: int, folder: Path, tuning: Tuning, tell: Tell
) -> None:
    fitted, checked = training_subjects(split, fold, tuning.share_checked)
    fit_adapter(
        base,
        _of(data, fitted),
        _of(data, checked),
        folder,
        replace(tuning, seed=tuning.seed + fold),
        lambda line: tell(f"fold {fold}: {line}"),
        {"fold": fold, "split": split.digest},
    )


def _of(data: TuningData, subjects: set[str]) -> TuningData:
    """The data of some subjects alone."""
    return replace(
        data,
        marked=tuple(m for m in data.marked if str(m.note.subject_id) in subjects),
        rows=tuple(r for r in data.rows if str(r.subject_id) in subjects),
    )


def fit_adapter(
    base: Path,
    fitted: TuningData,
    checked: TuningData,
    folder: Path,
    tuning: Tuning,
    tell: Tell = lambda _: None,
    about: Mapping[str, object] | None = None,
) -> None:
    """Fit one adapter; keep the weights of the least loss on `checked`, its curve and settings."""
    import torch

    torch.manual_seed(tuning.seed)
    form = tuning.form or read_about(base).get("prompt", INSTRUCT)
    model, tokenizer = _with_adapter(base, tuning)
    rng = Random(tuning.seed)
    found, too_long = short_enough(items(fitted, tokenizer, form, tuning), tuning.longest)
    training = some_of(found, tuning.texts, rng)
    kept, left = short_enough(items(checked, tokenizer, form, tuning), tuning.longest)
    held = some_of(kept, tuning.checked, rng)
    held.sort(key=lambda item: len(item.ids))
    if not training:
        raise TuningError("no marked note and no labelled row of the training part: nothing to fit")
    tell(f"{len(training)} texts to fit on, {len(held)} to stop by")
    if too_long + left:
        tell(f"left out: {too_long + left} texts of more than {tuning.longest} tokens")
    folder.mkdir(parents=True, exist_ok=True)
    _save_about(folder, base, form, tuning, about or {})
    curve = _fit(model, training, held, tokenizer, tuning, folder, tell)
    draw_curve(curve, folder / "curve.png")
    (folder / DONE).write_text(json.dumps(curve, indent=1), encoding="utf-8")


def _with_adapter(base: Path, tuning: Tuning) -> tuple[Any, Any]:
    import torch
    from peft import LoraConfig, get_peft_model

    model, tokenizer = load_model(base, four_bit=tuning.four_bit and torch.cuda.is_available())
    model.requires_grad_(False)
    config = LoraConfig(
        r=tuning.rank,
        lora_alpha=tuning.alpha,
        lora_dropout=tuning.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config), tokenizer


def _fit(
    model: Any,
    training: Sequence[Item],
    held: Sequence[Item],
    tokenizer: Any,
    tuning: Tuning,
    folder: Path,
    tell: Tell,
) -> dict[str, list[float]]:
    import torch

    optimizer = torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad), lr=tuning.rate, weight_decay=0.0
    )
    steps = max(1, -(-len(training) // tuning.batch) * tuning.epochs)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    curve: dict[str, list[float]] = {
        "step": [],
        "training": [],
        "held-out step": [],
        "held-out": [],
    }
    best, worse = float("inf"), 0
    for step, batch in enumerate(_rounds(training, tuning), 1):
        model.train()
        loss = batch_loss(model, batch, tokenizer)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        curve["step"].append(step)
        curve["training"].append(loss.item())
        if step % tuning.check_every == 0 or step == steps:
            now = _mean_loss(model, held or training[: tuning.batch], tokenizer, tuning)
            curve["held-out step"].append(step)
            curve["held-out"].append(now)
            tell(f"step {step} of {steps}: loss {loss.item():.4f}, held out {now:.4f}")
            worse = 0 if now < best else worse + 1
            if now < best:
                best = now
                model.save_pretrained(folder)
            elif worse >= tuning.patience:
                break
    return curve


def _rounds(training: Sequence[Item], tuning: Tuning) -> Iterable[list[Item]]:
    """Batches of each round, of texts of about one length: nothing is computed for padding."""
    rng = Random(tuning.seed)
    for _ in range(tuning.epochs):
        order = list(range(len(training)))
        rng.shuffle(order)
        batches: list[list[Item]] = []
        for start in range(0, len(order), CHUNK * tuning.batch):
            chunk = [training[n] for n in order[start : start + CHUNK * tuning.batch]]
            chunk.sort(key=lambda item: len(item.ids))
            batches += [chunk[at : at + tuning.batch] for at in range(0, len(chunk), tuning.batch)]
        rng.shuffle(batches)
        yield from batches


def batch_loss(model: Any, batch: Sequence[Item], tokenizer: Any) -> Any:
    """Weighted mean cross-entropy of the answers' tokens; logits are made for these alone."""
    import torch

    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    longest = max(len(item.ids) for item in batch)
    rows = torch.tensor([[*i.ids, *([pad] * (longest - len(i.ids)))] for i in batch])
    lengths = torch.tensor([[len(i.ids)] for i in batch])
    asked = torch.tensor([[i.asked] for i in batch])
    places = torch.arange(longest)
    said = (places >= asked) & (places < lengths)
    targets = rows[said].to(model.device)
    weights = torch.tensor([[i.weight] for i in batch]).expand(-1, longest)[said].to(model.device)
    asks = torch.roll(said, -1, 1)
    with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
        inner = model.get_base_model()
        hidden = inner.model(
            input_ids=rows.to(model.device), attention_mask=(places < lengths).to(model.device)
        ).last_hidden_state
        logits = inner.lm_head(hidden[asks.to(model.device)])
    losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def _mean_loss(model: Any, held: Sequence[Item], tokenizer: Any, tuning: Tuning) -> float:
    import torch

    model.eval()
    with torch.no_grad():
        losses = [
            batch_loss(model, held[start : start + tuning.batch], tokenizer).item()
            for start in range(0, len(held), tuning.batch)
        ]
    return float(sum(losses) / len(losses))


def _save_about(
    folder: Path, base: Path, form: str, tuning: Tuning, about: Mapping[str, object]
) -> None:
    import peft
    import torch
    import transformers

    value = {
        "prompt": form,
        "outcome_prompt": OUTCOME_PROMPT,
        "base": str(base.resolve()),
        "base_digest": weights_digest(base),
        "tuning": asdict(tuning),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
        **about,
    }
    (folder / ABOUT).write_text(json.dumps(value, indent=1), encoding="utf-8")


def _logits(folder: Path, data: TuningData, split: Split, fold: int) -> dict[OutcomeRow, float]:
    """Log odds of the rows of the fold, and of the test part, by the fold's adapter."""
    rows = [r for r in data.rows if split.fold(str(r.subject_id)) in (fold, TEST)]
    known = [row for row in rows if data.states(row)]
    if not known:
        return {}
    llm = LocalLLM.open(folder)
    chances = outcome_chances(llm, [data.evidence(row) for row in known])
    return {row: logit(chance) for row, chance in zip(known, chances, strict=True)}


def _outcomes(
    data: TuningData, split: Split, logits: Sequence[Mapping[OutcomeRow, float]], out: Path
) -> list[SubjectOutcome]:
    folds = {row: split.fold(str(row.subject_id)) for row in data.rows}
    own = {
        row: logits[fold][row]
        for row, fold in folds.items()
        if fold != TEST and row in logits[fold]
    }
    labelled = [row for row in own if row.label is not None]
    if not labelled:
        return []
    platt = fit_platt([own[r] for r in labelled], [int(r.label or 0) for r in labelled])
    (out / "calibration.json").write_text(json.dumps(asdict(platt)), encoding="utf-8")
    return [_outcome(row, fold, own, logits, platt, data) for row, fold in folds.items()]


def _outcome(
    row: OutcomeRow,
    fold: int,
    own: Mapping[OutcomeRow, float],
    logits: Sequence[Mapping[OutcomeRow, float]],
    platt: Platt,
    data: TuningData,
) -> SubjectOutcome:
    """The row's calibrated output: its own fold's, or the mean log odds of all for test rows."""
    if fold == TEST:
        given = [part[row] for part in logits if row in part]
        value = sum(given) / len(given) if given else None
    else:
        value = own.get(row)
    state = State.NO_NOTE if value is None else _worst(data.states(row))
    failed = state is State.FAILED
    return SubjectOutcome(
        row.subject_id,
        row.prediction_time,
        state,
        "lora",
        None if value is None or failed else round(platt(value), 6),
        fold,
        row.hadm_id,
    )


def _worst(states: Sequence[State]) -> State:
    order = (State.NO_NOTE, State.OK, State.TRUNCATED, State.FAILED)
    return max(states, key=order.index, default=State.NO_NOTE)


def draw_curve(curve: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw losses by step into a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(curve["step"], curve["training"], color="#999", linewidth=0.8, label="training")
    axes.plot(curve["held-out step"], curve["held-out"], color="#a33", label="held out")
    axes.set(xlabel="step", ylabel="loss per answer token", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
