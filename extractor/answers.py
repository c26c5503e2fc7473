"""Answers: the grammar that holds a model to a window's own words, and the reading of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from extractor.prompt import COMPACT, Window
from extractor.schema import Kind, Stated, Status

MOST: Final = 40
"""No answer has more objects than this; an endless one would be cut by the token limit."""


class AnswerError(ValueError):
    """An answer that is not the JSON that was asked for. Its message holds none of its text."""


def grammar(window: Window, form: str) -> str:
    """The grammar of the answers to a window: quotes are runs of its own words.

    So a quote that does not stand in the window cannot be written at all.
    """
    space = " " if form == COMPACT else ""
    kinds = " | ".join(f'"{kind.value}"' for kind in Kind)
    statuses = " | ".join(f'"{status.value}"' for status in Status)
    return (
        f'start: "[]" | "[" item (", " item){{0,{MOST - 1}}} "]"\n'
        f'item: "{{\\"quote\\": \\"{space}" quote "\\", \\"kind\\": \\"" kind '
        f'"\\", \\"status\\": \\"" status "\\"}}"\n'
        f'quote: %regex {{ "substring_words": {json.dumps(window.text, ensure_ascii=False)} }}\n'
        f"kind: {kinds}\nstatus: {statuses}\n"
    )


def read_answer(text: str) -> list[Stated]:
    """The statements of a whole answer. Raises `AnswerError`.

    >>> read_answer('[{"quote": " gout", "kind": "problem", "status": "family"}]')[0].quote
    ' gout'
    """
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise AnswerError("an answer is not JSON") from error
    if not isinstance(value, list):
        raise AnswerError("an answer is not a JSON array")
    return [_stated(item) for item in value]


def read_cut_answer(text: str) -> list[Stated]:
    """The whole objects of an answer that was cut by the token limit."""
    end = text.rfind("}")
    if end < 0:
        return []
    try:
        return read_answer(text[: end + 1] + "]")
    except AnswerError:
        return []


def _stated(item: Any) -> Stated:
    if not isinstance(item, dict) or not isinstance(item.get("quote"), str):
        raise AnswerError("an object of an answer has no quote")
    try:
        return Stated(item["quote"], Kind(str(item.get("kind"))), Status(str(item.get("status"))))
    except ValueError as error:
        raise AnswerError("an object of an answer has an unknown kind or status") from error


def without_repeats(stated: Sequence[Stated], text: str) -> list[Stated]:
    """The statements, each quote at most as often as it stands in the text, none empty."""
    kept: list[Stated] = []
    for item in stated:
        quote = item.quote.strip()
        times = sum(1 for other in kept if other.quote.strip() == quote)
        if quote and times < max(1, text.count(quote)):
            kept.append(item)
    return kept
