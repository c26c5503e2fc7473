"""scispaCy's index of names, built over a vocabulary of ours.

The recipe is scispaCy's own (character 3-grams within words, tf-idf, an HNSW graph of cosine
neighbours with its parameters). It is built here because scispaCy's builder stores half-precision
vectors, which scipy no longer supports, and thus refuses Python 3.11; here they are single
precision, and nothing is pickled. Building takes minutes for 100,000 names and hours for a million.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ontologies.concept import Vocabulary

INDEX_VERSION = 1
SCOPES = frozenset({"preferred", "exact"})
"""Scopes of the names that are indexed: a broader or related name is not the concept's own."""

_NEIGHBOURS = 100
_CONSTRUCTION = 2000
_SEARCH = 200
_LEAST_NAMES_WITH_GRAM = 10


class EmptyVocabularyError(ValueError):
    """A vocabulary without a name that can be indexed."""


@dataclass(frozen=True, slots=True)
class NameIndex:
    """What a `CandidateGenerator` is made of: `names[i]` is row `i` of `vectors` and of `graph`."""

    names: list[str]
    vectorizer: Any
    vectors: Any
    graph: Any


def knowledge_base(vocabulary: Vocabulary, *, notes: bool = False) -> Any:
    """The vocabulary as scispaCy's `KnowledgeBase`; `notes` keeps clinical shorthand.

    All is held in memory as Python strings: about a kilobyte a concept.
    """
    from scispacy.linking_utils import Entity, KnowledgeBase

    aliases: dict[int, list[str]] = {}
    table = vocabulary.names_table().to_batches(max_chunksize=100_000)
    for block in table:
        columns = (block[name].to_pylist() for name in ("concept", "text", "scope", "notes_only"))
        for concept, text, scope, notes_only in zip(*columns, strict=True):
            if scope in SCOPES and (notes or not notes_only):
                aliases.setdefault(concept, []).append(text)
    ids = vocabulary.ids().to_pylist()
    return KnowledgeBase(
        Entity(ids[row], names[0], names) for row, names in sorted(aliases.items())
    )


def build_index(names: list[str]) -> NameIndex:
    """Index names, of which those without a frequent enough 3-gram are left out, as in scispaCy.

    Below 10,000 names the least frequency is lower than scispaCy's 10, in proportion: few names
    share 3-grams, and none would be left.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not names:
        raise EmptyVocabularyError("the vocabulary has no name to index; build it from a source")
    least = min(_LEAST_NAMES_WITH_GRAM, 1 + len(names) // 1000)
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), min_df=least, dtype=np.float32
    )
    vectors = vectorizer.fit_transform(names)
    kept = np.flatnonzero(vectors.getnnz(axis=1))
    vectors = vectors[kept]
    graph = _graph(vectors)
    settings = {"M": _NEIGHBOURS, "efConstruction": _CONSTRUCTION, "post": 0}
    settings["indexThreadQty"] = os.cpu_count() or 1
    graph.createIndex(settings, print_progress=False)
    graph.setQueryTimeParams({"efSearch": _SEARCH})
    return NameIndex([names[row] for row in kept], vectorizer, vectors, graph)


def _graph(vectors: Any) -> Any:
    import nmslib

    graph = nmslib.init(
        method="hnsw", space="cosinesimil_sparse", data_type=nmslib.DataType.SPARSE_VECTOR
    )
    graph.addDataPointBatch(vectors)
    return graph


def save_index(index: NameIndex, directory: Path) -> None:
    """Write an index into an existing directory."""
    from scipy import sparse

    grams = {gram: int(column) for gram, column in index.vectorizer.vocabulary_.items()}
    (directory / "names.json").write_text(json.dumps(index.names), "utf-8")
    (directory / "grams.json").write_text(json.dumps(grams), "utf-8")
    np.save(directory / "idf.npy", index.vectorizer.idf_)
    sparse.save_npz(directory / "vectors.npz", index.vectors)
    index.graph.saveIndex(str(directory / "graph.bin"))


def load_index(directory: Path) -> NameIndex:
    """The index that `save_index` wrote."""
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 3),
        dtype=np.float32,
        vocabulary=json.loads((directory / "grams.json").read_text("utf-8")),
    )
    vectorizer.idf_ = np.load(directory / "idf.npy")
    vectors = sparse.load_npz(directory / "vectors.npz")
    graph = _graph(vectors)
    graph.loadIndex(str(directory / "graph.bin"))
    graph.setQueryTimeParams({"efSearch": _SEARCH})
    names = json.loads((directory / "names.json").read_text("utf-8"))
    return NameIndex(names, vectorizer, vectors, graph)


def index_of(vocabulary: Vocabulary, names: list[str], *, notes: bool = False) -> NameIndex:
    """The index of a vocabulary's names, from where it was kept, or built and kept now.

    It is kept beside the vocabulary, or in the user's cache where that cannot be written, under
    the vocabulary's digest. That of a vocabulary in memory is kept nowhere.
    """
    places = list(_places(vocabulary, notes))
    for place in places:
        if place.is_dir():
            return load_index(place)
    index = build_index(names)
    for place in places:
        if _kept(index, place):
            break
    return index


def _places(vocabulary: Vocabulary, notes: bool) -> Iterator[Path]:
    if vocabulary.directory is None:
        return
    name = f"scispacy-{INDEX_VERSION}-{vocabulary.digest[:16]}{'-notes' if notes else ''}"
    yield vocabulary.directory / name
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    yield Path(cache) / "medweave" / name


def _kept(index: NameIndex, place: Path) -> bool:
    """Write an index whole or not at all; another process may have been faster."""
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        save_index(index, beside)
        beside.rename(place)
    except OSError:
        return place.is_dir()
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True
