"""What people and programs are shown of a graph: edges, sentences, paths."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg_builder.model import REFUTES, CitedEvidence, Edge
from kg_builder.paths import GraphPath
from kg_builder.store import GraphStore

console = Console(highlight=False)


def names_of(store: GraphStore, edges: Sequence[Edge]) -> dict[str, str]:
    """Concept id to preferred name, for all ends of the edges."""
    ids = sorted({end for edge in edges for end in (edge.subject_id, edge.object_id)})
    return {concept.id: concept.name for concept in store.concepts(ids)}


def edge_row(edge: Edge, names: dict[str, str]) -> dict[str, Any]:
    """An edge as data, with the names of its ends."""
    return {
        **dataclasses.asdict(edge),
        "subject": names[edge.subject_id],
        "object": names[edge.object_id],
    }


def edges_table(
    edges: Sequence[Edge], names: dict[str, str], title: str, beliefs: Sequence[float]
) -> Table:
    """A table of edges: assertion, articles for and against, years, belief."""
    table = Table(title=title or None, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("subject", "predicate", "object"):
        table.add_column(heading, overflow="fold")
    for heading in ("for", "against", "hedged", "years", "belief"):
        table.add_column(heading, justify="right", no_wrap=True)
    for edge, believed in zip(edges, beliefs, strict=True):
        years = "-".join(str(y) for y in dict.fromkeys((edge.first_year, edge.last_year)) if y)
        table.add_row(
            names[edge.subject_id],
            edge.predicate,
            names[edge.object_id],
            str(edge.supporting),
            Text(str(edge.refuting), style="red" if edge.refuting else ""),
            str(edge.hedged),
            years,
            f"{believed:.2f}",
        )
    return table


def evidence_row(cited: CitedEvidence) -> dict[str, Any]:
    """A piece of evidence as data: the assertion, the sentence and where it stands."""
    return {
        **cited.evidence._asdict(),
        "sentence": cited.sentence,
        "subject_text": cited.subject_text,
        "object_text": cited.object_text,
        "title": cited.title,
        "retracted": cited.retracted,
    }


def sentence_text(cited: CitedEvidence) -> Text:
    """The sentence with its two concepts in bold and its trigger underlined."""
    evidence = cited.evidence
    text = Text(cited.sentence)
    for start, end, style in (
        (evidence.subject_start, evidence.subject_end, "bold cyan"),
        (evidence.object_start, evidence.object_end, "bold magenta"),
        (evidence.cue_start, evidence.cue_end, "underline"),
    ):
        if end > start:
            offset = evidence.sentence_start
            text.stylize(style, start - offset, end - offset)
    return text


def print_evidence(evidence: Sequence[CitedEvidence]) -> None:
    """Print sentences with their PMID and year, each marked as for or against."""
    for cited in evidence:
        mark = ("[red]against[/]" if cited.evidence.polarity == REFUTES else "[green]for[/]") + (
            " [yellow]hedged[/]" if cited.evidence.hedged else ""
        )
        year = cited.evidence.published.year if cited.evidence.published else "undated"
        retracted = " [bold red]RETRACTED[/]" if cited.retracted else ""
        console.print(f"  PMID {cited.evidence.pmid} ({year}) {mark}{retracted}")
        console.print(Text("    ").append_text(sentence_text(cited)), soft_wrap=True)


def path_row(found: GraphPath) -> dict[str, Any]:
    """A path as data."""
    return {
        "score": found.score,
        "concepts": found.concepts,
        "steps": [[dataclasses.asdict(edge) for edge in step] for step in found.steps],
    }


def print_path(store: GraphStore, found: GraphPath, as_of: date | None) -> None:
    """Print a path, and for each of its steps the newest sentence of the strongest edge."""
    names = {concept.id: concept.name for concept in store.concepts(found.concepts)}
    shown = " – ".join(names[concept] for concept in found.concepts)
    console.print(f"[bold]{shown}[/]  (score {found.score:.3f})")
    for step in found.steps:
        edge = step[0]
        console.print(
            f" {names[edge.subject_id]} {edge.predicate} {names[edge.object_id]}: "
            f"{edge.supporting} for, {edge.refuting} against"
        )
        print_evidence(store.evidence(edge.key, as_of=as_of)[:1])
