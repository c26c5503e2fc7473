"""The sentence frames of `words/frames.txt`, read into pieces that a note is filled from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from predictor.synthetic.phrases import KIND_OF_CLASS, read_groups

STATUSES: Final[Mapping[str, str]] = {
    "+": "present", "-": "absent", "?": "possible", "~": "hypothetical", "f": "family",
    "h": "historical",
}  # fmt: skip
_PIECE = re.compile(
    r"\{([A-Z])([-+?~fh])([*=@]?)\}|<([^|>]+)\|([A-Z])([-+?~fh])>|\{([A-Za-z0-9]+)\}"
)


class FrameError(ValueError):
    """A frame that cannot be read; the message tells which."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a finding. `many` takes a list, `valued` a test with its value and unit,
    `placed` adds the site to the phrase.

    `text` is a fixed phrase, "" where the note chooses one.
    """

    letter: str
    status: str
    many: bool = False
    valued: bool = False
    placed: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Blank:
    """A place that the patient or chance fills, and that holds no finding: `{He}`, `{year}`."""

    name: str


Piece = str | Slot | Blank
Frame = tuple[Piece, ...]


def parse_frame(text: str) -> Frame:
    """The pieces of a frame, in order.

    >>> parse_frame("{He} denies {S-*}.")[2]
    Slot(letter='S', status='absent', many=True, valued=False, placed=False, text='')
    >>> parse_frame("no {Q-}")
    Traceback (most recent call last):
        ...
    predictor.synthetic.frames.FrameError: no {Q-}: unknown class 'Q'
    """
    pieces: list[Piece] = []
    at = 0
    for found in _PIECE.finditer(text):
        if found.start() > at:
            pieces.append(text[at : found.start()])
        letter, status, option, fixed, fixed_letter, fixed_status, blank = found.groups()
        if blank:
            pieces.append(Blank(blank))
        else:
            chosen = letter or fixed_letter
            if chosen not in KIND_OF_CLASS:
                raise FrameError(f"{text}: unknown class {chosen!r}")
            pieces.append(
                Slot(chosen, STATUSES[status or fixed_status], many=option == "*",
                     valued=option == "=", placed=option == "@", text=fixed or "")
            )  # fmt: skip
        at = found.end()
    if at < len(text):
        pieces.append(text[at:])
    if any(sign in piece for piece in pieces if isinstance(piece, str) for sign in "{}<|"):
        raise FrameError(f"{text}: a brace or bar is left over")
    return tuple(pieces)


@cache
def frames() -> Mapping[str, tuple[Frame, ...]]:
    """Group to its frames, in the order of the file."""
    return {
        group: tuple(parse_frame(line) for line in lines)
        for group, lines in read_groups("frames.txt").items()
    }
