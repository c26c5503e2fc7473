"""Answers: the grammar that holds a model to a window's own words, and the reading of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from extractor.prompt import Window, between, closings, opening
from extractor.schema import Kind, Stated, Status


class AnswerError(ValueError):
    """An answer that is not the JSON that was asked for. Its message holds none of its text."""


def grammar(window: Window, form: str) -> str:
    """The grammar of the answers to a window: quotes are runs of its words, in their order.

    So a quote that does not stand in the window cannot be written at all, none is empty, and each
    begins after the end of the one before it. Rule `a` opens a finding at a chunk of the text or a
    later one, `s` goes on with the quote or closes it, `b` ends the answer or goes on.
    """
    chunks = _CHUNK.findall(window.text)
    words = [chunk[0].isalnum() for chunk in chunks]
    ends = [word or chunk in _ENDS for word, chunk in zip(words, chunks, strict=True)]
    rules = [
        # Where only one text can follow, any tokens that spell it may: a model has its own.
        '%llguidance { "no_forcing": true }',
        'start: "[]"' + (' | "[" a0' if any(words) else ""),
        f"open: {_literal(opening(form))}",
        f"more: {_literal(between(form))}",
        "close: " + " | ".join(map(_literal, closings(form))),
    ]
    last = max((n for n, word in enumerate(words) if word), default=-1)
    for n, (chunk, word) in enumerate(zip(chunks[: last + 1], words, strict=False)):
        later = f" | a{n + 1}" if n < last else ""
        rules.append(f"a{n}: open w{n} s{n}{later}" if word else f"a{n}: a{n + 1}")
        rules.append(f"w{n}: {_literal(chunk)}")
        on = [f"w{n + 1} s{n + 1}"] if n < last else []
        rules.append(f"s{n}: " + " | ".join(([f"close b{n + 1}"] if ends[n] else []) + on))
        rules.append(f'b{n + 1}: "]"' + (f" | more a{n + 1}" if n < last else ""))
    return "\n".join(rules) + "\n"


_ENDS = (")", "%", "+", "'")
"""Marks that a quote may end with."""

_CHUNK = re.compile(r"\w+|\s+|[^\w\s]")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


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
    """The whole findings of an answer that was cut by the token limit."""
    end = max(text.rfind("}"), text.rfind('"]'))
    if end < 0:
        return []
    end += text[end] == '"'
    try:
        return read_answer(text[: end + 1] + "]")
    except AnswerError:
        return []


def _stated(item: Any) -> Stated:
    """A finding as an object, or in brief as the array of quote, kind and status."""
    if isinstance(item, list) and len(item) == 3:
        item = dict(zip(("quote", "kind", "status"), item, strict=True))
    if not isinstance(item, dict) or not isinstance(item.get("quote"), str):
        raise AnswerError("a finding of an answer has no quote")
    try:
        return Stated(item["quote"], Kind(str(item.get("kind"))), Status(str(item.get("status"))))
    except ValueError as error:
        raise AnswerError("a finding of an answer has an unknown kind or status") from error


def without_repeats(stated: Sequence[Stated], text: str) -> list[Stated]:
    """The statements, each quote at most as often as it stands in the text, none empty."""
    kept: list[Stated] = []
    for item in stated:
        quote = item.quote.strip()
        times = sum(1 for other in kept if other.quote.strip() == quote)
        if quote and times < max(1, text.count(quote)):
            kept.append(item)
    return kept
