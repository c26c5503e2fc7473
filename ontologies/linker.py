"""The seam between text and concepts: a `Linker` turns a text into `Mention`s."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary


class Mention(NamedTuple):
    """A stretch of text that names a concept, or that looks like a name and fits none.

    `text[start:end]` of the document is `text`; offsets count Unicode code points of the
    document exactly as it was given, `end` is exclusive. `concept_id` is `None` where no concept
    fits. `score` is the estimated probability, 0 to 1, that the mention means the concept.

    A named tuple rather than a dataclass: a corpus has dozens of mentions an article, and
    a frozen dataclass takes several times as long to make.
    """

    start: int
    end: int
    text: str
    concept_id: str | None
    score: float


class Seed(NamedTuple):
    """A concept to start from: in a question, a problem list or a note.

    `weight` is above 0; `status` is one of the assertion statuses of i2b2/VA 2010 and
    `historical`; `time` is an ISO 8601 moment, or `None` where it is not known.
    """

    concept_id: str
    weight: float = 1.0
    status: str = "present"
    time: str | None = None


class Linker(Protocol):
    """Finds concepts in text. Implementations are safe to use from one thread at a time.

    Mentions come ordered by start, do not overlap, and every `concept_id` is in the vocabulary
    that the linker was opened with. An empty text has no mentions.
    """

    @property
    def version(self) -> str:
        """Name and version of the method and its weights; part of what makes evidence unique."""
        ...

    def link(self, text: str) -> list[Mention]:
        """The mentions of a text."""
        ...

    def link_many(self, texts: Iterable[str]) -> list[list[Mention]]:
        """Link many texts, in order; equal to `[link(text) for text in texts]`, but faster."""
        ...


def open_linker(name: str, vocabulary: Vocabulary, **options: object) -> Linker:
    """Open a linker by name over a vocabulary: `lexicon` (default everywhere) or `scispacy`.

    Raises `ValueError` for an unknown name, listing the known ones. Options are those of the
    implementation (`notes=True` of the lexicon linker turns clinical shorthand on).
    """
    if name == "lexicon":
        from ontologies.lexicon_linker import LexiconLinker

        return LexiconLinker.open(vocabulary, **options)  # type: ignore[arg-type]
    if name == "scispacy":
        from ontologies.scispacy_linker import ScispacyLinker

        return ScispacyLinker.open(vocabulary, **options)  # type: ignore[arg-type]
    raise ValueError(f"unknown linker {name!r}; known: lexicon, scispacy")
