"""PubMed's daily update files: which of them a ledger lacks, and fetching them from NLM.

NLM publishes a baseline each December, `pubmed26n0001.xml.gz` to `pubmed26nNNNN.xml.gz` in the
folder `baseline/`, and then daily files that count on from there in `updatefiles/`. Each has a
`.md5` beside it. The numbers mean something within one year only: the next baseline holds
everything anew, deletions and revisions applied, and begins at 1 again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kg_builder.durable import room_for, sync_file
from kg_builder.sources.download import AbsentError, asked, read_text, resume
from kg_builder.sources.inputs import order_key

NLM = "https://ftp.ncbi.nlm.nih.gov/pubmed"

_LINK = re.compile(r"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_RELEASED = re.compile(r"pubmed\d\dn\d+\.xml\.gz$")
_MD5 = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", re.IGNORECASE)
_LISTING = re.compile(r"(?:Index of|Directory listing for)\b", re.IGNORECASE)

Progress = Callable[[str, int, int | None], None]
"""Called with a file's name, how many of its bytes came, and how many there are if it is said."""


class NotAListingError(ValueError):
    """A page is no listing of a directory: that it names no file does not mean there is none."""


class ChecksumError(ValueError):
    """A file is not the one whose MD5 is published beside it, or no MD5 is."""


class NoReleaseError(ValueError):
    """A ledger holds no file of a PubMed release, so that no update file can follow."""


class NewReleaseError(ValueError):
    """NLM published the baseline of another year than the ledger's."""


class FileGapError(ValueError):
    """Between the files of a ledger and those published, some are missing."""


# -- which files, without any network ---------------------------------------------------------


def listed_names(listing: str) -> list[str]:
    """The release files that a directory listing links to, in their order; nothing else of it.

    >>> listed_names('<a href="pubmed26n0002.xml.gz">x</a> <a href="pubmed26n0002.xml.gz.md5">')
    ['pubmed26n0002.xml.gz']
    """
    names = {unquote(urlsplit(link).path).rsplit("/", 1)[-1] for link in _LINK.findall(listing)}
    return sorted(filter(_RELEASED.fullmatch, names), key=order_key)


def missing_names(
    held: Iterable[tuple[int, int]], updates: Iterable[str], baseline: Iterable[str] = ()
) -> list[str]:
    """The update files of the ledger's year that it lacks, in the order to apply them.

    `held` are (year, number) of the ledger's files, those of no release among them; `updates` and
    `baseline` the names published. The ledger's year is its newest; files published for older
    years are left. Raises `NoReleaseError`, `NewReleaseError` where a file of a later year is
    published, and `FileGapError` where a number between those of the ledger and the updates is
    in neither.
    """
    released = {order for order in held if order[0] > 0}
    if not released:
        raise NoReleaseError(
            "the ledger holds no file of a PubMed release (pubmedYYnNNNN.xml.gz), so it is not "
            "known which update comes next: build the graph from NLM's baseline files first"
        )
    year = max(released)[0]
    orders = {name: order_key(name) for name in updates}
    later = sorted(name for name in (*orders, *baseline) if order_key(name)[0] > year)
    if later:
        raise NewReleaseError(
            f"NLM published the release of {order_key(later[0])[0]} ({later[0]}), and the ledger "
            f"is of {year}: numbers of two years are never mixed. Build a new graph, in another "
            "folder, from the new baseline; this one keeps what it holds"
        )
    numbers = {number for of, number in released if of == year}
    offered = {order[1]: name for name, order in orders.items() if order[0] == year}
    _check_gaps(year, numbers | offered.keys())
    return [offered[number] for number in sorted(offered.keys() - numbers)]


def _check_gaps(year: int, numbers: set[int]) -> None:
    gaps = [(a + 1, b - 1) for a, b in pairwise(sorted(numbers)) if b > a + 1]
    if not gaps:
        return
    names = ", ".join(
        _name(year, first) + (f" to {_name(year, last)}" if last > first else "")
        for first, last in gaps
    )
    raise FileGapError(
        f"missing between the files of the ledger and those published: {names}. Updates apply one "
        f"after the other: fetch what is missing from {NLM}/baseline/ or another mirror, "
        "give it to kg_build, and update again"
    )


def _name(year: int, number: int) -> str:
    return f"pubmed{year % 100:02d}n{number:04d}.xml.gz"


# -- fetching ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UpdateSite:
    """A copy of NLM's folder of PubMed: `base_url` holds `updatefiles/` and `baseline/`.

    Only HTTPS is spoken, plain HTTP to this machine alone. What fails in passing is asked for
    `attempts` times, the pause of `pause` seconds doubling in between.
    """

    base_url: str = NLM
    attempts: int = 4
    pause: float = 1.0

    def updates(self) -> list[str]:
        """The update files that the site lists, of every year."""
        return self._listed("updatefiles/")

    def baseline(self) -> list[str]:
        """The baseline files that the site lists; none where it has no such folder."""
        try:
            return self._listed("baseline/")
        except AbsentError:
            return []

    def _listed(self, folder: str) -> list[str]:
        page = self._text(folder)
        names = listed_names(page)
        if not names and not _LISTING.search(page):
            raise NotAListingError(
                f"{self._url(folder)} is no directory listing (it begins {page[:80]!r}): expected "
                "one that names pubmedYYnNNNN.xml.gz; is the base address right, or does a proxy "
                "answer in its place?"
            )
        return names

    def fetch(self, name: str, folder: Path, progress: Progress | None = None) -> Path:
        """Bring an update file into `folder`, whole and of the published MD5, or not at all.

        What is there already and right is not fetched again; what came in part goes on where it
        ended. Raises `DownloadError` or `ChecksumError`.
        """
        expected = self._md5(name)
        target, part = folder / name, folder / f".{name}.part"
        if target.is_file() and _md5_of(target) == expected:
            return target
        folder.mkdir(parents=True, exist_ok=True)
        fresh = not part.exists()
        found = self._fetched(name, part, progress)
        if found != expected and not fresh:  # it began as another version of the file
            part.unlink()
            found = self._fetched(name, part, progress)
        if found != expected:
            part.unlink()
            raise ChecksumError(
                f"{self._url(f'updatefiles/{name}')}: MD5 {found} came, {expected} is published; "
                "nothing was applied: run the same command again, later if it happens again"
            )
        with room_for(target):
            sync_file(part)
            part.replace(target)
        sync_file(folder)
        return target

    def _fetched(self, name: str, part: Path, progress: Progress | None) -> str:
        """Download what is left of a file, and return the MD5 of the whole."""

        def tell(came: int, whole: int | None) -> None:
            if progress is not None:
                progress(name, came, whole)

        url = self._url(f"updatefiles/{name}")
        asked(url, lambda: resume(url, part, tell), self.attempts, self.pause)
        return _md5_of(part)

    def _md5(self, name: str) -> str:
        found = _MD5.search(self._text(f"updatefiles/{name}.md5"))
        if found is None:
            raise ChecksumError(
                f"{self._url(f'updatefiles/{name}.md5')} holds no MD5 (32 hexadecimal digits): "
                "what cannot be verified is not applied"
            )
        return found[0].lower()

    def _text(self, path: str) -> str:
        url = self._url(path)
        return asked(url, lambda: read_text(url), self.attempts, self.pause)

    def _url(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}/{path}"


def _md5_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
