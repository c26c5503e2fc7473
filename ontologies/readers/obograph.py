"""OBO graphs JSON: classes with synonyms and cross-references, and is_a edges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ontologies import curies
from ontologies.readers.items import (
    EXACT,
    PREFERRED,
    Entry,
    Fault,
    Item,
    References,
    UnreadableFileError,
    open_text,
)

_LOCAL = re.compile(r"([A-Za-z][A-Za-z0-9-]*)_([A-Za-z0-9]+)$")
_SCOPES = {
    "hasExactSynonym": EXACT,
    "hasRelatedSynonym": "related",
    "hasBroadSynonym": "broad",
    "hasNarrowSynonym": "narrow",
}
_OBSOLETE = "/ObsoleteClass"
_IDENTIFIER = re.compile(r"\S+:\S+")


def read(path: Path) -> Iterator[Item]:
    """Classes of all graphs of a file; deprecated classes and properties are left out."""
    for graph in _graphs(path):
        parents: dict[str, list[str]] = {}
        for edge in graph.get("edges", []):
            if edge.get("pred") in ("is_a", "subClassOf"):
                parents.setdefault(edge["sub"], []).append(edge["obj"])
        for position, node in enumerate(graph.get("nodes", [])):
            yield from _items(f"{path}: node {position}", node, parents)


def curie_of(iri: str) -> str | None:
    """The CURIE of an OBO or Orphanet IRI, or `None` where it is of no known form."""
    found = _LOCAL.search(iri.rsplit("/", 1)[-1])
    if not found:
        return None
    try:
        return curies.make(found[1], found[2])
    except curies.InvalidCurieError:
        return None


def _graphs(path: Path) -> list[dict[str, Any]]:
    try:
        with open_text(path) as text:
            document = json.load(text)
    except json.JSONDecodeError as error:
        raise UnreadableFileError(
            f"{path}:{error.lineno}: broken JSON ({error.msg}); fetch the file again"
        ) from error
    graphs = document.get("graphs") if isinstance(document, dict) else None
    if not isinstance(graphs, list):
        raise UnreadableFileError(
            f"{path}: expected an object with a list of graphs; export it as OBO graphs JSON"
        )
    return graphs


def _items(place: str, node: dict[str, Any], parents: dict[str, list[str]]) -> Iterator[Item]:
    meta = node.get("meta", {})
    obsolete = any(iri.endswith(_OBSOLETE) for iri in parents.get(node["id"], []))
    if node.get("type", "CLASS") != "CLASS" or meta.get("deprecated") or obsolete:
        return
    curie = curie_of(node["id"])
    if curie is None or not node.get("lbl"):
        yield Fault(place, "no-id-or-name", f"{node['id']} has no CURIE or no label")
        return
    references = References()
    above = [found for iri in parents.get(node["id"], []) if (found := curie_of(iri))]
    yield Entry(
        id=curie,
        source=curies.prefix_of(curie),
        names=((node["lbl"], PREFERRED), *_synonyms(meta)),
        xrefs=references.take(place, [x["val"] for x in meta.get("xrefs", []) if _useful(x)]),
        parents=tuple(dict.fromkeys(above)),
        definition=meta.get("definition", {}).get("val", ""),
    )
    yield from references.drain()


def _useful(xref: dict[str, Any]) -> bool:
    return bool(_IDENTIFIER.fullmatch(xref.get("val", "")))


def _synonyms(meta: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for synonym in meta.get("synonyms", []):
        if synonym.get("val"):
            yield synonym["val"], _SCOPES.get(synonym.get("pred", ""), "related")
