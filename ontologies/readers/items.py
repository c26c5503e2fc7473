"""What a reader yields, and how it opens a file.

A reader is a generator from a path to items: an `Entry` tells about one concept of a source, a
`Match` that two ids mean the same, a `Fault` that a row could not be used. A file that cannot be
read to its end raises `UnreadableFileError`.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from ontologies import curies

PREFERRED: Final = "preferred"
EXACT: Final = "exact"

MAPPING: Final = "MAPPING"
"""Source of names that a table of mappings repeats; kept where no vocabulary names the id."""


class Entry(NamedTuple):
    """What one row or record of a source tells about one concept; all but the id may be empty.

    `names` are (text, scope) pairs, the preferred one first; `source` is the prefix of the
    vocabulary that gives them. `xrefs` are CURIEs that the source gives as the same concept,
    `alternates` its own other ids (merged terms), `exact_xrefs` those that it states to be exact,
    `grouped` ids that it files under this concept though they may be narrower.
    Types are given where the source says them, and derived from `parents` otherwise.
    """

    id: str
    source: str
    names: tuple[tuple[str, str], ...] = ()
    xrefs: tuple[str, ...] = ()
    exact_xrefs: tuple[str, ...] = ()
    alternates: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    semantic_types: tuple[str, ...] = ()
    definition: str = ""
    grouped: tuple[str, ...] = ()


class Match(NamedTuple):
    """`subject` and `object` mean the same; `exact` where a curator says so."""

    subject: str
    object: str
    source: str
    exact: bool = False


class Fault(NamedTuple):
    """A row that could not be used: where, a short fixed reason, and what was expected."""

    place: str
    reason: str
    detail: str


Item = Entry | Match | Fault
Reader = Callable[[Path], Iterator[Item]]


class UnreadableFileError(ValueError):
    """A file that is damaged or not what it seems; names the file, the place and a remedy."""


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """A text file, plain or gzipped by its content; damage raises `UnreadableFileError`."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
        opener = gzip.open if zipped else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as text:
            yield text
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError(
            f"{path}: the gzip stream ends early or is damaged ({error}); fetch the file again"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"{path}: not UTF-8 at byte {error.start} of a block; convert the file to UTF-8"
        ) from error


def rows(
    path: Path, delimiter: str, *, quoted: bool = True, comment: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Rows of a delimited table with their line numbers, without empty and comment lines."""
    with open_text(path) as lines:
        # csv.QUOTE_MINIMAL and csv.QUOTE_NONE, as the literals that the type stubs ask for
        table = csv.reader(lines, delimiter=delimiter, quoting=0 if quoted else 3)
        try:
            for row in table:
                if row and not (comment and row[0].startswith(comment)):
                    yield table.line_num, row
        except csv.Error as error:
            raise UnreadableFileError(
                f"{path}:{table.line_num}: not a row of a table ({error}); correct or remove it"
            ) from error


def columns(path: Path, header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Positions of the wanted columns; `UnreadableFileError` names one that is missing."""
    names = [name.strip() for name in header]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UnreadableFileError(
            f"{path}:1: column {missing[0]!r} is missing among {names}; restore the header"
        )
    return [names.index(name) for name in wanted]


def cells(
    path: Path, delimiter: str, wanted: Sequence[str], *, quoted: bool = True
) -> Iterator[Fault | tuple[str, list[str]]]:
    """The place of each row of a table and its cells of the wanted columns, in their order.

    The first row names the columns. A row that lacks one of them is a `Fault`.
    """
    table = rows(path, delimiter, quoted=quoted)
    _, header = next(table, (0, []))
    positions = columns(path, header, wanted)
    for line, row in table:
        if len(row) <= max(positions):
            yield short_row(path, line, row, len(header))
        else:
            yield f"{path}:{line}", [row[position] for position in positions]


def short_row(path: Path, line: int, row: Sequence[str], expected: int) -> Fault:
    """The fault of a row with fewer columns than the header promises."""
    return Fault(
        f"{path}:{line}", "short-row", f"expected at least {expected} columns, came {len(row)}"
    )


class References:
    """Normalizes the cross-references of one place in a file, and keeps the faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def take(self, place: str, references: Sequence[str]) -> tuple[str, ...]:
        """The valid ones, normalized; the others become faults."""
        taken = []
        for reference in references:
            try:
                taken.append(curies.normalize(reference))
            except curies.InvalidCurieError as error:
                self.faults.append(Fault(place, "invalid-id", str(error)))
        return tuple(dict.fromkeys(taken))

    def drain(self) -> Iterator[Fault]:
        """The faults since the last call."""
        faults, self.faults = self.faults, []
        yield from faults
