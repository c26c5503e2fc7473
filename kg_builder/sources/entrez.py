"""`pubmed:QUERY` as input: search PubMed, fetch what is found, go on where it was left.

A query has a folder of its own, named by its hash: `pmids.txt` holds the PMIDs found,
`batch-*.xml` the citations, and `manifest.json` what is fetched so far. The search is made once;
remove the folder to search anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from kg_builder.model import Article, Failure
from kg_builder.sources.eutils import MOST_IDS, EntrezError, Eutils
from kg_builder.sources.pubmed import read

_BATCH = 500
_FIRST_DAY = date(1700, 1, 1)
_LAST_DAY = date(2999, 12, 31)  # citations are entered with days to come, too
_VERSION = 1

Progress = Callable[[int, int], None]
"""Called with the citations fetched so far and those found."""


@dataclass(slots=True)
class _Manifest:
    """What a folder of a query holds; `fetched` has the SHA-256 of each batch by its file name."""

    query: str
    count: int
    warnings: list[str]
    version: int = _VERSION
    fetched: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[int]] = field(default_factory=dict)


def fetch_query(
    query: str,
    directory: str | Path,
    *,
    email: str | None,
    api_key: str | None = None,
    base_url: str | None = None,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> list[Path]:
    """Files of the citations that PubMed finds for a query, ready for `pubmed.read`.

    Files that are there and whole are not fetched again, so the same call resumes; a folder that
    is complete needs no network. Raises `EmailRequiredError` without an email address,
    `EntrezError` where NCBI refuses, or where the ids found are not as many as it counts.
    Citations that NCBI found but did not give are in `missing_citations`.
    """
    folder = query_folder(query, directory)
    client = Eutils(email, api_key, base_url, pause)
    manifest = _load(folder) or _searched(client, query, folder)
    paths, done = [], 0
    for name, pmids in _batches(_found_before(folder, manifest)):
        path = folder / name
        if not _is_whole(path, manifest):
            _fetch(client, path, pmids, manifest)
        paths.append(path)
        done += len(pmids)
        if progress is not None:
            progress(done, manifest.count)
    return paths


def query_folder(query: str, directory: str | Path) -> Path:
    """Where the files of a query lie below `directory`; white space makes no difference."""
    name = hashlib.sha256(_normal(query).encode()).hexdigest()[:16]
    return Path(directory) / name


def missing_citations(query: str, directory: str | Path) -> list[Failure]:
    """A failure for each citation that PubMed found for the query and did not give."""
    folder = query_folder(query, directory)
    manifest = _load(folder)
    if manifest is None:
        return []
    return [
        Failure(
            f"pubmed:{manifest.query}",
            pmid,
            "not-fetched",
            f"PMID {pmid} was found but not given by NCBI; remove {folder} to search again",
        )
        for pmids in manifest.missing.values()
        for pmid in pmids
    ]


def _normal(query: str) -> str:
    return " ".join(query.split())


def _searched(client: Eutils, query: str, folder: Path) -> _Manifest:
    found = client.search(_normal(query))
    pmids = set(found.pmids)
    if found.count > len(pmids):
        pmids = set(_by_days(client, _normal(query), _FIRST_DAY, _LAST_DAY))
    if len(pmids) != found.count:
        raise EntrezError(
            f"PubMed counts {found.count:,} citations for {query!r}, but its answers by day of "
            f"entry name {len(pmids):,}; nothing was fetched: run the same command again, or "
            "narrow the query"
        )
    manifest = _Manifest(_normal(query), found.count, list(found.warnings))
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "pmids.txt", "".join(f"{pmid}\n" for pmid in sorted(pmids)).encode())
    _save(folder, manifest)
    return manifest


def _found_before(folder: Path, manifest: _Manifest) -> list[int]:
    pmids = [int(line) for line in (folder / "pmids.txt").read_text("ascii").split()]
    if len(pmids) != manifest.count:
        raise EntrezError(
            f"{folder}/pmids.txt has {len(pmids):,} PMIDs where {manifest.count:,} were found; "
            f"remove {folder} to search again"
        )
    return pmids


def _by_days(client: Eutils, query: str, first: date, last: date) -> Iterator[int]:
    """PMIDs entered from `first` to `last`, by halves until PubMed gives all of a part.

    The day of entry is used because each citation has exactly one; years of publication are
    coarse, and a citation printed and online has two.
    """
    found = client.search(query, (first, last))
    if found.count <= MOST_IDS:
        yield from found.pmids
        return
    if first == last:
        raise EntrezError(
            f"PubMed entered {found.count:,} citations for {query!r} on {first}, and gives at most "
            f"{MOST_IDS:,} of one search; narrow the query, or read NLM's baseline files"
        )
    middle = date.fromordinal((first.toordinal() + last.toordinal()) // 2)
    yield from _by_days(client, query, first, middle)
    yield from _by_days(client, query, date.fromordinal(middle.toordinal() + 1), last)


def _batches(pmids: list[int]) -> Iterator[tuple[str, list[int]]]:
    for number, start in enumerate(range(0, len(pmids), _BATCH), start=1):
        yield f"batch-{number:05}.xml", pmids[start : start + _BATCH]


def _is_whole(path: Path, manifest: _Manifest) -> bool:
    known = manifest.fetched.get(path.name)
    return known is not None and path.is_file() and _sha256(path.read_bytes()) == known


def _fetch(client: Eutils, path: Path, pmids: list[int], manifest: _Manifest) -> None:
    answer = client.fetch(pmids)
    _replace(path, answer)
    missing = _missing(path, pmids)
    if missing:
        manifest.missing[path.name] = missing
    else:
        manifest.missing.pop(path.name, None)
    manifest.fetched[path.name] = _sha256(answer)
    _save(path.parent, manifest)


def _missing(path: Path, pmids: Iterable[int]) -> list[int]:
    """PMIDs of which the file holds nothing; a book or a bad record is there, and read reports."""
    given = {record.pmid for record in read(path) if isinstance(record, Article | Failure)}
    return [pmid for pmid in pmids if pmid not in given]


def _load(folder: Path) -> _Manifest | None:
    try:
        fields = json.loads((folder / "manifest.json").read_text("utf-8"))
        manifest = _Manifest(**fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise EntrezError(
            f"{folder}/manifest.json cannot be read ({error}); remove {folder} to search again"
        ) from None
    if manifest.version != _VERSION:
        raise EntrezError(
            f"{folder} was made by another version of medweave (manifest {manifest.version}, "
            f"expected {_VERSION}); remove it to search again"
        )
    return manifest


def _save(folder: Path, manifest: _Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=1)
    _replace(folder / "manifest.json", text.encode())


def _replace(path: Path, content: bytes) -> None:
    """Write under another name first: a file under its own name is whole."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
