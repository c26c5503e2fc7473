"""`medweave diff`: what changed in a graph between two snapshots or dates, edge by edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from kg_builder.history import KINDS, EdgeChange, EdgeHistory, State, compare
from kg_builder.snapshot import find_by_digest
from kg_builder.snapshot_reader import SnapshotReader
from kg_builder.snapshot_tables import find_snapshot
from ray_jobs.config import parse_cut
from ray_jobs.options import directory_option, emit, json_option, predicate_option, told_plainly

console = Console(highlight=False)

TABLE_ROWS = 20
SHOWN_PMIDS = 6


@dataclass(frozen=True, slots=True)
class Named:
    """A state that a person named: a snapshot's folder, and a date where one was given."""

    snapshot: Path
    as_of: date | None

    @property
    def label(self) -> str:
        return self.as_of.isoformat() if self.as_of else self.snapshot.name[:16]


def named_state(graph: str, text: str, today: date) -> Named:
    """A date cuts the current snapshot; anything else begins the digest of a snapshot.

    Raises `FileNotFoundError` where no snapshot, or more than one, begins so; `ValueError` for
    a date in the future.
    """
    is_date = len(text) == 4 or "-" in text  # four digits could begin a digest: they are a year
    if is_date and text.replace("-", "").isdigit():
        return Named(find_snapshot(graph), parse_cut(text, today))
    return Named(find_by_digest(graph, text), None)


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@directory_option
@predicate_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only such changes.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    help=f"Edges of each kind; unless given, {TABLE_ROWS} in the table, all in JSON.",
)
@json_option
def diff(
    before: str,
    after: str,
    graph: str,
    predicates: tuple[str, ...],
    kinds: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """What changed from A to B: edges gained, lost, strengthened, weakened, contradicted, cleared.

    A and B are dates (YYYY, YYYY-MM, YYYY-MM-DD) of the current snapshot, or digests of snapshots.
    """
    with told_plainly():
        one, other = (named_state(graph, text, date.today()) for text in (before, after))
        readers = [SnapshotReader(state.snapshot) for state in (one, other)]
    with closing(readers[0]), closing(readers[1]):
        states = [State(r, s.as_of) for r, s in zip(readers, (one, other), strict=True)]
        history = compare(*states, predicates=predicates or None)
        chosen = kinds or KINDS
        if as_json:
            emit(history_json(history, (one.label, other.label), readers, chosen, limit))
        else:
            print_history(history, readers, chosen, limit or TABLE_ROWS)


def history_json(
    history: EdgeHistory,
    labels: tuple[str, str],
    readers: Sequence[SnapshotReader],
    kinds: Iterable[str],
    limit: int | None,
) -> dict[str, Any]:
    """Changes by kind as data, with the count of all; an edge stands under each of its kinds."""
    changes = {kind: history.changes(kind, limit) for kind in kinds}
    names = names_of([change for found in changes.values() for change in found], readers)
    rows = {kind: [change_row(one, names) for one in found] for kind, found in changes.items()}
    return {"before": labels[0], "after": labels[1], "counts": history.count(), **rows}


def change_row(change: EdgeChange, names: Mapping[str, str]) -> dict[str, Any]:
    """A change as data, with the names of the edge's ends."""
    row = asdict(change)
    key = row.pop("key")
    ends = {"subject": names[key["subject_id"]], "object": names[key["object_id"]]}
    counts = {side: row.pop(side)._asdict() for side in ("before", "after")}
    return {**key, **ends, **counts, **row}


def names_of(changes: Iterable[EdgeChange], readers: Sequence[SnapshotReader]) -> Mapping[str, str]:
    """Concept id to preferred name, for all ends of the edges; the later reader's names count."""
    ids = {end for change in changes for end in (change.key.subject_id, change.key.object_id)}
    return {c.id: c.name for reader in readers for c in reader.concepts(sorted(ids))}


def print_history(
    history: EdgeHistory, readers: Sequence[SnapshotReader], kinds: Iterable[str], limit: int
) -> None:
    """A table of each kind of change that there is, and how many of it are not shown."""
    counts = history.count()
    for kind in kinds:
        found = history.changes(kind, limit)
        if found:
            title = f"{kind}: {counts[kind]:,} edges"
            more = counts[kind] - len(found)
            console.print(
                changes_table(found, readers, title + (f", {more:,} not shown" * (more > 0)))
            )
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    console.print(f"Edges: {told}.")


def changes_table(
    changes: Sequence[EdgeChange], readers: Sequence[SnapshotReader], title: str
) -> Table:
    """Edges, articles for and against before and after, and the PMIDs that did it."""
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("edge", "for", "against", "articles"):
        table.add_column(heading, overflow="fold")
    names = names_of(changes, readers)
    for change in changes:
        key, was, now = change.key, change.before, change.after
        table.add_row(
            f"{names[key.subject_id]} {key.predicate} {names[key.object_id]}",
            f"{was.supporting} → {now.supporting}",
            f"{was.refuting} → {now.refuting}",
            articles_text(change),
        )
    return table


def articles_text(change: EdgeChange) -> str:
    """The PMIDs that changed an edge, each list shortened with the number left out."""
    lists = (
        ("for +", change.supporting_gained),
        ("for -", change.supporting_lost),
        ("against +", change.refuting_gained),
        ("against -", change.refuting_lost),
        ("no more hedged", change.firmed),
        ("now hedged", change.softened),
    )
    parts = []
    for name, pmids in lists:
        if pmids:
            more = f" and {len(pmids) - SHOWN_PMIDS} more" if len(pmids) > SHOWN_PMIDS else ""
            parts.append(f"{name}: {', '.join(map(str, pmids[:SHOWN_PMIDS]))}{more}")
    return "; ".join(parts)
