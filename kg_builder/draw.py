"""Pictures of a concept's neighbourhood: an interactive page and a PNG with the same layout.

The page needs nothing but itself: SVG, style and script are in it, its content security policy
forbids everything from elsewhere, and its links (to PubMed) are followed only by a click.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from kg_builder.edge_styles import EdgeStyle, edge_legend, edge_style
from kg_builder.model import REFUTES, SUPPORTS, CitedEvidence, Edge
from kg_builder.neighbourhood import (
    EDGE_LABEL_PIXELS,
    LABEL_PIXELS,
    LINE_PIXELS,
    OTHER,
    Curve,
    Neighbourhood,
    Node,
    Picture,
    Spot,
    arrange,
    neighbourhood,
)
from kg_builder.store import GraphStore

GROUPS: Mapping[str, tuple[str, str]] = {
    "DISO": ("Disorders", "#e07b39"),
    "CHEM": ("Chemicals and drugs", "#3a7ca5"),
    "GENE": ("Genes and sequences", "#5b8e4a"),
    "PROC": ("Procedures", "#8661c1"),
    "PHYS": ("Physiology", "#2a9d8f"),
    "PHEN": ("Phenomena and results", "#b56d8b"),
    "ANAT": ("Anatomy", "#a98467"),
    "LIVB": ("Living beings", "#d4a017"),
    "DEVI": ("Devices", "#64748b"),
    OTHER: ("Other", "#9aa0a6"),
}
SENTENCES = 12
"""Sentences of each polarity that an edge opens to in a page."""


def draw_neighbourhood(
    store: GraphStore,
    concept_id: str,
    out: Path,
    *,
    limit: int = 25,
    as_of: date | None = None,
) -> list[Path]:
    """Write `out` as a page (`.html`) and a picture (`.png`); return the two paths.

    Needs networkx, and matplotlib for the picture. Raises `UnknownConceptError` where the graph
    has no such concept.
    """
    around = neighbourhood(store, concept_id, limit=limit, as_of=as_of)
    picture = arrange(around)
    sentences = [store.evidence(edge.key, as_of=as_of) for edge in around.edges]
    page, image = out.with_suffix(".html"), out.with_suffix(".png")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html_page(around, picture, sentences), encoding="utf-8")
    write_png(around, picture, image)
    return [page, image]


def heading(around: Neighbourhood) -> tuple[str, str]:
    """Title and a line below it that says what is shown."""
    node = around.nodes[0]
    cut = f", as of {around.as_of}" if around.as_of else ""
    return node.concept.name, (
        f"{node.concept.id} · {node.articles:,} articles · "
        f"{len(around.nodes) - 1} neighbours, {len(around.edges)} edges{cut}"
    )


def group_key(node: Node) -> str:
    """The semantic group that a node is coloured by."""
    return node.group if node.group in GROUPS else OTHER


def used_groups(around: Neighbourhood) -> list[tuple[str, str]]:
    """(name, colour) of the semantic groups that occur, in a fixed order."""
    used = {group_key(node) for node in around.nodes}
    return [value for key, value in GROUPS.items() if key in used]


# The page


def html_page(
    around: Neighbourhood, picture: Picture, sentences: Sequence[Sequence[CitedEvidence]]
) -> str:
    """The page as text; the same neighbourhood gives the same bytes."""
    title, subtitle = heading(around)
    data = {
        "nodes": [_node_data(node) for node in around.nodes],
        "edges": [
            _edge_data(around, edge, cited)
            for edge, cited in zip(around.edges, sentences, strict=True)
        ],
    }
    template = Template(Path(__file__).with_name("draw.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        legend="".join((*_group_legend(around), *_edge_legend(around))),
        svg=svg(around, picture),
        # No tag can end inside the data, whatever a sentence says.
        data=json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
    )


def _group_legend(around: Neighbourhood) -> list[str]:
    return [
        f'<li><i style="background:{colour}"></i>{escape(name)}</li>'
        for name, colour in used_groups(around)
    ]


def _edge_legend(around: Neighbourhood) -> list[str]:
    return [
        f'<li><svg class="line" viewBox="0 0 28 6"><path d="M0 3H28" stroke="{style.colour}" '
        f'stroke-width="3"{_dashes(style)}/></svg>{escape(label)}</li>'
        for label, style in edge_legend(around.edges)
    ]


def _dashes(style: EdgeStyle) -> str:
    lengths = " ".join(map(str, style.dashes))
    return f' stroke-dasharray="{lengths}"' if lengths else ""


def _node_data(node: Node) -> dict[str, Any]:
    return {
        "id": node.concept.id,
        "name": node.concept.name,
        "group": GROUPS[group_key(node)][0],
        "articles": node.articles,
        "synonyms": list(node.concept.synonyms[:12]),
        "definition": node.concept.definition,
    }


def _edge_data(around: Neighbourhood, edge: Edge, cited: Sequence[CitedEvidence]) -> dict[str, Any]:
    names = {node.concept.id: node.concept.name for node in around.nodes}
    return {
        "subject": names[edge.subject_id],
        "predicate": edge.predicate.lower().replace("_", " "),
        "object": names[edge.object_id],
        "supporting": edge.supporting,
        "refuting": edge.refuting,
        "hedged": edge.hedged,
        "years": [edge.first_year, edge.last_year],
        "supports": _sentence_data(c for c in cited if c.evidence.polarity == SUPPORTS),
        "refutes": _sentence_data(c for c in cited if c.evidence.polarity == REFUTES),
    }


def _sentence_data(cited: Iterable[CitedEvidence]) -> dict[str, Any]:
    found = list(cited)
    return {"total": len(found), "shown": [_sentence(c) for c in found[:SENTENCES]]}


def _sentence(cited: CitedEvidence) -> dict[str, Any]:
    found = cited.evidence
    spans = sorted(
        ((found.subject_start, found.subject_end), (found.object_start, found.object_end))
    )
    parts, at = [], 0
    for start, end in spans:
        begin = max(start - found.sentence_start, at)
        parts += [cited.sentence[at:begin], cited.sentence[begin : end - found.sentence_start]]
        at = max(end - found.sentence_start, begin)
    return {
        "pmid": found.pmid,
        "published": found.published.isoformat() if found.published else None,
        "hedged": found.hedged,
        "title": cited.title,
        "parts": [*parts, cited.sentence[at:]],  # every second part is a mention
    }


def svg(around: Neighbourhood, picture: Picture) -> str:
    """The picture as SVG; `data-edge` and `data-node` number what can be clicked."""
    lines = [
        f'<svg id="graph" viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" role="img" '
        f'aria-label="{escape(heading(around)[0])}" xmlns="http://www.w3.org/2000/svg">'
    ]
    index = {node.concept.id: at for at, node in enumerate(around.nodes)}
    drawn = list(zip(around.edges, picture.curves, strict=True))
    for at, (edge, curve) in reversed(list(enumerate(drawn))):
        lines.append(_svg_edge(at, edge, curve, index))
    for at, (node, spot) in enumerate(zip(around.nodes, picture.spots, strict=True)):
        lines.append(_svg_node(at, node, spot))
    return "\n".join((*lines, "</svg>"))


def _svg_edge(at: int, edge: Edge, curve: Curve, index: Mapping[str, int]) -> str:
    style = edge_style(edge)
    path = "M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}".format(
        *curve.start, *curve.control, *curve.end
    )
    arrow = " ".join(f"{x:.1f},{y:.1f}" for x, y in curve.arrow)
    parts = [
        f'<g class="edge" data-edge="{at}" data-a="{index[edge.subject_id]}" '
        f'data-b="{index[edge.object_id]}" tabindex="0">',
        f'<path class="hit" d="{path}"/>',
        f'<path d="{path}" stroke="{style.colour}" stroke-width="{curve.width:.1f}"'
        f"{_dashes(style)}/>",
    ]
    if arrow:
        parts.append(f'<polygon points="{arrow}" fill="{style.colour}"/>')
    if curve.label:
        parts.append(
            f'<text class="predicate" x="{curve.label_x:.1f}" y="{curve.label_y + 4:.1f}" '
            f'font-size="{EDGE_LABEL_PIXELS}">{escape(curve.label)}</text>'
        )
    return "".join((*parts, "</g>"))


def _svg_node(at: int, node: Node, spot: Spot) -> str:
    _, colour = GROUPS[group_key(node)]
    top = spot.y + spot.radius + LINE_PIXELS
    label = "".join(
        f'<tspan x="{spot.x:.1f}" y="{top + number * LINE_PIXELS:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(spot.lines)
    )
    kind = "node centre" if at == 0 else "node"
    return (
        f'<g class="{kind}" data-node="{at}" tabindex="0">'
        f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{spot.radius:.1f}" fill="{colour}"/>'
        f'<text font-size="{LABEL_PIXELS}">{label}</text></g>'
    )


# The picture


def write_png(around: Neighbourhood, picture: Picture, path: Path, *, dpi: int = 150) -> None:
    """Draw with matplotlib, a pixel of the layout to a hundredth of an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    head, foot = 74.0, 62.0
    width, height = max(picture.width, 760.0), picture.height + head + foot
    figure = Figure(figsize=(width / 100, height / 100), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    indent = (width - picture.width) / 2
    axes.set_xlim(-indent, width - indent)
    axes.set_ylim(picture.height + foot, -head)
    axes.set_axis_off()
    for edge, curve in reversed(list(zip(around.edges, picture.curves, strict=True))):
        _png_edge(axes, edge, curve)
    for at, (node, spot) in enumerate(zip(around.nodes, picture.spots, strict=True)):
        _png_node(axes, node, spot, central=at == 0)
    title, subtitle = heading(around)
    left = 24 - indent
    _text(axes, left, -head + 30, title, 20, ha="left", weight="bold", colour="#1f2933")
    _text(axes, left, -head + 54, subtitle, 12, ha="left", colour="#52606d")
    _png_legend(figure, around)
    figure.savefig(path, dpi=dpi, metadata={"Software": None})


def _text(
    axes: Any,
    x: float,
    y: float,
    text: str,
    pixels: float,
    *,
    ha: str = "center",
    weight: str = "normal",
    colour: str = "#1f2933",
    order: float = 4,
) -> None:
    from matplotlib.patheffects import withStroke

    axes.text(
        x,
        y,
        text.replace("$", r"\$"),  # a dollar sign would begin a formula
        fontsize=pixels * 0.72,
        ha=ha,
        va="center",
        weight=weight,
        color=colour,
        zorder=order,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )


def _png_edge(axes: Any, edge: Edge, curve: Curve) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path as Bezier

    colour, dashes = edge_style(edge)
    codes = [Bezier.MOVETO, Bezier.CURVE3, Bezier.CURVE3]
    axes.add_patch(
        PathPatch(
            Bezier([curve.start, curve.control, curve.end], codes),
            fill=False,
            edgecolor=colour,
            linewidth=curve.width * 0.72,
            linestyle=_line(dashes),
            capstyle="butt",
            zorder=1,
        )
    )
    if curve.arrow:
        axes.add_patch(Polygon(curve.arrow, closed=True, color=colour, linewidth=0, zorder=2))
    if curve.label:
        _text(
            axes, curve.label_x, curve.label_y, curve.label, EDGE_LABEL_PIXELS,
            colour="#3e4c59", order=3,
        )  # fmt: skip


def _line(dashes: tuple[int, ...]) -> Any:
    """A style of matplotlib, whose dashes are in points and grow with the line."""
    return (0, tuple(length / 3 for length in dashes)) if dashes else "solid"


def _png_node(axes: Any, node: Node, spot: Spot, *, central: bool) -> None:
    from matplotlib.patches import Circle

    _, colour = GROUPS[group_key(node)]
    edge = "#1f2933" if central else "white"
    axes.add_patch(
        Circle((spot.x, spot.y), spot.radius, facecolor=colour, edgecolor=edge, lw=1.6, zorder=3)
    )
    for number, line in enumerate(spot.lines):
        y = spot.y + spot.radius + LINE_PIXELS * (number + 0.75)
        _text(axes, spot.x, y, line, LABEL_PIXELS, weight="bold" if central else "normal")


def _png_legend(figure: Any, around: Neighbourhood) -> None:
    """Two rows below the picture: what the colours of circles mean, and those of edges."""
    from matplotlib.lines import Line2D

    dots = [
        Line2D([], [], marker="o", ls="", mfc=colour, mec="white", ms=9, label=name)
        for name, colour in used_groups(around)
    ]
    lines = [
        Line2D([], [], color=style.colour, ls=_line(style.dashes), lw=2.2, label=label)
        for label, style in edge_legend(around.edges)
    ]
    for handles, pixels in ((dots, 26), (lines, 4)):
        figure.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, pixels / 100 / figure.get_figheight()),
            ncols=len(handles),
            frameon=False,
            fontsize=8,
            columnspacing=1.4,
            handletextpad=0.5,
            borderpad=0.2,
        )
