"""The retriever over an embedded graph: cuts, queries, and passages from ranked hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kg_builder.model import Subgraph
from kg_builder.snapshot import SnapshotInfo, list_snapshots
from kg_builder.snapshot_tables import find_snapshot
from kg_builder.store import check_as_of
from ontologies.linker import Seed
from retrieval.answer import answer
from retrieval.embedding import EmbeddingSource, open_embedder
from retrieval.nearness import Nearness
from retrieval.passages import Passage
from retrieval.patient_graph import OutcomeGraph, PatientGraph
from retrieval.patients import PatientContext, patient_context
from retrieval.rank import Query, Weights, edge_relevance, with_children
from retrieval.seeds import asks_for_path
from retrieval.view import View


class MissingCutError(LookupError):
    """There is no snapshot of the graph cut at, or before, the date that is asked for."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A snapshot of what was published by a day."""

    as_of: date
    path: Path


class GraphRetriever:
    """Ranked, cited sentences of an embedded graph; see `Retriever` for what it promises.

    With `as_of` the answer comes from the latest materialized cut that is not after it, and from
    nothing else: what was published between the cut and `as_of` is not seen. `cut_at` tells which
    cut that is. Safe to use from one thread at a time.
    """

    def __init__(
        self,
        current: Path,
        cuts: Sequence[Cut] = (),
        weights: Weights | None = None,
        nearness: Nearness | None = None,
    ):
        """Not for callers: use `open`."""
        self._current = current
        self._cuts = sorted(cuts, key=lambda cut: (cut.as_of, cut.path))
        self._weights = weights or Weights()
        self._nearness = nearness
        self._views: dict[Path, View] = {}
        self._patients: dict[Path, PatientGraph] = {}
        self._outcomes: dict[tuple[Path, str], OutcomeGraph] = {}

    @classmethod
    def open(
        cls,
        graph_url: str,
        weights: Weights | None = None,
        embedding: EmbeddingSource | None = None,
    ) -> GraphRetriever:
        """Open a graph directory (its `CURRENT` snapshot), a snapshot itself, or a Neo4j server.

        What a server holds is copied to the user's cache when its digest is not there yet; see
        `kg_builder.neo4j_mirror` for what a copy takes, and what it cannot know. Cuts of it are
        made in the copy.

        With `embedding` (a folder of sentence-transformers, a LlamaIndex `BaseEmbedding`) vectors
        rank too; they have to be there already, `MissingVectorsError` tells how to make them.

        The first opening of a snapshot indexes it, which takes about a second for each thousand
        articles, and keeps the index beside it. Cuts made later are seen when opened again. Raises
        `FileNotFoundError` where there is no graph and `ValueError` for an address of no store.
        """
        current = find_snapshot(graph_directory(graph_url))
        nearness = None if embedding is None else Nearness(open_embedder(embedding))
        return cls(current, _cuts(current), weights, nearness)

    @property
    def embeds(self) -> bool:
        """Whether vectors of an embedding model rank too."""
        return self._nearness is not None

    def weighing(self, weights: Weights) -> GraphRetriever:
        """The same graph, opened once, with other weights."""
        other = GraphRetriever(self._current, self._cuts, weights, self._nearness)
        other._views = self._views
        return other

    def cut_at(self, as_of: date) -> Cut:
        """The latest cut not after `as_of`; `MissingCutError` names the command that makes one."""
        check_as_of(as_of)
        earlier = [cut for cut in self._cuts if cut.as_of <= as_of]
        if not earlier:
            known = ", ".join(str(cut.as_of) for cut in self._cuts) or "none"
            graph = self._current.parent.parent
            raise MissingCutError(
                f"{graph} holds no cut at or before {as_of} (cuts: {known}); make one with "
                f"`medweave cut --graph {graph} --as-of {as_of}` and open the retriever again"
            )
        return earlier[-1]

    def view(self, as_of: date | None = None) -> View:
        """The snapshot that answers as of a date, opened once."""
        path = self._current if as_of is None else self.cut_at(as_of).path
        if path not in self._views:
            self._views[path] = View(path)
        return self._views[path]

    def retrieve(self, text: str, k: int = 10, as_of: date | None = None) -> list[Passage]:
        """The `k` best passages for a question or a note, one for each article.

        Raises `ValueError` for k below 1 or a date in the future, `MissingCutError` for a date
        before every cut.
        """
        _check(k)
        view = self.view(as_of)
        query = self.query(view, view.index.terms(text), view.seeds(text), asks_for_path(text))
        if self._nearness is not None and self._weights.vectors:
            query = replace(query, similar=self._nearness.of(view, text))
        return answer(view, query, self._weights, k)

    def retrieve_for_seeds(
        self, seeds: Sequence[Seed], k: int = 10, as_of: date | None = None
    ) -> tuple[list[Passage], Subgraph]:
        """Passages about the concepts, and the part of the graph that they come from.

        Seeds that the graph does not mention find nothing, and stay in the subgraph's `seeds`.
        """
        _check(k)
        view = self.view(as_of)
        query = self.query(view, {}, tuple(seeds), len(seeds) == 2)
        passages = answer(view, query, self._weights, k)
        return passages, view.subgraph(query.near, query.seeds, as_of)

    def retrieve_for_patient(
        self, seeds: Sequence[Seed], task: str, as_of: date | None = None, k: int = 10
    ) -> PatientContext:
        """What the literature says of a patient, by concept, for a task: see `retrieval.patients`.

        A seed counts by its weight; with `retrieval.patients.seed_of` that is what its assertion
        status says. Raises `UnknownTaskError` for a task without stated outcome.
        """
        (context,) = self.retrieve_for_patients([seeds], task, as_of, k)
        return context

    def retrieve_for_patients(
        self,
        patients: Iterable[Sequence[Seed]],
        task: str,
        as_of: date | None = None,
        k: int = 10,
    ) -> Iterator[PatientContext]:
        """The context of each patient, in order, made when it is asked for.

        What the snapshot says to all of them is computed once and kept for later calls.
        """
        _check(k)
        graph = self.outcome_graph(task, as_of)
        return (patient_context(graph, seeds, as_of, k) for seeds in patients)

    def outcome_graph(self, task: str, as_of: date | None = None) -> OutcomeGraph:
        """What the snapshot as of a date says to a task, computed once."""
        path = self.view(as_of).reader.tables.directory
        if path not in self._patients:
            self._patients[path] = PatientGraph(self.view(as_of))
        if (path, task) not in self._outcomes:
            self._outcomes[path, task] = OutcomeGraph(self._patients[path], task)
        return self._outcomes[path, task]

    def query(
        self, view: View, terms: dict[int, int], seeds: tuple[Seed, ...], bridging: bool = False
    ) -> Query:
        """What is asked of one snapshot."""
        ordered = tuple(sorted(seeds, key=lambda seed: (-seed.weight, seed.concept_id)))
        rows = view.known(seed.concept_id for seed in ordered)
        weights = {rows[s.concept_id]: s.weight for s in reversed(ordered) if s.concept_id in rows}
        near = view.near(weights)
        return Query(
            terms=terms,
            concepts=with_children(view, weights, self._weights.children),
            seeds=ordered,
            near=near,
            rows=rows,
            relevance=edge_relevance(near, weights),
            bridging=bridging,
        )

    def names(self, concept_ids: Iterable[str], as_of: date | None = None) -> dict[str, str]:
        """The preferred names of those concepts that the graph mentions, by id."""
        found = self.view(as_of).reader.concepts(sorted(set(concept_ids)))
        return {concept.id: concept.name for concept in found}

    def close(self) -> None:
        for view in self._views.values():
            view.close()
        for kept in (self._views, self._patients, self._outcomes):
            kept.clear()


def graph_directory(graph_url: str) -> str | Path:
    """The directory to read: the one given, or the copy of a server's snapshot.

    Raises `ValueError` for an address of no store, and as `kg_builder.neo4j_mirror.mirrored` does.
    """
    scheme, separator, _ = graph_url.partition("://")
    if not separator:
        return graph_url
    if not scheme.startswith(("neo4j", "bolt")):
        raise ValueError(f"{graph_url}: expected a graph directory or neo4j://HOST:PORT")
    from kg_builder.neo4j_mirror import mirrored

    return mirrored(graph_url)


def _check(k: int) -> None:
    if k < 1:
        raise ValueError(f"k is {k}, expected 1 or more")


def _cuts(current: Path) -> list[Cut]:
    """The cuts of the graph that a snapshot belongs to, one for each date.

    Of several cuts at one date (made before and after an update) the one with most articles is
    taken, ties by digest.
    """
    best: dict[str, SnapshotInfo] = {}
    for info in list_snapshots(current.parent.parent):
        as_of = info.origin.as_of
        if as_of is not None and (as_of not in best or info.articles > best[as_of].articles):
            best[as_of] = info
    return [Cut(date.fromisoformat(as_of), info.path) for as_of, info in best.items()]
