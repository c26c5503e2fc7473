"""Vectors of articles: what is kept, what is computed again, and what it does to a ranking."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.embeddings.base import BaseEmbedding

from kg_builder.snapshot_tables import find_snapshot
from kg_builder.update import cut_snapshot
from retrieval import open_retriever
from retrieval.embed import WINDOW, EmbeddingInProgressError, embed_snapshot, windows
from retrieval.embedding import NoEmbeddingModelError, open_embedder
from retrieval.evaluate import WITH_VECTORS, evaluate_questions
from retrieval.llama import EvidenceRetriever
from retrieval.question_sets import Question
from retrieval.retriever import GraphRetriever
from retrieval.vectors import (
    SCALE,
    MissingVectorsError,
    Vectors,
    open_vectors,
    quantized,
    vectors_folder,
)
from tests.retrieval.embedders import Bag
from tests.retrieval.worlds import article, build, demo_records, in_force_until

TOLD = [
    article(1, "Lame steeds were frequent.", "It rained."),
    article(2, "Hypertension was frequent.", year=2004),
    article(3, "Metformin was given."),
]


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_similarity_is_exact(articles: int, size: int, seed: int) -> None:
    """Against whole numbers of Python, whose sums know no order."""
    drawn = np.random.default_rng(seed)
    rows = np.sort(drawn.integers(0, articles, articles + 3))
    found = quantized(drawn.normal(size=(len(rows), size)))
    asked = quantized(drawn.normal(size=size))
    got = Vectors.of(found, rows, np.zeros((len(rows), 16), np.uint8)).similarities(asked)
    expected = []
    for row in sorted(set(rows.tolist())):
        own = [found[i].tolist() for i in range(len(rows)) if rows[i] == row]
        dots = [sum(a * b for a, b in zip(one, asked.tolist(), strict=True)) for one in own]
        norm = sum(sum(column) ** 2 for column in zip(*own, strict=True)) ** 0.5
        mean = sum(dots) / ((norm or 1.0) * SCALE)
        expected.append(0.5 * (max(dots) / SCALE**2 + mean))
    assert got.tolist() == expected


def test_quantized_vectors_keep_their_angles() -> None:
    one, other = np.random.default_rng(1).normal(size=(2, 384))
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    whole = quantized(np.stack((one, other))).astype(np.int64)
    assert whole[0] @ whole[1] / SCALE**2 == pytest.approx(cosine, abs=5e-4)
    assert quantized(np.zeros(4)).tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="no number"):
        quantized([0.0, float("nan")])


def test_windows_are_whole_sentences() -> None:
    sentences = [" ".join(["word"] * n) for n in (100, 28, 1, 200, 3)]
    text = " ".join(sentences)
    ends = np.cumsum([len(sentence) + 1 for sentence in sentences]) - 1
    spans = [(int(e) - len(s), int(e)) for e, s in zip(ends, sentences, strict=True)]
    found = windows(text, spans, Bag())
    assert [len(window.split()) for window in found] == [128, 1, 200, 3]
    assert WINDOW == 128
    assert windows("", [], Bag()) == []


def test_an_update_embeds_what_is_new(tmp_path: Path) -> None:
    graph = build(tmp_path, [TOLD[:2]])
    first = Bag()
    report = embed_snapshot(find_snapshot(graph), first)
    assert (report.articles, report.windows, report.computed, report.reused) == (2, 2, 2, 0)
    assert embed_snapshot(find_snapshot(graph), first).articles == 0
    revised = article(2, "Hypertension was rare.")
    build(tmp_path, [TOLD[:2], [revised, TOLD[2]]])
    later = Bag()
    report = embed_snapshot(find_snapshot(graph), later)
    assert (report.articles, report.computed, report.reused) == (3, 2, 1)
    assert sorted(later.asked) == ["Hypertension was rare.", "Metformin was given."]


def test_retracted_articles_have_no_vector(tmp_path: Path) -> None:
    retracted = article(9, "Steeds were cured.", retracted=True)
    snapshot = find_snapshot(build(tmp_path, [[*TOLD, retracted]]))
    assert embed_snapshot(snapshot, Bag()).articles == 3


def test_a_killed_run_goes_on(demo_graph: Path, tmp_path: Path) -> None:
    """Killed after 100 texts, its log torn: what was whole is not computed again."""
    snapshot = find_snapshot(build(tmp_path / "killed", demo_records()))
    with pytest.raises(KeyboardInterrupt):
        embed_snapshot(snapshot, Bag(dies_after=100))
    folder = vectors_folder(snapshot, Bag().digest)
    log = folder.with_name(f"{folder.name}.log")
    with log.open("r+b") as torn:
        torn.truncate(log.stat().st_size - 7)
    second = Bag()
    report = embed_snapshot(snapshot, second)
    assert not log.exists()
    assert report.computed == len(second.asked)
    assert 0 < report.windows - report.computed <= 100
    embed_snapshot(find_snapshot(demo_graph), Bag())
    whole = vectors_folder(find_snapshot(demo_graph), Bag().digest)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in whole.iterdir())
    assert all((folder / name).read_bytes() == (whole / name).read_bytes() for name in names)


def test_one_process_embeds_a_snapshot(tmp_path: Path) -> None:
    snapshot = find_snapshot(build(tmp_path, [TOLD]))

    class Second(Bag):
        def texts(self, texts: object) -> object:
            with pytest.raises(EmbeddingInProgressError, match="another process"):
                embed_snapshot(snapshot, Bag())
            return super().texts(texts)  # type: ignore[arg-type]

    assert embed_snapshot(snapshot, Second()).computed == 3


def test_vectors_find_what_words_and_concepts_do_not(tmp_path: Path) -> None:
    graph = build(tmp_path, [TOLD])
    assert open_retriever(graph).retrieve("Do horses limp?") == []
    embed_snapshot(find_snapshot(graph), Bag())
    found = open_retriever(graph, embedding=Bag()).retrieve("Do horses limp?")
    assert found[0].pmid == 1


def test_a_graph_without_vectors_says_what_to_do(tmp_path: Path) -> None:
    graph = build(tmp_path, [TOLD])
    with pytest.raises(MissingVectorsError, match="medweave embed --graph"):
        open_retriever(graph, embedding=Bag()).retrieve("gout")
    snapshot = find_snapshot(graph)
    embed_snapshot(snapshot, Bag())
    vectors = open_vectors(snapshot, Bag().digest, "bag")
    with pytest.raises(ValueError, match="3 components"):
        vectors.similarities(np.zeros(3, np.int16))


def test_no_model_is_looked_up_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoEmbeddingModelError, match=r"modules\.json"):
        open_embedder("sentence-transformers/all-MiniLM-L6-v2")
    (tmp_path / "modules.json").write_text("[]")
    bag = Bag()
    assert open_embedder(bag) is bag


def test_later_articles_move_no_vector_score(tmp_path: Path) -> None:
    """A cut equals a graph built from what was published by then, to the last digit."""
    day = date(2001, 12, 31)
    whole = build(tmp_path / "whole", demo_records())
    cut = cut_snapshot(whole, day)
    then = build(tmp_path / "then", [in_force_until(day)])
    for snapshot in (cut.path, find_snapshot(then)):
        embed_snapshot(snapshot, Bag())
    one, other = (GraphRetriever.open(graph, embedding=Bag()) for graph in (whole, then))
    for text in ("What causes hyperkalemia?", "horses that limp", "vitamin D, falls"):
        assert one.retrieve(text, as_of=day) == other.retrieve(text)


def test_order_of_texts_plays_no_part(tmp_path: Path) -> None:
    """Files in another order: the same answers."""
    files = [[record] for record in TOLD]
    graphs = []
    for name in ("one", "other"):
        graphs.append(build(tmp_path / name, files))
        embed_snapshot(find_snapshot(graphs[-1]), Bag())
        random.Random(3).shuffle(files)
    found = [open_retriever(g, embedding=Bag()).retrieve("horses") for g in graphs]
    assert found[0] == found[1] != []


class Letters(BaseEmbedding):
    """A model of LlamaIndex: how often a text holds each letter."""

    model_name: str = "letters"

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(query.casefold().count(letter)) for letter in ascii_lowercase]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        raise NotImplementedError

    _get_text_embedding = _get_query_embedding


def test_an_embedding_of_llamaindex_will_do(tmp_path: Path) -> None:
    """An anagram shares no word with its article, and every letter."""
    graph = build(tmp_path, [TOLD])
    embed_snapshot(find_snapshot(graph), open_embedder(Letters()))
    nodes = EvidenceRetriever(graph, embedding=Letters()).retrieve("Nerve saw metro fig nim")
    assert [node.node.metadata["pmid"] for node in nodes] == [3]


def test_each_part_is_measured_beside_the_whole(tmp_path: Path) -> None:
    """One question is answered by a word, one by a concept, one by vectors alone."""
    graph = build(tmp_path, [TOLD])
    embed_snapshot(find_snapshot(graph), Bag())
    retriever = GraphRetriever.open(graph, embedding=Bag())
    told = {"Which horses?": 1, "High blood pressure?": 2, "What was given?": 3}
    report = evaluate_questions(retriever, [Question(text, (pmid,)) for text, pmid in told.items()])
    recall = {name: found.measures["recall@1"].value for name, found in report.systems.items()}
    assert set(recall) == {*WITH_VECTORS, "random"}
    assert recall["together"] == 1.0
    assert recall["BM25"] == recall["concepts"] == pytest.approx(1 / 3)
    assert recall["without vectors"] == pytest.approx(2 / 3)
    assert report.systems["without vectors"].lead["recall@1"].value == pytest.approx(1 / 3)


def test_an_empty_graph_has_no_vectors(tmp_path: Path) -> None:
    graph = build(tmp_path, [[]])
    assert embed_snapshot(find_snapshot(graph), Bag()).windows == 0
    assert open_retriever(graph, embedding=Bag()).retrieve("gout") == []
    assert vectors_folder(find_snapshot(graph), Bag().digest).is_dir()
