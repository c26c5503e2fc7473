"""What is around a concept, and where each part of it stands in a picture.

`neighbourhood` reads a store; `arrange` gives pixels, the same for every drawing of it: circles
with their labels below, no two of which touch, and edges as curves between the circles.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import NamedTuple

from kg_builder.model import SYMMETRIC, Edge
from kg_builder.search import UnknownConceptError
from kg_builder.store import GraphStore, strongest_first
from ontologies.concept import Concept
from ontologies.semantic_types import UnknownSemanticTypeError, group_of

SEED = 11
LABEL_PIXELS, LINE_PIXELS, EDGE_LABEL_PIXELS = 13, 16, 11
_CHARACTER = 0.62  # of a letter's height, its width: above the mean of common fonts
_PADDING = 8.0
OTHER = "OTHER"
TOGETHER = "CO_OCCURS_WITH"
MOST_TOGETHER = 2
"""Of each edge that relates two concepts there may be one that they are named together."""


class Node(NamedTuple):
    """A concept with its semantic group and the number of articles that mention it."""

    concept: Concept
    group: str
    articles: int


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A concept (`nodes[0]`), those it has its strongest edges with, and edges among them all."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    as_of: date | None


def neighbourhood(
    store: GraphStore, concept_id: str, *, limit: int = 25, as_of: date | None = None
) -> Neighbourhood:
    """The `limit` best supported edges of a concept and up to as many between its neighbours.

    Two concepts that an edge relates are not told to be named together too. Raises
    `UnknownConceptError` where the graph has no such concept.
    """
    if not store.concepts([concept_id]):
        raise UnknownConceptError(f"{concept_id} is not in this graph; try `medweave search`")
    most = store.edges([concept_id], as_of=as_of, limit_per_concept=MOST_TOGETHER * limit)
    own = _telling(most)[:limit]
    ids = {end for edge in own for end in (edge.subject_id, edge.object_id)} - {concept_id}
    among = [
        edge
        for edge in store.edges(sorted(ids), as_of=as_of)
        if edge.subject_id in ids and edge.object_id in ids
    ]
    concepts = store.concepts([concept_id, *sorted(ids)])
    counts = store.article_counts((c.id for c in concepts), as_of=as_of)
    nodes = tuple(Node(c, group_name(c), n) for c, n in zip(concepts, counts, strict=True))
    between = _telling(sorted(among, key=strongest_first))[:limit]
    edges = sorted({*own, *between}, key=strongest_first)
    return Neighbourhood(nodes, tuple(edges), as_of)


def _telling(edges: Sequence[Edge]) -> list[Edge]:
    """The edges, but for co-occurrence of two concepts that another one relates, in their order."""
    related = {_ends(edge) for edge in edges if edge.predicate != TOGETHER}
    return [edge for edge in edges if edge.predicate != TOGETHER or _ends(edge) not in related]


def _ends(edge: Edge) -> frozenset[str]:
    return frozenset((edge.subject_id, edge.object_id))


def group_name(concept: Concept) -> str:
    """The semantic group of a concept's first type, or `OTHER`."""
    try:
        return group_of(concept.semantic_types[0]) if concept.semantic_types else OTHER
    except UnknownSemanticTypeError:
        return OTHER


class Box(NamedTuple):
    """A rectangle by its centre."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Box) -> tuple[float, float]:
        """How far the two reach into each other along x and y; they touch where both are > 0."""
        return (
            (self.width + other.width) / 2 - abs(self.x - other.x),
            (self.height + other.height) / 2 - abs(self.y - other.y),
        )

    def touches(self, other: Box) -> bool:
        return min(self.overlap(other)) > 0


class Spot(NamedTuple):
    """A node in the picture: its circle, and the lines of its label below it."""

    x: float
    y: float
    radius: float
    lines: tuple[str, ...]

    @property
    def box(self) -> Box:
        """The room of circle and label together."""
        wide = max(len(line) for line in self.lines) * LABEL_PIXELS * _CHARACTER
        tall = len(self.lines) * LINE_PIXELS + 4
        return Box(self.x, self.y + tall / 2, max(wide, 2 * self.radius), 2 * self.radius + tall)


class Curve(NamedTuple):
    """An edge in the picture: a quadratic Bézier curve between two circles.

    `arrow` is the triangle at its end (empty for a symmetric edge); `label` stands at
    (`label_x`, `label_y`) and is empty where there is no room for it.
    """

    start: tuple[float, float]
    control: tuple[float, float]
    end: tuple[float, float]
    width: float
    arrow: tuple[tuple[float, float], ...]
    label: str
    label_x: float
    label_y: float


class Picture(NamedTuple):
    """Spots in the order of the nodes, curves in that of the edges, in pixels from (0, 0)."""

    width: float
    height: float
    spots: tuple[Spot, ...]
    curves: tuple[Curve, ...]


def label_lines(name: str) -> tuple[str, ...]:
    """A name in at most two lines of at most 24 characters."""
    parted = re.sub(r"/(?=\S)", "/ ", name)  # a slash is a place to break, too
    lines = textwrap.wrap(parted, 24, max_lines=2, placeholder=" …")
    return tuple(line.replace("/ ", "/") for line in lines) or (name[:24] or "?",)


def arrange(around: Neighbourhood) -> Picture:
    """Where everything stands: a force-directed layout, then labels pushed apart."""
    spots = _apart(_sprung(around))
    left = min(s.box.x - s.box.width / 2 for s in spots) - 40
    top = min(s.box.y - s.box.height / 2 for s in spots) - 40
    spots = [s._replace(x=s.x - left, y=s.y - top) for s in spots]
    width = max(s.box.x + s.box.width / 2 for s in spots) + 40
    height = max(s.box.y + s.box.height / 2 for s in spots) + 40
    return Picture(width, height, tuple(spots), tuple(_curves(around, spots)))


def _sprung(around: Neighbourhood) -> list[Spot]:
    """Positions of the force-directed layout, the concept itself in the middle."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(node.concept.id for node in around.nodes)
    for edge in around.edges:
        graph.add_edge(edge.subject_id, edge.object_id, weight=math.log2(2 + edge.supporting))
    places = nx.spring_layout(graph, seed=SEED, iterations=200, k=2.2 / math.sqrt(len(graph)))
    middle = places[around.nodes[0].concept.id]
    scale = 95 * math.sqrt(len(graph))
    return [
        Spot(
            float(places[node.concept.id][0] - middle[0]) * scale * 1.3,
            float(places[node.concept.id][1] - middle[1]) * scale * 0.8,
            _radius(node.articles) + (6 if at == 0 else 0),
            label_lines(node.concept.name),
        )
        for at, node in enumerate(around.nodes)
    ]


def _radius(articles: int) -> float:
    return min(8 + 1.8 * math.log2(1 + articles), 26)


def _apart(spots: Sequence[Spot], rounds: int = 2000) -> list[Spot]:
    """Push spots apart along the shorter way until no two boxes touch; the first stays."""
    moved = list(spots)
    for _ in range(rounds):
        touching = False
        for one, other in combinations(range(len(moved)), 2):
            a, b = _padded(moved[one].box), _padded(moved[other].box)
            if a.touches(b):
                touching = True
                _push(moved, one, other, a.overlap(b))
        if not touching:
            break
    return moved


def _padded(box: Box) -> Box:
    return box._replace(width=box.width + _PADDING, height=box.height + _PADDING)


def _push(spots: list[Spot], one: int, other: int, overlap: tuple[float, float]) -> None:
    a, b = spots[one], spots[other]
    sideways = overlap[0] < overlap[1]
    by = (overlap[0] if sideways else overlap[1]) + 0.5
    way = 1 if (b.box.x >= a.box.x if sideways else b.box.y >= a.box.y) else -1
    mine = 0.0 if one == 0 else by / 2
    yours = by - mine
    if sideways:
        spots[one], spots[other] = a._replace(x=a.x - way * mine), b._replace(x=b.x + way * yours)
    else:
        spots[one], spots[other] = a._replace(y=a.y - way * mine), b._replace(y=b.y + way * yours)


def _curves(around: Neighbourhood, spots: Sequence[Spot]) -> list[Curve]:
    spot = {node.concept.id: s for node, s in zip(around.nodes, spots, strict=True)}
    sides: dict[frozenset[str], list[Edge]] = {}
    for edge in around.edges:
        sides.setdefault(frozenset((edge.subject_id, edge.object_id)), []).append(edge)
    taken = [s.box for s in spots]
    curves = []
    for edge in around.edges:
        beside = sides[frozenset((edge.subject_id, edge.object_id))]
        bend = (beside.index(edge) - (len(beside) - 1) / 2) * 44
        bend = bend if edge.subject_id < edge.object_id else -bend
        curve = _curve(spot[edge.subject_id], spot[edge.object_id], edge, bend)
        if edge.predicate in SYMMETRIC:
            curve = curve._replace(end=curve.arrow[0], arrow=())
        curves.append(_labelled(curve, edge, taken))
    return curves


def _curve(a: Spot, b: Spot, edge: Edge, bend: float) -> Curve:
    far = math.hypot(b.x - a.x, b.y - a.y) or 1.0
    normal = (-(b.y - a.y) / far, (b.x - a.x) / far)
    control = ((a.x + b.x) / 2 + normal[0] * bend, (a.y + b.y) / 2 + normal[1] * bend)
    width = min(1.2 + 1.1 * math.log2(1 + edge.supporting), 8)
    head = 7 + 1.2 * width
    start = _towards(a, control, a.radius + 2)
    tip = _towards(b, control, b.radius + 2)
    end = _towards(b, control, b.radius + 2 + head * 0.8)
    back = _towards(b, control, b.radius + 2 + head)
    across = ((back[1] - tip[1]) * 0.42, -(back[0] - tip[0]) * 0.42)
    arrow = (
        tip,
        (back[0] + across[0], back[1] + across[1]),
        (back[0] - across[0], back[1] - across[1]),
    )
    return Curve(start, control, end, width, arrow, "", 0.0, 0.0)


def _towards(spot: Spot, point: tuple[float, float], distance: float) -> tuple[float, float]:
    far = math.hypot(point[0] - spot.x, point[1] - spot.y) or 1.0
    return (
        spot.x + (point[0] - spot.x) / far * distance,
        spot.y + (point[1] - spot.y) / far * distance,
    )


def _labelled(curve: Curve, edge: Edge, taken: list[Box]) -> Curve:
    """The curve with its predicate where there is room along it; co-occurrence says nothing."""
    if edge.predicate == "CO_OCCURS_WITH":
        return curve
    text = edge.predicate.lower().replace("_", " ")
    for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74):
        x, y = point_on(curve, t)
        width = len(text) * EDGE_LABEL_PIXELS * _CHARACTER
        box = Box(x, y, width + 6, EDGE_LABEL_PIXELS + 5)
        if not any(box.touches(other) for other in taken):
            taken.append(box)
            return curve._replace(label=text, label_x=x, label_y=y)
    return curve


def point_on(curve: Curve, t: float) -> tuple[float, float]:
    """The point at `t`, 0 to 1, of a curve."""
    parts = zip(curve.start, curve.control, curve.end, strict=True)
    x, y = ((1 - t) ** 2 * a + 2 * (1 - t) * t * b + t * t * c for a, b, c in parts)
    return x, y


def touching(spots: Iterable[Spot]) -> list[tuple[Spot, Spot]]:
    """Pairs of spots whose circles or labels touch: none, in an arranged picture."""
    return [(a, b) for a, b in combinations(spots, 2) if a.box.touches(b.box)]
