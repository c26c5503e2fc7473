"""A small copy of NLM's folder of PubMed on the loopback address, which misbehaves when told to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def apache(names: list[str]) -> str:
    """A listing as NLM's server writes it."""
    rows = "\n".join(
        f'<a href="{name}">{name}</a> 2026-01-15 14:05   43M  ' for name in ["README.txt", *names]
    )
    return (
        "<html><head><title>Index of /pubmed/updatefiles</title></head><body>"
        '<h1>Index of /pubmed/updatefiles</h1><pre>Name  <a href="?C=M;O=A">Last modified</a>\n'
        f'<hr><a href="/pubmed/">Parent Directory</a>\n{rows}\n<hr></pre></body></html>'
    )


@dataclass
class Server:
    """Files by path, and how to misbehave: bytes after which to hang up, statuses to send."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    redirect: str = ""
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def put(self, name: str, content: bytes, md5: str | None = None) -> None:
        self.files[f"/pubmed/updatefiles/{name}"] = content
        said = md5 or hashlib.md5(content).hexdigest()
        self.files[f"/pubmed/updatefiles/{name}.md5"] = f"MD5({name})= {said}\n".encode()
        names = [path.rsplit("/", 1)[1] for path in self.files if path[-1] != "/"]
        self.files["/pubmed/updatefiles/"] = apache(sorted(names)).encode()

    def ranges_asked(self) -> list[str]:
        return [what for path, what in self.asked if path.endswith(".gz")]


class Handler(BaseHTTPRequestHandler):
    """Answers from its server's `Server`."""

    site: Server

    def log_message(self, *_: object) -> None:
        return None

    def do_GET(self) -> None:
        site, what = self.site, self.headers.get("Range", "")
        site.asked.append((self.path, what))
        if site.redirect:
            self._head(HTTPStatus.FOUND, {"Location": site.redirect})
        elif self.path.endswith(".gz") and site.statuses:
            self._head(site.statuses.pop(0), {"Content-Length": "0"})
        elif self.path not in site.files:
            self._head(HTTPStatus.NOT_FOUND, {"Content-Length": "0"})
        else:
            self._send(site.files[self.path], int(what[6:-1]) if what and site.ranges else None)

    def _send(self, content: bytes, start: int | None) -> None:
        if start is not None and start >= len(content):
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Length": "0"})
            return
        body = content[start or 0 :]
        status = HTTPStatus.OK if start is None else HTTPStatus.PARTIAL_CONTENT
        self._head(status, {"Content-Length": str(len(body))})
        if self.path.endswith(".gz") and self.site.cut_after:
            body = body[: self.site.cut_after.pop(0)]
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def serving() -> Iterator[Server]:
    site = Server()
    handler = type("SiteHandler", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.address = f"http://127.0.0.1:{server.server_port}/pubmed"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
