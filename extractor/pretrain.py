"""Training the small model from scratch: a Llama of a few million weights, on marked notes.

The loss is that of the answers' tokens alone. Training can be interrupted and goes on from its
last checkpoint; the same data and seed give the same batches with any number of processes, and the
same weights on the same machine. A GPU is used where there is one.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count, islice
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

    @classmethod
    def load(cls, path: Path) -> Settings:
        """The settings of a file; raises `ValueError` where they are not a small model's."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{path}: expected settings as they lie beside a small model ({error})"
            ) from error


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

CHUNK: Final = 32
"""Batches are drawn so many at a time, so that each holds texts of about one length."""


def pretrain(
    training: Sequence[MarkedNote],
    held_out: Sequence[MarkedNote],
    out: Path,
    settings: Settings,
    tell: Tell = lambda _: None,
    *,
    processes: int = 0,
) -> Curve:
    """Train a model from scratch and save it, its tokenizer, settings and curve in `out`.

    With `processes` batches are made beside the training, by so many processes.
    """
    out.mkdir(parents=True, exist_ok=True)
    windows = [example for note in training for example in examples(note)]
    tokenizer = _tokenizer(windows, out, settings)
    source = _Source(windows, names_by_kind(training), tokenizer, settings)
    checked = _held_out_batches(held_out, tokenizer, settings)
    with _chunks(source, processes) as chunks:
        return _train(chunks, checked, tokenizer, out, settings, tell)


def _train(
    chunks: Callable[[int], Iterator[list[list[Encoded]]]],
    checked: Sequence[list[Encoded]],
    tokenizer: Any,
    out: Path,
    settings: Settings,
    tell: Tell,
) -> Curve:
    import torch

    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = _new_model(settings, tokenizer).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    curve, first = _resume(out, model, optimizer)
    started = time.monotonic()
    step, share = first, first / settings.steps
    for batch in _batches(chunks, first):
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(step, share, settings)
        loss = _loss(model, batch, tokenizer.pad_token_id)
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


def encode(some: Sequence[Example], tokenizer: Any) -> list[Encoded]:
    """Token ids of each example's prompt and answer, and the length of the prompt."""
    asked = [prompt(example.window, COMPACT) for example in some]
    said = [answer(stated(example)) for example in some]
    ids = [tokenizer(texts, add_special_tokens=False)["input_ids"] for texts in (asked, said)]
    return [(a + b + [tokenizer.eos_token_id], len(a)) for a, b in zip(*ids, strict=True)]


@dataclass(frozen=True, slots=True)
class _Source:
    """What batches are drawn from; a chunk depends on its number and the seed alone."""

    windows: Sequence[Example]
    pool: dict[Kind, list[str]]
    tokenizer: Any
    settings: Settings

    def chunk(self, number: int) -> list[list[Encoded]]:
        """`CHUNK` batches of texts of about one length, of about as many tokens each."""
        settings = self.settings
        rng = Random(f"{settings.seed}/{number}")
        drawn: list[Encoded] = []
        size = 0
        while size < CHUNK * settings.tokens_per_batch:
            some = [varied(self._window(rng), self.pool, rng) for _ in range(256)]
            fitting = [e for e in encode(some, self.tokenizer) if len(e[0]) <= settings.longest]
            drawn += fitting
            size += sum(len(ids) for ids, _ in fitting)
        made = _by_length(drawn, settings.tokens_per_batch)
        rng.shuffle(made)
        return made[:CHUNK]

    def _window(self, rng: Random) -> Example:
        """A window drawn at random; of those without a finding only a stated share is kept."""
        while True:
            chosen = self.windows[int(rng.random() * len(self.windows))]
            if chosen.findings or rng.random() < self.settings.empty_share:
                return chosen


_held: list[_Source] = []
"""What a process draws from: it inherits the windows, which are too many to be sent to it."""


def _chunk(number: int) -> list[list[Encoded]]:
    return _held[0].chunk(number)


@contextmanager
def _chunks(
    source: _Source, processes: int
) -> Iterator[Callable[[int], Iterator[list[list[Encoded]]]]]:
    """A function from the number of the first chunk to all chunks from there, without end."""
    if not processes:
        yield lambda first: map(source.chunk, count(first))
        return
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, fork, _held.append, (source,)) as pool:
        yield lambda first: _ahead(pool, first, 2 * processes)
        pool.shutdown(cancel_futures=True)


def _ahead(pool: ProcessPoolExecutor, first: int, many: int) -> Iterator[list[list[Encoded]]]:
    """Chunks in their order, the next `many` of them being made meanwhile."""
    numbers = count(first)
    waiting = deque(pool.submit(_chunk, number) for number in islice(numbers, many))
    while True:
        yield waiting.popleft().result()
        waiting.append(pool.submit(_chunk, next(numbers)))


def _batches(
    chunks: Callable[[int], Iterator[list[list[Encoded]]]], first: int
) -> Iterator[list[Encoded]]:
    """Batches without end; batch `first` comes first."""
    skipped = first % CHUNK
    for chunk in chunks(first // CHUNK):
        yield from chunk[skipped:]
        skipped = 0


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
    encoded = encode([example for note in marked for example in examples(note)], tokenizer)
    fitting = [item for item in encoded if len(item[0]) <= settings.longest]
    return _by_length(fitting[: settings.checked], settings.tokens_per_batch) if fitting else []


def _loss(model: Any, batch: Sequence[Encoded], pad: int) -> Any:
    """Mean cross-entropy of the answers' tokens; logits are made for these alone."""
    import torch

    longest = max(len(ids) for ids, _ in batch)
    rows = torch.tensor([row + [pad] * (longest - len(row)) for row, _ in batch])
    places = torch.arange(longest)
    asked = torch.tensor([[asked - 1] for _, asked in batch])
    ends = torch.tensor([[len(row) - 1] for row, _ in batch])
    at = torch.nonzero(((places >= asked) & (places < ends)).reshape(-1)).squeeze(1)
    targets = rows.reshape(-1)[at + 1].to(model.device)
    with torch.autocast(model.device.type, torch.bfloat16, enabled=model.device.type == "cuda"):
        hidden = model.model(input_ids=rows.to(model.device)).last_hidden_state
        logits = model.lm_head(hidden.reshape(-1, hidden.shape[-1])[at.to(model.device)])
    return torch.nn.functional.cross_entropy(logits.float(), targets)


def _resume(out: Path, model: Any, optimizer: Any) -> tuple[Curve, int]:
    import torch

    path = out / CHECKPOINT
    if not path.exists():
        return Curve(), 0
    held = torch.load(path, map_location=model.device, weights_only=True)
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

    return deepcopy(model).to("cpu", torch.float16)
