"""OBO 1.2 and 1.4 flat files: terms with scoped synonyms, cross-references and is_a parents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ontologies import curies
from ontologies.readers.items import EXACT, PREFERRED, Entry, Item, References, open_text

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(.*)')
_ESCAPES = {"n": "\n", "t": "\t", "W": " "}
_SCOPES = {"EXACT": EXACT, "RELATED": "related", "BROAD": "broad", "NARROW": "narrow"}

Stanza = list[tuple[str, str]]


def unescape(text: str) -> str:
    """Text without OBO's backslash escapes."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text)


def read(path: Path) -> Iterator[Item]:
    """Terms of an OBO file; obsolete terms and other stanzas are left out."""
    references = References()
    for line, stanza in _stanzas(path):
        entry = _entry(f"{path}:{line}", stanza, references)
        yield from references.drain()
        if entry is not None:
            yield entry


def _stanzas(path: Path) -> Iterator[tuple[int, Stanza]]:
    """Tag-value pairs of each [Term], with the line at which it starts."""
    start, inside = 0, False
    stanza: Stanza = []
    with open_text(path) as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            if line.startswith("["):
                if inside:
                    yield start, stanza
                start, stanza, inside = number, [], line == "[Term]"
            elif inside and ":" in line and not line.startswith("!"):
                tag, _, value = line.partition(":")
                stanza.append((tag, value.strip()))
    if inside:
        yield start, stanza


def _entry(place: str, stanza: Stanza, references: References) -> Entry | None:
    values: dict[str, list[str]] = {}
    for tag, value in stanza:
        values.setdefault(tag, []).append(value)
    if values.get("is_obsolete", [""])[0].startswith("true"):
        return None
    ids = references.take(place, values.get("id", [])[:1] or [""])
    if not ids:
        return None
    names = [(unescape(_plain(name)), PREFERRED) for name in values.get("name", [])[:1]]
    names += [name for value in values.get("synonym", []) if (name := _synonym(value))]
    return Entry(
        id=ids[0],
        source=curies.prefix_of(ids[0]),
        names=tuple(names),
        xrefs=references.take(place, [v.split()[0] for v in _identifiers(values, "xref")]),
        alternates=references.take(place, _identifiers(values, "alt_id")),
        parents=references.take(place, [v.split()[0] for v in _identifiers(values, "is_a")]),
        definition=_definition(values.get("def", [])),
    )


def _identifiers(values: dict[str, list[str]], tag: str) -> list[str]:
    return [unescape(value) for value in values.get(tag, []) if value]


def _plain(value: str) -> str:
    """A value without its trailing modifier or comment."""
    return re.split(r"(?<!\\)[!{]", value, maxsplit=1)[0].strip()


def _synonym(value: str) -> tuple[str, str] | None:
    """(text, scope) of a synonym line; a scope that is not said is `related`, as OBO states."""
    found = _QUOTED.match(value)
    if not found:
        return None
    words = found[2].split()
    scope = _SCOPES.get(words[0] if words else "", "related")
    text = unescape(found[1]).strip()
    return (text, scope) if text else None


def _definition(values: list[str]) -> str:
    found = _QUOTED.match(values[0]) if values else None
    return unescape(found[1]) if found else ""
