"""Training the small model from scratch: a Llama of a few million weights, on marked notes.

The loss is that of the answers' tokens alone. Training can be interrupted and goes on from its
last checkpoint; the same data and seed give the same weights on the same machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from extractor.examples import Example, MarkedNote, examples, names_by_kind, stated, varied
from extractor.prompt import COMPACT, answer, prompt
from extractor.schema import Kind
from extractor.small_tokenizer import train_tokenizer

CHECKPOINT: Final = "checkpoint.pt"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How the model is made; saved beside its weights.

    Training ends after `steps`, or after `minutes` where these are given: then the same data and
    seed need not give the same weights. `checked` is how many held-out windows a loss is told of.
    """

    width: int = 128
    layers: int = 4
    inner: int = 352
    heads: int = 4
    vocabulary: int = 3072
    longest: int = 192
    tokens_per_batch: int = 1536
    steps: int = 2600
    minutes: float | None = None
    warmup: int = 50
    rate: float = 4e-3
    weight_decay: float = 0.05
    empty_share: float = 0.1
    seed: int = 1
    save_every: int = 200
    checked: int = 200


@dataclass(slots=True)
class Curve:
    """Loss per answer token by step, in training and on held-out windows."""

    steps: list[int] = field(default_factory=list)
    training: list[float] = field(default_factory=list)
    held_out_steps: list[int] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)

    def by_name(self) -> dict[str, list[float]]:
        """The curve as it is drawn."""
        return {
            "step": list(map(float, self.steps)),
            "training": self.training,
            "held-out step": list(map(float, self.held_out_steps)),
            "held-out": self.held_out,
        }


Encoded = tuple[list[int], int]
"""Token ids of prompt and answer, and how many of them are the prompt."""


def pretrain(
    training: Sequence[MarkedNote],
    held_out: Sequence[MarkedNote],
    out: Path,
    settings: Settings,
    tell: Tell = lambda _: None,
) -> Curve:
    """Train a model from scratch and save it, its tokenizer, settings and curve in `out`."""
    import torch

    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    windows = [example for note in training for example in examples(note)]
    pool = names_by_kind(training)
    tokenizer = _tokenizer(windows, out, settings)
    model = _new_model(settings, tokenizer)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    curve, first = _resume(out, model, optimizer)
    checked = _held_out_batches(held_out, tokenizer, settings)
    batches = _batches(windows, pool, tokenizer, settings, first)
    started = time.monotonic()
    step, share = first, first / settings.steps
    while share < 1:
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(step, share, settings)
        loss = _loss(model, next(batches), tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        share = max((step + 1) / settings.steps, _spent(started, settings))
        if step % 20 == 0:
            curve.steps.append(step)
            curve.training.append(loss.item())
            tell(f"step {step}: loss {loss.item():.4f}, {time.monotonic() - started:.0f} s")
        if (step + 1) % settings.save_every == 0 or share >= 1:
            with torch.no_grad():
                losses = [float(_loss(model, b, tokenizer.pad_token_id)) for b in checked]
            curve.held_out_steps.append(step + 1)
            curve.held_out.append(sum(losses) / max(len(losses), 1))
            tell(f"step {step + 1}: held-out loss {curve.held_out[-1]:.4f}")
            _save(out, model, optimizer, curve, step + 1, settings)
        step += 1
    return curve


def _spent(started: float, settings: Settings) -> float:
    return (time.monotonic() - started) / (60 * settings.minutes) if settings.minutes else 0.0


def _schedule(step: int, share: float, settings: Settings) -> float:
    """The share of the full rate: rising at first, falling in the last two fifths."""
    return max(0.01, min(1.0, (step + 1) / settings.warmup, (1 - share) / 0.4))


def _tokenizer(windows: Sequence[Example], out: Path, settings: Settings) -> Any:
    from transformers import PreTrainedTokenizerFast

    if (out / "tokenizer.json").exists():
        return PreTrainedTokenizerFast.from_pretrained(out)
    texts = (prompt(example.window, COMPACT) for example in windows)
    tokenizer = train_tokenizer(texts, settings.vocabulary)
    tokenizer.save_pretrained(out)
    return tokenizer


def _new_model(settings: Settings, tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=settings.width,
            intermediate_size=settings.inner,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.heads,
            max_position_embeddings=2 * settings.longest,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def encode(example: Example, tokenizer: Any) -> Encoded:
    """Token ids of an example's prompt and answer, and the length of the prompt."""
    asked = tokenizer(prompt(example.window, COMPACT), add_special_tokens=False)["input_ids"]
    said = tokenizer(answer(stated(example)), add_special_tokens=False)["input_ids"]
    return asked + said + [tokenizer.eos_token_id], len(asked)


def _batches(
    windows: Sequence[Example],
    pool: dict[Kind, list[str]],
    tokenizer: Any,
    settings: Settings,
    first: int,
) -> Iterator[list[Encoded]]:
    """Batches without end, by length, of about as many tokens each; batch `first` comes first."""
    empty = [e for e in windows if not e.findings]
    full = [e for e in windows if e.findings]
    number = 0
    while True:
        rng = Random(f"{settings.seed}/{number // 32}")
        chunk: list[Encoded] = []
        size = 0
        while size < 32 * settings.tokens_per_batch:
            source = empty if empty and rng.random() < settings.empty_share else full
            chosen = source[int(rng.random() * len(source))]
            encoded = encode(varied(chosen, pool, rng), tokenizer)
            if len(encoded[0]) <= settings.longest:
                chunk.append(encoded)
                size += len(encoded[0])
        made = _by_length(chunk, settings.tokens_per_batch)
        rng.shuffle(made)
        for batch in made:
            if number >= first:
                yield batch
            number += 1
        number += -number % 32 if number % 32 else 0


def _by_length(chunk: Sequence[Encoded], tokens: int) -> list[list[Encoded]]:
    made: list[list[Encoded]] = [[]]
    longest = 0
    for item in sorted(chunk, key=lambda e: len(e[0])):
        longest = max(longest, len(item[0]))
        if made[-1] and longest * (len(made[-1]) + 1) > tokens:
            made.append([])
            longest = len(item[0])
        made[-1].append(item)
    return made


def _held_out_batches(
    marked: Sequence[MarkedNote], tokenizer: Any, settings: Settings
) -> list[list[Encoded]]:
    encoded = [encode(example, tokenizer) for note in marked for example in examples(note)]
    fitting = [item for item in encoded if len(item[0]) <= settings.longest]
    return _by_length(fitting[: settings.checked], settings.tokens_per_batch) if fitting else []


def _loss(model: Any, batch: Sequence[Encoded], pad: int) -> Any:
    """Mean cross-entropy of the answers' tokens; logits are made for these alone."""
    import torch

    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row, _ in batch])
    asks = torch.zeros_like(ids, dtype=torch.bool)
    for number, (row, asked) in enumerate(batch):
        asks[number, asked - 1 : len(row) - 1] = True
    hidden = model.model(input_ids=ids).last_hidden_state
    logits = model.lm_head(hidden[asks])
    targets = ids[:, 1:][asks[:, :-1]]
    return torch.nn.functional.cross_entropy(logits, targets)


def _resume(out: Path, model: Any, optimizer: Any) -> tuple[Curve, int]:
    import torch

    path = out / CHECKPOINT
    if not path.exists():
        return Curve(), 0
    held = torch.load(path, weights_only=True)
    model.load_state_dict(held["model"])
    optimizer.load_state_dict(held["optimizer"])
    return Curve(**json.loads(held["curve"])), int(held["step"])


def _save(
    out: Path, model: Any, optimizer: Any, curve: Curve, step: int, settings: Settings
) -> None:
    import torch

    temporary = out / f".{CHECKPOINT}"
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "curve": json.dumps(asdict(curve)),
            "step": step,
        },
        temporary,
    )
    temporary.replace(out / CHECKPOINT)
    _half(model).save_pretrained(out)
    (out / "curve.json").write_text(json.dumps(asdict(curve)), encoding="utf-8")
    (out / "settings.json").write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")


def _half(model: Any) -> Any:
    """A copy of the model in half precision, as it is kept."""
    from copy import deepcopy

    import torch

    return deepcopy(model).to(torch.float16)
