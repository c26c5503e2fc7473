"""The snapshot, built by as many workers as there are where they share the graph's disk."""

from __future__ import annotations

from pathlib import Path

import ray

from kg_builder.assemble import merge_articles, merge_edges
from kg_builder.concepts_table import check_vocabulary
from kg_builder.current import CurrentView, current_view
from kg_builder.gather import Plan
from kg_builder.ledger import Ledger
from kg_builder.snapshot import (
    Progress,
    SnapshotInfo,
    finish,
    origin_of,
    partition,
    plan_parts,
    working_folder,
)
from ontologies.concept import Vocabulary


@ray.remote(num_cpus=1)
def _partition(address: str, view: CurrentView, place: int, fixed: Plan, folder: str) -> None:
    partition(Ledger.open(address), view, place, fixed, Path(folder))


@ray.remote(num_cpus=1)
def _merge_articles(folder: str, bucket: int) -> None:
    merge_articles(Path(folder), bucket)


@ray.remote(num_cpus=1)
def _merge_edges(folder: str, bucket: int, fixed: Plan) -> None:
    merge_edges(Path(folder), bucket, fixed)


def build_in_parallel(
    graph: str, address: str, vocabulary: Vocabulary, progress: Progress
) -> SnapshotInfo:
    """The same snapshot as `kg_builder.snapshot.build_snapshot`, its parts made by Ray tasks.

    For workers that see the graph's folder under the driver's path; `address` is the ledger's.
    """
    ledger = Ledger.open(address)
    view = current_view(ledger)
    check_vocabulary(view.shards, vocabulary)
    with working_folder(graph) as folder:
        fixed = plan_parts(ledger, view, progress)
        seen, planned = ray.put(view), ray.put(fixed)
        places = [place for place in range(len(view.shards)) if len(view.of_shard(place)[0])]
        _run(
            "number",
            [_partition.remote(address, seen, place, planned, str(folder)) for place in places],
            progress,
        )
        merges = [_merge_articles.remote(str(folder), b) for b in range(fixed.article_buckets)]
        merges += [_merge_edges.remote(str(folder), b, planned) for b in range(fixed.edge_buckets)]
        _run("merge", merges, progress)
        progress("assemble", 0, 1)
        info = finish(graph, folder, fixed, vocabulary, origin_of(view))
        progress("assemble", 1, 1)
    return info


def _run(step: str, tasks: list[ray.ObjectRef[None]], progress: Progress) -> None:
    """Wait for all tasks, telling how many are done; the first failure is raised."""
    left, total = list(tasks), len(tasks)
    while left:
        done, left = ray.wait(left)
        ray.get(done)
        progress(step, total - len(left), total)
