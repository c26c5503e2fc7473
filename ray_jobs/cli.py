"""`medweave`: the command line."""

from __future__ import annotations

from importlib.metadata import version

import click

from ray_jobs import (
    asking,
    cohorts,
    comparing,
    embedding,
    evidence_evaluations,
    grouping,
    keeping,
    making,
    publishing,
    retrieving,
    risk,
    updating,
)
from ray_jobs.demo import demo
from ray_jobs.extract_notes import command as extract
from ray_jobs.extracting import extractor
from ray_jobs.extraction_figures import extraction
from ray_jobs.hospital import hospital
from ray_jobs.kg_build import command as kg_build
from ray_jobs.patients import command as contexts


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("medweave"))
def main() -> None:
    """A concept graph of PubMed in which every edge opens to its sentences."""


for _command in (
    asking.search,
    asking.neighbors,
    asking.evidence,
    asking.path,
    asking.stats,
    asking.cypher,
    retrieving.ask,
    contexts,
    grouping.communities,
    embedding.embed,
    keeping.digest,
    keeping.snapshots,
    keeping.export,
    keeping.draw,
    keeping.failures,
    updating.update,
    updating.cut,
    comparing.diff,
    publishing.publish,
    extract,
    hospital,
    extractor,
    making.vocabulary,
    making.linker,
    making.evaluate,
    cohorts.cohort,
    cohorts.seeds,
    cohorts.layout,
    demo,
):
    main.add_command(_command)
for _command in risk.COMMANDS:
    main.add_command(_command)
for _command in (*retrieving.EVALUATIONS, *evidence_evaluations.EVALUATIONS):
    making.evaluate.add_command(_command)
making.evaluate.add_command(extraction)
main.add_command(kg_build, "build")
