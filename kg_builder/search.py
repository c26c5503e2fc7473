"""Which concepts a text names, best first: the one ranking that every store uses.

An index of a store (the tables of `name_index`, a full-text index of a server) only proposes
candidates; `rank` decides, so that all stores answer alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ontologies.concept import Concept

if TYPE_CHECKING:
    from kg_builder.store import GraphStore

Number = TypeVar("Number", float, npt.NDArray[np.float64])

_TOKEN = re.compile(r"[^\W_]+")
_CUI = re.compile(r"C\d{7}", re.IGNORECASE)

CODE, NAME, SYNONYM, PREFIX, OVERLAP = range(5)
"""How well a text fits: an identifier, the exact name, an exact synonym, the beginning of
a name, words in common."""


class UnknownConceptError(LookupError):
    """A text is no identifier and no exact name of a concept of the graph."""


class Fit(NamedTuple):
    """How well a text fits a concept; the smaller, the better."""

    kind: int
    distance: float


def tokens(text: str) -> tuple[str, ...]:
    """Words of a text, case folded: `Crohn's disease` → `crohn`, `s`, `disease`."""
    return tuple(_TOKEN.findall(text.casefold()))


def normalize(text: str) -> str:
    """The words of a text with single spaces between them: what names are compared by."""
    return " ".join(tokens(text))


def code_key(text: str) -> str:
    """A text as an identifier is compared: case folded, a bare CUI with its prefix."""
    text = text.strip()
    return f"UMLS:{text}".casefold() if _CUI.fullmatch(text) else text.casefold()


def prefix_distance(asked: int, named: Number) -> Number:
    """How much of a name is missing after the beginning that was asked for, from lengths."""
    return 1.0 - asked / named


def overlap_distance(shared: Number, asked: int, named: Number) -> Number:
    """1 - Dice coefficient (Dice 1945) of two sets of words, from their sizes."""
    return 1.0 - 2.0 * shared / (asked + named)


def fit(text: str, concept: Concept) -> Fit | None:
    """How well a text fits a concept, or `None` where it does not.

    >>> fit("heart fail", Concept("UMLS:C0018801", "Heart failure")).kind == PREFIX
    True
    >>> fit("kidney", Concept("UMLS:C0018801", "Heart failure")) is None
    True
    """
    code = code_key(text)
    if any(code == xref.casefold() for xref in (concept.id, *concept.xrefs)):
        return Fit(CODE, 0.0)
    query = normalize(text)
    if not query:
        return None
    if query == normalize(concept.name):
        return Fit(NAME, 0.0)
    names = {normalize(name) for name in (concept.name, *concept.synonyms)}
    if query in names:
        return Fit(SYNONYM, 0.0)
    starts = [prefix_distance(len(query), len(name)) for name in names if name.startswith(query)]
    if starts:
        return Fit(PREFIX, min(starts))
    return _overlap(frozenset(query.split(" ")), names)


def _overlap(asked: frozenset[str], names: Iterable[str]) -> Fit | None:
    best = None
    for name in names:
        named = frozenset(name.split(" "))
        shared = len(asked & named)
        if shared:
            distance = overlap_distance(shared, len(asked), len(named))
            best = distance if best is None else min(best, distance)
    return None if best is None else Fit(OVERLAP, best)


def rank(text: str, candidates: Iterable[Concept], limit: int = 10) -> list[Concept]:
    """The concepts that a text fits, best first, ties by id; at most `limit`.

    Ranked by kind of fit (identifier, exact name, exact synonym, prefix, words in common), then
    by how much of the name the text covers.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}, expected 1 or more")
    fits = {}
    for concept in candidates:
        found = fit(text, concept)
        if found is not None:
            fits[concept.id] = (found, concept.id, concept)
    return [concept for *_, concept in sorted(fits.values(), key=lambda f: f[:2])[:limit]]


def resolve(store: GraphStore, text: str) -> Concept:
    """The concept that a person means by an identifier, a CUI, or an exact name.

    Of several concepts with that name the one mentioned in most articles is taken (ties by id).
    Raises `UnknownConceptError` with the nearest names where there is none.
    """
    found = store.search(text, limit=25)
    fits = [(fit(text, concept), concept) for concept in found]
    best = min((f.kind for f, _ in fits if f is not None), default=OVERLAP)
    if best > SYNONYM:
        raise UnknownConceptError(_not_found(text, found))
    same = [concept for f, concept in fits if f is not None and f.kind == best]
    counts = store.article_counts(concept.id for concept in same)
    return min(zip(counts, same, strict=True), key=lambda pair: (-pair[0], pair[1].id))[1]


def _not_found(text: str, found: list[Concept]) -> str:
    if not found:
        return f"{text!r} names no concept of this graph; try `medweave search` with other words"
    near = "; ".join(f"{concept.name} ({concept.id})" for concept in found[:5])
    return f"{text!r} is no exact name or identifier in this graph; did you mean: {near}"
