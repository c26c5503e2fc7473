"""How an edge looks: its colour tells what it states, its dashes that articles deny it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kg_builder.model import Edge


class EdgeStyle(NamedTuple):
    """A colour, and the lengths of dashes and gaps in pixels (none: a solid line)."""

    colour: str
    dashes: tuple[int, ...] = ()


class LegendLine(NamedTuple):
    """A line of the legend."""

    label: str
    style: EdgeStyle


_HARM, _HELP, _INTERACT, _EFFECT, _OTHER, _TOGETHER = (
    ("causes, predisposes, complicates", "#c2255c"),
    ("treats, prevents", "#2f8f4e"),
    ("interacts with", "#7048a8"),
    ("inhibits, stimulates, affects", "#1f7a99"),
    ("associated, coexists, diagnoses, is a", "#7d8a9c"),
    ("named together", "#c9d0d9"),
)
FAMILIES: Mapping[str, tuple[str, str]] = {
    "CAUSES": _HARM,
    "PREDISPOSES": _HARM,
    "COMPLICATES": _HARM,
    "TREATS": _HELP,
    "PREVENTS": _HELP,
    "INTERACTS_WITH": _INTERACT,
    "INHIBITS": _EFFECT,
    "STIMULATES": _EFFECT,
    "AFFECTS": _EFFECT,
    "ASSOCIATED_WITH": _OTHER,
    "COEXISTS_WITH": _OTHER,
    "DIAGNOSES": _OTHER,
    "ISA": _OTHER,
    "CO_OCCURS_WITH": _TOGETHER,
}
"""By predicate, what its family is called and its colour, in the order of the legend."""

DISPUTED, DENIED = (9, 4), (2, 4)
"""Dashes of an edge that articles support and refute, and of one that they only refute."""

_DARK = "#3e4c59"


def edge_style(edge: Edge) -> EdgeStyle:
    """The style of an edge."""
    _, colour = FAMILIES[edge.predicate]
    if not edge.refuting:
        return EdgeStyle(colour)
    return EdgeStyle(colour, DISPUTED if edge.supporting else DENIED)


def edge_legend(edges: Iterable[Edge]) -> list[LegendLine]:
    """What the styles of these edges mean, families first; only what occurs."""
    shown = list(edges)
    used = {FAMILIES[edge.predicate] for edge in shown}
    lines = [
        LegendLine(label, EdgeStyle(colour))
        for label, colour in dict.fromkeys(FAMILIES.values())
        if (label, colour) in used
    ]
    dashes = {edge_style(edge).dashes for edge in shown}
    if DISPUTED in dashes:
        lines.append(LegendLine("supported and refuted", EdgeStyle(_DARK, DISPUTED)))
    if DENIED in dashes:
        lines.append(LegendLine("only refuted", EdgeStyle(_DARK, DENIED)))
    return lines
