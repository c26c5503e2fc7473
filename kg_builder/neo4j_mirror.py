"""A local copy of the snapshot that a Neo4j server holds, for what reads whole tables.

The server holds articles, concepts, edges and evidence whole, and which concepts an article
mentions, but neither where nor its sentences. The copy splits sentences anew, takes the places of
mentions from evidence, and finds the others by the linker over the graph's own concepts; one that
is not found so stands at 0:0. The digest covers none of these, and everything else: a copy whose
digest is not the server's is refused.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from kg_builder.digest import contents
from kg_builder.ledger import Ledger, ShardKey
from kg_builder.mine import ShardTables
from kg_builder.model import Article, PublicationDate, Section
from kg_builder.schema import LEDGER_TABLES, SNAPSHOT_CONCEPTS
from kg_builder.sentences import sentence_spans
from kg_builder.snapshot import SnapshotInfo, build_snapshot, set_current
from kg_builder.verify import Content
from ontologies.concept import Concept, Vocabulary
from ontologies.linker import Linker, Mention, open_linker

LINKER = "mirror 1"
_COLUMNS = SNAPSHOT_CONCEPTS.names[:-2]


class MirrorError(RuntimeError):
    """What a server holds is not what its digest says."""


def mirrored(url: str) -> Path:
    """The graph directory of a server's snapshot in the user's cache, copied there if need be.

    The first copy reads the whole database, and takes some 2 ms an article. Raises as
    `Neo4jStore` does, `EvidenceNotPublishedError` for a database without evidence, and
    `MirrorError`.
    """
    from kg_builder.neo4j_content_store import held_contents
    from kg_builder.neo4j_session import connect, database_name, named_errors
    from kg_builder.neo4j_store import EvidenceNotPublishedError, Neo4jStore

    store = Neo4jStore.open(url)
    try:
        stats = store.stats()
        if stats.edges and not stats.evidence:
            raise EvidenceNotPublishedError(
                f"retrieval cites sentences, and {url} was published without evidence: publish "
                "again without --no-evidence, or ask the graph directory"
            )
        home = _cache() / "servers" / stats.digest
        if home.is_dir():
            return home
        concepts = store.concepts(store.concept_ids())
    finally:
        store.close()
    with (
        named_errors(url),
        connect(url) as driver,
        driver.session(database=database_name(), default_access_mode="READ") as session,
    ):
        return _kept(home, held_contents(session), concepts, url)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medweave"


def _kept(home: Path, parts: Iterable[Content], concepts: Sequence[Concept], url: str) -> Path:
    """Write a copy whole or not at all; another process may have been faster."""
    home.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        info = write_copy(folder, parts, concepts)
        if info.digest != home.name:
            raise MirrorError(
                f"{url} says {home.name}, its content is {info.digest}: it was changed, or is "
                f"being published; `medweave digest --graph {url} --verify`, and publish again"
            )
        folder.chmod(0o755)
        folder.rename(home)
    except OSError:
        if not home.is_dir():
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return home


def write_copy(graph: Path, parts: Iterable[Content], concepts: Sequence[Concept]) -> SnapshotInfo:
    """Write the snapshot of a graph's content into an empty graph directory, and make it current.

    `concepts` are all that are mentioned.
    """
    held = _Held.of(concepts)
    linker = open_linker("lexicon", _linkable(concepts))
    ledger = Ledger.open(graph)
    entries = []
    for number, part in enumerate(parts):
        key = ShardKey(str(number), LINKER, LINKER, held.digest)
        entries.append(ledger.write(key, (0, number), str(number), _shard(part, linker)))
    ledger.commit(entries)
    info = build_snapshot(graph, held)  # type: ignore[arg-type]  # all that is asked of one
    set_current(graph, info.digest)
    shutil.rmtree(graph / "ledger")
    return info


class _Held(NamedTuple):
    """The concepts of a server as a snapshot asks a vocabulary for them."""

    table: pa.Table
    digest: str

    @classmethod
    def of(cls, concepts: Sequence[Concept]) -> _Held:
        rows = [
            {
                **{name: getattr(one, name) for name in _COLUMNS},
                "names": [asdict(n) for n in one.names],
            }
            for one in sorted(concepts, key=lambda one: one.id)
        ]
        fields = [SNAPSHOT_CONCEPTS.field(name) for name in _COLUMNS]
        return cls(pa.Table.from_pylist(rows, pa.schema(fields)), "held by a server")

    def select(self, ids: pa.Array) -> pa.Table:
        """The rows of concepts, in the order asked."""
        found = pc.index_in(ids, self.table["id"].combine_chunks())
        if found.null_count:
            raise KeyError(ids.filter(found.is_null())[0].as_py())
        return self.table.take(found)


def _linkable(concepts: Sequence[Concept]) -> Vocabulary:
    """The concepts as a vocabulary; parents that are not among them are left out."""
    known = {concept.id for concept in concepts}
    return Vocabulary.from_concepts(
        replace(one, parents=tuple(parent for parent in one.parents if parent in known))
        for one in concepts
    )


def _shard(part: Content, linker: Linker) -> ShardTables:
    """The tables of a ledger's shard with a part's articles."""
    articles = [_article(row) for row in part.articles.to_pylist()]
    owner = part.evidence["article"].to_pylist()
    stated: list[dict[tuple[int, int], str]] = [{} for _ in articles]
    for at, row in zip(owner, part.evidence.to_pylist(), strict=True):
        for end in ("subject", "object"):
            stated[at][row[f"{end}_start"], row[f"{end}_end"]] = row[end]
    named: list[set[str]] = [set() for _ in articles]
    for at, concept in zip(
        *(part.mentions[n].to_pylist() for n in ("article", "concept")), strict=True
    ):
        named[at].add(concept)
    linked = linker.link_many(article.text for article in articles)
    mentions = [_located(*found) for found in zip(named, stated, linked, strict=True)]
    hashed = contents(part.articles, part.mentions, part.evidence)
    hashes = pa.array(hashed.hashes, pa.binary(32))
    rows = part.articles.select(LEDGER_TABLES["articles"].names[:-1])
    sentences = [sentence_spans(article) for article in articles]
    return ShardTables(
        rows.append_column("content_hash", hashes).cast(LEDGER_TABLES["articles"]),
        _table("sentences", ((at, *span) for at, own in enumerate(sentences) for span in own)),
        _table("mentions", ((at, *one) for at, own in enumerate(mentions) for one in own)),
        part.evidence.take(hashed.order)
        .select(LEDGER_TABLES["evidence"].names)
        .cast(LEDGER_TABLES["evidence"]),
        LEDGER_TABLES["deletions"].empty_table(),
        LEDGER_TABLES["failures"].empty_table(),
    )


def _article(row: dict[str, Any]) -> Article:
    """An article's text and what splitting it asks for."""
    sections = zip(row["section_labels"], row["section_texts"], strict=True)
    return Article(
        row["pmid"],
        row["version"],
        row["title"],
        tuple(Section(*section) for section in sections),
        PublicationDate(row["year"]) if row["year"] else None,
    )


def _located(
    named: set[str], stated: dict[tuple[int, int], str], linked: Sequence[Mention]
) -> list[tuple[int, int, str, int]]:
    """(start, end, concept, score) of the mentions of an article, in the order of its text.

    The score is 0 where the linker had no part in it.
    """
    found = {(start, end): (start, end, concept, 0) for (start, end), concept in stated.items()}
    for mention in linked:
        if mention.concept_id in named:
            span = (mention.start, mention.end)
            if stated.get(span, mention.concept_id) == mention.concept_id:
                found[span] = (*span, mention.concept_id, round(10_000 * mention.score))
    placed = {concept for _, _, concept, _ in found.values()}
    lost = [(0, 0, concept, 0) for concept in sorted(named - placed)]
    return [*lost, *sorted(found.values())]


def _table(name: str, rows: Iterator[tuple[Any, ...]]) -> pa.Table:
    schema = LEDGER_TABLES[name]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = []
    for column, field in zip(columns, schema, strict=True):
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        arrays.append(pa.array(column, plain).cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
