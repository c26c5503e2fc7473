"""Downloads the public vocabularies of `catalog.toml`, and says how to get the others."""

from __future__ import annotations

import hashlib
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

CHUNK: Final = 1 << 18
TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry of the catalog. `needs_licence` says how to get what cannot be fetched here."""

    name: str
    title: str
    version: str
    licence: str
    reader: str
    files: tuple[str, ...] = ()
    needs_licence: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded file with its SHA-256; `first` is whether that was recorded just now."""

    path: Path
    sha256: str
    first: bool


class UnknownVocabularyError(KeyError):
    """A name that the catalog does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class LicenceNeededError(PermissionError):
    """A vocabulary that cannot be downloaded without an account or a licence."""


class ChangedFileError(ValueError):
    """A file that differs from the one that was fetched first."""


class DownloadError(OSError):
    """A download that failed; what came so far is kept, and the next call goes on from there."""


def catalog() -> dict[str, Listing]:
    """All listed vocabularies by name, in the order of the catalog."""
    text = (resources.files("ontologies") / "catalog.toml").read_text(encoding="utf-8")
    return {name: _listing(name, values) for name, values in tomllib.loads(text).items()}


def _listing(name: str, values: Mapping[str, Any]) -> Listing:
    return Listing(name=name, **{**values, "files": tuple(values.get("files", ()))})


def fetch(
    name: str,
    directory: str | Path,
    *,
    listings: Mapping[str, Listing] | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> tuple[Fetched, ...]:
    """Download the files of a vocabulary into a directory, and check them.

    The first fetch of a file records its SHA-256 beside it (`FILE.sha256`); a later one compares
    and raises `ChangedFileError`, with the new file kept as `FILE.new`. `progress` is told the
    file's name, the bytes that came and the bytes expected (`None` where the server does not say).
    """
    known = catalog() if listings is None else listings
    if name not in known:
        raise UnknownVocabularyError(f"{name!r} is not in the catalog; known: {', '.join(known)}")
    listing = known[name]
    if listing.needs_licence:
        raise LicenceNeededError(
            f"{listing.title} cannot be fetched ({listing.licence}). {listing.needs_licence}"
        )
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_fetch_file(url, folder, progress or _silent) for url in listing.files)


def _silent(file: str, came: int, expected: int | None) -> None:
    """Say nothing."""


def _fetch_file(url: str, folder: Path, say: Callable[[str, int, int | None], None]) -> Fetched:
    target = folder / unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    part = target.with_name(target.name + ".part")
    _download(url, part, say)
    part.with_name(part.name + ".tag").unlink(missing_ok=True)
    return _accept(part, target)


def _download(url: str, part: Path, say: Callable[[str, int, int | None], None]) -> None:
    """Bytes of the address into the file, from where an earlier call left off."""
    tag = part.with_name(part.name + ".tag")
    came = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Range": f"bytes={came}-", "If-Range": tag.read_text()} if came else {}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            resumed = answer.status == HTTPStatus.PARTIAL_CONTENT
            came = came if resumed else 0
            _remember(answer.headers, tag)
            length = answer.headers.get("Content-Length")
            expected = came + int(length) if length else None
            with part.open("ab" if resumed else "wb") as out:
                while block := answer.read(CHUNK):
                    out.write(block)
                    came += len(block)
                    say(part.name.removesuffix(".part"), came, expected)
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            tag.unlink()
            _download(url, part, say)
            return
        raise DownloadError(f"{url}: the server answered {error.code} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise DownloadError(f"{url}: {error}; run the same command again to go on") from error
    if expected is not None and came != expected:
        raise DownloadError(
            f"{url}: {came} of {expected} bytes came; run the same command again to go on"
        )


def _remember(headers: Message, tag: Path) -> None:
    """Keep what tells this release from the next: parts of two must never become one file."""
    mark = headers.get("ETag") or headers.get("Last-Modified")
    if mark and not mark.startswith("W/"):
        tag.write_text(mark)
    else:
        tag.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _accept(part: Path, target: Path) -> Fetched:
    """Put a complete download in its place, if it is what was fetched first."""
    computed = sha256_of(part)
    record = target.with_name(target.name + ".sha256")
    if not record.exists():
        part.replace(target)
        record.write_text(f"{computed}  {target.name}\n", encoding="utf-8")
        return Fetched(target, computed, first=True)
    recorded = record.read_text(encoding="utf-8").split()[0]
    if recorded != computed:
        new = target.with_name(target.name + ".new")
        part.replace(new)
        raise ChangedFileError(
            f"{target.name}: SHA-256 {computed} is not the recorded {recorded}. Where a new "
            f"release is expected, delete {record.name} and fetch again; what came is in {new}"
        )
    part.replace(target)
    return Fetched(target, computed, first=False)
