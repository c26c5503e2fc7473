"""The tokenizer of models that this project trains from scratch.

Byte-level pairs learned from clinical notes, so that any text has tokens and comes back as it
was. The parts of an answer that are always the same (`{"quote": "`, and each way to end an
object) are one token each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from extractor.prompt import INSTRUCT, closings, opening

PAD: Final = "<pad>"
END: Final = "<end>"
_OPEN: Final = opening(INSTRUCT)
FIXED: Final = (f"[{_OPEN}", f", {_OPEN}", *closings(INSTRUCT), "]", "[]")


def train_tokenizer(texts: Iterable[str], size: int) -> Any:
    """A `PreTrainedTokenizerFast` of at most `size` tokens, learned from the texts."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(FIXED),
        min_frequency=3,
        special_tokens=[PAD, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=False) for text in FIXED])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)
