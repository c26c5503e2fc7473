"""The tables on disk: Arrow schemas of the ledger's shards and of the snapshot, with a version.

A ledger shard is a folder of Parquet files. Inside a shard `article` is the row number in its
`articles` table. A snapshot is a folder of uncompressed Arrow IPC files that readers map into
memory; there `article`, `concept` and `edge` are row numbers in the tables of those names, so
that no reader needs a join. Spans index `Article.text`, ends exclusive, in code points.

What a reader of a snapshot must know:

- `articles` holds every article in force, retracted ones too (`retracted`). Their sentences,
  mentions, occurrences and evidence are in the tables, but count in no edge and in no concept's
  `articles`: a reader leaves them out unless asked for them.
- An edge that only retracted articles support stays in `edges` with zero counts and null years,
  so that its evidence can be shown when asked; it is no edge of the graph, and the number of
  edges in `BUILD.json` leaves it out.
- A table may come in several record batches (`FIXED_ROWS` and `ARTICLE_ROWS` a batch): a column
  is contiguous only where the table is smaller than that.
- Row order and dictionaries are canonical: the same content gives the same bytes.
"""

from __future__ import annotations

import pyarrow as pa

LEDGER_VERSION = 1
SNAPSHOT_VERSION = 1

ARTICLE_ROWS = 1 << 16
"""Rows a record batch of `articles` and `concepts`: 32-bit offsets hold 2 GB of text a batch."""
FIXED_ROWS = 1 << 23
"""Rows a record batch of the tables of fixed width.

Both are multiples of 512: Arrow pads buffers to 64 bytes with what follows in memory, so that
smaller batches would hold the same rows in other bytes."""

_words = pa.dictionary(pa.int32(), pa.string())
_span = [("sentence_start", pa.int32()), ("sentence_end", pa.int32())]
_ends = [
    ("subject_start", pa.int32()),
    ("subject_end", pa.int32()),
    ("object_start", pa.int32()),
    ("object_end", pa.int32()),
    ("cue_start", pa.int32()),
    ("cue_end", pa.int32()),
]
_assertion = [
    ("refutes", pa.bool_()),
    ("hedged", pa.bool_()),
    ("score", pa.int16()),  # 1/10,000
    ("extractor", _words),
]
_article = [
    ("pmid", pa.int64()),
    ("version", pa.int32()),
    ("title", pa.string()),
    ("section_labels", pa.list_(pa.string())),
    ("section_texts", pa.list_(pa.string())),
    ("year", pa.int16()),  # null: no date
    ("month", pa.int8()),  # null: not said
    ("day", pa.int8()),
    ("published", pa.date32()),  # PublicationDate.last_day(), null: no date
    ("types", pa.list_(pa.string())),
    ("mesh", pa.list_(pa.string())),
    ("languages", pa.list_(pa.string())),
    ("retracted", pa.bool_()),
    ("revised", pa.string()),
    ("journal", pa.string()),
    ("doi", pa.string()),
    ("vernacular_title", pa.string()),
]

# content_hash: SHA-256 of the article's row, the concepts it mentions and its evidence, as
# kg_builder.digest defines it.
LEDGER_ARTICLES = pa.schema([*_article, ("content_hash", pa.binary(32))])
LEDGER_SENTENCES = pa.schema(  # in the order of articles and of their text
    [("article", pa.int32()), ("start", pa.int32()), ("end", pa.int32())]
)
LEDGER_MENTIONS = pa.schema(  # in the order of articles and of their text
    [
        ("article", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("concept", _words),  # null: fits no concept
        ("score", pa.int16()),
    ]
)
LEDGER_EVIDENCE = pa.schema(  # by article; within one in the order of a snapshot's evidence
    [
        ("article", pa.int32()),
        ("subject", _words),
        ("predicate", pa.int8()),  # position in kg_builder.model.PREDICATES
        ("object", _words),
        *_span,
        *_ends,
        *_assertion,
    ]
)
LEDGER_DELETIONS = pa.schema([("pmid", pa.int64())])
LEDGER_FAILURES = pa.schema(
    [
        ("place", pa.string()),
        ("pmid", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)

SNAPSHOT_ARTICLES = LEDGER_ARTICLES  # sorted by pmid
SNAPSHOT_SENTENCES = LEDGER_SENTENCES  # sorted by article, start
SNAPSHOT_MENTIONS = pa.schema(  # linked ones, sorted by article, start
    [
        ("article", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("concept", pa.int32()),
        ("score", pa.int16()),
    ]
)
SNAPSHOT_CONCEPTS = pa.schema(  # concepts that are mentioned in an article in force, by id
    [
        ("id", pa.string()),
        ("name", pa.string()),
        (
            "names",
            pa.list_(
                pa.struct(
                    [
                        ("text", pa.string()),
                        ("source", pa.string()),
                        ("scope", pa.string()),
                        ("notes_only", pa.bool_()),
                    ]
                )
            ),
        ),
        ("semantic_types", pa.list_(pa.string())),
        ("parents", pa.list_(pa.string())),  # ids, also of concepts that are not mentioned
        ("xrefs", pa.list_(pa.string())),
        ("definition", pa.string()),
        ("articles", pa.int32()),  # articles not retracted that mention it
        ("content_hash", pa.binary(32)),  # of the row but for `articles`
    ]
)
SNAPSHOT_EDGES = pa.schema(  # sorted by subject id, predicate name, object id
    [
        ("subject", pa.int32()),
        ("predicate", pa.int8()),
        ("object", pa.int32()),
        ("supporting", pa.int32()),
        ("refuting", pa.int32()),
        ("hedged", pa.int32()),
        ("first_year", pa.int16()),
        ("last_year", pa.int16()),
        ("evidence_start", pa.int64()),  # rows of the evidence table
        ("evidence_count", pa.int32()),
    ]
)
SNAPSHOT_EVIDENCE = pa.schema(  # sorted by edge, then pmid, then spans
    [
        ("edge", pa.int32()),
        ("article", pa.int32()),
        *_span,
        *_ends,
        *_assertion,
    ]
)
SNAPSHOT_INCIDENCE = pa.schema(  # for each concept its edges: most supporting first, then key
    [("concept", pa.int32()), ("edge", pa.int32())]
)
SNAPSHOT_OCCURRENCE = pa.schema(  # which articles mention a concept; sorted, distinct
    [("concept", pa.int32()), ("article", pa.int32())]
)

LEDGER_TABLES: dict[str, pa.Schema] = {
    "articles": LEDGER_ARTICLES,
    "sentences": LEDGER_SENTENCES,
    "mentions": LEDGER_MENTIONS,
    "evidence": LEDGER_EVIDENCE,
    "deletions": LEDGER_DELETIONS,
    "failures": LEDGER_FAILURES,
}
SNAPSHOT_TABLES: dict[str, pa.Schema] = {
    "articles": SNAPSHOT_ARTICLES,
    "sentences": SNAPSHOT_SENTENCES,
    "mentions": SNAPSHOT_MENTIONS,
    "concepts": SNAPSHOT_CONCEPTS,
    "edges": SNAPSHOT_EDGES,
    "evidence": SNAPSHOT_EVIDENCE,
    "incidence": SNAPSHOT_INCIDENCE,
    "occurrence": SNAPSHOT_OCCURRENCE,
}
