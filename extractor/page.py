"""A page that shows one note with its findings marked; it needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from extractor.schema import Finding, Note, Status

_COLOURS: Mapping[Status, str] = {
    Status.PRESENT: "#f8c9c4",
    Status.ABSENT: "#d5e8d4",
    Status.POSSIBLE: "#ffe9a8",
    Status.HYPOTHETICAL: "#e3d7f4",
    Status.FAMILY: "#cfe3f7",
    Status.HISTORICAL: "#e2e2e2",
}
_STYLE = """
body { font: 16px/1.7 Georgia, serif; max-width: 46em; margin: 2em auto; color: #222 }
h1 { font: 600 1.1em system-ui, sans-serif } .note { white-space: pre-wrap }
mark { padding: .1em .2em; border-radius: .25em; border-bottom: 2px solid; color: inherit }
mark.problem { border-color: #a33 } mark.treatment { border-color: #36a }
mark.test { border-color: #777 }
small { font: .68em system-ui, sans-serif; color: #555; margin-left: .3em }
p.key { font: .8em system-ui, sans-serif; color: #444 }
"""


def note_page(
    note: Note, findings: Iterable[Finding], names: Mapping[str, str] | None = None
) -> str:
    """HTML of the note's text with each finding in its place, its kind and status beside it.

    `names` gives the name of a concept's id. Of overlapping findings the first is marked.
    """
    names = names or {}
    parts: list[str] = []
    at = 0
    for finding in sorted(findings, key=lambda f: (f.start, -f.end)):
        if finding.start >= at:
            parts += [escape(note.text[at : finding.start]), _marked(finding, names)]
            at = finding.end
    parts.append(escape(note.text[at:]))
    key = " ".join(
        f'<mark style="background:{colour}">{status.value}</mark>'
        for status, colour in _COLOURS.items()
    )
    title = f"Note {escape(str(note.note_id))}"
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n"
        f'<p class="key">{key} &middot; underlined red: problem, blue: treatment, grey: test</p>\n'
        f'<div class="note">{"".join(parts)}</div></html>\n'
    )


def _marked(finding: Finding, names: Mapping[str, str]) -> str:
    said = [finding.kind.value, finding.status.value]
    if finding.value:
        said.append(" ".join(filter(None, (finding.value, finding.unit))))
    concept = finding.concept and names.get(finding.concept, finding.concept)
    title = escape(", ".join([*said, *([concept] if concept else [])]), quote=True)
    colour = _COLOURS[finding.status]
    return (
        f'<mark class="{finding.kind.value}" style="background:{colour}" title="{title}">'
        f"{escape(finding.quote)}<small>{finding.status.value}</small></mark>"
    )
