"""The trained weights of the lexicon linker: what it learned, and from which articles (CARD.md)."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ontologies.precision import Precision


class Weights(NamedTuple):
    """The model, and the names learned from training corpora with the ids they were marked with."""

    precision: Precision
    names: tuple[tuple[str, str], ...]


def load_weights(directory: Path | None = None) -> Weights:
    """The weights of a directory that `train` wrote, or those that ship with the project."""
    from ontologies.precision import Precision

    place = directory or Path(__file__).parent
    with gzip.open(place / "names.tsv.gz", "rt", encoding="utf-8", newline="\n") as lines:
        pairs = [line.rstrip("\n").split("\t") for line in lines]
    names = tuple((text, curie) for text, curie in pairs)
    return Weights(Precision.load(place / "precision.npz"), names)
