"""A causal language model of transformers, run on this machine.

Prompts are sorted by length and answered in batches; each row of a batch carries its own grammar,
whose matcher tells which tokens may come next.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from extractor.llm import Ask, Completion, ModelError
from extractor.prompt import INSTRUCT, PROMPTS

ABOUT: Final = "medweave.json"
"""Beside the weights of a model of this project: its form of prompt, and how it was made."""


class LocalLLM:
    """See `LLM` for what it promises."""

    def __init__(self, model: Any, tokenizer: Any, form: str, version: str, batch: int) -> None:
        """Not for callers: use `open`."""
        from llguidance.hf import from_tokenizer

        self._model = model.eval()
        self._tokenizer = tokenizer
        self._ends = from_tokenizer(tokenizer, n_vocab=model.config.vocab_size)
        self._batch = batch
        self.form = form
        self.version = version

    @classmethod
    def open(cls, path: Path, *, batch: int = 32) -> LocalLLM:
        """Load weights and tokenizer of a folder; see `open_llm`."""
        about = read_about(path)
        base, adapter = path, None
        if (path / "adapter_config.json").exists():
            base, adapter = _base_of(path), path
        model, tokenizer = load_model(base)
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
        form = about.get("prompt", INSTRUCT)
        if form not in PROMPTS:
            raise ModelError(
                f"{path}: prompt {form!r} is unknown here; known: {', '.join(PROMPTS)}"
            )
        return cls(model, tokenizer, form, f"{path.name}@{weights_digest(path)}", batch)

    def complete(self, asks: Sequence[Ask], limit: int) -> list[Completion]:
        """The likeliest answers; see `LLM`."""
        encoded = [self._encode(ask.prompt) for ask in asks]
        order = sorted(range(len(asks)), key=lambda n: (len(encoded[n]), n))
        answers: dict[int, Completion] = {}
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            said = self._answer(
                [encoded[n] for n in chosen], [asks[n].grammar for n in chosen], limit
            )
            answers.update(zip(chosen, said, strict=True))
        return [answers[n] for n in range(len(asks))]

    def _encode(self, prompt: str) -> list[int]:
        ids: list[int] = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def _answer(
        self, prompts: Sequence[list[int]], grammars: Sequence[str | None], limit: int
    ) -> list[Completion]:
        """Greedy decoding of one batch, padded on the left; rows that ended leave the batch."""
        import torch

        matchers = [self._matcher(grammar) for grammar in grammars]
        said: list[list[int]] = [[] for _ in prompts]
        going = list(range(len(prompts)))
        with torch.inference_mode():
            past, shared = self._shared(prompts)
            ids, seen, places = _padded(prompts, self._model.device, shared)
            for _ in range(limit):
                out = self._model(
                    input_ids=ids, attention_mask=seen, position_ids=places,
                    past_key_values=past, use_cache=True, logits_to_keep=1,
                )  # fmt: skip
                past = out.past_key_values
                logits = out.logits[:, -1].float()
                self._mask(logits, [matchers[row] for row in going])
                ids = logits.argmax(-1, keepdim=True)
                taken = [
                    self._take(token, matchers[row], said[row])
                    for row, token in zip(going, ids[:, 0].tolist(), strict=True)
                ]
                left = [n for n, ended in enumerate(taken) if not ended]
                going = [going[n] for n in left]
                if not going:
                    break
                if len(left) < len(taken):
                    rows = torch.tensor(left, device=self._model.device)
                    ids, seen, places = ids[rows], seen[rows], places[rows]
                    past.batch_select_indices(rows)
                seen = torch.cat([seen, torch.ones_like(ids)], dim=1)
                places = places[:, -1:] + 1
        return [
            Completion(self._tokenizer.decode(tokens, skip_special_tokens=True), row in going)
            for row, tokens in enumerate(said)
        ]

    def _shared(self, prompts: Sequence[list[int]]) -> tuple[Any, int]:
        """What the model keeps of the tokens that all prompts begin with, and how many these are.

        An instruction is then read once for a batch, not once for each of its prompts.
        """
        import torch

        shared = _common(prompts)
        if len(prompts) < 2 or shared < _WORTH_SHARING:
            return None, 0
        ids = torch.tensor([prompts[0][:shared]], device=self._model.device)
        past = self._model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        past.batch_repeat_interleave(len(prompts))
        return past, shared

    def _matcher(self, grammar: str | None) -> Any:
        if grammar is None:
            return None
        from llguidance import LLMatcher

        matcher = LLMatcher(self._ends, grammar)
        if error := matcher.get_error():
            raise ValueError(f"the grammar of an answer is wrong: {error.splitlines()[0]}")
        return matcher

    def _mask(self, logits: Any, matchers: Sequence[Any]) -> None:
        """Take what the grammars do not allow out of the logits, in place."""
        import torch
        from llguidance.torch import allocate_token_bitmask, fill_next_token_bitmask

        size = logits.shape[1]
        bound = [n for n, m in enumerate(matchers) if m is not None]
        if not bound:
            return
        mask = allocate_token_bitmask(len(bound), size)
        for place, row in enumerate(bound):
            fill_next_token_bitmask(matchers[row], mask, place)
        mask = mask.to(logits.device)
        bits = torch.arange(32, dtype=torch.int32, device=logits.device)
        allowed = ((mask.unsqueeze(2) >> bits) & 1).reshape(len(bound), -1)[:, :size].bool()
        rows = torch.tensor(bound, device=logits.device)
        logits[rows] = logits[rows].masked_fill(~allowed, -torch.inf)

    def _take(self, token: int, matcher: Any, said: list[int]) -> bool:
        """Add a token to an answer; whether the answer ends with it."""
        if token == self._tokenizer.eos_token_id:
            return True
        said.append(token)
        if matcher is None:
            return False
        matcher.consume_token(token)
        return bool(matcher.is_stopped())

    def choose(self, prompts: Sequence[str], answers: Sequence[str]) -> list[list[float]]:
        """Probabilities of the answers' first tokens, renormalized; see `LLM`."""
        import torch

        firsts = [self._encode(answer)[0] for answer in answers]
        if len(set(firsts)) < len(firsts):
            raise ValueError("two answers begin with the same token; word them differently")
        encoded = [self._encode(prompt) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda n: (len(encoded[n]), n))
        chances: dict[int, list[float]] = {}
        with torch.inference_mode():
            for start in range(0, len(order), self._batch):
                chosen = order[start : start + self._batch]
                ids, seen, places = _padded([encoded[n] for n in chosen], self._model.device)
                out = self._model(
                    input_ids=ids, attention_mask=seen, position_ids=places, logits_to_keep=1
                )
                part = out.logits[:, -1, firsts].float().softmax(-1).tolist()
                chances.update(zip(chosen, part, strict=True))
        return [chances[n] for n in range(len(prompts))]


_WORTH_SHARING: Final = 32


def _common(rows: Sequence[list[int]]) -> int:
    """How many tokens all rows begin with; at least one of each is left."""
    shared = min(map(len, rows)) - 1
    for row in rows[1:]:
        shared = next((n for n in range(shared) if row[n] != rows[0][n]), shared)
    return shared


def _padded(rows: Sequence[list[int]], device: Any, shared: int = 0) -> tuple[Any, Any, Any]:
    """Token ids after the shared ones, padded on the left; which are real; their positions.

    Which are real is told of the shared ones too.
    """
    import torch

    rests = [row[shared:] for row in rows]
    longest = max(map(len, rests))
    ids = torch.tensor([[0] * (longest - len(rest)) + rest for rest in rests], device=device)
    seen = torch.tensor(
        [[1] * shared + [0] * (longest - len(rest)) + [1] * len(rest) for rest in rests],
        device=device,
    )
    return ids, seen, (seen.cumsum(-1) - 1).clamp(min=0)[:, shared:]


def load_model(path: Path, *, four_bit: bool = False) -> tuple[Any, Any]:
    """Model and tokenizer of a folder or GGUF file, on the GPU where there is one.

    `four_bit` quantizes the weights on loading, which needs a GPU and bitsandbytes. Weights must
    be safetensors or GGUF: a pickle is refused. Raises `ModelError`.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    gguf = _gguf(path)
    folder = gguf.parent if gguf else path
    if gguf is None and not any(path.glob("*.safetensors")):
        raise ModelError(
            f"{path}: no model there; expected *.safetensors with config.json, or *.gguf"
        )
    extra: dict[str, Any] = {"gguf_file": gguf.name} if gguf else {"use_safetensors": True}
    cuda = torch.cuda.is_available()
    extra["dtype"] = torch.bfloat16 if cuda else torch.float32
    if four_bit and importlib.util.find_spec("bitsandbytes") is not None:
        from transformers import BitsAndBytesConfig

        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **extra)
        name = {"gguf_file": gguf.name} if gguf else {}
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **name)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: not a causal language model that loads: {error}") from error
    return model.to("cuda" if cuda else "cpu"), tokenizer


def _gguf(path: Path) -> Path | None:
    if path.suffix == ".gguf":
        return path
    found = sorted(path.glob("*.gguf"))
    return found[0] if found and not any(path.glob("*.safetensors")) else None


def read_about(path: Path) -> dict[str, Any]:
    """What `medweave.json` of a model's folder says; empty where there is none."""
    file = path / ABOUT
    if not file.exists():
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ModelError(f"{file}: not JSON ({error}); take it from the model's source") from error
    return value if isinstance(value, dict) else {}


PACKAGE: Final = "package:"
"""Begins the base of an adapter whose base model lies in an installed Python package."""


def _base_of(adapter: Path) -> Path:
    """The folder of an adapter's base, whose weights must be those that it was fitted on."""
    about = read_about(adapter)
    named = about.get("base")
    if not named:
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        named = config.get("base_model_name_or_path")
    base = _package(str(named)) if str(named).startswith(PACKAGE) else adapter / str(named)
    if not base.exists():
        raise ModelError(f"{adapter}: its base model is not at {base}; set `base` in {ABOUT}")
    fitted_on = about.get("base_digest")
    if fitted_on and fitted_on != weights_digest(base):
        raise ModelError(
            f"{adapter}: the weights at {base} are not those that it was fitted on; name the "
            f"folder of these as `base` in {ABOUT}"
        )
    return base


def _package(named: str) -> Path:
    name = named.removeprefix(PACKAGE)
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ModelError(f"the base model is in package {name}, which is not installed here")
    return Path(found.submodule_search_locations[0])


def weights_digest(path: Path) -> str:
    """The first digits of a SHA-256 over the weight files of a folder."""
    total = hashlib.sha256()
    files = (
        [path] if path.is_file() else sorted([*path.glob("*.safetensors"), *path.glob("*.gguf")])
    )
    for file in files:
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                total.update(block)
    return total.hexdigest()[:12]
