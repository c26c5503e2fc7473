"""Downloads, against a server on the loopback address."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ontologies.fetch import (
    ChangedFileError,
    DownloadError,
    LicenceNeededError,
    Listing,
    UnknownVocabularyError,
    catalog,
    fetch,
)


class Server(ThreadingHTTPServer):
    """Serves one file; can break off after some bytes, and remembers the ranges asked for."""

    content = bytes(range(256)) * 4000
    break_after: int | None = None
    tag = '"one"'
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.path != "/x/vocabulary.obo":
            self.send_error(404)
            return
        start = 0
        if asked and self.headers.get("If-Range") == self.server.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.server.tag)
        self.end_headers()
        self.wfile.write(
            body if self.server.break_after is None else body[: self.server.break_after]
        )

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        made.ranges = []
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def listings(server: Server, path: str = "/x/vocabulary.obo") -> dict[str, Listing]:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    return {"x": Listing("x", "X", "latest", "CC0", "OBO", (url,))}


def test_the_first_fetch_records_the_checksum(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    (got,) = fetch(
        "x", tmp_path / "d", listings=listings(server), progress=lambda *step: told.append(step)
    )
    expected = hashlib.sha256(Server.content).hexdigest()
    assert got.path.read_bytes() == Server.content
    assert (got.sha256, got.first) == (expected, True)
    assert (tmp_path / "d/vocabulary.obo.sha256").read_text() == f"{expected}  vocabulary.obo\n"
    assert told[-1] == ("vocabulary.obo", len(Server.content), len(Server.content))
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == [
        "vocabulary.obo",
        "vocabulary.obo.sha256",
    ]


def test_a_later_fetch_compares(server: Server, tmp_path: Path) -> None:
    fetch("x", tmp_path, listings=listings(server))
    assert not fetch("x", tmp_path, listings=listings(server))[0].first
    server.content = b"another release"
    with pytest.raises(ChangedFileError, match=r"vocabulary\.obo: SHA-256 .* delete"):
        fetch("x", tmp_path, listings=listings(server))
    assert (tmp_path / "vocabulary.obo").read_bytes() == Server.content
    assert (tmp_path / "vocabulary.obo.new").read_bytes() == b"another release"


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.break_after = 300_000
    with pytest.raises(DownloadError, match="again to go on"):
        fetch("x", tmp_path, listings=listings(server))
    assert not (tmp_path / "vocabulary.obo").exists()
    server.break_after = None
    (got,) = fetch("x", tmp_path, listings=listings(server))
    assert got.path.read_bytes() == Server.content
    assert server.ranges == [None, "bytes=300000-"]


def test_parts_of_two_releases_are_never_put_together(server: Server, tmp_path: Path) -> None:
    server.break_after = 300_000
    with pytest.raises(DownloadError):
        fetch("x", tmp_path, listings=listings(server))
    server.break_after, server.tag, server.content = None, '"two"', b"z" * 400_000
    (got,) = fetch("x", tmp_path, listings=listings(server))
    assert got.path.read_bytes() == b"z" * 400_000


def test_an_address_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"/y: the server answered 404"):
        fetch("x", tmp_path, listings=listings(server, "/y"))


def test_unknown_names_and_licences_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(UnknownVocabularyError, match="mondo"):
        fetch("nonsense", tmp_path)
    with pytest.raises(LicenceNeededError, match=r"Unified Medical.*uts\.nlm\.nih\.gov"):
        fetch("umls", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_catalog_says_where_and_under_which_licence() -> None:
    listed = catalog()
    assert {"mondo", "doid", "hpo", "mesh-descriptors", "hgnc", "medic", "umls"} <= set(listed)
    for entry in listed.values():
        assert entry.title and entry.licence and entry.version and entry.reader
        assert bool(entry.files) != bool(entry.needs_licence)
        assert all(
            url.startswith(("https://", "http://purl.obolibrary.org/")) for url in entry.files
        )
