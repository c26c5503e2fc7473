"""The commands that make vocabularies and linkers, and measure how well they work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ontologies.agreement import Agreement
from ontologies.concept import Vocabulary
from ray_jobs.options import emit, existing, json_option, linker_option, told_plainly

console = Console(highlight=False)
folder = click.Path(file_okay=False, path_type=Path)
LEVELS = {"mention": "span", "mention and id": "span_id", "concepts per document": "document"}
vocabulary_option = click.option(
    "--vocabulary",
    "directory",
    required=True,
    type=existing,
    help="What `medweave vocabulary build` made.",
)
MOST_PARTS = 60
"""A longer list is told by its length: what is in it stands in a file."""


@click.group()
def vocabulary() -> None:
    """Build, fetch and look at vocabularies."""


@vocabulary.command("build")
@click.argument("paths", nargs=-1, required=True, type=existing, metavar="PATH...")
@click.option("--out", required=True, type=folder, help="The folder to write.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    default=("ENG",),
    show_default=True,
    help="Languages of UMLS names to read, by the three letters of the UMLS.",
)
@click.option("--source", "sources", multiple=True, help="UMLS sources to read; all unless given.")
@click.option("--suppressed", is_flag=True, help="Read names that UMLS suppresses too.")
@json_option
def build(
    paths: tuple[Path, ...],
    out: Path,
    languages: tuple[str, ...],
    sources: tuple[str, ...],
    suppressed: bool,
    as_json: bool,
) -> None:
    """Join the vocabularies in PATH (files or folders) into one."""
    from ontologies.build import build_vocabulary

    with told_plainly(), console.status("reading") as status:
        report = build_vocabulary(
            paths,
            out,
            languages=languages,
            sources=sources or None,
            suppressed=suppressed,
            progress=status.update,
        )
    if as_json:
        emit(dataclasses.asdict(report))
        return
    print_report(report, f"Vocabulary in {out}")


@vocabulary.command("fetch")
@click.argument("name", required=False)
@click.option(
    "--into",
    default="vocabularies",
    type=folder,
    show_default=True,
    help="The folder in which a folder NAME is made.",
)
def fetch(name: str | None, into: Path) -> None:
    """Download a public vocabulary by NAME; without a name, list what there is."""
    from ontologies.fetch import catalog
    from ontologies.fetch import fetch as fetch_files

    if name is None:
        table = Table("name", "what", "version", "licence", "how to get it")
        for entry in catalog().values():
            how = entry.needs_licence or f"medweave vocabulary fetch {entry.name}"
            table.add_row(entry.name, entry.title, entry.version, entry.licence, how)
        console.print(table)
        return
    with told_plainly(), console.status(f"fetching {name}"):
        files = fetch_files(name, into / name)
    for file in files:
        known = "recorded now" if file.first else "as at the first fetch"
        console.print(f"{file.path}  SHA-256 {file.sha256} ({known})", soft_wrap=True)


@click.group()
def linker() -> None:
    """Train the linker."""


@linker.command("train")
@click.argument("corpora", nargs=-1, required=True, type=existing, metavar="FILE.pubtator...")
@click.option(
    "--hold-out",
    "held_out",
    multiple=True,
    type=existing,
    help="A PubTator file whose articles must enter no training.",
)
@vocabulary_option
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder for weights and card.",
)
def train(
    corpora: tuple[Path, ...], held_out: tuple[Path, ...], directory: Path, out: Path
) -> None:
    """Learn when a name means its concept, from annotated corpora in PubTator format."""
    from ontologies.train import train as train_weights

    with told_plainly(), console.status("training"):
        card = train_weights(corpora, held_out, Vocabulary.load(directory), out)
    print_report(card, f"Weights in {out}")


@click.group()
def evaluate() -> None:
    """Measure against annotated corpora."""


@evaluate.command("linking")
@click.argument("corpus", type=existing, metavar="FILE.pubtator")
@vocabulary_option
@linker_option
@json_option
def linking(corpus: Path, directory: Path, linker: str, as_json: bool) -> None:
    """Precision, recall and F1 of mentions and of concepts per document, by entity type."""
    from ontologies.evaluate import evaluate_linking
    from ontologies.linker import open_linker

    with told_plainly():
        opened = Vocabulary.load(directory)
        report = evaluate_linking(corpus, open_linker(linker, opened), opened)
    rows = {
        f"{kind}, {level}": getattr(scores, field)
        for kind, scores in report.types.items()
        for level, field in LEVELS.items()
    }
    unknown = {kind: scores.unknown_ids for kind, scores in report.types.items()}
    print_scores(rows, f"Linking on {report.articles} articles of {corpus.name}", as_json)
    if not as_json:
        for kind, count in unknown.items():
            if count:
                console.print(f"{count} marked ids of {kind} are unknown to the vocabulary: missed")


@evaluate.command("relations")
@click.argument("corpus", type=existing, metavar="FILE.pubtator")
@vocabulary_option
@json_option
def relations(corpus: Path, directory: Path, as_json: bool) -> None:
    """Chemical-induced diseases: pairs of an article that some sentence states as caused."""
    from kg_builder.evaluate_relations import evaluate_relations
    from ontologies.linker import open_linker
    from ray_jobs.mining import extractor_of

    with told_plainly():
        opened = Vocabulary.load(directory)
        report = evaluate_relations(
            corpus, open_linker("lexicon", opened), opened, extractor_of(opened)
        )
    rows = {"stated as caused": report.stated, "named in one sentence": report.co_occurrence}
    print_scores(rows, f"Relations on {report.articles} articles of {corpus.name}", as_json)


def print_scores(rows: Mapping[str, Agreement], title: str, as_json: bool) -> None:
    """Print a row of precision, recall and F1 for each score, or all of them as JSON."""
    values = {
        name: {"precision": score.precision, "recall": score.recall, "f1": score.f1}
        for name, score in rows.items()
    }
    if as_json:
        emit(values)
        return
    table = Table("", "precision", "recall", "F1", title=title, title_justify="left")
    for name, value in values.items():
        shown = ("-" if part is None else f"{part:.3f}" for part in value.values())
        table.add_row(name, *shown)
    console.print(table)


def print_report(report: Any, title: str) -> None:
    """Print a report value as a table of its fields; nested values one row each."""
    table = Table(title=title, title_justify="left", show_header=False)
    for field in dataclasses.fields(report):
        for name, value in flattened(field.name, getattr(report, field.name)):
            table.add_row(name.replace("_", " "), value)
    console.print(table)


def flattened(name: str, value: Any) -> list[tuple[str, str]]:
    """(name, text) of a value; of a mapping, value class or short sequence one for each part."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "items"):
        return [row for key, part in value.items() for row in flattened(f"{name}: {key}", part)]
    if isinstance(value, list | tuple):
        if len(value) > MOST_PARTS:
            return [(name, f"{len(value):,}")]
        return [row for part in value for row in flattened(name, part)]
    if isinstance(value, float):
        return [(name, f"{value:.3f}")]
    return [(name, f"{value:,}" if isinstance(value, int) else str(value))]
