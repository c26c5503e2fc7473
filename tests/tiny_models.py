"""A language model with random weights: what it says is noise, but what it promises must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_random_llama(folder: Path, tokenizer: Any, *, window: int = 1024) -> Path:
    """Save a Llama of two layers that knows a tokenizer's tokens, and the tokenizer beside it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=window, tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
