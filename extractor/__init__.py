"""Notes and passages about a patient → findings with spans, and an outcome probability."""

from extractor.reader import Reader, open_reader
from extractor.schema import Finding, Kind, Note, NoteFindings, Status

__all__ = ["Finding", "Kind", "Note", "NoteFindings", "Reader", "Status", "open_reader"]
