"""Pictures: what they show, that nothing touches, and that a page asks for nothing else."""

from __future__ import annotations

import json
import re
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from kg_builder.draw import SENTENCES, draw_neighbourhood, svg
from kg_builder.edge_styles import DENIED, DISPUTED, FAMILIES, edge_legend, edge_style
from kg_builder.memory_store import MemoryStore
from kg_builder.model import PREDICATES, REFUTES, PublicationDate
from kg_builder.neighbourhood import arrange, label_lines, neighbourhood, touching
from kg_builder.search import UnknownConceptError
from ontologies.concept import Concept
from tests.contracts.graphs import CONCEPTS, Statement, worlds, written

HOSTILE = '</script><script>alert("1")</script> & $title <b>'
MANY = tuple(
    Concept(f"C:{at:02}", f"a disease with a rather long name, number {at}", (), ("T047",))
    for at in range(30)
)


def crowd() -> MemoryStore:
    """A concept with 29 neighbours, some of them connected to each other."""
    star = [written(at, [Statement(0, at, "TREATS")], concepts=MANY) for at in range(1, 30)]
    ring = [
        written(100 + at, [Statement(at, at % 29 + 1, "CAUSES")], concepts=MANY)
        for at in range(1, 30, 2)
    ]
    return MemoryStore([*star, *ring], MANY)


def contested() -> MemoryStore:
    """Twenty sentences for a treatment, one against; one edge only denied; a hostile name."""
    concepts = (*CONCEPTS, Concept("X:1", HOSTILE, (), ("T121",)))
    year = PublicationDate(2001)
    treats = Statement(0, 3, "TREATS")
    mined = [written(at, [treats], published=year, concepts=concepts) for at in range(1, 21)]
    mined += [
        written(30, [treats._replace(polarity=REFUTES)], published=PublicationDate(2003, 2)),
        written(31, [Statement(0, 1, "CAUSES", REFUTES)], concepts=concepts),
        written(32, [Statement(0, 5, "INTERACTS_WITH")], concepts=concepts),
        written(33, [Statement(3, 1, "CO_OCCURS_WITH")], concepts=concepts),
    ]
    return MemoryStore(mined, concepts)


def page_data(page: Path) -> dict[str, list[dict[str, object]]]:
    tree = html.fromstring(page.read_text(encoding="utf-8"))
    (script,) = tree.xpath("//script[@id='data']")
    return dict(json.loads(script.text))


def test_an_edge_opens_to_its_sentences_supporting_and_refuting_apart(tmp_path: Path) -> None:
    page, _ = draw_neighbourhood(contested(), CONCEPTS[0].id, tmp_path / "aspirin")
    (treats,) = (edge for edge in page_data(page)["edges"] if edge["predicate"] == "treats")
    assert (treats["supporting"], treats["refuting"], treats["years"]) == (20, 1, [2001, 2003])
    supports, refutes = treats["supports"], treats["refutes"]
    assert isinstance(supports, dict)
    assert isinstance(refutes, dict)
    assert (supports["total"], len(supports["shown"])) == (20, SENTENCES)
    (against,) = refutes["shown"]
    assert (against["pmid"], against["published"]) == (30, "2003-02-28")
    assert against["parts"] == ["", "Aspirin", " treats ", CONCEPTS[3].name, "."]


def test_a_page_holds_all_it_needs_and_no_text_becomes_markup(tmp_path: Path) -> None:
    page, _ = draw_neighbourhood(contested(), CONCEPTS[0].id, tmp_path / "aspirin.html")
    text = page.read_text(encoding="utf-8")
    tree = html.fromstring(text)
    assert len(tree.xpath("//script")) == 2
    assert not tree.xpath("//b | //script[@src] | //link | //img | //iframe")
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]
    assert not re.search(r"@import|url\(", text)
    names = [node["name"] for node in page_data(page)["nodes"]]
    assert HOSTILE in names
    assert "$" not in text.replace(HOSTILE.replace("<", "\\u003c"), "").replace("$title", "")


def test_svg_shows_every_node_and_edge_once() -> None:
    around = neighbourhood(contested(), CONCEPTS[0].id)
    root = etree.fromstring(svg(around, arrange(around)))
    drawn = [int(e.get("data-edge")) for e in root.iterfind("{*}g[@data-edge]")]
    assert sorted(drawn) == list(range(len(around.edges)))
    assert len(around.edges) == 4
    shown = root.findall("{*}g[@data-node]")
    labels = [" ".join(t.text or "" for t in g.iterfind(".//{*}tspan")) for g in shown]
    assert labels[0] == "Aspirin"
    assert len(shown) == 4 == len(around.nodes)
    arrows = len(root.findall(".//{*}polygon"))
    assert arrows == 2  # the symmetric edges have none


def test_colour_tells_what_is_stated_and_dashes_that_it_is_denied() -> None:
    edges = neighbourhood(contested(), CONCEPTS[0].id).edges
    styles = {edge.predicate: edge_style(edge) for edge in edges}
    assert len({style.colour for style in styles.values()}) == 4
    assert styles["TREATS"].dashes == DISPUTED
    assert styles["CAUSES"].dashes == DENIED
    assert styles["INTERACTS_WITH"].dashes == styles["CO_OCCURS_WITH"].dashes == ()
    labels = [line.label for line in edge_legend(edges)]
    assert labels[-2:] == ["supported and refuted", "only refuted"]
    assert len(labels) == 6
    (plain,) = (edge for edge in edges if edge.predicate == "INTERACTS_WITH")
    assert [line.label for line in edge_legend([plain])] == ["interacts with"]
    assert set(FAMILIES) == set(PREDICATES)


def test_what_is_related_is_not_told_to_be_named_together_too() -> None:
    treats, together = Statement(0, 1, "TREATS"), Statement(0, 1, "CO_OCCURS_WITH")
    other = Statement(0, 2, "CO_OCCURS_WITH")
    mined = [written(at, [treats, together, other], concepts=MANY) for at in (1, 2)]
    edges = neighbourhood(MemoryStore(mined, MANY), "C:00", limit=2).edges
    assert [(edge.predicate, edge.object_id) for edge in edges] == [
        ("CO_OCCURS_WITH", "C:02"),
        ("TREATS", "C:01"),
    ]


def test_the_same_graph_gives_the_same_files(tmp_path: Path) -> None:
    first = draw_neighbourhood(crowd(), "C:00", tmp_path / "a" / "one")
    second = draw_neighbourhood(crowd(), "C:00", tmp_path / "b" / "one")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[1].read_bytes().startswith(b"\x89PNG")
    assert [path.suffix for path in first] == [".html", ".png"]


def test_nothing_touches_in_a_crowd() -> None:
    around = neighbourhood(crowd(), "C:00", limit=29)
    picture = arrange(around)
    assert len(picture.spots) == 30
    assert touching(picture.spots) == []
    named = [c for c in picture.curves if c.label]
    assert len(named) > len(picture.curves) / 2
    for one, other in combinations(named, 2):
        assert abs(one.label_x - other.label_x) > 20 or abs(one.label_y - other.label_y) > 10
    for spot in picture.spots:
        assert 0 < spot.x < picture.width
        assert 0 < spot.y < picture.height


@settings(max_examples=30, deadline=None)
@given(world=worlds(), at=st.integers(0, 4), limit=st.integers(1, 6))
def test_any_neighbourhood_can_be_arranged(world: object, at: int, limit: int) -> None:
    store = MemoryStore(*world)  # type: ignore[misc]
    ids = list(store.concept_ids())
    if not ids:
        return
    around = neighbourhood(store, ids[at % len(ids)], limit=limit)
    assert touching(arrange(around).spots) == []
    own = [e for e in around.edges if ids[at % len(ids)] in (e.subject_id, e.object_id)]
    assert len(own) <= limit
    assert {end for e in around.edges for end in (e.subject_id, e.object_id)} <= {
        node.concept.id for node in around.nodes
    }


def test_a_picture_as_of_a_date_knows_nothing_later(tmp_path: Path) -> None:
    page, _ = draw_neighbourhood(
        contested(), CONCEPTS[0].id, tmp_path / "then", as_of=date(2002, 1, 1)
    )
    (edge,) = page_data(page)["edges"]
    assert (edge["supporting"], edge["refuting"]) == (20, 0)
    assert "as of 2002-01-01" in page.read_text(encoding="utf-8")


def test_a_concept_alone_and_one_that_is_not_there(tmp_path: Path) -> None:
    store = MemoryStore([written(1, [Statement(0, 0, None)])], CONCEPTS)
    page, _ = draw_neighbourhood(store, CONCEPTS[0].id, tmp_path / "alone")
    assert page_data(page)["edges"] == []
    with pytest.raises(UnknownConceptError, match="medweave search"):
        draw_neighbourhood(store, "UMLS:C0000000", tmp_path / "none")


def test_labels_are_short() -> None:
    assert label_lines("Aspirin") == ("Aspirin",)
    assert label_lines("a/b ratio") == ("a/b ratio",)
    assert label_lines("trimethoprim/sulfamethoxazole") == ("trimethoprim/", "sulfamethoxazole")
    lines = label_lines("Antiphospholipid antibody syndrome with arterial thrombosis")
    assert len(lines) == 2
    assert all(len(line) <= 24 for line in lines)
    assert lines[1].endswith("…")
    assert label_lines("x" * 60) != ()
