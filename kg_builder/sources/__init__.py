"""Where articles come from: files of citations, and queries that fetch such files."""

from kg_builder.sources.source import Record, Source, open_source

__all__ = ["Record", "Source", "open_source"]
