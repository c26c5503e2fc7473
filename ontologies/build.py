"""From files to a saved vocabulary: walk, recognize, read, merge, save."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ontologies.collection import no_search_for_cycles
from ontologies.concept import Vocabulary
from ontologies.evidence import Conflict
from ontologies.gather import Gathered
from ontologies.merge import merge
from ontologies.readers.items import Fault, Item, UnreadableFileError, open_text
from ontologies.readers.rrf import Filters
from ontologies.recognize import Left, Recognized, recognize
from ontologies.releases import release_of
from ontologies.retired import add_retired

CONFLICTS = "conflicts.tsv"
KEPT_FAULTS = 20


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read: its format, how many entries and matches it gave, what it lacked.

    `faults` counts unusable rows by reason; `examples` are the first of them.
    """

    path: str
    format: str
    items: int
    faults: dict[str, int]
    examples: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class FileLeft:
    """A file that was not read, and why. `broken` is whether it was recognized and damaged."""

    path: str
    reason: str
    broken: bool = False


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: every file given is in `read` or in `left`."""

    out: str
    digest: str
    read: tuple[FileRead, ...]
    left: tuple[FileLeft, ...]
    concepts: int
    names: int
    with_cui: int
    conflicts: int
    seconds: float


class NothingToBuildError(ValueError):
    """No file of a known format was found, so there is no vocabulary to build."""


@dataclass(slots=True)
class _Reading:
    gathered: Gathered = field(default_factory=Gathered)
    read: list[FileRead] = field(default_factory=list)
    left: list[FileLeft] = field(default_factory=list)
    releases: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def build_vocabulary(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    languages: Sequence[str] = ("ENG",),
    sources: Sequence[str] | None = None,
    suppressed: bool = False,
    progress: Callable[[str], None] | None = None,
) -> BuildReport:
    """Read all files under the paths, join them and save the vocabulary to `out`.

    `languages`, `sources` (source abbreviations, all where `None`) and `suppressed` filter the
    names of UMLS and MedGen files. `progress` is told each step in a few words.
    """
    with no_search_for_cycles():
        return _build(paths, out, Filters(languages, sources, suppressed), progress or _silent)


def _silent(_: str) -> None:
    """Say nothing."""


def _build(
    paths: Sequence[str | Path],
    out: str | Path,
    filters: Filters,
    say: Callable[[str], None],
) -> BuildReport:
    start = time.perf_counter()
    reading = _Reading()
    for path in files(paths):
        say(f"reading {path}")
        _read(path, reading, filters)
    if not reading.gathered.names:
        reasons = "; ".join(f"{left.path}: {left.reason}" for left in reading.left)
        raise NothingToBuildError(
            f"no concept was found under {', '.join(map(str, paths))} ({reasons or 'no files'}); "
            "name files or folders of a known format"
        )
    add_retired(reading.gathered)
    say("joining")
    merged = merge(reading.gathered)
    say("saving")
    releases = {name: "; ".join(sorted(found)) for name, found in sorted(reading.releases.items())}
    vocabulary = Vocabulary.from_concepts(merged.concepts, releases)
    vocabulary.save(out, {CONFLICTS: conflict_lines(merged.conflicts)})
    return BuildReport(
        out=str(out),
        digest=vocabulary.digest,
        read=tuple(reading.read),
        left=tuple(reading.left),
        concepts=len(vocabulary),
        names=vocabulary.name_count,
        with_cui=sum(concept.id.startswith("UMLS:") for concept in merged.concepts),
        conflicts=len(merged.conflicts),
        seconds=time.perf_counter() - start,
    )


def files(paths: Iterable[str | Path]) -> list[Path]:
    """The files named and those under the folders named, each once, sorted; hidden ones left out.

    A path that does not exist is a `FileNotFoundError`.
    """
    found: set[Path] = set()
    for given in map(Path, paths):
        if not given.exists():
            raise FileNotFoundError(f"{given} does not exist; name a file or a folder that does")
        found.update(_walk(given) if given.is_dir() else [given])
    return sorted(found)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _read(path: Path, reading: _Reading, filters: Filters) -> None:
    try:
        recognized = recognize(path, filters)
        if isinstance(recognized, Left):
            reading.left.append(FileLeft(str(path), recognized.reason))
        else:
            reading.read.append(_take(path, recognized, reading.gathered))
            reading.releases[path.name].add(release_of(path))
    except UnreadableFileError as error:
        reading.left.append(FileLeft(str(path), str(error), broken=True))


def _take(path: Path, recognized: Recognized, gathered: Gathered) -> FileRead:
    """Take in a whole file, or nothing of it where it turns out to be damaged."""
    items: Iterable[Item] = recognized.reader(path)
    if recognized.large:
        _read_through(path)
    else:
        items = list(items)
    taken = 0
    faults: Counter[str] = Counter()
    examples: list[Fault] = []
    for item in items:
        if not isinstance(item, Fault):
            gathered.add(item)
            taken += 1
            continue
        faults[item.reason] += 1
        if len(examples) < KEPT_FAULTS:
            examples.append(item)
    return FileRead(
        str(path), recognized.format, taken, dict(sorted(faults.items())), tuple(examples)
    )


def _read_through(path: Path) -> None:
    """Read a file to its end, so that damage is met before anything of it is used."""
    with open_text(path) as text:
        while text.read(1 << 20):
            pass


def conflict_lines(conflicts: Iterable[Conflict]) -> Iterator[str]:
    """The table of links that were not followed, with a header."""
    yield "\t".join(Conflict._fields) + "\n"
    for conflict in conflicts:
        yield "\t".join(conflict) + "\n"
