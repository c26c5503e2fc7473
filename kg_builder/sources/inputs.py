"""Which files are read, and in which order their records take effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kg_builder.model import Failure
from kg_builder.sources.pubmed import CONTAINERS, RECORDS
from kg_builder.sources.xml_stream import UnreadableFileError, root_tag

_RELEASE = re.compile(r"(?:pubmed|medline)(\d\d)n(\d+)\.xml(?:\.gz)?$", re.IGNORECASE)
_SUFFIXES = (".xml", ".xml.gz")
_FIRST_CENTURY_YEAR = 60  # MEDLINE began in 1966: a two-digit year from 60 is of that century


def order_key(path: str | Path) -> tuple[int, int]:
    """(year, number) of a file that PubMed released, `(0, 0)` of any other, which thus comes first.

    >>> order_key("updates/pubmed26n1335.xml.gz")
    (2026, 1335)
    """
    found = _RELEASE.search(Path(path).name)
    if found is None:
        return 0, 0
    year = int(found[1])
    return year + (1900 if year >= _FIRST_CENTURY_YEAR else 2000), int(found[2])


def expand_inputs(paths: Iterable[str | Path]) -> list[Path]:
    """The files to read, each once, by `order_key` and then path; directories are walked.

    A file that is named is taken as it is (reading it tells what is wrong with it). Of a
    directory, files called `*.xml` or `*.xml.gz` and others that begin like citations are
    taken; `unrecognized_inputs` lists what is left.
    """
    named, walked = _expanded(paths)
    files = {
        path.resolve(): path for path in (*walked, *sorted(named)) if path in named or _fits(path)
    }
    return sorted(files.values(), key=lambda path: (order_key(path), path.as_posix()))


def unrecognized_inputs(paths: Iterable[str | Path]) -> list[Failure]:
    """A failure for each file of the directories that `expand_inputs` leaves, and for each
    directory in which it finds none to read.
    """
    failures = []
    for directory in sorted({Path(path) for path in paths if Path(path).is_dir()}):
        files = list(_walk(directory))
        left = [path for path in files if not _fits(path)]
        failures += [_left(path) for path in left]
        if len(left) == len(files):
            failures.append(
                Failure(
                    str(directory),
                    None,
                    "nothing-to-read",
                    f"{directory}: expected files of citations (*.xml, *.xml.gz), found none",
                )
            )
    return failures


def _left(path: Path) -> Failure:
    detail = f"{path.name}: not a file of citations in XML; left unread, name it to read it anyway"
    return Failure(str(path), None, "unrecognized-file", detail)


def _expanded(paths: Iterable[str | Path]) -> tuple[set[Path], list[Path]]:
    named, walked = set(), []
    for path in map(Path, paths):
        if path.is_dir():
            walked += list(_walk(path))
        else:
            named.add(path)
    return named, walked


def _walk(directory: Path) -> Iterator[Path]:
    return (path for path in sorted(directory.rglob("*")) if path.is_file())


def _fits(path: Path) -> bool:
    if path.name.lower().endswith(_SUFFIXES):
        return True
    try:
        return root_tag(path) in CONTAINERS | RECORDS
    except (UnreadableFileError, OSError):
        return False
